"""Classes: how they are made, and how their instances and methods are called."""
import abc
import functools
import sys


def leaf(*arguments):
    return arguments


class Plain:
    def __init__(self, n=0):
        self.n = n

    def method(self, *arguments):
        return arguments

    @classmethod
    def of_class(cls):
        return cls

    @staticmethod
    def static():
        return 0


def instances():
    """Instances made in all ways: what __new__ and __init__ call is theirs.

    __init__ 7
    __new__ 2
    leaf 2 < __new__ 2
    """
    class Both(Plain):
        def __new__(cls, *arguments):
            leaf()
            return super().__new__(cls)

    Plain()
    Plain(1)
    Plain(n=2)
    Plain(*(3,))
    Plain(**{"n": 4})
    Both(5)
    Both(*(6,))


def methods():
    """Methods: of an instance, of the class, bound and kept, static, of the class itself.

    __init__ 1
    method 8
    of_class 3
    static 3
    """
    one = Plain()
    one.method()
    one.method(1, 2)
    one.method(*(1, 2))
    Plain.method(one)
    Plain.method(*(one, 1))
    bound = one.method
    bound()
    bound(1)
    bound(*(1,))
    one.of_class()
    Plain.of_class()
    Plain.of_class(*())
    one.static()
    Plain.static()
    Plain.static(*())


def inherited():
    """super().method() through three classes, whose methods have one name: told apart by their places.

    speak 9 < inherited 3, speak 6
    __init__ 2 < inherited 1, __init__ 1
    """
    class A:
        def __init__(self):
            pass

        def speak(self):
            return 1

    class B(A):
        def __init__(self):
            super().__init__()

        def speak(self):
            return super().speak() + 1

    class C(B):
        def speak(self, *arguments):
            return super(C, self).speak() + 1

    one = C()
    assert one.speak() == 3
    assert one.speak(*()) == 3
    assert C.speak(one) == 3


def metaclasses():
    """A metaclass with __call__, __new__ and __init__, and what it makes.

    __call__ 3
    __new__ 1 < builtins.__build_class__ 1
    initialize 1 < ...
    made 3 < ...
    Thing 1 < builtins.__build_class__ 1
    Meta 1 < builtins.__build_class__ 1
    """
    class Meta(type):
        def __new__(cls, *arguments):
            return super().__new__(cls, *arguments)

        def initialize(cls):
            pass

        def __call__(cls, *arguments):
            return super().__call__(*arguments)

    def made(self, *arguments):
        pass

    class Thing(metaclass=Meta):
        __init__ = made

    Thing.initialize()
    Thing()
    Thing(1)
    Thing(*(1,))


def class_hooks():
    """__init_subclass__, __set_name__, __class_getitem__, __prepare__.

    __init_subclass__ 2 < builtins.__build_class__ 2
    __set_name__ 1 < builtins.__build_class__ 1
    __class_getitem__ 1
    __prepare__ 1 < builtins.__build_class__ 1
    free Base One Two Named Meta Three
    """
    class Named:
        def __set_name__(self, owner, name):
            pass

    class Base:
        def __init_subclass__(cls, **more):
            pass

        def __class_getitem__(cls, item):
            return cls

    class One(Base):
        name = Named()

    class Two(Base, x=1):
        pass

    class Meta(type):
        @classmethod
        def __prepare__(mcs, name, bases):
            return {}

    class Three(metaclass=Meta):
        pass

    Base[int]


def called_instances():
    """__call__ of instances, one within the other.

    __call__ 8/4 < called_instances 4, __call__ 4
    __init__ 8
    """
    class Caller:
        def __init__(self, inner):
            self.inner = inner

        def __call__(self, *arguments):
            return self.inner(*arguments) if self.inner else arguments

    for i in range(4):
        Caller(Caller(None))(i)


def functools_kinds():
    """singledispatch, cached_property, total_ordering, partialmethod.

    generic 2 < ...
    of_int 1 < ...
    cached 1 < ...
    plain 2 < ...
    """
    @functools.singledispatch
    def generic(value):
        return value

    @generic.register(int)
    def of_int(value):
        return value

    class Thing:
        @functools.cached_property
        def cached(self):
            return 1

        def plain(self, a, b):
            return a

        part = functools.partialmethod(plain, 1)

    generic("a")
    generic("b")
    generic(3)
    one = Thing()
    one.cached
    one.cached
    one.part(2)
    one.part(b=3)


def abstract():
    """abc: subclasses, registrations and instance checks.

    method 2
    __subclasshook__ 2 < ...
    """
    class Base(abc.ABC):
        @abc.abstractmethod
        def method(self):
            pass

        @classmethod
        def __subclasshook__(cls, other):
            return NotImplemented

    class Real(Base):
        def method(self):
            return 1

    one = Real()
    one.method()
    one.method()
    isinstance(3, Base)
    isinstance(4, Base)


def slots_and_types():
    """Classes made by type(), with __slots__, and named tuples' methods.

    method 3
    __init__ 2
    """
    def method(self):
        return 1

    made = type("Made", (), {"method": method})
    made().method()

    class Slots:
        __slots__ = ("x",)

        def __init__(self):
            self.x = 1

    Slots()
    Slots().x

    import types
    one = types.SimpleNamespace(method=method)
    one.method(1)
    one.method(*(1,))


def news():
    """__new__ of several types of C: each is counted as its own.

    * object.__new__ 3 < __new__ 3
    * tuple.__new__ 2 < __new__ 2
    * type.__new__ 1 < __new__ 1
    __new__ 6 < ...
    """
    class Thing:
        def __new__(cls):
            return object.__new__(cls)

    class Pair(tuple):
        def __new__(cls):
            return tuple.__new__(cls, (1, 2))

    class Meta(type):
        def __new__(cls, name, bases, names):
            return type.__new__(cls, name, bases, names)

    Thing()
    Thing()
    Thing()
    Pair()
    Pair()
    Meta("x", (), {})


if __name__ == "__main__":
    globals()[sys.argv[1]]()
