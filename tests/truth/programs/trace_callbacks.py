"""What C code calls: keys, callbacks, special methods, finalizers."""
import functools
import gc
import re
import sys
import weakref


def leaf(*arguments):
    return arguments


def keys():
    """Key functions of sorted, list.sort, min and max.

    all
    <lambda> 3 < builtins.sorted 3
    key 8 < list.sort 4, builtins.min 2, builtins.max 2
    * builtins.sorted 1
    * list.sort 1
    * builtins.min 1
    * builtins.max 1
    """
    def key(value):
        return -value

    sorted([3, 1, 2], key=lambda value: value)
    [4, 3, 2, 1].sort(key=key)
    min([1, 2], key=key)
    max(1, 2, key=key)


def nested_keys():
    """A key function that sorts by a key function: the same function of C within itself.

    outer 3 < builtins.sorted 3
    inner 6 < builtins.sorted 6
    leaf 4 < outer 3, nested_keys 1
    * builtins.sorted 4 < nested_keys 1, outer 3
    """
    def inner(value):
        return -value

    def outer(values):
        leaf()
        return sorted(values, key=inner)

    sorted([[1, 2], [3, 4], [5, 6]], key=outer)
    leaf()


def bound_to_c():
    """A bound method of a function of C, called within that function: its end must not end the outer one.

    key 3 < builtins.sorted 3
    leaf 7 < key 6, bound_to_c 1
    """
    import types

    bound = types.MethodType(sorted, [2, 1])

    def key(value):
        leaf()
        bound()
        leaf()
        return value

    sorted([1, 2, 3], key=key)
    leaf()


def partial_of_c():
    """A partial of a function of C, called within that function.

    key 3 < builtins.sorted 3
    leaf 7 < key 6, partial_of_c 1
    """
    some = functools.partial(sorted, [2, 1])

    def key(value):
        leaf()
        some()
        leaf()
        return value

    sorted([1, 2, 3], key=key)
    leaf()


def reduced():
    """functools.reduce.

    add 4 < _functools.reduce 4
    * _functools.reduce 1
    """
    def add(a, b):
        return a + b

    assert functools.reduce(add, [1, 2, 3, 4, 5]) == 15


def substituted():
    """A callable for re.sub: called by the pattern's method.

    replace 3 < re.Pattern.sub 3
    * re.Pattern.sub 1
    """
    def replace(match):
        return match.group().upper()

    pattern = re.compile("a")
    assert pattern.sub(replace, "banana") == "bAnAnA"


def mapped():
    """map and filter: whoever asks for their values has their functions called.

    double 9 < mapped 3, builtins.sum 3, builtins.next 1, builtins.sorted 2
    odd 4
    """
    def double(value):
        return value * 2

    def odd(value):
        return value % 2

    for _ in map(double, (1, 2, 3)):
        pass
    sum(map(double, (1, 2, 3)))
    next(map(double, (1, 2)))
    sorted(map(double, (1, 2)))
    for _ in filter(odd, (1, 2, 3, 4)):
        pass


def finalized():
    """__del__, when the last reference goes and by the collector of cycles.

    __del__ 4 < finalized 3, gc.collect 1
    __init__ 4
    * gc.collect 2
    """
    class Thing:
        def __init__(self):
            self.own = None

        def __del__(self):
            pass

    gc.disable()
    gc.collect()
    for _ in range(2):
        Thing()
    one = Thing()
    del one
    two = Thing()
    two.own = two
    del two
    gc.collect()


def weakly_referenced():
    """Callbacks of weak references, and weakref.finalize.

    gone 3
    """
    class Thing:
        pass

    def gone(reference):
        pass

    kept = []
    for _ in range(3):
        thing = Thing()
        kept.append(weakref.ref(thing, gone))
        del thing


