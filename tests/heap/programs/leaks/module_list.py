"""A web service that notes every request in a list of its module, for a page of statistics that was never built."""
from _steps import serve

TRUTH = {"type": "__main__.Request", "holder": "the list REQUESTS of the module", "path": "REQUESTS",
         "objects_each_step": 2000}
REQUESTS = []


class Request:
    def __init__(self, number):
        self.url = "/orders/%d" % number
        self.status = 200
        self.seconds = number / 7


def answer(request):
    REQUESTS.append(request)
    return "<h1>%s</h1>" % request.url


def step(number):
    for i in range(2000):
        answer(Request(number * 2000 + i))


if __name__ == "__main__":
    serve(step, REQUESTS.clear)
