"""C code that calls Python again: each callback is below a driver of its own, with a C function in between that
makes no Python frame.  EDGES as in flutter.py."""
import functools
import re

from _target import going, ready

EDGES = {
    "<module>": {"main"},
    "main": {"going", "drive_sorted", "drive_sub", "drive_reduce", "drive_map", "drive_compare"},
    "drive_sorted": {"key_of"},
    "drive_sub": {"replacement"},
    "drive_reduce": {"combine"},
    "drive_map": {"mapped"},
    "drive_compare": {"__lt__"},
    "key_of": {"busy"},
    "replacement": {"busy"},
    "combine": {"busy"},
    "mapped": {"busy"},
    "__lt__": {"busy"},
}
NUMBERS = list(range(60))
TEXT = "a1b2c3d4e5" * 6
DIGIT = re.compile("[0-9]")


def busy(n):
    total = 0
    for i in range(30):
        total += i ^ n
    return total


def key_of(n):
    return busy(n)


def replacement(match):
    busy(1)
    return match.group(0)


def combine(a, b):
    return a + busy(b)


def mapped(n):
    return busy(n)


class Ordered:
    def __init__(self, n):
        self.n = n

    def __lt__(self, other):
        busy(self.n)
        return self.n < other.n


OBJECTS = [Ordered(n * 7 % 31) for n in range(40)]


def drive_sorted():
    sorted(NUMBERS, key=key_of)


def drive_sub():
    DIGIT.sub(replacement, TEXT)


def drive_reduce():
    functools.reduce(combine, NUMBERS)


def drive_map():
    list(map(mapped, NUMBERS))


def drive_compare():
    min(OBJECTS)
    OBJECTS.sort()
    OBJECTS.reverse()


def main():
    while going():
        for _ in range(20):
            drive_sorted()
            drive_sub()
            drive_reduce()
            drive_map()
            drive_compare()


if __name__ == "__main__":
    ready()
    main()