def attributes():
    """Properties, descriptors, __getattr__, __getattribute__, __setattr__, __delattr__.

    value 5
    set_value 2
    __get__ 3
    __getattr__ 3 < attributes 1, builtins.getattr 1, builtins.hasattr 1
    __setattr__ 2 < attributes 1, builtins.setattr 1
    __delattr__ 1
    __getattribute__ 2
    """
    class Descriptor:
        def __get__(self, instance, owner):
            return 1

    class Thing:
        @property
        def value(self):
            return 1

        def set_value(self, value):
            pass

        settable = property(None, set_value)
        described = Descriptor()

        def __getattr__(self, name):
            return name

    class Set:
        def __setattr__(self, name, value):
            pass

        def __delattr__(self, name):
            pass

    class Get:
        def __getattribute__(self, name):
            return name

    thing = Thing()
    for _ in range(5):
        thing.value
    thing.settable = 1
    thing.settable = 2
    for _ in range(3):
        thing.described
    thing.missing
    getattr(thing, "absent")
    hasattr(thing, "absent")
    other = Set()
    other.x = 1
    setattr(other, "x", 2)
    del other.x
    get = Get()
    get.x
    get.y


def operators():
    """Special methods behind operators, indexing, conversions and built-in functions.

    __add__ 2
    __radd__ 1
    __eq__ 3
    __lt__ 1 < builtins.sorted 1
    __hash__ 2
    __len__ 2 < builtins.len 1, operators 1
    __getitem__ 2
    __setitem__ 1
    __contains__ 1
    __call__ 3
    __repr__ 1 < builtins.repr 1
    __format__ 1
    __neg__ 1
    __iadd__ 1
    """
    class Thing:
        def __add__(self, other):
            return self

        def __radd__(self, other):
            return self

        def __eq__(self, other):
            return self is other

        def __lt__(self, other):
            return False

        def __hash__(self):
            return 1

        def __len__(self):
            return 1

        def __getitem__(self, key):
            return key

        def __setitem__(self, key, value):
            pass

        def __contains__(self, item):
            return True

        def __call__(self, *arguments):
            return arguments

        def __repr__(self):
            return "thing"

        def __format__(self, form):
            return form

        def __neg__(self):
            return self

        def __iadd__(self, other):
            return self

    thing = Thing()
    thing + 1
    thing + 2
    1 + thing
    thing == 1
    thing == 2
    thing == thing
    sorted([thing, thing])
    table = {thing: 1}
    table[thing]
    len(thing)
    if thing:
        pass
    thing[1], thing[2]
    thing[1] = 2
    1 in thing
    thing()
    thing(1)
    thing(*(1, 2))
    repr(thing)
    f"{thing:x}"
    -thing
    thing += 1


def iterated():
    """__iter__ and __next__ of a class, asked by loops, unpacking, list() and next().

    __iter__ 4 < ...
    __next__ 13!3 < ...
    __init__ 4
    * builtins.next 1
    """
    class Numbers:
        def __init__(self, n):
            self.n = n

        def __iter__(self):
            return self

        def __next__(self):
            if self.n == 0:
                raise StopIteration
            self.n -= 1
            return self.n

    for _ in Numbers(4):
        pass
    a, b = Numbers(2)
    assert len(list(Numbers(3))) == 3
    next(iter(Numbers(5)))


def sentinels():
    """iter() with a callable, and a callable default of a dictionary.

    step 3
    make 2
    """
    import collections

    values = [3, 2, 1]

    def step():
        return values.pop()

    for _ in iter(step, 3):
        pass

    def make():
        return []

    table = collections.defaultdict(make)
    table["a"]
    table["b"]
    table["a"]


def printed():
    """print to an object with write().

    write 4 < builtins.print 4
    __str__ 1 < builtins.print 1
    """
    class Out:
        def write(self, text):
            pass

    class Thing:
        def __str__(self):
            return "thing"

    out = Out()
    print("a", file=out)
    print(Thing(), file=out)


def hooked():
    """sys.unraisablehook, for an exception in __del__.

    unraisable 1
    __del__ 1!1
    """
    def unraisable(row):
        pass

    class Thing:
        def __del__(self):
            raise KeyError

    sys.unraisablehook = unraisable
    Thing()


if __name__ == "__main__":
    globals()[sys.argv[1]]()
