"""Instances of which somebody asked for the __dict__, so that each got a dict object; after: nobody asks.  Saves
something from CPython 3.11 on: before, each instance has a dict in any case."""
from _measure import AFTER, N, measure


class Point:
    def __init__(self):
        self.x = self.y = self.z = 0
        if not AFTER:
            vars(self)


if __name__ == "__main__":
    measure(lambda: [Point() for _ in range(N)])
