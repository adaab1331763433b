"""What a signal makes the program do."""
import faulthandler
import signal
import sys
import threading
import traceback
from typing import Any, Callable, Optional, TextIO, Union

from hasten._command import Error
from hasten._measurement import Measurement
from hasten._sample import sample
from hasten._trace import trace

_Action = Union[str, Callable[[Any], object]]


def install_signal(signum: int = signal.SIGQUIT, action: _Action = "dump", *, file: Optional[TextIO] = None,
                   **options: Any) -> Any:
    """When the signal comes (Ctrl-\\ sends SIGQUIT), the program goes on after

        "dump"        the stacks of all threads are written
        "stuck"       the same at once, even while C code does not come back: without the threads' names
        "sample"      a profile begins, or ends and is written; options as those of hasten.sample
        "trace"       a trace begins, or ends and is written; options as those of hasten.trace
        "debug"       pdb stands at the interrupted line, in the terminal of the program
        a function    it was called with the interrupted frame

    file: where to; standard error by default. Gives what signal.signal gives: the handler that was there.
    Errors: ValueError for another action, hasten.Error outside the main thread.
    """
    if threading.current_thread() is not threading.main_thread():
        raise Error("signals can be installed in the main thread only")
    if action == "stuck":
        before = signal.getsignal(signum)
        faulthandler.register(signum, file=file or sys.stderr, all_threads=True)
        return before
    if callable(action):
        act = action
    elif action == "dump":
        act = _Dump(file)
    elif action == "debug":
        act = _debug
    elif action in ("sample", "trace"):
        act = _Toggle((sample if action == "sample" else trace)(**options), file)
    else:
        raise ValueError("there is no action %r: dump, stuck, sample, trace, debug, or a function" % (action,))
    return signal.signal(signum, lambda number, frame: act(frame) and None)


class _Dump:
    def __init__(self, file: Optional[TextIO]) -> None:
        self._file = file

    def __call__(self, frame: Any) -> None:
        file = self._file or sys.stderr
        names = {thread.ident: thread.name for thread in threading.enumerate()}
        frames = dict(sys._current_frames())
        own = threading.get_ident()
        frames[own] = frame  # without the handler
        for ident in sorted(frames, key=lambda one: one != own):
            print("\nThread %s (%s), innermost last:" % (ident, names.get(ident, "not Python's")), file=file)
            traceback.print_stack(frames[ident], file=file)
        file.flush()


class _Toggle:
    def __init__(self, measurement: Measurement, file: Optional[TextIO]) -> None:
        self._measurement, self._file = measurement, file

    def __call__(self, frame: Any) -> None:
        file = self._file or sys.stderr
        try:
            if self._measurement._other is None:
                self._measurement.start()
                print("hasten: measuring, until the signal comes again", file=file)
                return
            run = self._measurement.stop()
            if run is None:
                print("hasten: nothing was measured", file=file)
            else:
                run.print(file=file)
        except Error as error:  # the program is not to end by it
            print("hasten: %s" % error, file=file)
        file.flush()


def _debug(frame: Any) -> None:
    import pdb

    pdb.Pdb().set_trace(frame)
