"""Two functions of equal frames that call each other: even only ever calls odd, odd only even, and each has a leaf
of its own, so that a stack that is shifted by one frame shows a call that is not in EDGES.

usage: python calls_recursion.py [SECONDS]
The last line of its output says when main began and ended, in nanoseconds since 1970.
"""
import sys
import time

EDGES = {
    "<module>": {"main"},
    "main": {"even", "odd"},
    "even": {"odd", "even_end"},
    "odd": {"even", "odd_end"},
}
SECONDS = float(sys.argv[1]) if len(sys.argv) > 1 else 5.0


def even_end(n):
    return n + 1


def odd_end(n):
    return n + 1


def even(n):
    if n > 0:
        return odd(n - 1)
    return even_end(n)


def odd(n):
    if n > 0:
        return even(n - 1)
    return odd_end(n)


def main():
    begin = time.time_ns()
    end = begin + int(SECONDS * 1e9)
    while time.time_ns() < end:
        for depth in range(0, 60, 7):
            even(depth)
            odd(depth)
            even(3)
            odd(2)
    return begin, time.time_ns()


if __name__ == "__main__":
    print('TRUTH {"begin_ns": %d, "end_ns": %d}' % main())
