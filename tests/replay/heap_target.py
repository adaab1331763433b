"""A program with few objects, but of every kind that the heap reader has a layout for, to be recorded while it waits.

It imports nothing but what C code has in itself: its memory is kept whole.
"""
import _collections
import _weakref
import itertools
import posix


class Plain:
    pass


class Slots:
    __slots__ = ("left", "right", "__weakref__")


class Big(int):
    pass


class Row(tuple):
    pass


class Bag(dict):
    pass


def count():
    box = ["in a generator"]
    while True:
        yield box


def nest(depth, *held):
    if depth > 0:
        return nest(depth - 1, held)
    posix.write(1, b"ready\n")
    return posix.read(0, 1)


def make_classes(names):
    return [type(name, (Plain,), {"number": number}) for number, name in enumerate(names)]


plain = [Plain() for _ in range(20)]
for number, one in enumerate(plain):
    one.number = number
    one.other = plain[number - 1]
materialised = Plain()
materialised.__dict__["odd one"] = 1
slots = Slots()
slots.left = slots.right = slots
big = Big(1 << 200)
big.note = "a note"
row = Row((1, 2, 3))
row.note = ["more"]
bag = Bag(a=1)
bag.note = 2.5
numbers = [float(n) for n in range(40)]
long_list = [(n, str(n)) for n in range(300)]
large_list = list(range(20000))
large_dict = {n: str(n) for n in range(200)}
texts = {"text %d" % n: n for n in range(50)}
mixed = {1: "one", "two": 2, (3,): None}
sets = [set(), {1, 2}, set(range(100)), frozenset("abcd")]
deques = [_collections.deque(), _collections.deque(range(10)), _collections.deque(range(300), 250)]
weak = [_weakref.ref(one) for one in plain] + [_weakref.proxy(slots)]
generators = [count() for _ in range(4)]
held = [next(generator) for generator in generators[:3]]
empty = [[] for _ in range(1500)]  # to become lists of something
cycle = []
cycle.append([cycle])
strings = ["", "a", "\xe9" * 30, "\u20ac" * 30, "\U0001f40d" * 30, "the same " + str(len(cycle)), "the same " + str(len(cycle))]
data = [b"", b"\x00\xff", b"x" * 1000, bytearray(b"y" * 600), 3j, 1 << 60, -5]
pairs = itertools.count(7)
classes = make_classes(["Made%d" % n for n in range(6)])
closure = (lambda a, b=plain: lambda: (a, b))(cycle)
defaults = _collections.defaultdict(list, {"key": [1]})
nest(6, closure, generators)
