"""A run in the store, to look at."""
import json
import sys
from typing import Any, Dict, List, Optional, TextIO

from hasten import _command


class Run:
    """A measurement that was stored. What is under way can be looked at too, up to its last flush.

    number  the run's number, as `hasten show` takes it
    store   the store's path; None: the usual one (HASTEN_STORE, else .hasten/ at the project's root)
    """

    def __init__(self, number: int, store: Optional[str] = None) -> None:
        self.number, self.store = number, store

    def __repr__(self) -> str:
        return "<hasten.Run %d%s>" % (self.number, "" if self.store is None else " in " + self.store)

    def _words(self, command: str) -> List[str]:
        return [command, str(self.number)] + ([] if self.store is None else ["--store", self.store])

    def text(self, *options: str, width: Optional[int] = None) -> str:
        """The report. options: as `hasten show` takes them, such as "--callers", "parse"."""
        return _command.run(self._words("show") + list(options), width)

    def print(self, *options: str, file: Optional[TextIO] = None) -> None:
        """Prints the report, on standard output if no file is given."""
        print(self.text(*options), end="", file=sys.stdout if file is None else file)

    def json(self, *options: str) -> Dict[str, Any]:
        """The figures, as `hasten show --json` gives them."""
        found = json.loads(_command.run(self._words("show") + ["--json"] + list(options)))
        assert isinstance(found, dict)
        return found

    def export(self, path: str, format: Optional[str] = None, *options: str) -> None:
        """Writes a file for another tool; format: as `hasten export -f`, else by the path's ending."""
        _command.run(self._words("export") + ["-o", path] + ([] if format is None else ["-f", format]) + list(options))
