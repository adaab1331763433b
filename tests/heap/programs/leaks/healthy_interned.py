"""Healthy: names of fields out of messages, interned, from a set of 5000.  A step meets 2000 of them: all are there
after the third step, and no string is added later."""
import sys

from _steps import serve

TRUTH = None
COUNTS = {}


def step(number):
    for i in range(number * 2000, number * 2000 + 2000):
        name = sys.intern("field %d" % (i % 5000))
        COUNTS[name] = COUNTS.get(name, 0) + 1


if __name__ == "__main__":
    serve(step)
