"""A module in C that takes a reference to each picture and never gives it back (here with the function of the C
interface that does that): no object holds the pictures, their reference count alone keeps them."""
import ctypes
import gc

from _steps import serve

TRUTH = {"type": "__main__.Picture", "holder": "nothing that is an object: references that C code took", "path": "",
         "objects_each_step": 1000}
INCREMENT = ctypes.pythonapi.Py_IncRef
DECREMENT = ctypes.pythonapi.Py_DecRef
for function in (INCREMENT, DECREMENT):
    function.argtypes = [ctypes.py_object]
    function.restype = None


class Picture:
    def __init__(self, number):
        self.name = "picture %d" % number
        self.pixels = bytes(300)


def show(picture):
    INCREMENT(picture)


def step(number):
    for i in range(1000):
        show(Picture(number * 1000 + i))


def forget():
    for thing in gc.get_objects():
        if type(thing) is Picture:
            DECREMENT(thing)


if __name__ == "__main__":
    serve(step, forget)
