"""Generators that feed one another, in two chains that never meet, made anew all the time: frames that do not lie
on the data stack and whose memory is soon another generator's.

usage: python calls_generators.py [SECONDS]
The last line of its output says when main began and ended, in nanoseconds since 1970.
"""
import sys
import time

EDGES = {
    "<module>": {"main"},
    "main": {"left", "right"},
    "left": {"left_outer"},
    "left_outer": {"left_inner"},
    "left_inner": {"left_leaf"},
    "right": {"right_outer"},
    "right_outer": {"right_inner"},
    "right_inner": {"right_leaf"},
}
SECONDS = float(sys.argv[1]) if len(sys.argv) > 1 else 5.0


def left_leaf(n):
    return n + 1


def right_leaf(n):
    return n + 1


def left_inner(n):
    for i in range(n):
        yield left_leaf(i)


def right_inner(n):
    for i in range(n):
        yield right_leaf(i)


def left_outer(n):
    for value in left_inner(n):
        yield value + 1


def right_outer(n):
    yield from right_inner(n)


def left(n):
    total = 0
    for value in left_outer(n):
        total += value
    return total


def right(n):
    total = 0
    for value in right_outer(n):
        total += value
    return total


def main():
    begin = time.time_ns()
    end = begin + int(SECONDS * 1e9)
    while time.time_ns() < end:
        for n in range(12):
            left(n)
            right(n)
            right(3)
            left(2)
    return begin, time.time_ns()


if __name__ == "__main__":
    print('TRUTH {"begin_ns": %d, "end_ns": %d}' % main())
