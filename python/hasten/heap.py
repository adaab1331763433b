"""Every object of this process, or of a stored snapshot: `hasten heap` from inside a program.

    before = hasten.heap.snapshot()     taken from outside: nothing of it is allocated in this process
    before.types()                      (type, objects, bytes), the largest first
    before.references(thing).path       where an object hangs
    tracker = hasten.heap.Tracker()     tracker.print_diff(): what came and went since the last time
    om = hasten.heap.load("last")       om.summarize(), om[address].parents: meliae's words

All questions are put to the command, about a run of the store.
"""
import contextlib
import io
import json
import os
import re
import sys
from typing import Any, Dict, Iterator, List, NamedTuple, Optional, Sequence, TextIO, Union

from hasten import _command
from hasten._command import Error as Error
from hasten._heap_loader import HeapObject as HeapObject, ObjectManager as ObjectManager
from hasten._run import Run

_SCOPE = "/proc/sys/kernel/yama/ptrace_scope"
_PR_SET_PTRACER = 0x59616D61


class Type(NamedTuple):
    """All objects of a type, or how many more they are; bytes: with the tables that are theirs."""

    type: str
    objects: int
    bytes: int


class Object(NamedTuple):
    """An object; retained: what would be freed with it; path: where it hangs."""

    address: int
    type: str
    bytes: int
    retained: int
    path: Optional[str]
    value: Optional[str]


class Reference(NamedTuple):
    """The object at the other end of a reference; place: where it stands in the holder, such as ['key'] or .name."""

    place: str
    address: int
    type: str
    bytes: int
    retained: int
    value: Optional[str]


class References(NamedTuple):
    """Who refers to an object, whom it refers to, and the shortest path to it."""

    referrers: List[Reference]
    referents: List[Reference]
    path: Optional[str]


def _words(words: List[str], store: Optional[str]) -> List[str]:
    return words + ([] if store is None else ["--store", store])


def _reference(row: Dict[str, Any]) -> Reference:
    return Reference(row["place"], int(row["address"], 16), row["type"], row["bytes"], row["retained"], row.get("value"))


class Snapshot:
    """All objects of a process at one moment, kept as a run of the store.

    run     its number and store: `hasten heap types 3` asks the same run

    An object is given as a path ("app.CACHE['users']"), as an address (a whole number, or "0x7f..."), or, of a
    snapshot that this process took of itself, as the object itself. One that is a text or a number is meant by id(it).
    """

    def __init__(self, run: Run, pid: Optional[int] = None) -> None:
        self.run = run
        self._pid = pid  # of the process whose live objects may be asked for

    def __repr__(self) -> str:
        return "<hasten.heap.Snapshot %d%s>" % (
            self.run.number, "" if self.run.store is None else " in " + self.run.store)

    def _question(self, question: str, options: Sequence[str], operands: Sequence[str],
                  earlier: Sequence["Snapshot"] = ()) -> List[str]:
        runs = [snapshot.run for snapshot in earlier] + [self.run]
        if any(run.store != self.run.store for run in runs):
            raise Error("snapshots in different stores cannot be compared")
        return _words(["heap", question] + list(options), self.run.store) + ["--"] + [
            str(run.number) for run in runs] + list(operands)

    def _ask(self, question: str, *operands: str, rows: int = 0, earlier: Sequence["Snapshot"] = ()) -> Any:
        return json.loads(_command.run(self._question(question, ["--json", "-n", str(rows)], operands, earlier)))

    def _rows(self, sql: str) -> Iterator[str]:
        """The lines of a query, without the names of its columns."""
        lines = _command.lines(self._question("query", ["--csv"], [sql]))
        next(lines, None)
        return lines

    def _look(self, question: str, thing: Any) -> Dict[str, Any]:
        live = False
        if type(thing) is str:
            where = thing
        elif type(thing) is int:
            where = hex(thing)
        elif isinstance(thing, (HeapObject, Object, Reference)):
            where = hex(thing.address)
        elif self._pid == os.getpid():
            where, live = hex(id(thing)), True
        else:
            raise Error("this snapshot was not taken by this process: name the object by its path or address")
        found = self._ask(question, where)
        assert isinstance(found, dict)
        if live and not found["type"].endswith(type(thing).__name__):  # its address was another's then
            raise Error("the object was made after the snapshot was taken")
        return found

    def types(self) -> List[Type]:
        """All types, the one that takes most first."""
        return [Type(row["type"], row["objects"], row["bytes"]) for row in self._ask("types")["types"]]

    def top(self, n: int = 25) -> List[Object]:
        """The objects that retain most. 0: all."""
        return [Object(int(row["address"], 16), row["type"], row["bytes"], row["retained"], row.get("path"),
                       row.get("value"))
                for row in self._ask("top", rows=n)["objects"]]

    def show(self, thing: Any) -> Dict[str, Any]:
        """An object: address, type, bytes, retained, value, path, and what it refers to."""
        return self._look("show", thing)

    def references(self, thing: Any) -> References:
        """Who refers to an object, whom it refers to, the shortest path to it."""
        found = self._look("refs", thing)
        if "referrers" not in found:  # the name of a type means its objects; here the class is meant
            found = self._ask("refs", self.show(thing)["address"])
        return References([_reference(row) for row in found["referrers"]],
                          [_reference(row) for row in found["references"]], found.get("path"))

    def diff(self, later: "Snapshot") -> Dict[str, Any]:
        """What is new, gone and grown from this one to a later one: by type, and by holder."""
        found = later._ask("diff", earlier=[self])
        assert isinstance(found, dict)
        return found

    def suspects(self, *earlier: "Snapshot") -> List[Dict[str, Any]]:
        """What may be a leak. earlier: one or two snapshots from before, the oldest first: then, what grew."""
        return list(self._ask("suspects", earlier=earlier)["suspects"])

    def cycles(self) -> Dict[str, Any]:
        """Groups of objects that keep themselves alive."""
        found = self._ask("cycles")
        assert isinstance(found, dict)
        return found

    def waste(self) -> List[Dict[str, Any]]:
        """Memory that could be saved."""
        return list(self._ask("waste")["findings"])

    def duplicates(self) -> List[Dict[str, Any]]:
        """Equal objects."""
        return list(self._ask("duplicates")["findings"])

    def query(self, sql: str) -> List[Dict[str, Any]]:
        """The rows of a SELECT over object, type, reference and root."""
        return list(self._ask("query", sql))


