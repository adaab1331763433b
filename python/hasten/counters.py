"""Counters that cost nanoseconds, and that `hasten count` reads from outside while the program runs.

    import hasten

    requests = hasten.counters.counter("requests", help="requests served")
    requests.inc()
    requests.labels(route="/x").inc(2)

    @hasten.counters.time("render")            # how long calls take: p50, p90, p99, max
    def render(page): ...

    with hasten.counters.time("query"): ...

What a function here makes is made once: asked again by the same name and labels, it gives the same object. All
times are in seconds. Values are of this process; `hasten count` adds processes up, also those that have ended.

Errors: ValueError where a name, a label or a number cannot be right or a name is taken by another kind,
TypeError where something of another type was wanted, MemoryError when there is no more room.
"""
import contextvars
import functools
import inspect
import os
import re
import sys
import threading
import types
from time import perf_counter as _clock
from typing import Any, Callable, Dict, List, Mapping, Optional, Sequence, Tuple, TypeVar, Union, cast, overload

from hasten import _agent
from hasten._agent import Counter, Frequency, Gauge, Histogram, Total, Window

__all__ = [
    "Counter", "Frequency", "Gauge", "Histogram", "Timer", "Total", "Window",
    "average", "count", "counter", "frequency", "gauge", "histogram", "max_window", "min_window", "path",
    "service", "snapshot", "time", "total", "value", "values", "window",
]

_F = TypeVar("_F", bound=Callable[..., Any])
_Labels = Optional[Mapping[str, object]]
_Pairs = Tuple[Tuple[str, str], ...]

_COUNTER, _TOTAL, _GAUGE, _FREQUENCY, _AVERAGE, _MIN, _MAX, _WINDOW, _HISTOGRAM = range(1, 10)
_KINDS = {_COUNTER: "counter", _TOTAL: "total", _GAUGE: "gauge", _FREQUENCY: "frequency", _AVERAGE: "average",
          _MIN: "min", _MAX: "max", _WINDOW: "window", _HISTOGRAM: "histogram"}
_LABEL = re.compile(r"(?!__)[A-Za-z_][A-Za-z0-9_]*\Z")


class _Family:
    """What all series of one name share."""

    __slots__ = ("kind", "name", "help", "unit", "window")

    def __init__(self, kind: int, name: str, help: str, unit: str, window: float) -> None:
        self.kind, self.name, self.help, self.unit, self.window = kind, name, help, unit, window


_lock = threading.RLock()
_families: Dict[str, _Family] = {}
_series: Dict[Tuple[str, _Pairs], Any] = {}
_started = False


def _default_service() -> str:
    named = os.environ.get("HASTEN_SERVICE", "")
    if named:
        return named
    script = (getattr(sys, "argv", None) or [""])[0]
    name = os.path.basename(script)
    if name == "__main__.py":  # python -m package
        name = os.path.basename(os.path.dirname(script))
    if name.endswith(".py"):
        name = name[:-3]
    return name if name not in ("", "-c", "-m") else "python"


def _start() -> None:
    """Before the first series: who we are, and what the dead have left is put together."""
    global _started
    if _started:
        return
    name = _default_service().encode("utf-8", "replace")[:127].decode("utf-8", "ignore")
    _agent._set_service(name)
    _agent._fold()
    os.register_at_fork(after_in_child=_after_fork)
    _started = True


def _after_fork() -> None:
    """Another thread may have held the lock; and the child may stand in for one that died."""
    global _lock
    _agent._forked()
    _lock = threading.RLock()
    _agent._fold()


def _checked_name(name: object) -> str:
    if not isinstance(name, str):
        raise TypeError("a name is a str, not %s" % type(name).__name__)
    if not name or not name.isprintable():
        raise ValueError("a name is of at least one character, and all can be printed: %r" % (name,))
    return name


