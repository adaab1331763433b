"""A database driver that registers its open cursors, which are generators; callers read the first row and go away, so
none is ever finished or closed."""
from _steps import serve

TRUTH = {"type": "generator", "holder": "the dict CURSORS of generators that were never finished", "path": "CURSORS",
         "objects_each_step": 2000, "or": [("__main__.Statement", "CURSORS")]}
CURSORS = {}


class Statement:
    def __init__(self, number):
        self.text = "select %d" % number
        self.first = number


def rows_of(statement):
    for i in range(1000):
        yield statement.first + i


def execute(number):
    cursor = CURSORS[number] = rows_of(Statement(number))
    for row in cursor:
        yield row
    del CURSORS[number]


def step(number):
    for i in range(2000):
        next(execute(number * 2000 + i))


if __name__ == "__main__":
    serve(step, CURSORS.clear)
