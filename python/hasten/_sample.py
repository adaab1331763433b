"""Statistical sampling of this process, as `hasten run` does it from outside."""
from typing import Any, List, Optional, Union

from hasten._command import Error
from hasten._measurement import Measurement, _Other, begin_sampler
from hasten._run import Run


class sample(Measurement):
    """Where the time of this process goes, by looking at all its threads `rate` times a second.

        with hasten.sample() as s:
            work()
        s.run.print()

    As a decorator: one run for each call. The program is not stopped and runs no code for it; a process beside it
    reads its memory, which this one lends where reading from outside is forbidden.

    rate      samples a second and thread; or a text as `hasten run -r` takes it: "10khz", "max"
    children  child processes too, where they may be read
    name      of the run, for show, diff and export
    store     its path; None: HASTEN_STORE, else .hasten/ at the project's root
    """

    def __init__(self, rate: Union[int, float, str] = 1000, *, children: bool = True, name: Optional[str] = None,
                 store: Optional[str] = None) -> None:
        super().__init__(name, store)
        self._options = ["--rate", rate if isinstance(rate, str) else "%g" % rate]
        self._options += [] if children else ["--no-children"]

    def _begin(self, options: List[str]) -> _Other:
        return begin_sampler(self._options + options)

    def _arm(self, other: _Other) -> None:
        other.begin()


_current: Optional[sample] = None


def start(rate: Union[int, float, str] = 1000, **more: Any) -> sample:
    """Begins to sample, until stop(). Arguments as those of sample. Error: it is under way already."""
    global _current
    if _current is not None and _current._other is not None and _current._other.is_ours:
        raise Error("sampling is under way already; hasten.stop() ends it")
    begun = sample(rate, **more)
    begun.start()
    _current = begun
    return begun


def stop() -> Optional[Run]:
    """Ends what start() began. The run; None: nothing was sampled."""
    return _current.stop() if _current is not None else None


def display(*options: str, **more: Any) -> None:
    """Prints the report of what start() began, up to now or to its stop(). options: as `hasten show` takes them."""
    if _current is None:
        raise Error("nothing was sampled; hasten.start() begins")
    _current.print(*options, **more)