def _checked_labels(labels: _Labels) -> _Pairs:
    if not labels:
        return ()
    pairs = []
    for key, text in sorted(labels.items()):
        if not isinstance(key, str) or not _LABEL.match(key):
            raise ValueError("a label is of letters, digits and _, and does not begin with a digit or __: %r" % (key,))
        text = text if isinstance(text, str) else str(text)
        if "\0" in text:
            raise ValueError("the value of label %s has a zero byte in it" % key)
        pairs.append((key, text))
    return tuple(pairs)


def _get(family: _Family, pairs: _Pairs) -> Any:
    series = _series.get((family.name, pairs))
    if series is None:
        with _lock:
            series = _series.get((family.name, pairs))
            if series is None:
                _start()
                text = "".join("%s\0%s\0" % pair for pair in pairs)
                series = _agent._make(family.kind, family.name, text, family.help, family.unit, family.window, pairs)
                series._more = family
                _series[family.name, pairs] = series
    return series


def _find(kind: int, name: object, help: str, unit: str, labels: _Labels, window: float = 60.0) -> Any:
    checked = _checked_name(name)
    with _lock:
        family = _families.get(checked)
        fresh = family is None
        if family is None:
            family = _Family(kind, checked, help, unit, float(window))
        if family.kind != kind:
            raise ValueError("%r is a %s already, not a %s" % (checked, _KINDS[family.kind], _KINDS[kind]))
        if family.window != window:
            raise ValueError("%r has a window of %g s already, not of %g s" % (checked, family.window, window))
        series = _get(family, _checked_labels(labels))
        if fresh:
            _families[checked] = family
        return series


def _labels_of(self: Any, **labels: object) -> Any:
    """labels(key=value, ...): the series of the same name with these labels too. Values become text."""
    merged: Dict[str, object] = dict(self.label_pairs)
    merged.update(labels)
    return _get(self._more, _checked_labels(merged))


# --- what is measured by decorating -------------------------------------------------------------------------------
def _is_function(thing: Any) -> bool:
    return callable(thing) or isinstance(thing, (staticmethod, classmethod))


def _name_of(function: Any) -> str:
    function = getattr(function, "__func__", function)
    return "%s.%s" % (getattr(function, "__module__", "?"), getattr(function, "__qualname__", repr(function)))


def _kind_of(function: Any) -> str:
    """What a call of it gives: "coroutine", "asynchronous generator", "generator", or "" for its result."""
    for one in (function, getattr(type(function), "__call__", None)):  # an object may have `async def __call__`
        if inspect.iscoroutinefunction(one):
            return "coroutine"
        if inspect.isasyncgenfunction(one):
            return "asynchronous generator"
        if inspect.isgeneratorfunction(one):
            return "generator"
    return ""


class _Steps:
    """Runs a generator or an awaitable for whoever awaits it, and adds up the time of its steps."""

    __slots__ = ("_inner", "_spent")

    def __init__(self, inner: Any, spent: List[float]) -> None:
        self._inner = inner.__await__() if hasattr(inner, "__await__") else iter(inner)
        self._spent = spent

    def __await__(self) -> "_Steps":
        return self

    __iter__ = __await__

    def _step(self, step: Callable[..., Any], *arguments: Any) -> Any:
        begin = _clock()
        try:
            return step(*arguments)
        finally:
            self._spent[0] += _clock() - begin

    def __next__(self) -> Any:
        return self._step(next, self._inner)

    def send(self, sent: Any) -> Any:
        return self._step(self._inner.send, sent)

    def throw(self, *error: Any) -> Any:
        return self._step(self._inner.throw, *error)

    def close(self) -> None:
        self._step(self._inner.close)


def _as_it_is(inner: Any, mark: Any) -> Any:
    return inner


