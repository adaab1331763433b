"""The Python package: a program that measures itself, on every interpreter."""
import json
import os
import pathlib
import pstats
import re
import signal
import subprocess
import time

import pytest

from conftest import wait_until
from package import package  # noqa: F401


@pytest.fixture
def measuring(package, hasten):
    """measuring(what, words...) -> what the program says of itself."""
    store = package.measuring()
    hasten.environment["HASTEN_STORE"] = store

    def run(what, *words, prefix=(), **more):
        done = subprocess.run(list(prefix) + package.command("measuring.py", what, *words), stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, universal_newlines=True, timeout=100,
                              env=dict(package.environment, **more))
        assert done.returncode == 0, done.stderr
        run.err = done.stderr
        return json.loads(done.stdout.splitlines()[-1])

    run.package, run.store = package, store
    return run


# --- trace -----------------------------------------------------------------------------------------------------
def test_trace(measuring, hasten):
    told = measuring("trace")
    # The calls in the block and in a thread that began in it; what was under way has none.
    assert told["calls"] == {"work": [2, 2], "leaf": [107, 107], "outer": [0, 0]}
    assert ["work", "leaf", 107] in told["edges"] and ["outer", "work", 1] in told["edges"]
    assert not any("hasten" in name or "Measurement" in name for name in told["names"]), told["names"]
    assert told["returned"] == [1, 2, 3] and "Callers of leaf" in told["text"]
    page = hasten.ok("show", "decorated", "--json").json
    calls = {row["function"]: row["calls"] for row in page["functions"]}
    assert calls["leaf"] == 5 and not any("sorted" in name for name in calls)
    assert page["run"]["status"] == "complete"


def test_trace_again_and_again(measuring):
    told = measuring("trace_many", 30)
    assert told["first"] is None and told["last"] == [29, 29]
    assert told["descriptors"] < 12
    assert not [name for name in os.listdir("/dev/shm") if name.startswith("hasten-trace-") and not alive(name)]


def alive(folder):
    return os.path.exists("/proc/" + folder.split("-")[2])


def test_trace_of_a_forked_child(measuring):
    told = measuring("trace_fork")
    assert told["calls"] == {"leaf": [1010, 1010], "work": [2, 2]}


def test_trace_survives_kill(measuring, hasten):
    package = measuring.package
    done = subprocess.run(package.command("measuring.py", "trace_killed"), env=package.environment)
    assert done.returncode in (-signal.SIGKILL, 128 + signal.SIGKILL)

    def calls():
        shown = hasten("show", "last", "--json")
        page = shown.json if shown.code == 0 else {"functions": [], "run": {"status": ""}}
        return page["run"]["status"] == "complete" and [r["calls"] for r in page["functions"] if r["function"] == "leaf"]

    assert wait_until(calls, "the run is stored") == [500]


def test_one_trace_at_a_time(measuring):
    assert measuring("trace_busy")["error"] == "calls are traced in this process already"


def test_trace_options(measuring):
    folder = measuring.package.counters
    told = measuring("trace_options", folder)
    assert told["only"] == ["leaf"]
    assert told["skip"]["leaf"] is None and told["skip"]["work"] == [1, 1]
    assert told["slices"] == 10


# --- pause and resume ------------------------------------------------------------------------------------------
def trace(measuring, hasten, what, *options):
    package = measuring.package
    result = hasten("trace", "-q", *options, "--", *package.command("measuring.py", what), env=dict(
        hasten.environment, **{k: v for k, v in package.environment.items() if k.startswith(("HASTEN_", "PYTHON"))}))
    assert result.code == 0, result
    page = hasten.ok("show", "last", "--json", "-n", "100000").json
    return json.loads(result.out), {row["function"]: row["calls"] for row in page["functions"]}, page


def test_paused_until_the_program_resumes(measuring, hasten):
    told, calls, page = trace(measuring, hasten, "pause", "--paused")
    assert told == {"resumed": True, "paused": True, "run": False, "again": False}
    assert (calls["pause.<locals>.on" if "pause.<locals>.on" in calls else "on"], calls["work"], calls["leaf"]) == (2, 2, 6)
    # It goes on where it stood.
    callers = {row["caller"]["function"] for row in page["edges"]
               if row["callee"]["function"].endswith("on") and row["callee"]["file"].endswith("measuring.py")}
    assert callers == {"pause"}


def test_pause_where_another_way_has_to_go_on(measuring, hasten):
    """The frame hook, which serves Python functions alone, cannot begin in the middle."""
    told, calls, page = trace(measuring, hasten, "pause", "--python-only")
    assert told == {"resumed": False, "paused": True, "run": False, "again": False}
    assert (calls["pause.<locals>.on" if "pause.<locals>.on" in calls else "on"], calls["work"], calls["leaf"]) == (2, 3, 106)


def test_pause_is_no_time(measuring, hasten):
    said, calls, page = trace(measuring, hasten, "pause_threads", "--paused")
    name = next(name for name in calls if name.endswith("count"))
    told = json.loads(hasten.ok("show", "last", "--json").out)
    assert calls[name] > 0 and told["run"]["status"] == "complete"
    busy = sum(row["raw_self_ns"] for row in page["functions"] if row["function"].endswith(("busy", "count")))
    assert 0 < calls[name] < said["counted"]
    # The two stretches in which it was traced, and nothing of those in which it was not.
    assert 0.004 < busy / 1e9 < said["traced"] + said["paused"] / 10, (busy, said)


