"""Documents whose nodes know their parent and have a __del__, in a program that turned the collector off "for speed":
garbage in cycles that nobody reaches any more and nobody frees."""
import gc

from _steps import serve

TRUTH = {"type": "__main__.Node", "holder": "nothing: cycles between parent and children, and gc.disable()",
         "path": "", "objects_each_step": 2000}
CLOSED = [0]


class Node:
    def __init__(self, parent):
        self.parent = parent
        self.children = []
        if parent is not None:
            parent.children.append(self)

    def __del__(self):
        CLOSED[0] += 1


def parse():
    root = Node(None)
    for _ in range(19):
        Node(root)
    return len(root.children)


def step(number):
    for _ in range(100):
        parse()


if __name__ == "__main__":
    gc.collect()
    gc.disable()
    serve(step, gc.collect)
