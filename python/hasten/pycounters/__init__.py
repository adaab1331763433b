"""PyCounters' words on top of hasten.counters: events, counters that listen to them, and reporters.

    from hasten import pycounters

    pycounters.register_counter(pycounters.AverageTimeCounter("query"))

    with pycounters.report_start_end("query"):   # also a decorator; or report_start("query"), report_end("query")
        ...

    @pycounters.frequency()                       # makes and registers its counter
    def serve(request): ...

    pycounters.register_reporter(pycounters.JSONFileReporter("counters.json"))
    pycounters.start_auto_reporting(seconds=10)

An event that no counter listens to goes nowhere. Counters are series of hasten.counters by the same name, so that
`hasten count` shows them too; times are in seconds, windows 300 s long unless said otherwise.
"""
import collections
import contextvars
import functools
import inspect
import json
import logging
import os
import tempfile
import threading
import time as _time
from typing import Any, Callable, Dict, Iterable, List, Optional, Tuple, Type, TypeVar

from hasten import counters as _counters

__all__ = [
    "AverageTimeCounter", "AverageWindowCounter", "BaseCounter", "BaseReporter", "EventCounter", "FrequencyCounter",
    "JSONFileReporter", "LogReporter", "MaxWindowCounter", "MinWindowCounter", "ThreadTimeCategorizer",
    "TotalCounter", "ValueAccumulator", "count", "frequency", "get_values", "occurrence", "output_report",
    "register_counter", "register_reporter", "report_end", "report_start", "report_start_end", "report_value",
    "start_auto_reporting", "stop_auto_reporting", "time", "unregister_counter", "unregister_reporter", "value",
]

_F = TypeVar("_F", bound=Callable[..., Any])
_lock = threading.RLock()
_registered: "Dict[str, BaseCounter]" = {}
_listeners: "Dict[str, Tuple[BaseCounter, ...]]" = {}


# --- counters -------------------------------------------------------------------------------------------------------
class BaseCounter:
    """Listens to the events of its name, or to those in `events`."""

    def __init__(self, name: str, events: Optional[Iterable[str]] = None) -> None:
        self.name = name
        self.events = tuple(events) if events is not None else (name,)

    def on_start(self, event: str) -> None:
        """An event begins in this thread."""

    def on_end(self, event: str, seconds: Optional[float]) -> None:
        """It ends; None: it was over as it began."""

    def on_value(self, event: str, value: float) -> None:
        """A value was reported."""

    def get_value(self) -> Any:
        """What the reports say."""
        raise NotImplementedError

    def clear(self) -> None:
        """Back to the beginning."""


class _SeriesCounter(BaseCounter):
    _series: Any

    def get_value(self) -> Any:
        return self._series.value

    def clear(self) -> None:
        self._series.clear()


class EventCounter(_SeriesCounter):
    """How often its events ended."""

    def __init__(self, name: str, events: Optional[Iterable[str]] = None) -> None:
        super().__init__(name, events)
        self._series = _counters.counter(name)

    def on_end(self, event: str, seconds: Optional[float]) -> None:
        self._series.inc()


class TotalCounter(_SeriesCounter):
    """The sum of the values reported."""

    def __init__(self, name: str, events: Optional[Iterable[str]] = None) -> None:
        super().__init__(name, events)
        self._series = _counters.total(name)

    def on_value(self, event: str, value: float) -> None:
        self._series.add(value)


class ValueAccumulator(TotalCounter):
    """The sum of the values reported since the last report."""

    def get_value(self) -> Any:
        value = self._series.value
        self._series.add(-value)
        return value


class FrequencyCounter(_SeriesCounter):
    """Events per second in the window."""

    def __init__(self, name: str, window_size: float = 300.0, events: Optional[Iterable[str]] = None) -> None:
        super().__init__(name, events)
        self._series = _counters.frequency(name, window=window_size)

    def on_end(self, event: str, seconds: Optional[float]) -> None:
        self._series.tick()


class AverageWindowCounter(_SeriesCounter):
    """The average of the values in the window."""

    _make: Any = staticmethod(_counters.average)

    def __init__(self, name: str, window_size: float = 300.0, events: Optional[Iterable[str]] = None) -> None:
        super().__init__(name, events)
        self._series = self._make(name, window=window_size)

    def on_value(self, event: str, value: float) -> None:
        self._series.observe(value)


class MaxWindowCounter(AverageWindowCounter):
    """The largest value in the window."""

    _make = staticmethod(_counters.max_window)


class MinWindowCounter(AverageWindowCounter):
    """The smallest value in the window."""

    _make = staticmethod(_counters.min_window)


class AverageTimeCounter(_SeriesCounter):
    """The average time from start to end in the window, in seconds."""

    def __init__(self, name: str, window_size: float = 300.0, events: Optional[Iterable[str]] = None) -> None:
        super().__init__(name, events)
        self._series = _counters.average(name, unit="seconds", window=window_size)

    def on_end(self, event: str, seconds: Optional[float]) -> None:
        if seconds is not None:
            self._series.observe(seconds)