def test_toggled_by_a_signal(hasten, interpreter, start, tmp_path):
    script = tmp_path / "toggled.py"
    script.write_text("import os, signal\ndef f(): pass\ndef g(): pass\ndef h(): pass\n"
                      "f()\nos.kill(os.getpid(), signal.SIGUSR2)\ng()\nos.kill(os.getpid(), signal.SIGUSR2)\nh()\n")
    command = interpreter.traceable().command + [interpreter.inside(script)]
    hasten.ok("trace", "-q", "--toggle", "usr2", "--", *command)
    names = {row["function"] for row in hasten.ok("show", "last", "--json", "-n", "1000").json["functions"]}
    assert {"f", "h"} <= names and "g" not in names
    hasten.ok("trace", "-q", "--toggle", "SIGUSR2", "--paused", "--", *command)
    names = {row["function"] for row in hasten.ok("show", "last", "--json", "-n", "1000").json["functions"]}
    assert "g" in names and not {"f", "h"} & names


@pytest.mark.parametrize("name", ["KILL", "nonsense", "0", "999"])
def test_no_such_signal(hasten, name):
    result = hasten("trace", "--toggle", name, "-c", "pass")
    assert result.code == 2 and "--toggle does not take '%s'" % name in result.err


# --- sample ----------------------------------------------------------------------------------------------------
def test_sample(measuring):
    told = measuring("sample")
    assert told["shares"]["spin"] > 0.9 and 0.29e9 < told["wall_ns"] < 1e9 and told["samples"] > 100
    assert told["second"] == "spin" and "under way already" in told["error"]
    assert "spin" in told["text"] and told["children"] is None


def test_sample_where_attaching_is_forbidden(measuring):
    if measuring.package.interpreter.root is not None:
        pytest.skip("one root is enough")
    told = measuring("forbidden", ASAN_OPTIONS="detect_leaks=0")  # which needs ptrace
    assert told["shares"]["spin"] > 0.9


def test_errors(measuring):
    told = measuring("errors")
    assert "'often'" in told["rate"] and "/dev/null" in told["store"] and "/dev/null" in told["trace"]
    assert "not a regular expression" in told["only"]
    assert "hasten.start()" in told["display"] and "nothing was measured" in told["flush"]
    assert "/nowhere/hasten" in told["command"] and told["stop"] is None


# --- a file for each call --------------------------------------------------------------------------------------
def test_profile_each(measuring):
    folder = pathlib.Path(measuring.package.counters) / "each"
    folder.mkdir()
    told = measuring("each", folder)
    assert told["values"] == [4, 5, 6]
    assert told["files"] == ["callgrind.out.each.inner.1", "each.run.1.prof", "each.run.2.prof"]
    stats = pstats.Stats(str(folder / "each.run.2.prof")).stats
    assert [row[:2] for key, row in stats.items() if key[2] == "leaf"] == [(4, 4)]
    assert (folder / "callgrind.out.each.inner.1").read_text().startswith("# callgrind format")
    assert told["raised"] == "'mine'" and len(told["warned"]) == 1 and "such" in told["warned"][0]


def test_profile_each_without_the_command_or_a_folder(measuring):
    """The calls give what they give; each failure is said."""
    folder = pathlib.Path(measuring.package.counters) / "each"
    folder.mkdir()
    for trouble, words in ({"HASTEN_COMMAND": "/nowhere/hasten"}, "/nowhere/hasten"), ({"TMPDIR": "/dev/null"}, ""):
        told = measuring("each", folder, **trouble)
        assert told["values"] == [4, 5, 6] and told["raised"] == "'mine'"
        if words:
            assert told["files"] == [] and words in told["warned"][0]


# --- signals ---------------------------------------------------------------------------------------------------
def test_signals(measuring, start):
    package = measuring.package
    folder = pathlib.Path(package.counters)
    with open(str(folder / "err"), "w") as err:
        started = start(package.command("measuring.py", "signals"), wait_ready=False, env=package.environment, stderr=err)
        out = started.process.stdout

        def said():
            return (folder / "err").read_text()

        assert b"no action 'nonsense'" in out.readline() and out.readline() == b"ready\n"
        os.kill(started.pid, signal.SIGQUIT)
        assert re.match(rb"in (work|leaf|signals)", out.readline())
        os.kill(started.pid, signal.SIGUSR1)
        wait_until(lambda: "in signals" in said(), "the stack is written")
        assert re.search(r"^Thread \d+ \(MainThread\), innermost last:", said(), flags=re.M)
        for number, word in ((signal.SIGUSR2, "samples"), (signal.SIGHUP, "calls")):
            os.kill(started.pid, number)
            wait_until(lambda: said().count("measuring, until") == (1 if word == "samples" else 2), "it begins")
            time.sleep(0.1)  # of measuring
            os.kill(started.pid, number)
            wait_until(lambda: re.search(r"%s" % word, said()) and "Next" in said().split("measuring, until")[-1], "it ends")
        assert started.alive()
