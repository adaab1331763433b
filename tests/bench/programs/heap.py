"""Makes objects of known number, then waits; at a word on standard input a tool that works inside the program counts them.

usage: python heap.py N      12 N objects (see made()); prints what as JSON, then a line of JSON a word:
words: gc (gc.get_objects), closure (gc.get_referents from there), objgraph, muppy, guppy3
"""
import gc
import json
import sys
import time


class Plain:
    def __init__(self, i):
        self.number = 10 ** 6 + i
        self.text = "text %d" % i
        self.half = i / 2
        self.pair = (i, None)


class Slotted:
    __slots__ = ("one", "two")

    def __init__(self):
        self.one = self.two = None


def made(n):
    """What it plants, by type, and the objects."""
    kept = [[Plain(i) for i in range(n)], [Slotted() for _ in range(n)], [{"key %d" % i: i + 10 ** 7} for i in range(n)],
            [[i + 10 ** 8, None] for i in range(n)]]
    return {"__main__.Plain": n, "__main__.Slotted": n, "dict": n, "list": n, "str": 2 * n, "float": n, "tuple": n,
            "int": 4 * n}, kept


def by_gc():
    return len(gc.get_objects())


def by_closure():
    """What meliae, muppy and the dumpers inside a program do: from the tracked objects to all that they refer to."""
    seen = {id(o): o for o in gc.get_objects()}
    todo = list(seen.values())
    while todo:
        found = {id(o): o for o in gc.get_referents(*todo)}
        todo = [o for address, o in found.items() if address not in seen]
        seen.update((id(o), o) for o in todo)
    return len(seen)


def by_objgraph():
    import objgraph
    return sum(count for _, count in objgraph.most_common_types(limit=10 ** 6))


def by_muppy():
    from pympler import muppy, summary
    found = muppy.get_objects()
    summary.summarize(found)
    return len(found)


def by_guppy3():
    import guppy
    return guppy.hpy().heap().count


TOOLS = {"gc": by_gc, "closure": by_closure, "objgraph": by_objgraph, "muppy": by_muppy, "guppy3": by_guppy3}


def resident():
    with open("/proc/self/status") as file:
        return int(next(line for line in file if line.startswith("VmHWM")).split()[1]) * 1024


def main():
    planted, kept = made(int(sys.argv[1]))
    print(json.dumps({"planted": planted, "resident": resident()}))
    sys.stdout.flush()
    for word in sys.stdin:
        before, begin = resident(), time.perf_counter()
        count = TOOLS[word.strip()]()
        print(json.dumps({"seconds": time.perf_counter() - begin, "objects": count, "more_bytes": resident() - before}))
        sys.stdout.flush()
    return kept


if __name__ == "__main__":
    main()