class ThreadTimeCategorizer(BaseCounter):
    """Which part of the time of its event each category (an event inside it, in the same thread) took, in seconds:
    the series NAME.CATEGORY are averages per event of its name. A category inside another takes its time away."""

    def __init__(self, name: str, categories: Iterable[str], window_size: float = 300.0) -> None:
        self._categories = tuple(categories)
        super().__init__(name, (name,) + self._categories)
        self._series = {category: _counters.average("%s.%s" % (name, category), unit="seconds", window=window_size)
                        for category in self._categories}
        self._thread = threading.local()

    def _settle(self) -> None:
        state = self._thread
        now = _time.perf_counter()
        if state.stack:
            state.times[state.stack[-1]] += now - state.since
        state.since = now

    def on_start(self, event: str) -> None:
        state = self._thread
        if event == self.name:
            state.times, state.stack, state.since = collections.defaultdict(float), [], _time.perf_counter()
        elif getattr(state, "times", None) is not None:
            self._settle()
            state.stack.append(event)

    def on_end(self, event: str, seconds: Optional[float]) -> None:
        state = self._thread
        if getattr(state, "times", None) is None:
            return
        self._settle()
        if event == self.name:
            for category in self._categories:
                self._series[category].observe(state.times[category])
            state.times = None
        elif state.stack and state.stack[-1] == event:
            state.stack.pop()

    def get_value(self) -> Dict[str, Optional[float]]:
        return {category: series.value for category, series in self._series.items()}

    def clear(self) -> None:
        for series in self._series.values():
            series.clear()


def _listen() -> None:
    by_event: Dict[str, List[BaseCounter]] = {}
    for counter in _registered.values():
        for event in counter.events:
            by_event.setdefault(event, []).append(counter)
    _listeners.clear()
    _listeners.update((event, tuple(listening)) for event, listening in by_event.items())


def register_counter(counter: BaseCounter, throw_if_exists: bool = True) -> BaseCounter:
    """From now on its events count. The one that is registered; ValueError: there is one by this name."""
    if not isinstance(counter, BaseCounter):
        raise TypeError("a counter is wanted, not %r" % (counter,))
    with _lock:
        old = _registered.get(counter.name)
        if old is not None:
            if throw_if_exists:
                raise ValueError("a counter named %r is registered already" % counter.name)
            return old
        _registered[counter.name] = counter
        _listen()
    return counter


def unregister_counter(counter: Optional[BaseCounter] = None, name: Optional[str] = None) -> None:
    """By itself or by its name. KeyError: it is not registered."""
    with _lock:
        del _registered[counter.name if counter is not None else name or ""]
        _listen()


def _need(name: str, kind: Optional[Type[Any]]) -> None:
    if kind is not None and name not in _registered:
        with _lock:
            if name not in _registered:
                register_counter(kind(name))


# --- events ---------------------------------------------------------------------------------------------------------
_open: "contextvars.ContextVar[Tuple[Tuple[str, float], ...]]" = contextvars.ContextVar("hasten_events", default=())


def report_start(name: str) -> None:
    """The event begins; in this thread or task it ends by report_end."""
    listening = _listeners.get(name, ())
    _open.set(_open.get() + ((name, _time.perf_counter()),))
    for counter in listening:
        counter.on_start(name)


def report_end(name: str) -> None:
    """The event ends. ValueError: it was not begun in this thread or task."""
    now = _time.perf_counter()
    events = _open.get()
    for i in range(len(events) - 1, -1, -1):
        if events[i][0] == name:
            _open.set(events[:i] + events[i + 1:])
            for counter in _listeners.get(name, ()):
                counter.on_end(name, now - events[i][1])
            return
    raise ValueError("event %r was not started here" % name)


def report_value(name: str, value: float) -> None:
    """A value of the event."""
    for counter in _listeners.get(name, ()):
        counter.on_value(name, value)


class report_start_end:
    """An event from start to end: a decorator (without a name: the function's), or a context manager."""

    def __init__(self, name: Optional[str] = None, auto_add_counter: Optional[Type[Any]] = None) -> None:
        self._name, self._kind = name, auto_add_counter
        if name is not None:
            _need(name, auto_add_counter)

    def __enter__(self) -> "report_start_end":
        if self._name is None:
            raise ValueError("report_start_end needs a name to be used with `with`")
        report_start(self._name)
        return self

    def __exit__(self, *error: object) -> None:
        assert self._name is not None
        report_end(self._name)

    def __call__(self, function: _F) -> _F:
        inner: Any = function
        name: str = self._name or str(getattr(function, "__name__", "?"))
        _need(name, self._kind)
        if inspect.iscoroutinefunction(inner) or inspect.isgeneratorfunction(inner) or \
                inspect.isasyncgenfunction(inner):
            measured: Any = _counters._measured(inner, lambda: report_start(name), lambda _: report_end(name))
            return measured  # type: ignore[no-any-return]

        @functools.wraps(inner)
        def reported(*arguments: Any, **named: Any) -> Any:
            report_start(name)
            try:
                return inner(*arguments, **named)
            finally:
                report_end(name)
        return reported  # type: ignore[return-value]


