"""The bytes that hasten heap gives to objects, beside those of all blocks that tracemalloc saw asked for."""
import json
import pathlib
import subprocess

import pytest

from conftest import wait_until

TOTALS = pathlib.Path(__file__).resolve().parent / "programs" / "totals.py"


def object_bytes(hasten, target):
    wait_until(lambda: open("/proc/%d/syscall" % target.pid).read().split()[0] == "0", "the program to read")
    return hasten.ok("heap", target.pid, "--json").json["bytes"]


def test_bytes_are_those_of_the_allocator(hasten, start, interpreter):
    target = start(interpreter.command + [interpreter.inside(TOTALS)], stdin=subprocess.PIPE)
    before = object_bytes(hasten, target)
    target.process.stdin.write(b"\n")
    target.process.stdin.flush()
    said = json.loads(target.process.stdout.readline().decode())
    grown = object_bytes(hasten, target) - before
    if interpreter.free_threaded:  # mimalloc's sizes lie an eighth apart
        assert said["asked"] <= grown <= said["asked"] * 9 / 8
    else:
        assert grown == pytest.approx(said["blocks"], rel=0.002)
