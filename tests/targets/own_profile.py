"""A program with a profile function of its own, in Python: prints what it is told, thread by thread."""
import sys
import threading

lines = []


def leaf(x):
    return len([x])


def numbers(n):
    for i in range(n):
        yield leaf(i)


def work():
    try:
        int("x")
    except ValueError:
        pass
    return sum(numbers(2)), max((leaf(3), 4), key=lambda x: -x)


class Profile:
    """As the standard library's profile: what is left must have been entered."""

    def __init__(self, name):
        self.name = name

    def __call__(self, frame, event, argument):
        what = argument.__name__ if event.startswith("c_") else ""
        lines.append(" ".join([self.name, event, frame.f_code.co_name, what]))

    def run(self, function):
        sys.setprofile(self)
        try:
            return function()
        finally:
            sys.setprofile(None)


def threaded():
    threading.setprofile(Profile("thread"))
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    threading.setprofile(None)


work()
for turn in range(2):
    Profile("main%d" % turn).run(work)
    work()
threaded()
if hasattr(threading, "setprofile_all_threads"):
    threading.setprofile_all_threads(Profile("all"))
    work()
    threading.setprofile_all_threads(None)
assert repr(sys.setprofile.__name__) == "'setprofile'" and sys.getprofile() is None
print("\n".join(lines))
