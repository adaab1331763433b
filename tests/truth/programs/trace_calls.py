"""Plain calls: arguments of all kinds, recursion, closures, decorators, code made at run time."""
import functools
import sys
import threading


def leaf(*arguments, **more):
    return arguments, more


def plain():
    """Calls in a loop and through one function between.

    leaf 7 < plain 3, middle 4
    middle 2
    """
    def middle():
        leaf()
        leaf(1, 2)

    for _ in range(3):
        leaf()
    middle()
    middle()


def nothing():
    """A program that calls nothing.

    all
    """


def arguments():
    """All forms of a call: CALL, CALL_KW, CALL_FUNCTION_EX.

    leaf 8
    keywords 3
    """
    def keywords(a, b=2, *, c=3):
        return a + b + c

    leaf(1)
    leaf(*(1, 2))
    leaf(**{"x": 1})
    leaf(1, *(2,), x=3, **{"y": 4})
    leaf(x=1)
    leaf(*[1], **{})
    leaf(*range(3))
    leaf(*(), **{})
    keywords(1)
    keywords(1, c=5)
    keywords(*(1,), **dict(c=5))


def fib(n):
    return n if n < 2 else fib(n - 1) + fib(n - 2)


def recursion():
    """Direct, as a tree.

    fib 177/1 < recursion 1, fib 176
    """
    fib(10)


def even(n):
    return True if n == 0 else odd(n - 1)


def odd(n):
    return False if n == 0 else even(n - 1)


def mutual():
    """Two functions that call each other.

    even 10/3 < mutual 2, odd 8
    odd 10/3 < mutual 1, even 9
    """
    even(8)
    even(5)
    odd(4)


def recursion_from_two_places():
    """The same recursion below two callers.

    down 10/2 < one 1, two 1, down 8
    one 1
    two 1
    """
    def down(n):
        if n:
            down(n - 1)

    def one():
        down(3)

    def two():
        down(5)

    one()
    two()


def countdown(n):
    if n:
        countdown(n - 1)


def deep():
    """20,000 calls deep, in a thread with a stack for it.

    countdown 20001/1 < run 1, countdown 20000
    """
    sys.setrecursionlimit(30000)
    threading.stack_size(512 << 20)
    thread = threading.Thread(target=countdown, args=(20000,))
    thread.start()
    thread.join()


def too_deep():
    """A recursion that the limit ends: all that began are counted, and all end by the exception.

    endless 100/1 !100 < too_deep 1, endless 99
    guess 1
    """
    def endless(n):
        if n == 0:
            raise RecursionError
        endless(n - 1)

    def guess():
        pass

    try:
        endless(99)
    except RecursionError:
        guess()


def over_the_limit():
    """The interpreter's own limit, met by a recursion; after it all goes on as before.

    leaf 2
    endless ?/1 !? < ...
    """
    begun = 0

    def endless():
        nonlocal begun
        begun += 1
        endless()

    leaf()
    try:
        endless()
    except RecursionError:
        pass
    leaf()
    print("TRUTH", begun)


def closures():
    """A function made anew in each turn of a loop is one function.

    inner 10
    outer 5
    """
    def outer(n):
        def inner():
            return n
        return inner

    for i in range(5):
        one = outer(i)
        one()
        one()


def same_line():
    """Two functions on one line.

    <lambda> 7
    """
    first, second = (lambda: 1), (lambda: 2)
    for _ in range(3):
        first()
    for _ in range(4):
        second()


def decorators():
    """A wrapper and what it wraps; the wrapper's name is not its code's.

    decorate 1
    wrapper 4
    work 4 < wrapper 4
    """
    def decorate(function):
        @functools.wraps(function)
        def wrapper(*arguments):
            return function(*arguments)
        return wrapper

    @decorate
    def work(n):
        return n

    for i in range(4):
        work(i)


def partials():
    """functools.partial of a Python function: the function is called, by whoever called the partial.

    leaf 5 < ...
    """
    one = functools.partial(leaf, 1)
    for _ in range(3):
        one()
    two = functools.partial(one, 2, x=3)
    two()
    two(y=1)


def cached():
    """functools.lru_cache calls what it has not seen.

    slow 3 < ...
    """
    @functools.lru_cache(maxsize=None)
    def slow(n):
        return n

    for n in (1, 2, 1, 3, 3, 2, 1):
        slow(n)


def comprehensions():
    """Lists, sets and dicts: functions of their own up to 3.11, and part of their function since.

    [-3.11] <listcomp> 1
    [-3.11] <setcomp> 1
    [-3.11] <dictcomp> 1
    [-3.11] one 9 < <listcomp> 2, <setcomp> 3, <dictcomp> 4
    [3.12+] one 9
    """
    def one(n):
        return n

    [one(n) for n in (1, 2)]
    {one(n) for n in (1, 2, 3)}
    {one(n): n for n in (1, 2, 3, 4)}


def lambdas():
    """Lambdas as values and as arguments.

    <lambda> 6
    """
    add = lambda a, b=1: a + b
    add(1)
    add(1, 2)
    (lambda: 0)()
    for f in (add, add, add):
        f(3)


SOURCE = """
def made(n):
    return n
for i in range(4):
    made(i)
"""


def code_at_run_time():
    """exec, eval and compile, with this file's name.

    made 8 < <module> 8
    leaf 1 < <module> 1
    <lambda> 1
    """
    code = compile(SOURCE, __file__, "exec")
    exec(code, {})
    exec(code, {})
    eval(compile("leaf()", __file__, "eval"))
    eval(compile("lambda: 1", __file__, "eval"))()


def many_children():
    """A function that calls a thousand others, each twice and in another order.

    child 2000
    """
    names = []
    for i in range(1000):
        own = {}
        exec(compile("\n" * i + "def child(): pass", __file__, "exec"), own)
        names.append(own["child"])
    for function in names + names[::-1]:
        function()


def long_names():
    """Names of all kinds of letters, and of more bytes than a line.

    grüße 2
    xx_xx_xx_xx_xx_xx_xx_xx_xx_xx_xx_xx_xx_xx_xx_xx_xx_xx_xx_xx_xx_xx_xx_xx_xx_xx_xx_xx_xx_xx_xx_xx_xx_xx_xx_xx_xx_xx 1
    """
    def grüße():
        pass

    def xx_xx_xx_xx_xx_xx_xx_xx_xx_xx_xx_xx_xx_xx_xx_xx_xx_xx_xx_xx_xx_xx_xx_xx_xx_xx_xx_xx_xx_xx_xx_xx_xx_xx_xx_xx_xx_xx():
        pass

    grüße()
    grüße()
    xx_xx_xx_xx_xx_xx_xx_xx_xx_xx_xx_xx_xx_xx_xx_xx_xx_xx_xx_xx_xx_xx_xx_xx_xx_xx_xx_xx_xx_xx_xx_xx_xx_xx_xx_xx_xx_xx()


def by_command_line_code():
    """Started by python -c.

    start -c
    leaf 3
    """
    for _ in range(3):
        leaf()


def by_module():
    """Started as a module.

    start -m
    leaf 3
    """
    for _ in range(3):
        leaf()


def by_standard_input():
    """Started from a script on standard input.

    start stdin
    leaf 3
    """
    for _ in range(3):
        leaf()


if __name__ == "__main__":
    globals()[sys.argv[1]]()
