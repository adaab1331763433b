"""Plants objects of many types in a known number, in two steps: what is between the two is what was planted.

usage: python heap_planted.py [SECONDS] [N] [churn]     prints "ready"; at a line on standard input plants and
prints what: a JSON object {type: number}; churn: three threads make and drop objects all the while
"""
import collections
import gc
import json
import os
import sys
import threading
import weakref

from _target import going, ready

N = int(sys.argv[2]) if len(sys.argv) > 2 else 1000
KEPT = []


class Plain:
    def __init__(self, i):
        self.number = i
        self.half = i / 2


class Slotted:
    __slots__ = ("one", "two")

    def __init__(self, i):
        self.one = self.two = None


class Gone(Plain):
    pass


class Text(str):
    pass


class Number(int):
    pass


class Large(bytes):
    pass


class Table(dict):
    pass


class Row(list):
    pass


Point = collections.namedtuple("Point", "x y")
Empty = type("Empty", (), {})


class Failure(Exception):
    pass


def generator():
    yield 1


def watched_generator(i):
    kept = generator()
    return kept, weakref.ref(kept)


def fail(i):
    raise Failure(10 ** 9 + i)


def failure_of(i):
    try:
        fail(i)
    except Failure as error:
        return error


def closure(i):
    return lambda: i


def churn():
    held = []
    while going():
        held.append({"key %d" % len(held): Plain(len(held)), "list": [len(held)] * 7})
        if len(held) > 200:
            del held[::2]


OLD = sys.version_info < (3, 11)  # attributes lie in a dict, and generators have a frame object
WEAK = "weakref" if sys.version_info < (3, 10) else "weakref.ReferenceType"
# What each makes, i by i, and objects of which types that are: besides, it makes none.
PLANTS = [
    (Plain, {"__main__.Plain": 1, "float": 1, "int": 1, "dict": OLD}),
    (Slotted, {"__main__.Slotted": 1}),
    (lambda i: Text("text %d" % i), {"__main__.Text": 1}),
    (lambda i: Number(10 ** 9 + i), {"__main__.Number": 1}),
    (lambda i: Table(), {"__main__.Table": 1}),
    (lambda i: Row([1, int, str]), {"__main__.Row": 1}),
    (lambda i: Point(1, 2), {"__main__.Point": 1}),
    (lambda i: Empty(), {"__main__.Empty": 1}),
    (lambda i: Failure(1), {"__main__.Failure": 1, "tuple": 1}),
    (lambda i: "planted %d" % i, {"str": 1}),
    (lambda i: "\u20ac %d" % i, {"str": 1}),
    (lambda i: "long " * 300 + str(i), {"str": 1}),
    (lambda i: b"planted %d" % i, {"bytes": 1}),
    (lambda i: b"%d" % i + bytes(3000), {"bytes": 1}),
    (lambda i: bytearray(20), {"bytearray": 1, "bytes": sys.version_info >= (3, 15)}),
    (lambda i: 10 ** 12 + i, {"int": 1}),
    (lambda i: 7 ** 2000 + i, {"int": 1}),
    (lambda i: i + 0.5, {"float": 1}),
    (lambda i: complex(i, 1), {"complex": 1}),
    (lambda i: [1, int, str, dict, type], {"list": 1}),
    (lambda i: [None] * 300, {"list": 1}),
    (lambda i: (i + 10 ** 6, None), {"tuple": 1, "int": 1}),
    (lambda i: (None,) * 200 + (i + 10 ** 6,), {"tuple": 1, "int": 1}),
    (lambda i: {"a": 1, "b": int}, {"dict": 1}),
    (lambda i: {n: None for n in range(40)}, {"dict": 1}),
    (lambda i: {1, 2, 3}, {"set": 1}),
    (lambda i: set(range(100)), {"set": 1}),
    (lambda i: frozenset((1, 2)), {"frozenset": 1}),
    (lambda i: collections.deque([1]), {"collections.deque": 1}),
    (lambda i: slice(1, 2, None), {"slice": 1}),
    (lambda i: generator(), {"generator": 1, "frame": OLD}),
    (watched_generator, {"generator": 1, WEAK: 1, "tuple": 1, "frame": OLD}),
    (lambda i: failure_of(i), {"frame": 3, "traceback": 2, "__main__.Failure": 1, "tuple": 1, "int": 2}),
    (closure, {"function": 1, "tuple": 1, "cell": 1, "int": 1}),
    (lambda i: KEPT.append, {"builtin_function_or_method": 1}),
    (lambda i: object(), {"object": 1}),
]


SIZES = []
if os.environ.get("PYTHONMALLOC") == "mimalloc" or not getattr(sys, "_is_gil_enabled", lambda: True)():
    SIZES = [600, 9000, 60000, 100000, 200000, 10 ** 6, 17 * 10 ** 6]  # mimalloc has other ways for large ones


def plant():
    planted = collections.Counter()
    for make, types in PLANTS:
        kept = [None] * N
        KEPT.append(kept)
        for i in range(N):
            kept[i] = make(5000 + i)
        planted["list"] += 1
        for name, count in types.items():
            planted[name] += count * N
    KEPT.append([Large(b"x" * size) for size in SIZES] + [Large(size) for size in SIZES])
    planted["list"] += 1
    planted["__main__.Large"] = 2 * len(SIZES)
    gone = [Gone(i) for i in range(N)]
    gone.clear()
    gc.collect()
    return planted


def main():
    for _ in range(3 if "churn" in sys.argv else 0):
        threading.Thread(target=churn, daemon=True).start()
    gc.collect()
    ready()
    sys.stdin.readline()
    print(json.dumps(plant()))
    sys.stdout.flush()
    sys.stdin.readline()


if __name__ == "__main__":
    main()
