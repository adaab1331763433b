"""Lines of chosen functions, in this process: line_profiler's interface on hasten's agent."""
import atexit
import functools
import inspect
import linecache
import os
import pickle
import sys
import types
from typing import Any, Callable, Dict, Generator, List, Optional, Set, TextIO, Tuple, TypeVar, cast

from hasten import _agent
from hasten._command import Error
from hasten._measurement import Measurement, _Other, begin_agent
from hasten._run import Run

_F = TypeVar("_F", bound=Callable[..., Any])
_Key = Tuple[str, int, str]  # file, first line, name, as line_profiler has it


class LineStats:
    """timings: {(file, first line, name): [(line, hits, time), ...]}, where time is in units of `unit` seconds."""

    def __init__(self, timings: Dict[_Key, List[Tuple[int, int, int]]], unit: float) -> None:
        self.timings, self.unit = timings, unit

    def __repr__(self) -> str:
        return "LineStats(%r, %r)" % (self.timings, self.unit)


class _Recording(Measurement):
    """The one measurement of lines of this process; its functions are all profilers'."""

    def _begin(self, options: List[str]) -> _Other:
        return begin_agent("lines", options)

    def _arm(self, other: _Other) -> None:
        _agent._begin(other.order())
        for function in _chosen:
            _agent._choose(function)

    def _disarm(self) -> None:
        if self._other is not None:
            _agent._end()


_chosen: List[Any] = []
_recording = _Recording(None, None)
_past: List[Run] = []  # recordings that gave way to something else
_enabled = 0  # profilers, how often


def _is_preloaded() -> bool:
    what, _, preloaded = _agent._state()
    return bool(preloaded) and what == "lines"


def _record() -> None:
    """Lines are measured from here on. In a child of fork its parent's measurement goes on in the child."""
    if _agent._state()[0] != "lines":
        _recording.start()


def give_way() -> None:
    """Calls are to be traced: no line is measured meanwhile, unless a profiler is enabled."""
    if _enabled == 0:
        run = _recording.stop()
        if run is not None:
            _past.append(run)
            _recording.forget()


def _runs() -> List[Run]:
    run = _recording.flush()
    return _past + ([] if run is None else [run])


def _tell_once() -> None:
    global _told
    if not _told:
        _told = True
        print("hasten: another tool has the trace function (a debugger, coverage): no line is measured", file=sys.stderr)


_told = False


def _code_of(function: Any) -> Optional[types.CodeType]:
    for _ in range(16):
        inner = next((getattr(function, name) for name in ("__wrapped__", "__func__", "fget", "func")
                      if getattr(function, name, None) is not None), None)
        if inner is None:
            break
        function = inner
    code = getattr(function, "__code__", None)
    return code if isinstance(code, types.CodeType) else None


def _functions_in(place: Any, seen: Set[type]) -> List[Any]:
    """Functions that a module or a class defines itself."""
    found = []
    for value in list(vars(place).values()):
        if inspect.isclass(value):
            if value.__module__ == getattr(place, "__module__", place.__name__) and value not in seen:
                seen.add(value)
                found += _functions_in(value, seen)
            continue
        code = _code_of(value)
        file = getattr(sys.modules.get(getattr(place, "__module__", place.__name__)), "__file__", None)
        if code is not None and (file is None or os.path.abspath(code.co_filename) == os.path.abspath(file)):
            found.append(value)
    return found


def show_text(stats: LineStats, stream: TextIO, output_unit: float = 1e-6, stripzeros: bool = False,
              details: bool = True, summarize: bool = False, sort: bool = False) -> None:
    """Prints them. What the file of a function does not have (a cell of a notebook) linecache knows."""
    scale = stats.unit / output_unit
    sums = {key: sum(time for _, _, time in rows) for key, rows in stats.timings.items()}
    keys = sorted(stats.timings, key=lambda key: (sums[key], key) if sort else key)
    keys = [key for key in keys if stats.timings[key] or not stripzeros]
    print("Timer unit: %g s" % output_unit, file=stream)
    for file, first, name in keys if details else []:
        rows = {line: (hits, time) for line, hits, time in stats.timings[file, first, name]}
        total = sums[file, first, name]
        print("\nTotal time: %g s\nFile: %s\nFunction: %s at line %d\n" % (total * stats.unit, file, name, first), file=stream)
        print("%6s %12s %12s %12s %8s  %s" % ("Line #", "Hits", "Time", "Per Hit", "% Time", "Line Contents"), file=stream)
        print("=" * 66, file=stream)
        source = inspect.getblock(linecache.getlines(file)[first - 1:]) or [""] * (max(rows, default=first) - first + 1)
        for line in range(first, max([first + len(source) - 1] + list(rows)) + 1):
            text = source[line - first].rstrip() if line - first < len(source) else ""
            hits, time = rows.get(line, (0, 0))
            figures = ("%12d %12.1f %12.1f %8.1f" % (hits, time * scale, time * scale / hits, 100 * time / (total or 1))
                       if hits else " " * 47)
            print(("%6d %s  %s" % (line, figures, text)).rstrip(), file=stream)
    for file, first, name in keys if summarize else []:
        print("%10.2f seconds - %s:%d - %s" % (sums[file, first, name] * stats.unit, file, first, name), file=stream)