def _prctl(option: int, value: int) -> None:
    import ctypes
    ctypes.CDLL(None).prctl(option, *map(ctypes.c_ulong, (value, 0, 0, 0)))


@contextlib.contextmanager
def _readable() -> Iterator[None]:
    """Where a process may be read by its ancestors alone, our descendants may read us for this moment."""
    scope = ""
    with contextlib.suppress(OSError), io.open(_SCOPE) as file:
        scope = file.read().strip()
    if scope != "1" or os.geteuid() == 0:
        yield
        return
    with contextlib.suppress(ImportError):
        _prctl(_PR_SET_PTRACER, os.getpid())  # it and what descends from it
    try:
        yield
    finally:
        with contextlib.suppress(ImportError):
            _prctl(_PR_SET_PTRACER, 0)


def snapshot(name: Optional[str] = None, store: Optional[str] = None, fork: bool = False,
             precopy: bool = False) -> Snapshot:
    """Of this process, all threads of which stand still meanwhile (fork, precopy: for some milliseconds only)."""
    words = ["heap", "--await", "--json"] + ([] if name is None else ["--name", name])
    words += ["--fork"] * fork + ["--precopy"] * precopy
    with _readable():
        said = "".join(_command.lines(_words(words, store) + [str(os.getpid())]))
    return Snapshot(Run(json.loads(said)["run"], store), os.getpid())


def open(run: Union[int, str] = "last", store: Optional[str] = None) -> Snapshot:
    """A stored one: a number, a name, "last" or "last~1", which count snapshots alone."""
    runs = json.loads(_command.run(_words(["runs", "--json", "-n", "0"], store)))
    found = sorted(row["number"] for row in runs if row["kind"] == "heap")
    last = re.match(r"last(?:~(\d+))?$", str(run))
    if last is not None:
        found = found[-1 - int(last.group(1) or 0):][:1] if len(found) > int(last.group(1) or 0) else []
    else:
        found = [row["number"] for row in runs if row["kind"] == "heap" and str(run) in (str(row["number"]), row["name"])]
    if not found:
        raise Error("there is no snapshot of a heap %s in the store; try: hasten runs" % run)
    return Snapshot(Run(max(found), store))


def types() -> List[Type]:
    """The types in this process, now. Takes a snapshot."""
    return snapshot().types()


def diff(before: Snapshot, after: Snapshot) -> Dict[str, Any]:
    """What is new, gone and grown."""
    return before.diff(after)


class Tracker:
    """What this process has more, or less, than the last time, by type; the first time is when it is made.

    snapshot    the last one that was taken; those before it are removed from the store

    The last state is in the store and not in this process, so that the tracker finds nothing of its own.
    """

    def __init__(self, store: Optional[str] = None, fork: bool = False) -> None:
        self._store, self._fork = store, fork
        self.snapshot = snapshot(None, store, fork)

    def diff(self) -> List[Type]:
        """What changed since the last time, by bytes: rows of type, objects and bytes, less than 0 where they shrank."""
        before, self.snapshot = self.snapshot, snapshot(None, self._store, self._fork)
        rows = [Type(row["type"], row["objects_after"] - row["objects_before"], row["bytes_after"] - row["bytes_before"])
                for row in before.diff(self.snapshot)["types"]]
        _command.run(_words(["rm", str(before.run.number)], self._store))
        return sorted((row for row in rows if row.objects != 0 or row.bytes != 0), key=lambda row: -row.bytes)

    def print_diff(self, rows: int = 15, file: Optional[TextIO] = None) -> None:
        """Prints what changed since the last time. rows: of the table at most; 0: all."""
        found = self.diff()
        out = sys.stdout if file is None else file
        print("%12s %14s  %s" % ("objects", "bytes", "type"), file=out)
        for row in found[:rows or None]:
            print("%+12d %+14d  %s" % (row.objects, row.bytes, row.type), file=out)


def load(run_or_file: Union[int, str], store: Optional[str] = None) -> ObjectManager:
    """What meliae's loader gives: of a stored snapshot, or of a file in meliae's format (it is stored as a run)."""
    if isinstance(run_or_file, str) and os.path.exists(run_or_file):
        words = ["heap", "import", "-f", "meliae", "--json"]
        said = _command.run(_words(words, store) + ["--", run_or_file])
        return ObjectManager(Snapshot(Run(json.loads(said)["run"], store)))
    return ObjectManager(open(run_or_file, store))
