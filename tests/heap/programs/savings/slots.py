"""Instances of a class with four attributes; after: the class has __slots__."""
from _measure import AFTER, N, measure

NAMES = ("x", "y", "z", "label")


class Point:
    if AFTER:
        __slots__ = NAMES

    def __init__(self):
        self.x = self.y = self.z = 0
        self.label = None


if __name__ == "__main__":
    measure(lambda: [Point() for _ in range(N)])
