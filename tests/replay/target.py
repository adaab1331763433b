"""A program with known stacks, to be recorded while all of its threads wait.

One thread, whose work is done before the recording, asks the interpreter for the stack of every other (names, lines
and, from 3.11 on, columns) and prints it: that is the expected text of the replay test, and no word of it is
hasten's own.  Last comes "ready" and the number of threads that are left.
"""
import _thread
import functools
import os
import sys
import time

LOCK = _thread.allocate_lock()
LOCK.acquire()


def wait(*ignored):
    os.read(0, 1)
    return 0


def hold(*ignored):
    LOCK.acquire()


class Shape:
    def __init__(self, deep):
        self.deep = deep

    @classmethod
    def make(cls, deep):
        return cls(deep).start()

    @property
    def area(self):
        return self.descend(5)

    def start(self):
        return self.area

    def descend(self, n):
        if n == 0:
            return sorted([2, 1], key=self.key)
        return self.descend(n - 1)

    def key(self, n):
        return [part for part in self.parts(n)]

    def parts(self, n):
        yield from self.inner(
            n
        )

    def inner(self, n):
        yield n
        yield (lambda: functools.reduce(self.combine, (1, 2)))()

    def combine(self, a, b):
        names = {"wait": wait}
        exec("def made():\n    pass\n    return wait()\n\nmade()", names)


def fall(n):
    if n > 1:
        return fall(n - 1)
    return hold()


async def outer():
    return await middle()


async def middle():
    return [hold(n) for n in range(2)]


def drive():
    try:
        outer().send(None)
    except StopIteration:
        pass


def unicode_größe_名():
    class Body:
        value = hold()


def place(frame):
    """The frame as one line of the expected text."""
    code = frame.f_code
    if sys.version_info < (3, 11):
        return "  %s %s:%d" % (code.co_name, code.co_filename, frame.f_lineno)
    where = list(code.co_positions())[frame.f_lasti // 2]
    return "  %s %s:%d-%d:%d-%d" % (code.co_qualname, code.co_filename, where[0], where[1], where[2], where[3])


def stack(frame):
    lines = []
    while frame is not None:
        lines.append(place(frame))
        frame = frame.f_back
    return "\n".join(["thread"] + lines[::-1])


def tell(count):
    me = _thread.get_ident()
    while True:
        frames = {thread: frame for thread, frame in sys._current_frames().items() if thread != me}
        if len(frames) == count and all(f.f_code.co_name in ("wait", "hold") for f in frames.values()):
            break
        time.sleep(0.01)
    time.sleep(0.3)  # from the line of the call into the call
    text = "\n".join(sorted(stack(frame) for thread, frame in sys._current_frames().items() if thread != me))
    os.write(1, ("%s\nready %d\n" % (text, count)).encode())


for work in (lambda: fall(20), drive, unicode_größe_名):
    _thread.start_new_thread(work, ())
_thread.start_new_thread(tell, (4,))
Shape.make(3)
