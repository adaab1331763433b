"""Mail that could not be sent is to be tried again: functools.partial objects, bound to the message, which nobody
calls and nobody drops."""
import functools

from _steps import serve

TRUTH = {"type": "__main__.Message", "holder": "the list RETRIES of functools.partial objects bound to messages",
         "path": "RETRIES", "objects_each_step": 2000, "or": [("functools.partial", "RETRIES")]}
RETRIES = []


class Message:
    def __init__(self, number):
        self.recipient = "user%d@example.org" % number
        self.text = "Dear user %d" % number

    def send(self, tries):
        raise OSError(self.recipient, tries)


def send(message):
    try:
        message.send(1)
    except OSError:
        RETRIES.append(functools.partial(message.send, tries=2))


def step(number):
    for i in range(2000):
        send(Message(number * 2000 + i))


if __name__ == "__main__":
    serve(step, RETRIES.clear)
