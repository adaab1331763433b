"""Exceptions: every function that one goes through was left by it, and no count drifts."""
import re
import sys


def leaf(*arguments):
    return arguments


def fail(*arguments):
    raise KeyError(*arguments)


def through_python():
    """Raised three calls deep, caught at the top, ten times.

    one 10!10
    two 10!10 < one 10
    fail 10!10 < two 10
    leaf 10
    """
    def two():
        fail()

    def one():
        two()

    for _ in range(10):
        try:
            one()
        except KeyError:
            leaf()


def caught_midway():
    """Caught by the function between, which goes on to call.

    middle 6
    fail 6!6 < middle 6
    leaf 12 < middle 6, caught_midway 6
    """
    def middle():
        try:
            fail()
        except KeyError:
            leaf()

    for _ in range(6):
        middle()
        leaf()


def raised_again():
    """Caught, raised again, raised from, and through finally.

    again 2!2
    other 2!2
    finally_ 2!2
    fail 6!6 < again 2, other 2, finally_ 2
    leaf 2 < finally_ 2
    """
    def again():
        try:
            fail()
        except KeyError:
            raise

    def other():
        try:
            fail()
        except KeyError as error:
            raise ValueError from error

    def finally_():
        try:
            fail()
        finally:
            leaf()

    for function in (again, other, finally_, again, other, finally_):
        try:
            function()
        except (KeyError, ValueError):
            pass


def through_c():
    """Raised in what C code calls: the function of C is left by it too.

    key 4!2 < builtins.sorted 2, builtins.min 1, list.sort 1
    <lambda> 3!2
    leaf 3
    * builtins.sorted 1!1 < <lambda> 1
    * builtins.min 1 < <lambda> 1
    * list.sort 1!1 < <lambda> 1
    """
    def key(value):
        if value == 2:
            raise KeyError
        return value

    for function in (lambda: sorted([1, 2, 3], key=key), lambda: min([1], key=key), lambda: [2].sort(key=key)):
        try:
            function()
        except KeyError:
            pass
        leaf()


def through_map():
    """Raised in a function that map calls, which a loop and a list ask.

    odd 5!2 < ...
    leaf 2
    """
    def odd(value):
        if value % 2 == 0:
            raise ValueError
        return value

    for consume in (list, tuple):
        try:
            consume(map(odd, [1, 3, 4, 5] if consume is list else [1, 2]))
        except ValueError:
            leaf()


def of_c():
    """Exceptions of functions of C that Python code catches.

    all
    leaf 4
    * dict.pop 3!2
    * list.index 1!1
    * builtins.ord 1!1
    * builtins.getattr 2!1
    [monitoring] * int 2!1
    """
    for key in (1, 2, 3):
        try:
            {1: 1}.pop(key)
        except KeyError:
            pass
    try:
        [].index(3)
    except ValueError:
        leaf()
    try:
        ord("ab")
    except TypeError:
        leaf()
    try:
        getattr(1, "nothing")
    except AttributeError:
        leaf()
    getattr(1, "nothing", 0)
    try:
        int("12")
        int("x")
    except ValueError:
        leaf()


def through_recursion():
    """Fifty calls deep and out again.

    down 102/2 !51 < through_recursion 2, down 100
    """
    def down(n, bad):
        if n == 0:
            if bad:
                raise KeyError
            return
        down(n - 1, bad)

    try:
        down(50, True)
    except KeyError:
        pass
    down(50, False)


def caught_in_recursion():
    """Raised at the bottom of a recursion and caught halfway.

    down 22/2 !10 < caught_in_recursion 2, down 20
    leaf 2 < down 2
    """
    def down(n):
        if n == 0:
            raise KeyError
        if n == 5:
            try:
                down(n - 1)
            except KeyError:
                leaf()
            return
        down(n - 1)

    down(10)
    down(10)


def stop_iteration():
    """A class with __next__, which ends by StopIteration.

    __iter__ 2
    __next__ 6!2
    __init__ 2
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

    for _ in Numbers(3):
        pass
    for _ in Numbers(1):
        pass


def in_constructors():
    """Raised in __init__, in __new__, in a property and in an operator.

    __init__ 1!1
    __new__ 1!1
    value 1!1
    __add__ 1!1
    __getattr__ 2!2 < in_constructors 1, builtins.hasattr 1
    """
    class Init:
        def __init__(self):
            raise KeyError

    class New:
        def __new__(cls):
            raise KeyError

    class Plain:
        @property
        def value(self):
            raise KeyError

        def __add__(self, other):
            raise KeyError

        def __getattr__(self, name):
            raise AttributeError(name)

    plain = Plain()
    for action in "Init()", "New()", "plain.value", "plain + 1", "plain.nothing":
        try:
            if action == "Init()":
                Init()
            elif action == "New()":
                New()
            elif action == "plain.value":
                plain.value
            elif action == "plain + 1":
                plain + 1
            else:
                plain.nothing
        except (KeyError, AttributeError):
            pass
    assert not hasattr(plain, "other")


def contexts():
    """with: __exit__ sees an exception and swallows it.

    __enter__ 3
    __exit__ 3
    fail 2!2
    """
    class Context:
        def __enter__(self):
            return self

        def __exit__(self, *arguments):
            return True

    for i in range(3):
        with Context():
            if i:
                fail()


def many_kinds():
    """Ten thousand exceptions through a function of C and two of Python: nothing drifts.

    outer 10000
    key 10000!5000 < builtins.max 10000
    leaf 5000 < outer 5000
    * builtins.max 10000!5000 < outer 10000
    """
    def key(value):
        if value:
            raise IndexError
        return value

    def outer(i):
        try:
            max((i % 2,), key=key)
        except IndexError:
            leaf()

    for i in range(10000):
        outer(i)


def in_handlers():
    """Raised while another is handled, and an exception in a function that finally calls.

    first 3!3
    second 3!3 < first 3
    fail 6!6 < first 3, second 3
    """
    def second():
        fail()

    def first():
        try:
            fail()
        finally:
            second()

    for _ in range(3):
        try:
            first()
        except KeyError:
            pass


def by_exit():
    """SystemExit from deep inside ends the program with its code.

    exit 7
    one 1!1
    two 1!1 < one 1
    * sys.exit 1!1 < two 1
    by_exit 1!1 < <module> 1
    """
    def two():
        sys.exit(7)

    def one():
        two()

    one()


def interrupted():
    """KeyboardInterrupt from a signal, in the middle of a loop.

    loop 1!1
    leaf 1
    """
    import os
    import signal

    def loop():
        os.kill(os.getpid(), signal.SIGINT)
        while True:
            pass

    try:
        loop()
    except KeyboardInterrupt:
        leaf()


def replaced():
    """re.sub with a callable that fails at its second match.

    replace 5!1 < ...
    """
    def replace(match):
        if match.group() == "x":
            raise KeyError
        return "-"

    assert re.sub("a", replace, "banana") == "b-n-n-"
    try:
        re.sub("[ax]", replace, "bax")
    except KeyError:
        pass


if __name__ == "__main__":
    globals()[sys.argv[1]]()