def _measured(function: Any, before: Callable[[], Any], after: Callable[[Any], Any],
              run: Callable[[Any, Any], Any] = _as_it_is) -> Any:
    """For what runs on after the call returns: from its beginning to its end. run: what is awaited in its place."""
    kind = _kind_of(function)
    if kind == "coroutine":
        async def coroutine(*arguments: Any, **named: Any) -> Any:
            mark = before()
            try:
                return await run(function(*arguments, **named), mark)
            finally:
                after(mark)
        return functools.update_wrapper(coroutine, function)
    if kind == "asynchronous generator":
        async def asynchronous(*arguments: Any, **named: Any) -> Any:
            mark = before()
            inner = function(*arguments, **named)
            try:
                value = await run(inner.__anext__(), mark)
                while True:
                    try:
                        sent = yield value
                    except GeneratorExit:
                        raise
                    except BaseException as error:
                        value = await run(inner.athrow(error), mark)
                    else:
                        value = await run(inner.asend(sent), mark)
            except StopAsyncIteration:
                pass
            finally:
                try:
                    await run(inner.aclose(), mark)
                finally:
                    after(mark)
        return functools.update_wrapper(asynchronous, function)

    def generator(*arguments: Any, **named: Any) -> Any:
        mark = before()
        try:
            return (yield from run(function(*arguments, **named), mark))
        finally:
            after(mark)
    flags = getattr(getattr(function, "__code__", None), "co_flags", 0)
    made = types.coroutine(generator) if flags & inspect.CO_ITERABLE_COROUTINE else generator  # it is awaited
    return functools.update_wrapper(made, function)


def _nothing(_: Any = None) -> None:
    return None


def _wrap(function: Any, series: Any, running: bool = False) -> Any:
    if isinstance(function, (staticmethod, classmethod)):
        return type(function)(_wrap(function.__func__, series, running))
    if isinstance(function, type) or not callable(function):
        raise TypeError("only functions and methods can be decorated, not %r" % (function,))
    if _kind_of(function):
        if running:
            return _measured(function, lambda: [0.0], lambda spent: series.observe(spent[0]), _Steps)
        if isinstance(series, Histogram):
            return _measured(function, series.start, series.stop)
        return _measured(function, series.inc if isinstance(series, Counter) else series.tick, _nothing)
    return functools.update_wrapper(_agent._wrap(function, series), function)


def _decorate(self: Any, function: _F) -> _F:
    """Used as a decorator: each call counts."""
    return cast(_F, _wrap(function, self))


def _decorate_gauge(self: Gauge, function: Any) -> Any:
    """Used as a decorator: how many calls are in progress."""
    if _kind_of(function):
        return _measured(function, self.inc, lambda _: self.dec())

    @functools.wraps(function)
    def in_progress(*arguments: Any, **named: Any) -> Any:
        self.inc()
        try:
            return function(*arguments, **named)
        finally:
            self.dec()
    return in_progress


def _enter_counter(self: Any) -> Any:
    self.inc()
    return self


def _enter_frequency(self: Any) -> Any:
    self.tick()
    return self


def _exit(self: Any, *error: object) -> None:
    return None


def _exit_gauge(self: Gauge, *error: object) -> None:
    self.dec()


# What is not hot is Python: it becomes part of the types that are made in C.
for _type in (Counter, Frequency, Gauge, Histogram, Total, Window):
    setattr(_type, "labels", _labels_of)
for _type, _enter, _leave, _call in ((Counter, _enter_counter, _exit, _decorate),
                                     (Frequency, _enter_frequency, _exit, _decorate),
                                     (Gauge, _enter_counter, _exit_gauge, _decorate_gauge)):
    setattr(_type, "__enter__", _enter)
    setattr(_type, "__exit__", _leave)
    setattr(_type, "__call__", _call)


class _Entry:
    """A `with` of a timer that has begun."""

    __slots__ = ("timer", "mark")

    def __init__(self, timer: "Timer") -> None:
        self.timer, self.mark = timer, timer.start()


# One for all timers: a context keeps a variable for as long as it lives.
_entered: "contextvars.ContextVar[Tuple[_Entry, ...]]" = contextvars.ContextVar("hasten", default=())


