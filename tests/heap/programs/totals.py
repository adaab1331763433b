"""Plants objects of many kinds while tracemalloc watches, which is told of every block that is asked for.

usage: python totals.py     prints "ready"; at a line on standard input plants, and prints as JSON what tracemalloc says
of it: {"asked": bytes, "blocks": the same as blocks of pymalloc and glibc}
"""
import collections
import json
import sys
import tracemalloc

KEPT = []
SMALL, WORD, PAGE, MAPPED = 512, 8, 4096, 128 * 1024


class Plain:
    def __init__(self, i):
        self.number = i
        self.half = i / 2


class Slotted:
    __slots__ = ("one", "two")

    def __init__(self, i):
        self.one, self.two = str(i), None


def plant(n):
    KEPT.append([Plain(10 ** 9 + i) for i in range(n)])
    KEPT.append([Slotted(i) for i in range(n)])
    KEPT.append({"key %d" % i: [i, None, (i, 1.5 * i)] for i in range(n)})
    KEPT.append([{i, i + 1, i + 2, i + 3, i + 4, i + 5, i + 6} for i in range(n // 4)])
    KEPT.append([{"a": i, "b": [None] * 100} for i in range(n // 4)])
    KEPT.append([b"x" * (400 + i % 4000) for i in range(n // 4)])
    KEPT.append([bytearray(1000) for _ in range(n // 10)])
    KEPT.append(collections.deque(str(i) * 20 for i in range(n)))
    KEPT.append([lambda i=i: i for i in range(n // 4)])
    KEPT.append(bytes(3 * 10 ** 6))


def block(asked):
    """What pymalloc takes for it, or glibc: with its own head, and what is large as a mapping."""
    if asked <= SMALL:
        return (asked + 15) // 16 * 16
    if asked >= MAPPED:
        return (asked + 2 * WORD + PAGE - 1) // PAGE * PAGE
    return (asked + WORD + 15) // 16 * 16


def planted_by_traces(n):
    tracemalloc.start()
    plant(n)
    sizes = [trace.size for trace in tracemalloc.take_snapshot().traces]
    tracemalloc.stop()
    return {"asked": sum(sizes), "blocks": sum(map(block, sizes))}


def main():
    print("ready")
    sys.stdout.flush()
    for _ in sys.stdin:
        print(json.dumps(planted_by_traces(20000)))
        sys.stdout.flush()


if __name__ == "__main__":
    main()
