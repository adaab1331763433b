"""A server that keeps the state of each request under its id, and forgets to take it out when the request ends in an
error; here each does."""
from _steps import serve

TRUTH = {"type": "__main__.Progress", "holder": "the dict IN_PROGRESS of the module, keyed by the id of a request",
         "path": "IN_PROGRESS", "objects_each_step": 2000}
IN_PROGRESS = {}


class Progress:
    def __init__(self, user):
        self.user = user
        self.stages = ["received", "parsed"]


def handle(request_id):
    IN_PROGRESS[request_id] = Progress("user %s" % request_id[-3:])
    int("no number of %s" % request_id)  # fails
    del IN_PROGRESS[request_id]


def step(number):
    for i in range(2000):
        try:
            handle("request-%08d" % (number * 2000 + i))
        except ValueError:
            pass


if __name__ == "__main__":
    serve(step, IN_PROGRESS.clear)
