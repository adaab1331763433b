"""C functions that call Python back (sorted with a key, map, a comparison in a class), in branches that never meet.

usage: python calls_reentry.py [SECONDS]
The last line of its output says when main began and ended, in nanoseconds since 1970.
"""
import sys
import time

EDGES = {
    "<module>": {"main"},
    "main": {"by_sort", "by_map", "by_order"},
    "by_sort": {"key"},
    "key": {"key_leaf"},
    "by_map": {"each"},
    "each": {"each_leaf"},
    "by_order": {"__lt__"},
    "__lt__": {"order_leaf"},
}
# What a C function calls is called on the line of the C call; the name of a method is not written there.
HIDDEN_CALLS = {("by_order", "__lt__")}
SECONDS = float(sys.argv[1]) if len(sys.argv) > 1 else 5.0


def key_leaf(n):
    return -n


def each_leaf(n):
    return -n


def order_leaf(n):
    return -n


def key(n):
    return key_leaf(n)


def each(n):
    return each_leaf(n)


class Ordered:
    def __init__(self, n):
        self.n = n

    def __lt__(self, other):
        return order_leaf(self.n) < order_leaf(other.n)


def by_sort(data):
    return sorted(data, key=key)


def by_map(data):
    return list(map(each, data))


def by_order(data):
    return sorted(data)


NUMBERS = list(range(20))
ORDERED = [Ordered(n) for n in range(8)]


def main():
    begin = time.time_ns()
    end = begin + int(SECONDS * 1e9)
    while time.time_ns() < end:
        for _ in range(20):
            by_sort(NUMBERS)
            by_map(NUMBERS)
            by_order(ORDERED)
    return begin, time.time_ns()


if __name__ == "__main__":
    print('TRUTH {"begin_ns": %d, "end_ns": %d}' % main())
