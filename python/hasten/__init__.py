"""hasten inside a program: measuring, counting.

    with hasten.sample() as s: ...      where the time goes            hasten.start(), stop(), display()
    with hasten.trace() as t: ...       every call, exactly            hasten.pause(), resume()
    @hasten.profile                     every line of a function       hasten.lines(f, g), hasten.LineProfiler
    @hasten.profile_each()              a file of one call's profile
    hasten.counters                     counters for nanoseconds       `hasten count` reads them from outside
    hasten.heap                         every object, and who holds it
    hasten.install_signal()             stacks or a profile when a signal comes
    %load_ext hasten                    %hasten, %%hasten, %hasten_lines

What is measured is stored as a run, which `hasten show`, `diff` and `export` know too.
"""
import importlib
from typing import TYPE_CHECKING, Any

from hasten._agent import version as __version__

if TYPE_CHECKING:
    from hasten import counters as counters, heap as heap, pycounters as pycounters
    from hasten._command import Error as Error
    from hasten._each import profile_each as profile_each
    from hasten._lines import LineProfiler as LineProfiler, lines as lines, profile as profile
    from hasten._run import Run as Run
    from hasten._sample import display as display, sample as sample, start as start, stop as stop
    from hasten._signals import install_signal as install_signal
    from hasten._trace import pause as pause, resume as resume, trace as trace
    from hasten.ipython import load_ipython_extension as load_ipython_extension

# Only what is used is loaded: counting alone needs nothing of measuring.
_PLACES = {
    "counters": "", "heap": "", "pycounters": "",
    "Error": "_command", "Run": "_run",
    "sample": "_sample", "start": "_sample", "stop": "_sample", "display": "_sample",
    "trace": "_trace", "pause": "_trace", "resume": "_trace",
    "profile": "_lines", "lines": "_lines", "LineProfiler": "_lines",
    "profile_each": "_each", "install_signal": "_signals", "load_ipython_extension": "ipython",
}

__all__ = ["__version__"] + sorted(_PLACES)


def __getattr__(name: str) -> Any:
    place = _PLACES.get(name)
    if place is None:
        raise AttributeError("module 'hasten' has no attribute %r" % name)
    module = importlib.import_module("hasten." + (place or name))
    found = getattr(module, name) if place else module
    globals()[name] = found
    return found
