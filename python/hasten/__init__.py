"""hasten inside a program: counters that cost nanoseconds, read by `hasten count` from outside."""
from hasten._agent import version as __version__

__all__ = ["__version__", "counters"]


def __getattr__(name):
    if name in ("counters", "pycounters"):
        import importlib

        return importlib.import_module("hasten." + name)
    raise AttributeError("module 'hasten' has no attribute %r" % name)
