"""A file of one call's profile, for each call of a function."""
import functools
import itertools
import os
import shutil
import tempfile
import threading
import time
import warnings
from typing import Any, Callable, Optional, TypeVar

from hasten import _agent
from hasten._command import Error
from hasten._run import Run
from hasten._trace import trace

_F = TypeVar("_F", bound=Callable[..., Any])
_busy = threading.Lock()


def _text_of(path: str, function: Any, number: int) -> str:
    return path.format(name=getattr(function, "__qualname__", "function").replace("<locals>.", ""),
                       module=getattr(function, "__module__", None) or "__main__", number=number, pid=os.getpid(),
                       time=time.strftime("%Y%m%d-%H%M%S"))


def profile_each(path: str = "{name}.{number}.prof", *, format: Optional[str] = None,
                 python_only: bool = False) -> Callable[[_F], _F]:
    """Traces each call of the function, and writes a file of it that snakeviz, KCachegrind and others read.

        @hasten.profile_each("callgrind.out.{name}.{number}")
        def render(page): ...

    path    {name}, {module}, {number} (of the call, from 1), {pid} and {time} (of the call's end) are filled in
    format  as `hasten export -f`; by default what the file's name says: callgrind.*, or an ending

    A call inside a call that is traced, or while anything else is measured in this process, only runs. Some 20
    milliseconds are added to each call that is traced. A file that cannot be written is a RuntimeWarning.
    """
    if callable(path):
        raise TypeError("profile_each takes a path: write @hasten.profile_each()")
    _text_of(path, None, 1)  # a name that is not known is said now

    def decorate(function: _F) -> _F:
        numbers = itertools.count(1)

        @functools.wraps(function)
        def wrapper(*arguments: Any, **named: Any) -> Any:
            if _agent._state()[0] or not _busy.acquire(False):
                return function(*arguments, **named)
            try:
                return _traced(function, arguments, named, python_only,
                               lambda run: run.export(_text_of(path, function, next(numbers)), format))
            finally:
                _busy.release()

        return wrapper  # type: ignore[return-value]

    return decorate


def _attempt(action: Callable[..., Any], *arguments: Any) -> Any:
    """None where it failed, which is said: the program is not harmed by more."""
    try:
        return action(*arguments)
    except (Error, OSError) as error:
        warnings.warn("hasten: %s" % error, RuntimeWarning, stacklevel=4)
        return None


def _traced(function: Any, arguments: Any, named: Any, python_only: bool, write: Callable[[Run], None]) -> Any:
    """What the function gives or raises, whatever becomes of the trace."""
    folder = _attempt(tempfile.mkdtemp, None, "hasten-")
    if folder is None:
        return function(*arguments, **named)
    try:
        tracing = trace(python_only=python_only, store=os.path.join(folder, "runs.db"))
        _attempt(tracing.start)
        try:
            return function(*arguments, **named)
        finally:
            run = _attempt(tracing.stop)
            if run is not None:
                _attempt(write, run)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
