"""Functions of C: each call that the interpreter tells of is counted, exactly."""
import functools
import math
import sys
import time


def builtin_functions():
    """Functions of builtins, by all forms of a call.

    all
    * builtins.len 4
    * builtins.abs 3
    * builtins.sum 2
    * builtins.isinstance 2
    * builtins.print 1
    * builtins.sorted 2
    """
    len([])
    len([1])
    len(*([],))
    for n in (1, -2):
        abs(n)
    abs(*(3,), **{})
    sum([1])
    sum([1], start=2)
    isinstance(1, int)
    isinstance(2, (int, str))
    print(end="")
    sorted([1], reverse=True)
    len("abc")
    sorted(*([2],), **{"key": None})


def methods():
    """Methods of types of C: through an instance, through the type, kept and unpacked.

    all
    * list.append 6
    * dict.get 3
    * str.join 2
    * str.upper 2
    * dict.fromkeys 2
    * list.sort 1
    """
    items = []
    items.append(1)
    items.append(*(2,))
    list.append(items, 3)
    list.append(*(items, 4))
    keep = items.append
    keep(5)
    keep(*(6,))
    items.sort(reverse=True)
    table = {}
    table.get(1)
    table.get(1, 2)
    table.get(*(1, 2))
    ",".join(("a", "b"))
    str.join(",", ("a",))
    "a".upper()
    str.upper("a")
    dict.fromkeys("ab")
    {}.fromkeys("ab", 1)


def modules():
    """Functions of modules.

    all
    * math.sqrt 3
    * math.floor 1
    * time.perf_counter 2
    * _functools.reduce 1
    """
    for n in (1, 2, 3):
        math.sqrt(n)
    math.floor(1.5)
    time.perf_counter()
    time.perf_counter(*())
    functools.reduce(max, [1, 2, 3])


def types():
    """Types of C are seen as such where sys.monitoring tells of them.

    all
    [monitoring] * int 3
    [monitoring] * str 1
    [monitoring] * range 2
    [monitoring] * list 1
    [monitoring] * dict 2
    [monitoring] * type 1
    [monitoring] * bytes 1
    [monitoring] * tuple 1
    """
    int("1")
    int("1", base=2)
    int(*("2",))
    str(3)
    range(3)
    range(*(1, 2))
    list((1,))
    dict(a=1)
    dict(**{"a": 1})
    type(1)
    bytes(2)
    tuple([1])


def slots():
    """Special methods of C by their names.

    all
    [monitoring] * list.__len__ 2
    [monitoring] * int.__add__ 1
    [monitoring] * dict.__setitem__ 1
    """
    one = []
    one.__len__()
    list.__len__(one)
    int.__add__(1, 2)
    {}.__setitem__(1, 2)


def operators():
    """Operators, subscripts and comparisons of types of C are no calls.

    all
    """
    a, b = 3, 4
    a + b
    [1, 2][0]
    {1: 2}[1]
    "a" + "b"
    "%s" % 1
    a < b
    f"{a}"


def hundred_thousand():
    """As many as can be in a moment.

    one 50000
    all
    * builtins.len 50000 < one 50000
    * list.append 50000
    [monitoring] * range 1
    """
    items = []

    def one():
        return len(items)

    for i in range(50000):
        items.append(i)
        one()


def within_each_other():
    """Functions of C as arguments of functions of C.

    all
    * builtins.max 3 < within_each_other 2, key 1
    * builtins.len 6 < key 2, within_each_other 4
    key 2 < builtins.max 2
    """
    def key(value):
        if len(value) == 2:
            max((3, 4))
        return 0

    max(([1], [1, 2]), key=key)
    max((len([]), len([1])))
    len([len([]), 1])


def through_getattr():
    """getattr, setattr, hasattr, vars and the functions they find.

    all
    * builtins.getattr 3
    * builtins.setattr 1
    * builtins.hasattr 2
    * builtins.vars 1
    * builtins.__build_class__ 1
    * str.strip 1
    """
    class Thing:
        pass

    thing = Thing()
    setattr(thing, "x", 1)
    getattr(thing, "x")
    getattr(thing, "y", None)
    hasattr(thing, "x")
    hasattr(thing, "y")
    vars(thing)
    getattr(" a ", "strip")()


def class_methods():
    """Class methods of C.

    all
    * int.from_bytes 2
    * bytes.fromhex 1
    * float.fromhex 1
    * str.maketrans 1
    """
    int.from_bytes(b"a", "big")
    int.from_bytes(*(b"a",), byteorder="big")
    bytes.fromhex("00")
    float.fromhex("0x1")
    str.maketrans({})


if __name__ == "__main__":
    globals()[sys.argv[1]]()
