"""Healthy: pictures in a WeakValueDictionary.  A step shows 1500 new ones and keeps only those on the screen: a
thousand after the first step, and always a thousand."""
import weakref

from _steps import serve

TRUTH = None
KEPT = {"__main__.Picture": (1000, 1000, 1000)}
PICTURES = weakref.WeakValueDictionary()
SCREEN = []


class Picture:
    def __init__(self, name):
        self.name = name
        self.pixels = bytes(100)


def picture(name):
    found = PICTURES.get(name)
    if found is None:
        found = PICTURES[name] = Picture(name)
    return found


def step(number):
    shown = [picture("picture %d" % (number * 1500 + i)) for i in range(1500)]
    SCREEN[:] = shown[-1000:]


if __name__ == "__main__":
    serve(step)
