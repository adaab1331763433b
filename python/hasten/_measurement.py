"""What a program measures of itself: the agent or the sampler in a process of its own, and the run that comes of it."""
import contextlib
import os
import subprocess
import threading
from typing import IO, Any, List, Optional

from hasten import _agent, _command
from hasten._command import Error
from hasten._run import Run

_lock = threading.RLock()  # one thing at a time begins or ends


class _Other:
    """`hasten inside`: the process that stores what is measured here (src/cli/cmd_inside.c has the protocol)."""

    def __init__(self, kind: str, options: List[str], descriptors: List[int]) -> None:
        self._pid = os.getpid()
        words = [_command.find(), "inside", "--kind", kind, "--pid", str(self._pid)] + options
        try:
            process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                       env=_command.environment(), pass_fds=descriptors)
        except OSError as error:
            raise Error("cannot start %s: %s" % (words[0], error.strerror)) from None
        assert process.stdin is not None and process.stdout is not None and process.stderr is not None
        self._in: IO[bytes] = process.stdin
        self._out: IO[bytes] = process.stdout
        self._err: IO[bytes] = process.stderr
        process.wait()  # it has left a child of its own, which is nobody's here
        try:
            self.number = int(self._line("run"))
        except BaseException:
            self._close()
            raise

    def _line(self, *wanted: str) -> str:
        line = self._out.readline().decode(errors="replace").rstrip("\n")
        word, _, rest = line.partition(" ")
        if word not in wanted:
            raise Error(_command.said(self._err.read().decode(errors="replace")))
        return rest or word

    def wait_ready(self) -> None:
        try:
            self._line("ready")
        except BaseException:
            self._close()
            raise

    def begin(self) -> None:
        self._say(b"b")

    def order(self) -> str:
        return self._line("order")

    @property
    def is_ours(self) -> bool:
        return self._pid == os.getpid()  # else we are a child of fork

    def flush(self) -> None:
        self._say(b"f")
        self._line("ok")

    def end(self) -> bool:
        """Whether there was anything to measure."""
        try:
            self._say(b"e")
            return self._line("done", "empty") == "done"
        finally:
            self._close()

    def _say(self, letter: bytes) -> None:
        try:
            self._in.write(letter)
            self._in.flush()
        except (OSError, ValueError) as error:
            raise Error("the process that stores the run is gone: %s" % error) from None

    def _close(self) -> None:
        for pipe in (self._in, self._out, self._err):
            with contextlib.suppress(OSError):
                pipe.close()


class Measurement(contextlib.ContextDecorator):
    """Begin and end of one measurement, by start() and stop(), `with`, or as a decorator (one run a call)."""

    _kind = ""

    def __init__(self, name: Optional[str], store: Optional[str]) -> None:
        self._name, self._store = name, store
        self._other: Optional[_Other] = None
        self._run: Optional[Run] = None

    def __repr__(self) -> str:
        return "<hasten.%s, %s>" % (type(self).__name__, "under way" if self._other is not None else
                                    self._run if self._run is not None else "no run yet")

    @property
    def run(self) -> Optional[Run]:
        """The run that is under way, or the last one; None: there is none, or nothing was to be measured."""
        return self._run

    def start(self) -> "Measurement":
        """Begins. Error: it is under way already, or cannot be had."""
        with _lock:
            if self._other is not None and self._other.is_ours:
                raise Error("it is under way already; stop() it first")
            options = [] if self._name is None else ["--name", self._name]
            options += [] if self._store is None else ["--store", self._store]
            before = self._run
            self._other = other = self._begin(options)
            self._run = Run(other.number, self._store)
        try:
            self._arm(other)  # the last thing: what follows is measured
        except BaseException as error:
            self._other, self._run = None, before
            with contextlib.suppress(Error):
                other.end()
            if isinstance(error, OSError):
                raise Error(str(error)) from None
            raise
        return self

    def stop(self) -> Optional[Run]:
        """Ends. The run; None: nothing was measured, or it was not under way."""
        self._disarm()  # the first thing: what follows is not measured
        with _lock:
            other, self._other = self._other, None
            if other is None or not other.is_ours:
                return None
            if not other.end():
                self._run = None
        return self._run

    def forget(self) -> None:
        """The last run is no longer this measurement's."""
        self._run = None

    def flush(self) -> Optional[Run]:
        """What was measured up to now is in the store when this returns; it goes on."""
        with _lock:
            if self._other is not None and self._other.is_ours:
                self._other.flush()
        return self._run

    def print(self, *options: str, **more: Any) -> None:
        """Prints the report of the run up to now (Run.print)."""
        run = self.flush()
        if run is None:
            raise Error("nothing was measured")
        run.print(*options, **more)

    def _begin(self, options: List[str]) -> _Other:
        raise NotImplementedError

    def _arm(self, other: _Other) -> None:
        pass

    def _disarm(self) -> None:
        pass

    def __enter__(self) -> "Measurement":
        return self.start()

    def __exit__(self, *error: object) -> None:
        self.stop()


def begin_agent(kind: str, options: List[str]) -> _Other:
    """Calls or lines, counted by the agent in this process. What the package itself does is left out."""
    return _Other(kind, options + ["--skip", os.path.dirname(__file__) + "/*", "--skip", "*hasten._agent._*"], [])


def begin_sampler(options: List[str]) -> _Other:
    """Stacks, read by a process that may read ours even where that is forbidden to others: we lend it our memory."""
    lent: List[int] = []
    for option, name in (("--memory", "mem"), ("--maps", "maps")):
        with contextlib.suppress(OSError):
            lent.append(os.open("/proc/self/" + name, os.O_RDONLY | os.O_CLOEXEC))
            options += [option, str(lent[-1])]
    with contextlib.suppress(OSError):
        options += ["--executable", os.readlink("/proc/self/exe")]
    try:
        other = _Other("sample", options, lent)
        other.wait_ready()
        return other
    finally:
        for descriptor in lent:
            os.close(descriptor)
