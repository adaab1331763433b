"""hasten inside a program: counters that cost nanoseconds, read by `hasten count` from outside."""
from typing import Any

from hasten._agent import version as __version__

__all__ = ["__version__", "counters", "pycounters"]


def __getattr__(name: str) -> Any:
    if name in ("counters", "pycounters"):  # only what is used is loaded
        import importlib

        return importlib.import_module("hasten." + name)
    raise AttributeError("module 'hasten' has no attribute %r" % name)
