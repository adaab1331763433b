"""A crawler that keeps the exceptions of pages that it could not read: each has its traceback, that its frames, and
those the whole page in a variable."""
from _steps import serve

TRUTH = {"type": "__main__.Page", "holder": "the list FAILURES of exceptions, whose tracebacks hold frames",
         "path": "FAILURES", "objects_each_step": 500,
         "or": [("__main__.Unreadable", "FAILURES"), ("traceback", "FAILURES"), ("frame", "FAILURES")]}
FAILURES = []


class Unreadable(Exception):
    pass


class Page:
    def __init__(self, number):
        self.words = ["word %d" % (number + i) for i in range(10)]

    def title(self):
        raise Unreadable("no title")


def crawl(number):
    page = Page(number)
    return page.title()


def step(number):
    for i in range(500):
        try:
            crawl(number * 500 + i)
        except Unreadable as error:
            FAILURES.append(error)


if __name__ == "__main__":
    serve(step, FAILURES.clear)
