"""A call tree of equal functions: every frame has the same size and lies where another branch's frame lay a moment
before, so that a copy that mixes two moments shows a call that is not in EDGES.

usage: python calls_plain.py [SECONDS [DEPTH]]      DEPTH: frames between main and the tree (0)
The last line of its output says when main began and ended, in nanoseconds since 1970.
"""
import sys
import time

EDGES = {
    "<module>": {"main"},
    "main": {"above", "a0", "a1"},
    "above": {"above", "a0", "a1"},
    "a0": {"b0", "b1"},
    "a1": {"b2", "b3"},
    "b0": {"c0", "c1"},
    "b1": {"c2", "c3"},
    "b2": {"c4", "c5"},
    "b3": {"c6", "c7"},
}
SECONDS = float(sys.argv[1]) if len(sys.argv) > 1 else 5.0
DEPTH = int(sys.argv[2]) if len(sys.argv) > 2 else 0
CALLS_A_ROUND = 500 * 14


def c0(n):
    return n + 1


def c1(n):
    return n + 1


def c2(n):
    return n + 1


def c3(n):
    return n + 1


def c4(n):
    return n + 1


def c5(n):
    return n + 1


def c6(n):
    return n + 1


def c7(n):
    return n + 1


def b0(n):
    return c0(n) + c1(n)


def b1(n):
    return c2(n) + c3(n)


def b2(n):
    return c4(n) + c5(n)


def b3(n):
    return c6(n) + c7(n)


def a0(n):
    return b0(n) + b1(n)


def a1(n):
    return b2(n) + b3(n)


def above(levels, end):
    if levels > 1:
        return above(levels - 1, end)
    rounds = 0
    while time.time_ns() < end:
        for n in range(500):
            a0(n)
            a1(n)
        rounds += 1
    return rounds


def main():
    begin = time.time_ns()
    end = begin + int(SECONDS * 1e9)
    rounds = 0
    if DEPTH:
        rounds = above(DEPTH, end)
    while time.time_ns() < end:
        for n in range(500):
            a0(n)
            a1(n)
        rounds += 1
    return begin, time.time_ns(), rounds * CALLS_A_ROUND


if __name__ == "__main__":
    print('TRUTH {"begin_ns": %d, "end_ns": %d, "calls": %d}' % main())
