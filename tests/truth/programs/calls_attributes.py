"""Calls that are not written as calls: properties, items, attributes that __getattr__ makes, objects that are called, and
constructors, in two branches that never meet and whose frames are equal.

usage: python calls_attributes.py [SECONDS]
The last line of its output says when main began and ended, in nanoseconds since 1970.
"""
import sys
import time

EDGES = {
    "<module>": {"main"},
    "main": {"left", "right"},
    "left": {"left_value", "left_index", "left_call", "left_init", "left_missing", "left_keywords"},
    "right": {"right_value", "right_index", "right_call", "right_init", "right_missing", "right_keywords"},
    "left_value": {"left_leaf"},
    "left_index": {"left_leaf"},
    "left_call": {"left_leaf"},
    "left_init": {"left_leaf"},
    "left_missing": {"left_leaf"},
    "left_keywords": {"left_leaf"},
    "right_value": {"right_leaf"},
    "right_index": {"right_leaf"},
    "right_call": {"right_leaf"},
    "right_init": {"right_leaf"},
    "right_missing": {"right_leaf"},
    "right_keywords": {"right_leaf"},
}
# What is called is not named where it is called.
HIDDEN_CALLS = {
    ("left", "left_value"), ("left", "left_index"), ("left", "left_call"),
    ("left", "left_init"), ("left", "left_missing"), ("left", "left_keywords"),
    ("right", "right_value"), ("right", "right_index"), ("right", "right_call"),
    ("right", "right_init"), ("right", "right_missing"), ("right", "right_keywords"),
}
SECONDS = float(sys.argv[1]) if len(sys.argv) > 1 else 5.0


def left_leaf(n):
    return n + 1


def right_leaf(n):
    return n + 1


class Left:
    def left_init(self, n):
        self.n = left_leaf(n)

    def left_value(self):
        return left_leaf(self.n)

    def left_index(self, i):
        return left_leaf(i)

    def left_call(self, i):
        return left_leaf(i)

    def left_missing(self, name):
        return left_leaf(1)

    def left_keywords(self, *items, **names):
        return left_leaf(1)

    __init__, value, __getitem__, __call__, __getattr__ = left_init, property(left_value), left_index, left_call, \
        left_missing


class Right:
    def right_init(self, n):
        self.n = right_leaf(n)

    def right_value(self):
        return right_leaf(self.n)

    def right_index(self, i):
        return right_leaf(i)

    def right_call(self, i):
        return right_leaf(i)

    def right_missing(self, name):
        return right_leaf(1)

    def right_keywords(self, *items, **names):
        return right_leaf(1)

    __init__, value, __getitem__, __call__, __getattr__ = right_init, property(right_value), right_index, right_call, \
        right_missing


def left(n):
    thing = Left(n)
    return thing.value + thing[n] + thing(n) + thing.absent + thing.left_keywords(*(n,), **{"a": n})


def right(n):
    thing = Right(n)
    return thing.value + thing[n] + thing(n) + thing.absent + thing.right_keywords(*(n,), **{"a": n})


def main():
    begin = time.time_ns()
    end = begin + int(SECONDS * 1e9)
    while time.time_ns() < end:
        for n in range(100):
            left(n)
            right(n)
    return begin, time.time_ns()


if __name__ == "__main__":
    print('TRUTH {"begin_ns": %d, "end_ns": %d}' % main())