class _Awaitable:
    def __init__(self, steps: Generator[Any, Any, Any]) -> None:
        self._steps = steps

    def __await__(self) -> Generator[Any, Any, Any]:
        return self._steps


class LineProfiler:
    """Hits and time of the lines of functions, while the profiler is enabled: in a call of what it decorates, between
    enable() and disable(), or in `with`.

        profiler = hasten.LineProfiler(parse)
        profiler.runcall(parse, text)
        profiler.print_stats()

    Takes line_profiler's calls. Lines count for the thread that enabled; what is measured is a run in the store.
    All profilers of a process share one measurement: a function that two of them have counts for both.
    """

    def __init__(self, *functions: Callable[..., Any], **ignored: Any) -> None:
        self.functions: List[Any] = []
        self.enable_count = 0
        self._broken = False
        for function in functions:
            self.add_function(function)

    # --- what is measured ---

    def add_function(self, function: Callable[..., Any]) -> None:
        """Has its lines measured. Methods, static and class methods, properties and wrappers (__wrapped__) give
        what is inside. Error: it has no Python code."""
        if _code_of(function) is None:
            raise Error("%r has no lines: it is no Python function" % (function,))
        self.functions.append(function)
        _chosen.append(function)
        if _agent._state()[0] == "lines":
            _agent._choose(function)

    def add_callable(self, function: Callable[..., Any], **ignored: Any) -> int:
        """As add_function; 1."""
        self.add_function(function)
        return 1

    def add_class(self, cls: type, **ignored: Any) -> int:
        """All functions that a class defines itself, and its inner classes; how many."""
        return self._add_all(cls)

    def add_module(self, module: types.ModuleType, **ignored: Any) -> int:
        """All functions and classes' functions that a module defines itself; how many."""
        return self._add_all(module)

    def _add_all(self, place: Any) -> int:
        functions = _functions_in(place, set())
        for function in functions:
            self.add_function(function)
        return len(functions)

    # --- when ---

    def enable(self) -> None:
        """From here on lines of this thread count."""
        global _enabled
        entered = _agent._enter()
        if entered == 0:
            _record()
            entered = _agent._enter()
        if entered < 0:
            _tell_once()
        self.enable_count += 1
        _enabled += 1

    def disable(self) -> None:
        """Up to here."""
        global _enabled
        if self.enable_count > 0:
            self.enable_count -= 1
            _enabled -= 1
            _agent._leave()

    enable_by_count, disable_by_count = enable, disable

    def _enable(self) -> None:
        """In a call of the program, which is not harmed by what hasten cannot do."""
        if self._broken and _agent._state()[0] != "lines":
            return
        try:
            self.enable()
        except Error as error:
            self._broken = True
            print("hasten: no line is measured: %s" % error, file=sys.stderr)

    def __enter__(self) -> "LineProfiler":
        self.enable()
        return self

    def __exit__(self, *error: object) -> None:
        self.disable()

    def __call__(self, function: _F) -> _F:
        """As a decorator: the function's lines are measured, in each call of it."""
        self.add_function(function)
        return cast(_F, self.wrap_callable(function))

    def wrap_callable(self, function: Any) -> Any:
        """function, such that each call of it is enabled. Static and class methods and properties stay what they are."""
        if isinstance(function, (staticmethod, classmethod)):
            return type(function)(self.wrap_callable(function.__func__))
        if isinstance(function, property):
            get, set, delete = (None if f is None else self.wrap_callable(f)
                                for f in (function.fget, function.fset, function.fdel))
            return property(get, set, delete, function.__doc__)
        if inspect.iscoroutinefunction(function):
            return self._wrap_coroutine(function)
        if inspect.isasyncgenfunction(function):
            return self._wrap_async_generator(function)
        if inspect.isgeneratorfunction(function):
            return self._wrap_generator(function)
        return self._wrap_function(function)

    wrap_function = wrap_callable

    def _wrap_function(self, function: Any) -> Any:
        @functools.wraps(function)
        def wrapper(*arguments: Any, **named: Any) -> Any:
            self._enable()
            try:
                return function(*arguments, **named)
            finally:
                self.disable()

        return wrapper

    def _steps(self, inner: Any) -> Generator[Any, Any, Any]:
        """A generator or coroutine, enabled in each of its steps."""
        step, value = inner.send, None
        while True:
            self._enable()
            try:
                item = step(value)
            except StopIteration as stop:
                return stop.value
            finally:
                self.disable()
            try:
                value = yield item
                step = inner.send
            except GeneratorExit:
                self._enable()
                try:
                    inner.close()
                finally:
                    self.disable()
                raise
            except BaseException as error:
                step, value = inner.throw, error

    def _wrap_generator(self, function: Any) -> Any:
        @functools.wraps(function)
        def wrapper(*arguments: Any, **named: Any) -> Any:
            return (yield from self._steps(function(*arguments, **named)))

        return wrapper

    def _wrap_coroutine(self, function: Any) -> Any:
        @functools.wraps(function)
        async def wrapper(*arguments: Any, **named: Any) -> Any:
            return await _Awaitable(self._steps(function(*arguments, **named)))

        return wrapper

    def _wrap_async_generator(self, function: Any) -> Any:
        @functools.wraps(function)
        async def wrapper(*arguments: Any, **named: Any) -> Any:
            inner = function(*arguments, **named)
            step = inner.asend(None)
            while True:
                try:
                    item = await _Awaitable(self._steps(step))
                except StopAsyncIteration:
                    return
                try:
                    step = inner.asend((yield item))
                except GeneratorExit:
                    await inner.aclose()
                    raise
                except BaseException as error:
                    step = inner.athrow(error)

        return wrapper

    def runcall(self, function: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
        """Calls it, enabled; what it returns."""
        with self:
            return function(*arguments, **named)

    def run(self, statement: str) -> "LineProfiler":
        """Executes a statement in __main__, enabled."""
        import __main__

        return self.runctx(statement, __main__.__dict__, __main__.__dict__)

    def runctx(self, statement: str, globals: Dict[str, Any], locals: Dict[str, Any]) -> "LineProfiler":
        """Executes a statement, enabled."""
        with self:
            exec(statement, globals, locals)
        return self

    # --- what came of it ---

    @property
    def timer_unit(self) -> float:
        """Seconds in a unit of get_stats()."""
        return 1e-9

    @property
    def stored(self) -> Optional[Run]:
        """The run in the store, up to now; None: nothing was measured yet."""
        runs = _runs()
        return runs[-1] if runs else None

    def get_stats(self) -> LineStats:
        """What was measured up to now, of this profiler's functions; a line's time is with all that it calls."""
        codes = [_code_of(function) for function in self.functions]
        sums: Dict[_Key, Dict[int, Tuple[int, int]]] = {
            (code.co_filename, code.co_firstlineno, code.co_name): {} for code in codes if code is not None}
        names = {key[:2]: key for key in sums}
        for run in _runs():
            for row in run.json("-n", "1000000")["functions"]:
                key = names.get((row["file"], row["first_line"]))
                lines_of = sums[key] if key is not None else {}
                for line in row["lines"]:
                    hits, time = lines_of.get(line["line"], (0, 0))
                    lines_of[line["line"]] = hits + line["hits"], time + line["total_ns"]
        return LineStats({key: [(line, *sums[key][line]) for line in sorted(sums[key])] for key in sums},
                         self.timer_unit)

    def print_stats(self, stream: Optional[TextIO] = None, output_unit: Optional[float] = None, stripzeros: bool = False,
                    details: bool = True, summarize: bool = False, sort: bool = False, **ignored: Any) -> None:
        """Prints hits and times beside the source, in the form that is usual for line profiles.

        output_unit  seconds; by default 1e-6
        stripzeros   leaves out functions that were not called
        summarize    a line for each function, besides (details) their lines; sort: the slowest last
        """
        show_text(self.get_stats(), stream or sys.stdout, output_unit or 1e-6, stripzeros, details, summarize, sort)

    def dump_stats(self, filename: str) -> None:
        """Writes what python -m line_profiler and hasten show read."""
        stats = self.get_stats()
        state = pickle.dumps({"timings": stats.timings, "unit": stats.unit}, 2)
        with open(filename, "wb") as file:  # an object of a class that need not be here: by its name
            file.write(state[:2] + b"cline_profiler.line_profiler\nLineStats\n)\x81" + state[2:-1] + b"b.")


class GlobalProfiler(LineProfiler):
    """`hasten.profile`: decorate, run the program, and read the report at its end.

    Under `hasten lines` the decorator only chooses; with HASTEN_PROFILE=0 it does nothing. enable() and disable()
    work as those of every profiler.
    """

    def __init__(self) -> None:
        super().__init__()
        self._said = False

    def __call__(self, function: _F) -> _F:
        if os.environ.get("HASTEN_PROFILE", "") == "0":
            return function
        if _is_preloaded():
            _agent._choose(function)
            return function
        if not self.functions:
            atexit.register(self._at_exit, os.getpid())
        return super().__call__(function)

    def print_stats(self, *arguments: Any, **named: Any) -> None:
        self._said = True
        super().print_stats(*arguments, **named)

    def dump_stats(self, filename: str) -> None:
        self._said = True
        super().dump_stats(filename)

    def _at_exit(self, pid: int) -> None:
        if os.getpid() != pid or self._said:
            return
        run = self.stored
        if run is not None:
            super().print_stats(sys.stderr, stripzeros=True)
            print("hasten: stored as run %d" % run.number, file=sys.stderr)
            _recording.stop()


def lines(*places: Any) -> LineProfiler:
    """A profiler of the lines of functions, classes or modules, for a block:

        with hasten.lines(parse, Parser) as p:
            parse(text)
        p.print_stats()
    """
    profiler = LineProfiler()
    for place in places:
        if inspect.ismodule(place) or inspect.isclass(place):
            profiler._add_all(place)
        else:
            profiler.add_function(place)
    return profiler


profile = GlobalProfiler()
