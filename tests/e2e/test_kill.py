"""kill -9 of the program loses nothing; kill -9 of hasten loses at most the last second, and the program goes on."""
import os
import signal
import sqlite3
import subprocess
import time

import pytest

from conftest import wait_until


def sampled_ns(hasten):
    (run,) = hasten.runs()
    return run["wall_ns"]


def whole(hasten):
    with sqlite3.connect(str(hasten.database)) as connection:
        assert connection.execute("pragma integrity_check").fetchall() == [("ok",)]


def started_by_run(hasten, command):
    process = hasten.popen("run", "--", *command)
    assert process.stdout.readline() == "ready\n"
    with open("/proc/%d/task/%d/children" % (process.pid, process.pid)) as file:
        return process, int(file.read().split()[0])


def test_the_program_is_killed(hasten, interpreter):
    process, target = started_by_run(hasten, interpreter.run_target("ending.py", 60, "code:0"))
    time.sleep(1.2)  # the time that is measured
    os.kill(target, signal.SIGKILL)
    result = hasten.finish(process)
    assert result.code in (128 + 9, -9), result
    whole(hasten)
    assert hasten.stored().share("spin") > 0.8
    assert sampled_ns(hasten) > 1.1e9
    assert "spin" in hasten.ok("show").out


def test_hasten_is_killed_while_it_runs_a_program(hasten, interpreter):
    process, target = started_by_run(hasten, interpreter.run_target("ending.py", 60, "code:0"))
    time.sleep(2.5)  # the time that is measured
    process.kill()
    process.wait()  # not for the end of its output: the program holds that open
    try:
        os.kill(target, 0)
        whole(hasten)
        assert sampled_ns(hasten) > 1.3e9
        assert hasten.stored().share("spin") > 0.8
        (run,) = hasten.runs()
        assert run["status"] != "complete"
        with open("/proc/%d/stat" % target) as file:
            assert file.read().rsplit(")", 1)[1].split()[0] in "RS"
    finally:
        os.kill(target, signal.SIGKILL)


def test_hasten_is_killed_while_attached(hasten, start, system):
    target = start(system.run_target("ending.py", 5, "code:7"))
    process = hasten.popen("attach", target.pid)
    time.sleep(2.5)  # the time that is measured
    process.kill()
    process.communicate()
    whole(hasten)
    assert sampled_ns(hasten) > 1.3e9
    assert target.process.wait(20) == 7
    # Whoever comes next finds the store in order and adds to it.
    assert hasten("run", "--", *system.run_target("ending.py", 0.3, "code:0")).code == 0
    assert len(hasten.runs()) == 2


def test_hasten_is_killed_while_blocking(hasten, start, system):
    """A thread that was stopped for a read must not stay so."""
    target = start(system.run_target("ending.py", 4, "code:7"))
    process = hasten.popen("attach", target.pid, "--blocking", "-r", "1khz")
    time.sleep(1)  # the time that is measured
    process.kill()
    process.communicate()
    assert target.process.wait(20) == 7


@pytest.mark.parametrize("name, code", [("SIGTERM", 0), ("SIGINT", 0), ("SIGHUP", 0)])
def test_hasten_is_asked_to_end(hasten, start, system, name, code):
    target = start(system.run_target("flutter.py", 60))
    process = hasten.popen("attach", target.pid)
    wait_until(lambda: hasten.database.exists() and hasten("runs", "--json").code == 0 and hasten.runs(), "a run")
    time.sleep(0.3)  # the time that is measured
    process.send_signal(getattr(signal, name))
    result = hasten.finish(process)
    assert result.code in (code, 128 + getattr(signal, name)), result
    assert target.alive()
    whole(hasten)
    assert len(hasten.stored().samples) > 50