class Timer:
    """Times what happens: a decorator, a context manager (nested, in threads and tasks too), or start and stop.

    The times go, in seconds, into a histogram: .histogram. running: of generators and coroutines only the time in which
    they run."""

    __slots__ = ("_name", "_help", "_labels", "_running", "_histogram", "_open")

    def __init__(self, name: Optional[str], help: str = "", labels: _Labels = None, running: bool = False) -> None:
        self._name, self._help, self._labels, self._running = name, help, labels, running
        self._histogram: Optional[Histogram] = None
        self._open: Dict[_Entry, bool] = {}
        if name is not None:
            self._histogram = histogram(name, help, "seconds", labels)

    @property
    def histogram(self) -> Histogram:
        if self._histogram is None:
            raise ValueError("a timer without a name can only decorate: hasten.counters.time(\"name\")")
        return self._histogram

    def labels(self, **labels: object) -> "Timer":
        """The timer of the same name with these labels too."""
        merged: Dict[str, object] = dict(self._labels or {})
        merged.update(labels)
        return Timer(self._name, self._help, merged, self._running)

    def __call__(self, function: _F) -> _F:
        """Times every call; of a generator or coroutine function from its beginning to its end."""
        series = self._histogram or histogram(_name_of(function), self._help, "seconds", self._labels)
        return cast(_F, _wrap(function, series, self._running))

    def start(self) -> int:
        """A mark for stop."""
        if self._running:
            raise ValueError("a timer of what runs can only decorate: the steps of other code are not seen")
        return self.histogram.start()

    def stop(self, mark: int) -> float:
        """Counts the time since the mark, and gives it in seconds."""
        return self.histogram.stop(mark)

    def __enter__(self) -> "Timer":
        entry = _Entry(self)
        self._open[entry] = True
        _entered.set(tuple(other for other in _entered.get() if other in other.timer._open) + (entry,))
        return self

    def _take(self, entries: Sequence[_Entry]) -> Optional[_Entry]:
        """The last one that has not been left."""
        for entry in reversed(entries):
            if entry.timer is self and self._open.pop(entry, False):
                return entry
        return None

    def __exit__(self, *error: object) -> None:
        here = _entered.get()
        entry = self._take(here) or self._take(list(self._open))  # a generator may be left in another context
        if entry is None:
            raise RuntimeError("a timer was left that was not entered")
        _entered.set(tuple(other for other in here if other is not entry))
        self.histogram.stop(entry.mark)

    async def __aenter__(self) -> "Timer":
        return self.__enter__()

    async def __aexit__(self, *error: object) -> None:
        self.__exit__()


# --- making them ------------------------------------------------------------------------------------------------
def counter(name: str, help: str = "", unit: str = "", labels: _Labels = None) -> Counter:
    """Something that happens: it only grows. inc(amount=1); as a decorator it counts calls."""
    return cast(Counter, _find(_COUNTER, name, help, unit, labels))


def total(name: str, help: str = "", unit: str = "", labels: _Labels = None) -> Total:
    """A sum of any numbers, also negative ones: add(amount)."""
    return cast(Total, _find(_TOTAL, name, help, unit, labels))


def gauge(name: str, help: str = "", unit: str = "", labels: _Labels = None) -> Gauge:
    """How something is now: set(value), inc(), dec(). As a decorator or with `with`: how many are in progress.
    Processes add up; one that has ended no longer counts."""
    return cast(Gauge, _find(_GAUGE, name, help, unit, labels))


def average(name: str, help: str = "", unit: str = "", window: float = 60.0, labels: _Labels = None) -> Window:
    """The average of the values observed in the last `window` seconds (60): observe(value)."""
    return cast(Window, _find(_AVERAGE, name, help, unit, labels, window))


def min_window(name: str, help: str = "", unit: str = "", window: float = 60.0, labels: _Labels = None) -> Window:
    """The smallest value observed in the last `window` seconds."""
    return cast(Window, _find(_MIN, name, help, unit, labels, window))


def max_window(name: str, help: str = "", unit: str = "", window: float = 60.0, labels: _Labels = None) -> Window:
    """The largest value observed in the last `window` seconds."""
    return cast(Window, _find(_MAX, name, help, unit, labels, window))


def window(name: str, help: str = "", unit: str = "", window: float = 60.0, labels: _Labels = None) -> Window:
    """Average, smallest, largest, number and sum of the values observed in the last `window` seconds."""
    return cast(Window, _find(_WINDOW, name, help, unit, labels, window))


