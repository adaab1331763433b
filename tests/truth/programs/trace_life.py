"""From a program's beginning to its end: imports, signals, exits, interpreters within it, greenlets."""
import atexit
import os
import signal
import sys


def leaf(*arguments):
    return arguments


def at_exit():
    """Functions of atexit, in reverse order.

    last 2 < (none) 2
    leaf 5 < at_exit 3, last 2
    """
    def last():
        leaf()

    atexit.register(last)
    atexit.register(last)
    for _ in range(3):
        leaf()


def imported():
    """A module that calls functions as it is imported; the second import does nothing.

    twice 1 < <module> 1
    leaf 3 < twice 2, imported 1
    """
    import types

    module = types.ModuleType("late")
    module.leaf = leaf
    sys.modules["late"] = module
    exec(compile("def twice():\n    leaf()\n    leaf()\ntwice()\n", __file__, "exec"), module.__dict__)
    import late
    late.leaf()


def handled_signals():
    """A signal handler in Python.

    handler 20 < ...
    """
    def handler(number, frame):
        pass

    signal.signal(signal.SIGUSR1, handler)
    for _ in range(20):
        os.kill(os.getpid(), signal.SIGUSR1)
    signal.signal(signal.SIGUSR1, signal.SIG_DFL)


def raising_signals():
    """A signal handler that raises, through a function of C.

    handler 5!5 < ...
    wait 5!5
    leaf 5
    """
    def handler(number, frame):
        raise KeyError

    def wait():
        signal.setitimer(signal.ITIMER_REAL, 0.002)
        while True:
            signal.pause()

    signal.signal(signal.SIGALRM, handler)
    for _ in range(5):
        try:
            wait()
        except KeyError:
            leaf()


SOURCE = """
def inside(n):
    return n
for i in range(5):
    inside(i)
"""


def run_inside(count):
    """Runs SOURCE in so many interpreters of their own."""
    source = "exec(compile(%r, %r, 'exec'), {})" % (SOURCE, __file__)
    try:
        import _interpreters as interpreters
        run = interpreters.exec
    except ImportError:
        import _xxsubinterpreters as interpreters
        run = interpreters.run_string
    for _ in range(count):
        one = interpreters.create()
        run(one, source)
        run(one, source)
        interpreters.destroy(one)


def sub_interpreters():
    """Interpreters within the process: each is traced, as its calls are the program's.

    run_inside 1
    inside 30 < <module> 30
    leaf 4
    """
    leaf()
    leaf()
    run_inside(3)
    leaf()
    leaf()


def sub_interpreters_in_threads():
    """Interpreters that threads run, at once.

    run_inside 4 < run 4
    inside 80 < <module> 80
    """
    import threading

    threads = []
    for _ in range(4):
        threads.append(threading.Thread(target=run_inside, args=(2,)))
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def modern_interpreters():
    """concurrent.interpreters.

    since 3.14
    leaf 2
    inside 10 < <module> 10
    """
    from concurrent import interpreters

    leaf()
    one = interpreters.create()
    one.exec("exec(compile(%r, %r, 'exec'), {})" % (SOURCE, __file__))
    one.exec("exec(compile(%r, %r, 'exec'), {})" % (SOURCE, __file__))
    one.close()
    leaf()


def greenlets():
    """Greenlets switch stacks inside a call of C: each goes on with its own callers.

    needs greenlet
    one 1 < ...
    two 1 < ...
    leaf 6 < one 3, two 3
    """
    import greenlet

    def one():
        leaf()
        second.switch()
        leaf()
        second.switch()
        leaf()

    def two():
        leaf()
        first.switch()
        leaf()
        first.switch()
        leaf()

    first, second = greenlet.greenlet(one), greenlet.greenlet(two)
    first.switch()
    second.switch()


def deep_greenlets():
    """A generator made of greenlets, asked from a recursion.

    needs greenlet
    ask 22/2 < deep_greenlets 2, ask 20
    produce 2!2 < ...
    leaf 20 < produce 20
    after 20 < ask 20
    """
    import greenlet

    def after():
        pass

    def produce():
        for _ in range(10):
            leaf()
            greenlet.getcurrent().parent.switch()

    def ask(n, source):
        if n:
            source.switch()
            after()
            ask(n - 1, source)

    for _ in range(2):
        ask(10, greenlet.greenlet(produce))


if __name__ == "__main__":
    globals()[sys.argv[1]]()
