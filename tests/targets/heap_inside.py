"""Looks at its own objects by hasten.heap, and says what it saw as JSON.

usage: python heap_inside.py WHAT [ARGUMENT]
"""
import ctypes
import io
import json
import os
import sys
import tempfile

import hasten
from hasten import heap


class Planted:
    def __init__(self, number):
        self.number = number


class Slotted:
    __slots__ = ("other",)


class Later:
    pass


KEPT = [Planted(i) for i in range(1234)]
PAIR = Slotted()
PAIR.other = Slotted()
PAIR.other.other = ("a text of its own", PAIR)
LATER = []


def counts(rows):
    return {row.type: row.objects for row in rows}


def types():
    taken = heap.snapshot(name="mine")
    rows = taken.types()
    try:
        heap.snapshot(name="mine")
    except hasten.Error as error:
        twice = str(error)
    again = heap.open("mine")
    return {"planted": counts(rows)["__main__.Planted"], "slotted": counts(rows)["__main__.Slotted"],
            "sorted": [r.bytes for r in rows] == sorted((r.bytes for r in rows), reverse=True),
            "runs": [taken.run.number, again.run.number, heap.open().run.number, heap.open(1).run.number],
            "same": again.types() == rows, "fresh": counts(heap.types())["__main__.Planted"],
            "repr": repr(taken), "last~1": heap.open("last~1").run.number, "twice": twice}


def ways():
    told = {}
    for way in "fork", "precopy":
        try:
            told[way] = counts(heap.snapshot(**{way: True}).types())["__main__.Planted"]
        except hasten.Error as error:
            told[way] = str(error)
    return told


def questions():
    taken = heap.snapshot()
    LATER.extend(Later() for _ in range(500))
    after = heap.snapshot()
    changes = {row["type"]: row["new"] for row in heap.diff(taken, after)["types"]}
    (holder,) = [row for row in taken.top(0) if row.path == "__main__.KEPT"]
    rows = taken.query("select type, count(*) as n from object where type like '%Planted' group by type")
    return {"new": changes["__main__.Later"], "kept": holder.address == id(KEPT), "type": holder.type,
            "retained": holder.retained > holder.bytes > 1234 * 8, "query": rows,
            "suspects": [type(after.suspects()).__name__, type(after.suspects(taken)).__name__],
            "cycles": taken.cycles()["groups"] > 0, "waste": sorted(taken.waste()[0]),
            "duplicates": sorted(taken.duplicates()[0]), "top": len(taken.top(3))}


def objects():
    gone = [{}.items() for _ in range(100)]
    taken = heap.snapshot()
    del gone
    made = [[].__iter__() for _ in range(100)]  # where others were
    by_path, by_object, by_address = (taken.show(x) for x in ("__main__.PAIR", PAIR, id(PAIR)))
    found = taken.references(PAIR.other)
    text = taken.references(PAIR.other).referents
    of_class = taken.references("__main__.Planted")
    errors = []
    for snapshot, thing in ((taken, made[50]), (taken, 1), (heap.open(), PAIR), (taken, "__main__.NOTHING")):
        try:
            snapshot.show(thing)
        except heap.Error as error:
            errors.append(str(error))
    return {"same": by_path == by_object == by_address, "address": int(by_path["address"], 16) == id(PAIR),
            "path": found.path, "referrers": [(r.place, r.address == id(PAIR), r.type) for r in found.referrers],
            "referents": [(r.place, r.address == id(PAIR.other.other), r.type) for r in text if r.type == "tuple"],
            "class": of_class.path, "text": taken.show(id(PAIR.other.other[0]))["value"],
            "reference": taken.show(found.referrers[0]) == by_path, "errors": errors}


def tracker():
    watched = heap.Tracker()
    LATER.extend(Later() for _ in range(500))
    first = watched.diff()
    del KEPT[1000:]
    out = io.StringIO()
    watched.print_diff(file=out)
    quiet = [watched.diff(), watched.diff()][-1]
    return {"first": [row for row in first if "__main__" in row.type], "text": out.getvalue(),
            "list": [row.objects for row in first if row.type == "list" and row.bytes > 500 * 8 - 1],
            "quiet": sum(abs(row.objects) for row in quiet), "run": watched.snapshot.run.number}


def loader():
    heap.snapshot()
    om = heap.load("last")
    summary = om.summarize()
    pair = om[id(PAIR)]
    other = om[id(PAIR.other)]
    whole = om.get_all("__main__.Planted")
    reached = om.summarize(other, excluding=[id(Slotted)])
    try:
        om[1]
    except KeyError as error:
        missing = str(error)
    return {"text": str(summary), "objects": len(om), "total": summary.total_count, "size": summary.total_size,
            "bytes": sum(one.size for one in om.values()), "type": pair.type_str, "address": pair.address == id(PAIR),
            "children": sorted(one.type_str for one in pair.children), "c": other in pair.c and other == om[other.address],
            "parents": sorted(one.type_str for one in pair.parents),
            "p": pair in other.p, "num": [pair.num_parents, other.num_parents],
            "value": om[id(PAIR.other.other[0])].value, "none": pair.value, "planted": len(whole),
            "sorted": all(a.size >= b.size for a, b in zip(whole, whole[1:])), "missing": missing,
            "retained": om[id(KEPT)].retained > om[id(KEPT)].size, "reached": sorted(row.kind for row in reached.summaries),
            "repr": repr(pair), "in": id(PAIR) in om, "edges": sum(len(one) for one in om.objs.values()),
            "back": sum(one.num_parents for one in om.values())}


def file():
    om = heap.load(sys.argv[2])
    return {"text": str(om.summarize()), "children": [one.value for one in om[64].c], "run": heap.open().run.number,
            "parents": [one.address for one in om[128].p], "types": [one.type_str for one in om.values()]}


def as_a_plain_user():
    """dumpable: what a program is unless it changed its user, or said otherwise."""
    os.setgid(65534)
    os.setuid(65534)
    os.environ["HASTEN_STORE"] = tempfile.mkdtemp()
    os.chdir("/")
    try:
        ctypes.CDLL(None).prctl(4, ctypes.c_ulong(sys.argv[2] == "dumpable"))
        asked = []
        with tempfile.NamedTemporaryFile("w") as scope:
            scope.write("1\n")
            scope.flush()
            heap._SCOPE, heap._prctl = scope.name, lambda *words: asked.append(words)
            try:
                return {"objects": counts(heap.types())["__main__.Planted"], "asked": asked, "pid": os.getpid()}
            except hasten.Error as error:
                return {"error": str(error), "asked": asked, "pid": os.getpid()}
    finally:
        for name in os.listdir(os.environ["HASTEN_STORE"]):
            os.unlink(os.path.join(os.environ["HASTEN_STORE"], name))
        os.rmdir(os.environ["HASTEN_STORE"])


def refused():
    said = []
    for call in (heap.snapshot, heap.open, heap.Tracker, lambda: heap.load("last"), lambda: heap.load("/no/such/file")):
        try:
            call()
        except hasten.Error as error:
            said.append(str(error))
    return said


print(json.dumps(globals()[sys.argv[1]]()))
