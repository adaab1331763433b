"""Waits in with_locals(), whose variables a dump with -l must show, and one of a class that it must not run."""
import time

from _target import LIMIT_S, ready


class Dangerous:
    def __repr__(self):
        raise SystemExit("a dump must not run code of the program")


def with_locals(argument):
    number = 42
    negative = -7
    big = 2 ** 80
    fraction = 2.5
    truth = True
    nothing = None
    text = "h\u00e9llo"
    wide = "\u65e5\u672c"
    items = [1, "two", None]
    pair = (3, 4)
    table = {"key": 5}
    odd = Dangerous()
    ready()
    time.sleep(LIMIT_S)
    return argument, number, negative, big, fraction, truth, nothing, text, wide, items, pair, table, odd


if __name__ == "__main__":
    with_locals("given")
