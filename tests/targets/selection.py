"""Calls whose number and depth are known, for what hasten trace is to see of them.

usage: python selection.py [slow | fork | many]
"""
import os
import sys
import time


def leaf(value):
    return abs(value)


def mid(count):
    for value in range(count):
        leaf(value)


def other(count):
    for value in range(count):
        leaf(value)


def rec(depth):
    return 0 if depth == 0 else 1 + rec(depth - 1)


def late(seconds):
    time.sleep(seconds)


def after():
    pass


def inside_fork(depth):
    """Forks where its own calls are no more to be seen."""
    if depth > 0:
        return inside_fork(depth - 1)
    return os.fork()


def main(how):
    mid(100000 if how == "many" else 100)
    other(50)
    rec(20)
    for _ in range(3):
        late(0.01 if how == "slow" else 0)
    if how == "fork":
        child = inside_fork(10)
        after()
        if child == 0:
            os._exit(0)
        os.wait()


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "")
