"""Healthy: trees whose nodes know their parent, dropped at once.  They are garbage in cycles until the collector runs,
every so many objects, so how many there are goes up and down like a saw, at most some thousand, from the first
step on."""
from _steps import serve

TRUTH = None
KEPT = {"__main__.Tree": (0, 0, 0)}


class Leaf:
    def __init__(self, parent):
        self.parent = parent


class Tree:
    def __init__(self, number):
        self.number = number
        self.leaves = [Leaf(self) for _ in range(4)]


def step(number):
    for i in range(1000 + number * 37):
        Tree(number * 1000 + i)


if __name__ == "__main__":
    serve(step)
