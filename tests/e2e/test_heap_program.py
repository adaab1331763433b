"""hasten heap -- script.py: a snapshot of a program when its work is done, and of one that goes on meanwhile."""
import json
import os
import signal
import subprocess

import pytest

from conftest import open_for_agent, wait_until


def counts(answer):
    return {row["type"]: row["objects"] for row in answer["types"]}


@pytest.fixture
def run(hasten, interpreter):
    """run(how, *options) -> what hasten printed: the program's output, then a line of JSON."""
    if interpreter.root is not None and not open_for_agent(interpreter.root):
        pytest.skip("%s: its folder cannot be opened for the agent" % interpreter)

    def go(how, *options, **more):
        return hasten("heap", "--json", *options, "--", *interpreter.run_target("heap_ends.py", how), **more)
    return go


def answer_of(result):
    return json.loads(result.out[result.out.index("{"):])


@pytest.mark.parametrize("how, code", [("return", 0), ("exit", 3), ("raise", 1), ("child", 0)])
def test_when_its_work_is_done(run, how, code):
    result = run(how)
    assert result.code == code, result
    said = result.out[:result.out.index("{")].split("\n")
    assert said[0] == "begun" and "at the end" in said and "to err" in result.err
    assert ("child done" in said) == (how == "child") and ("on purpose" in result.err) == (how == "raise")
    answer = answer_of(result)
    # After what atexit has of the program's own, and before anything of it is taken apart.
    assert counts(answer)["__main__.Row"] == 500 and counts(answer)["__main__.Last"] == 1
    assert answer["way"] == "stopped" and answer["pause_ns"] > 0


@pytest.mark.parametrize("how, code", [("os_exit", 4), ("kill", -signal.SIGKILL)])
def test_no_snapshot(run, hasten, how, code):
    result = run(how)
    assert result.code == code and "no snapshot" in result.err and "{" not in result.out, result
    assert hasten("heap", "types").code == 3  # and nothing stored


def test_a_signal_asks(hasten, interpreter):
    if interpreter.root is not None and not open_for_agent(interpreter.root):
        pytest.skip("%s: its folder cannot be opened for the agent" % interpreter)
    process = hasten.popen("heap", "--json", "--signal", "USR1", "--name", "first", "--",
                           *interpreter.run_target("heap_ends.py", "wait"), stdin=subprocess.PIPE)
    assert process.stdout.readline().strip() in ("begun", b"begun")
    for number in (1, 2):
        os.kill(process.pid, signal.SIGUSR1)
        wait_until(lambda: len(snapshots(hasten)) == number, "the snapshot to be stored")
    out, _ = process.communicate("on\n" if process.text_mode else b"on\n")
    assert process.returncode == 0 and "read on" in (out if isinstance(out, str) else out.decode())
    runs = snapshots(hasten)
    assert len(runs) == 3
    assert json.loads(hasten.ok("heap", "types", "first", "--json").out)["objects"] > 1000


def snapshots(hasten):
    result = hasten("runs", "--json")
    return [run for run in json.loads(result.out) if run["kind"] == "heap"] if result.code == 0 else []


def test_live(hasten, start, interpreter):
    target = start(interpreter.run_target("heap_planted.py", 60, 1000, "churn"), stdin=subprocess.PIPE)
    target.process.stdin.write(b"\n")
    target.process.stdin.flush()
    planted = json.loads(target.process.stdout.readline().decode())
    answer = hasten.ok("heap", "--live", target.pid, "--json").json
    assert answer["way"] == "live" and answer["pause_ns"] == 0
    assert counts(answer)["__main__.Slotted"] == planted["__main__.Slotted"]
    assert "about right" in hasten.ok("heap", "--live", target.pid).out
    assert hasten("heap", "--live", "--fork", target.pid).code == 2
    assert target.alive()


def test_bad_input(hasten):
    assert hasten("heap", "--signal", "NONE", "--", "/nothing").code == 2
    result = hasten("heap", "--", "/no/such/script.py")
    assert result.code == 3 and "/no/such/script.py" in result.err
    assert hasten("heap", "--", "/no/such/program").code == 127
    assert hasten("heap", "--").code == 2
