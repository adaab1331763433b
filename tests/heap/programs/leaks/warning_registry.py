"""A warning whose text is never the same twice: the registry of the module that notes which were shown grows by one
entry for each."""
import warnings

from _steps import serve

TRUTH = {"type": "tuple", "holder": "the __warningregistry__ of the module", "path": "__warningregistry__",
         "objects_each_step": 2000, "or": [("str", "__warningregistry__")]}


def show(*ignored):
    pass


def convert(number):
    warnings.warn("amount %d.00 was given as text" % number, UserWarning)
    return float(number)


def step(number):
    for i in range(2000):
        convert(number * 2000 + i)


if __name__ == "__main__":
    warnings.showwarning = show
    serve(step, lambda: __warningregistry__.clear())