value = window


def histogram(name: str, help: str = "", unit: str = "", labels: _Labels = None) -> Histogram:
    """How values are spread: quantile(q) is within 1.6 % for values from 2.4e-10 to 4.2e9; observe(value)."""
    return cast(Histogram, _find(_HISTOGRAM, name, help, unit, labels))


@overload
def frequency(name: _F) -> _F: ...
@overload
def frequency(name: None = None, help: str = "", window: float = 60.0, labels: _Labels = None) -> Callable[[_F], _F]: ...
@overload
def frequency(name: str, help: str = "", window: float = 60.0, labels: _Labels = None) -> Frequency: ...
def frequency(name: Any = None, help: str = "", window: float = 60.0, labels: _Labels = None) -> Any:
    """Events per second in the last `window` seconds: tick(count=1). As a decorator (also without a name, which
    then is the function's): calls per second."""
    if _is_function(name):
        return _wrap(name, _find(_FREQUENCY, _name_of(name), help, "", labels, window))
    if name is None:
        return lambda function: _wrap(function, _find(_FREQUENCY, _name_of(function), help, "", labels, window))
    return _find(_FREQUENCY, name, help, "", labels, window)


@overload
def count(name: _F) -> _F: ...
@overload
def count(name: None = None, help: str = "", labels: _Labels = None) -> Callable[[_F], _F]: ...
@overload
def count(name: str, help: str = "", labels: _Labels = None) -> Counter: ...
def count(name: Any = None, help: str = "", labels: _Labels = None) -> Any:
    """A decorator that counts calls; without a name, under the function's."""
    if _is_function(name):
        return _wrap(name, counter(_name_of(name), help, labels=labels))
    if name is None:
        return lambda function: _wrap(function, counter(_name_of(function), help, labels=labels))
    return counter(name, help, labels=labels)


@overload
def time(name: _F) -> _F: ...
@overload
def time(name: None = None, help: str = "", labels: _Labels = None, running: bool = False) -> Timer: ...
@overload
def time(name: str, help: str = "", labels: _Labels = None, running: bool = False) -> Timer: ...
def time(name: Any = None, help: str = "", labels: _Labels = None, running: bool = False) -> Any:
    """How long something takes: @time, @time("name"), `with time("name"):`, or start() and stop(mark).

    running: a decorator for coroutine functions and generators, of which it counts the time in which they run, without
    the time in which they wait."""
    if _is_function(name):
        return Timer(None, help, labels, running)(name)
    return Timer(None if name is None else _checked_name(name), help, labels, running)


# --- what they say ------------------------------------------------------------------------------------------------
def snapshot() -> List[Dict[str, Any]]:
    """Every series of this process: name, labels, kind, unit, value, and what else its kind knows."""
    rows = []
    for (name, pairs), series in sorted(_series.items()):
        family = series._more
        row: Dict[str, Any] = {"name": name, "labels": dict(pairs), "kind": _KINDS[family.kind], "unit": family.unit,
                               "value": series.value}
        if isinstance(series, Histogram):
            row.update(count=series.count, sum=series.sum, min=series.min, max=series.max)
            if series.count:
                row.update(p50=series.quantile(0.5), p90=series.quantile(0.9), p99=series.quantile(0.99))
        elif isinstance(series, Window):
            row.update(count=series.count, sum=series.sum, average=series.average, min=series.min, max=series.max,
                       frequency=series.frequency)
        rows.append(row)
    return rows


def values() -> Dict[str, Union[int, float, None]]:
    """{name, with its labels as name{key="value"}: value} of this process."""
    return {row["name"] + ("{%s}" % ",".join('%s="%s"' % pair for pair in row["labels"].items())
                           if row["labels"] else ""): row["value"] for row in snapshot()}


def service(name: str) -> None:
    """What this program is called in `hasten count`; processes of one service add up. Otherwise HASTEN_SERVICE, or
    the script's name."""
    with _lock:
        _start()
        _agent._set_service(name)


def path() -> str:
    """The file that the values are in; "" before the first series, or where none could be made."""
    return _agent._path()