# --- shortcuts ------------------------------------------------------------------------------------------------------
def frequency(name: Optional[str] = None, auto_add_counter: Any = FrequencyCounter) -> report_start_end:
    """How often something happens, per second; registers its counter."""
    return report_start_end(name, auto_add_counter)


def time(name: Optional[str] = None, auto_add_counter: Any = AverageTimeCounter) -> report_start_end:
    """How long something takes on average; registers its counter."""
    return report_start_end(name, auto_add_counter)


def count(name: Optional[str] = None, auto_add_counter: Any = EventCounter) -> report_start_end:
    """How often something happened; registers its counter."""
    return report_start_end(name, auto_add_counter)


def value(name: str, value: float, auto_add_counter: Any = AverageWindowCounter) -> None:
    """Reports a value; registers its counter."""
    _need(name, auto_add_counter)
    report_value(name, value)


def occurrence(name: str, auto_add_counter: Any = FrequencyCounter) -> None:
    """Something happened; registers its counter."""
    _need(name, auto_add_counter)
    for counter in _listeners.get(name, ()):
        counter.on_start(name)
        counter.on_end(name, None)


# --- reporters ------------------------------------------------------------------------------------------------------
def get_values() -> Dict[str, Any]:
    """{name: value} of all registered counters, in the order of names."""
    with _lock:
        listed = sorted(_registered.items())
    return {name: counter.get_value() for name, counter in listed}


class BaseReporter:
    """Says the values somewhere."""

    def output_values(self, values: Dict[str, Any]) -> None:
        raise NotImplementedError


class LogReporter(BaseReporter):
    """A line for each counter, to a logger (default: "hasten"), at level INFO."""

    def __init__(self, output_log: Optional[logging.Logger] = None, level: int = logging.INFO) -> None:
        self.logger = output_log if output_log is not None else logging.getLogger("hasten")
        self.level = level

    def output_values(self, values: Dict[str, Any]) -> None:
        for name, value in values.items():
            self.logger.log(self.level, "%s %s", name, value)


class JSONFileReporter(BaseReporter):
    """All values as one JSON object in a file, which is never seen half written."""

    def __init__(self, output_file: str) -> None:
        self.output_file = os.fspath(output_file)

    def output_values(self, values: Dict[str, Any]) -> None:
        folder = os.path.dirname(os.path.abspath(self.output_file))
        handle, name = tempfile.mkstemp(prefix=".hasten-", dir=folder)
        try:
            with os.fdopen(handle, "w") as file:
                json.dump(values, file, indent=1)
                file.write("\n")
            os.chmod(name, 0o644)
            os.replace(name, self.output_file)
        except BaseException:
            os.unlink(name)
            raise


_reporters: List[BaseReporter] = []


def register_reporter(reporter: BaseReporter) -> None:
    """It takes part in every report from now on."""
    if not callable(getattr(reporter, "output_values", None)):
        raise TypeError("a reporter has output_values(values): %r" % (reporter,))
    with _lock:
        _reporters.append(reporter)


def unregister_reporter(reporter: BaseReporter) -> None:
    """ValueError: it is not registered."""
    with _lock:
        _reporters.remove(reporter)


def output_report() -> Dict[str, Any]:
    """One report to all reporters; gives the values."""
    with _lock:
        reporters = list(_reporters)
    values = get_values()
    for reporter in reporters:
        reporter.output_values(values)
    return values


class _AutoReporter(threading.Thread):
    def __init__(self, seconds: float) -> None:
        super().__init__(name="hasten-reports", daemon=True)
        self.seconds = seconds
        self.over = threading.Event()

    def run(self) -> None:
        while not self.over.wait(self.seconds):
            try:
                output_report()
            except Exception:
                logging.getLogger("hasten").exception("a report failed; the next is due in %g s", self.seconds)


_auto: Optional[_AutoReporter] = None


def start_auto_reporting(seconds: float = 300.0) -> None:
    """A report every so many seconds, from a thread; another call changes the time."""
    global _auto
    if not seconds > 0:
        raise ValueError("the time between reports must be above 0 seconds")
    with _lock:
        stop_auto_reporting()
        _auto = _AutoReporter(seconds)
        _auto.start()


def stop_auto_reporting() -> None:
    """No more reports by themselves."""
    global _auto
    with _lock:
        auto, _auto = _auto, None
    if auto is not None:
        auto.over.set()


def _after_fork() -> None:
    """The thread does not live in the child: it gets its own."""
    global _lock, _auto
    _lock = threading.RLock()
    auto, _auto = _auto, None
    if auto is not None:
        start_auto_reporting(auto.seconds)


os.register_at_fork(after_in_child=_after_fork)
