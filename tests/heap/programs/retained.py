"""Structures of many shapes that share parts, each held by one name alone, and let go one by one.

usage: python retained.py     prints "ready"; at a line with a name lets that structure go and prints how many of the
allocator's blocks that freed; "names" prints {name: address}
"""
import collections
import functools
import gc
import json
import os
import random
import sys
import threading
import weakref


class Node:
    def __init__(self, number):
        self.number = number
        self.text = "node %d" % number
        self.links = []


class Slotted:
    __slots__ = ("one", "two")

    def __init__(self, one, two):
        self.one, self.two = one, two


N = 2000
RANDOM = random.Random(7)
SHARED = [Node(10 ** 6 + i) for i in range(N)]


def plain():
    return [Node(i + 10 ** 4) for i in range(N)]


def with_shared():
    nodes = plain()
    for node in nodes:
        node.links.append(SHARED[RANDOM.randrange(N)])
    return nodes


def ring():
    nodes = plain()
    for one, other in zip(nodes, nodes[1:] + nodes[:1]):
        one.links.append(other)
        other.links.append(one)
    return {"ring": nodes[0]}


def web():
    nodes = plain()
    for node in nodes:
        node.links.extend(RANDOM.sample(nodes, 3))
    return tuple(nodes)


def table():
    return {"key %d" % i: {i + 10 ** 5: (i + 10 ** 6, i / 2 + 0.25)} for i in range(N)}


def sets():
    return [{i + 10 ** 7, "text %d" % i} for i in range(N)] + [frozenset((i + 10 ** 8,)) for i in range(N)]


def slots():
    chain = None
    for i in range(N):
        chain = Slotted(chain, bytes(100 + i % 700))
    return [chain]


def queue():
    return collections.deque({"n": i + 10 ** 6} for i in range(N))


def ordered():
    return collections.OrderedDict((("k", i + 10 ** 5), [i + 10 ** 6]) for i in range(N))


def closures():
    def make(i):
        kept = [i + 10 ** 6, "closure %d" % i]
        return lambda: kept
    return [make(i) for i in range(N)]


def generators():
    def walk(rows):
        for row in rows:
            yield row
    made = [walk(["row %d" % i, i + 10 ** 6]) for i in range(N)]
    for generator in made:
        next(generator)
    return made


def failures():
    kept = []
    for i in range(N // 10):
        try:
            local = ["local %d" % i] * 3
            raise ValueError(local)
        except ValueError as error:
            kept.append(error.with_traceback(None))
    return kept


def cached():
    @functools.lru_cache(maxsize=None)
    def function(key):
        return [key, "value %d" % key]
    for i in range(N):
        function(i + 10 ** 6)
    return function


def classes():
    return [type("Made%d" % i, (Node,), {"member": [i]}) for i in range(N // 20)]


def watched():
    nodes = plain()
    return [nodes, [weakref.ref(node) for node in nodes], weakref.WeakValueDictionary(enumerate(nodes, 10 ** 5))]


def local():
    kept = threading.local()
    kept.rows = plain()
    return kept


def big():
    return [bytearray(5000), "long " * 2000, bytes(300000), list(range(10 ** 6, 10 ** 6 + 3000))]


MAKERS = [plain, with_shared, ring, web, table, sets, slots, queue, ordered, closures, generators, failures, cached, classes,
          watched, local, big]


def say(text):
    os.write(1, (text + "\n").encode())  # as sys.stdin, sys.stdout has buffers


def main():
    held = {maker.__name__: maker() for maker in MAKERS}
    gc.collect()
    say("ready")
    while True:
        name = os.read(0, 100).decode().strip()  # sys.stdin has buffers that come and go
        if not name:
            break
        if name == "names":
            say(json.dumps({name: id(structure) for name, structure in held.items()}))
        else:
            before = sys.getallocatedblocks()
            held[name] = None
            while gc.collect():
                pass
            say(str(before - sys.getallocatedblocks()))


if __name__ == "__main__":
    main()
