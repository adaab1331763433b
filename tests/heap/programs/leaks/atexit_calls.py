"""Temporary files that are to be removed at the end of the program: each registers itself with atexit, and stays when
it has long been removed.  The interpreter keeps these calls in memory of its own, not in an object that has a name."""
import atexit

from _steps import serve

TRUTH = {"type": "__main__.Spool", "holder": "the calls registered with atexit", "path": "", "objects_each_step": 1000,
         "or": [("method", "")]}


class Spool:
    def __init__(self, number):
        self.name = "/tmp/spool-%d" % number
        self.buffer = bytearray(200)
        atexit.register(self.remove)

    def remove(self):
        self.buffer = None


def step(number):
    for i in range(1000):
        Spool(number * 1000 + i).remove()


if __name__ == "__main__":
    serve(step, atexit._clear)
