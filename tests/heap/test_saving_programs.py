"""Whether the programs of programs/savings can serve as a measure of advice: what the data takes is the same in each
run, and less after the change than before it, by the allocator's count and by the kernel's."""
import json
import pathlib
import subprocess

import pytest

from stepped import is_proof

SAVINGS = pathlib.Path(__file__).resolve().parent / "programs" / "savings"
NAMES = sorted(path.name for path in SAVINGS.glob("[a-z]*.py"))
NOISE = 0.02


def measured(start, interpreter, name, way):
    interpreter.inside(SAVINGS / "_measure.py")
    target = start(interpreter.command + [interpreter.inside(SAVINGS / name), way], stdin=subprocess.PIPE)
    target.process.stdin.close()
    assert target.process.wait() == 0
    return json.loads(target.ready[len("ready"):])


@pytest.mark.parametrize("name", NAMES)
def test_saving(start, interpreter, name):
    if not is_proof(interpreter):
        pytest.skip("%s: proved on the oldest and the newest" % interpreter)
    if interpreter.free_threaded:
        pytest.skip("%s: its allocator keeps what it has free" % interpreter)
    runs = {way: [measured(start, interpreter, name, way) for _ in range(2)] for way in ("before", "after")}
    before, after = runs["before"][0], runs["after"][0]
    noise = NOISE * before["private_bytes"]
    for way, (one, other) in runs.items():
        assert abs(one["private_bytes"] - other["private_bytes"]) < noise, way
        assert abs(one["blocks"] - other["blocks"]) < 100, way
    saved = before["private_bytes"] - after["private_bytes"]
    fewer = before["blocks"] - after["blocks"]
    if name == "looked_at_instances.py" and interpreter.version < (3, 11):
        assert abs(saved) < noise and abs(fewer) < 100, (saved, fewer)
        return
    # Else at least two words for each object, and never more blocks.
    assert saved > 16 * before["objects"] and saved > 10 * noise, (saved, before)
    assert fewer > -100, (before, after)
