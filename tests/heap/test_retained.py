"""What hasten says that an object retains is what goes when the one reference to it is really cut: in bytes, by a second
snapshot, on structures of every kind that share parts."""
import json
import pathlib
import subprocess

import pytest

PROGRAM = pathlib.Path(__file__).resolve().parent / "programs" / "retained.py"
NOISE = 4000  # bytes: what a number printed and a collection leave or take
# A class's base has a weak reference to it and a number for that, which go with the class without being held by it.
BESIDE = {"classes": 100 * 200}


@pytest.fixture
def held(interpreter, start):
    if interpreter.free_threaded:
        pytest.skip("%s: frees later, and not all of it" % interpreter)
    target = start(interpreter.command + [interpreter.inside(PROGRAM)], stdin=subprocess.PIPE)

    def say(word):
        target.process.stdin.write(word.encode() + b"\n")
        target.process.stdin.flush()
        return json.loads(target.process.stdout.readline().decode())
    return target, say


def test_what_is_cut_goes(hasten, held):
    target, say = held
    wrong = {}
    names = say("names")
    say("nothing")  # the first time needs memory of its own
    for name, address in names.items():
        before = hasten.ok("heap", target.pid, "--json").json
        shown = hasten.ok("heap", "show", "0x%x" % address, "--json").json
        blocks = say(name)
        after = hasten.ok("heap", target.pid, "--json").json
        freed = before["object_bytes"] - after["object_bytes"]
        if not -NOISE <= freed - shown["retained"] <= NOISE + BESIDE.get(name, 0) or blocks < 3:
            wrong[name] = (shown["type"], shown["retained"], freed, blocks)
    assert not wrong
