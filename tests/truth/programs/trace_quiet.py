"""Functions that call nothing of C by the names that they call: where those are traced in a way of their own, and
what ends it."""
import sys
import threading


def leaf(i=0):
    return i


def later():
    return 5


def rebind():
    global later
    later = len


def back():
    global later
    later = leaf


def rebound():
    """A callee changes what the next name means: a function of C.

    rebinding 1
    rebind 1 < rebinding 1
    leaf 2 < rebinding 2
    * builtins.len 1 < rebinding 1
    """
    rebinding()


def rebinding():
    leaf()
    rebind()
    later("name")
    leaf()


def there_and_back():
    """And back to a function of Python, in the same run of the function.

    rebinding_twice 1
    rebind 1 < rebinding_twice 1
    back 1 < rebinding_twice 1
    leaf 1 < rebinding_twice 1
    * builtins.len 1 < rebinding_twice 1
    """
    rebinding_twice()


def rebinding_twice():
    rebind()
    later("name")
    back()
    later()


def down(n):
    return down(n - 1) if n else leaf()


def below(n):
    if n:
        below(n - 1)
    abs(n)


def deep():
    """Deeper than the stack of C may be, down and up again, with calls of C on the way up.

    down 4001/1 < deep 1, down 4000
    leaf 1 < down 1
    below 3001/1 < deep 1, below 3000
    * sys.setrecursionlimit 2
    * builtins.abs 3002 < deep 1, below 3001
    """
    limit = 12000
    sys.setrecursionlimit(limit)
    down(4000)
    below(3000)
    abs(1)
    sys.setrecursionlimit(1000)


def small_stack():
    """Not deep, but in a thread that has a small stack of C.

    work_there 1 < ...
    down 301/1 < work_there 1, down 300
    leaf 1 < down 1
    since 3.11
    * _thread.stack_size 2
    """
    threading.stack_size(160 << 10)
    thread = threading.Thread(target=work_there)
    thread.start()
    thread.join()
    threading.stack_size(0)


def work_there():
    down(300)


def failing(n):
    if n:
        failing(n - 1)
    raise ValueError


def catching():
    try:
        failing(3)
    except ValueError:
        leaf()


def raised():
    """Exceptions go through them.

    catching 1
    failing 4/1!4 < catching 1, failing 3!3
    leaf 1 < catching 1
    """
    catching()


def counting(n):
    for i in range(n):
        yield leaf(i)


def taking(n):
    for _ in counting(n):
        leaf()


def generated():
    """A generator, and who takes from it.

    taking 1
    counting 1~3 < taking 1~3
    leaf 6 < counting 3, taking 3
    """
    taking(3)


def turning():
    for i in range(4):
        if i == 2:
            rebind()
        yield later()


def turned():
    """A generator that comes to call a function of C between two of its values.

    turning 1~2!1 < ...
    later 2 < turning 2
    rebind 1 < turning 1
    * builtins.next 3!1
    * builtins.len 1!1 < turning 1!1
    """
    one = turning()
    next(one)
    next(one)
    try:
        next(one)
    except TypeError:
        pass


def stepping(frame, event, argument):
    if event == "line":
        lines.append(frame.f_lineno)
    return stepping


lines = []


def traced_from_now():
    sys.settrace(stepping)
    sys._getframe().f_back.f_trace = stepping


def no_more():
    sys.settrace(None)


def debugged_part():
    traced_from_now()
    leaf()
    leaf()
    no_more()
    leaf()


def debugged():
    """A callee begins to trace the lines of its caller, as set_trace of pdb does, and another ends that.

    debugged_part 1
    traced_from_now 1 < debugged_part 1
    no_more 1 < debugged_part 1
    leaf 3 < debugged_part 3
    stepping 0 < ...
    * sys.settrace 2 < traced_from_now 1, no_more 1
    * sys._getframe 1 < traced_from_now 1
    * builtins.len 1
    free <listcomp>
    """
    debugged_part()
    first = debugged_part.__code__.co_firstlineno
    assert [line for line in lines if first < line < first + 7] == [first + 2, first + 3, first + 4], lines
    assert len(lines) > 3


class Number:
    def __init__(self, value):
        self.value = value

    def __add__(self, other):
        return abs(self.value + other)

    def __getitem__(self, key):
        return leaf(key)


def adding(number):
    return number + 1


def hidden():
    """They call by operators: those of Python that do so, and what of C these call.

    adding 2
    __init__ 2 < ...
    __add__ 2 < adding 2
    __getitem__ 1
    leaf 1 < __getitem__ 1
    * builtins.abs 2 < __add__ 2
    """
    number = Number(1)
    adding(number)
    adding(Number(2))
    number[3]


if __name__ == "__main__":
    globals()[sys.argv[1]]()
