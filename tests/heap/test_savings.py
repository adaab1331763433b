"""What hasten heap says that advice would save, beside what it saves when it is taken: the same data in two ways."""
import json
import pathlib
import subprocess

import pytest

SAVINGS = pathlib.Path(__file__).resolve().parent / "programs" / "savings"
# The finding that speaks of each, and of which type.
KINDS = {"equal_strings.py": ("intern", "str"), "long_lists.py": ("list slack", "list"), "number_lists.py": ("array", "list"),
         "looked_at_instances.py": ("materialised", None), "slots.py": ("slots", None), "sparse_dicts.py": ("sparse dict", "dict")}
MARGIN = 0.15


def start_way(start, interpreter, name, way):
    interpreter.inside(SAVINGS / "_measure.py")
    target = start(interpreter.command + [interpreter.inside(SAVINGS / name), way], stdin=subprocess.PIPE)
    return target, json.loads(target.ready[len("ready"):])


def end(target):
    target.process.stdin.close()
    assert target.process.wait() == 0


@pytest.mark.parametrize("name", sorted(KINDS))
def test_saving_comes_true(hasten, start, interpreter, name):
    if interpreter.free_threaded:
        pytest.skip("%s: its allocator keeps what it has free" % interpreter)
    if name == "looked_at_instances.py" and interpreter.version < (3, 11):
        pytest.skip("%s: every instance has a dict" % interpreter)
    kind, of = KINDS[name]
    target, before = start_way(start, interpreter, name, "before")
    answer = hasten.ok("heap", target.pid, "--json").json
    end(target)
    target, after = start_way(start, interpreter, name, "after")
    end(target)
    rows = [row for row in answer["findings"] if row["kind"] == kind and (row["type"] == of or of is None)]
    predicted = max(row["bytes"] for row in rows)
    measured = before["private_bytes"] - after["private_bytes"]
    assert abs(predicted - measured) <= MARGIN * measured, (predicted, measured, predicted / measured)
