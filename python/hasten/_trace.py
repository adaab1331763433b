"""Exact tracing of this process, as `hasten trace` does it."""
import importlib
from typing import List, Optional, Sequence, Union

from hasten import _agent
from hasten._measurement import Measurement, _Other, begin_agent

_Patterns = Union[str, Sequence[str]]


def _repeated(option: str, patterns: _Patterns) -> List[str]:
    return [word for pattern in ([patterns] if isinstance(patterns, str) else patterns) for word in (option, pattern)]


class trace(Measurement):
    """Every call and return in all threads of this process, and of the children that it forks.

        with hasten.trace() as t:
            work()
        t.run.print("--callers", "parse")

    As a decorator: one run for each call. What is under way when it begins has no calls, but callers; what was
    measured survives a kill -9 of the program. Under `hasten trace --paused` the same lines resume that trace
    and pause it again; under `hasten trace` without that they change nothing.

    python_only  functions of C are left out: cheaper
    depth        calls inside so many others are not seen; 0: all are
    timeline     the order of calls is kept too, for an export to chrome or speedscope
    only, skip   patterns (glob, re:REGEX) of functions that are, or are not, seen
    name, store  as those of sample
    """

    def __init__(self, *, python_only: bool = False, depth: int = 0, timeline: bool = False, only: _Patterns = (),
                 skip: _Patterns = (), name: Optional[str] = None, store: Optional[str] = None) -> None:
        super().__init__(name, store)
        self._options = (["--python-only"] * python_only + ["--timeline"] * timeline +
                         (["--depth", str(depth)] if depth else []) + _repeated("--only", only) +
                         _repeated("--skip", skip))
        self._resumed = False

    def _begin(self, options: List[str]) -> _Other:
        return begin_agent("trace", self._options + options)

    def _arm(self, other: _Other) -> None:
        _agent._begin(other.order())

    def _disarm(self) -> None:
        if self._other is not None:
            _agent._end()
        elif self._resumed:
            self._resumed = not pause()

    def start(self) -> "trace":
        what, _, preloaded = _agent._state()
        if preloaded and what == "calls":
            self._resumed = resume()
            return self
        if what == "lines" and not preloaded:
            importlib.import_module("hasten._lines").give_way()
        super().start()
        return self


def pause() -> bool:
    """Nothing is traced, and nothing costs, until resume(). False: no trace was under way."""
    return bool(_agent._pause())


def resume() -> bool:
    """Goes on with the trace that pause() or `hasten trace --paused` left. False: there is none."""
    return bool(_agent._resume())
