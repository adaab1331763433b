"""hasten attach: a running process, for a while; it goes on untouched."""
import os
import signal
import time

import pytest

from conftest import wait_until


def test_for_a_time(hasten, start, interpreter):
    target = start(interpreter.run_target("ending.py", 4, "code:7"))
    begin = time.monotonic()
    result = hasten.ok("attach", target.pid, "-d", "1")
    took = time.monotonic() - begin
    assert 0.9 <= took <= 3, took
    assert "spin" in result.out + result.err
    assert hasten.stored().share("spin") > 0.9
    assert target.process.wait(20) == 7


def test_ctrl_c_ends_it_and_not_the_program(hasten, start, interpreter):
    target = start(interpreter.run_target("flutter.py", 60))
    process = hasten.popen("attach", target.pid)
    wait_until(lambda: hasten.database.exists() and hasten("runs", "--json").code == 0 and hasten.runs(), "a run")
    time.sleep(0.5)  # the time that is measured
    process.send_signal(signal.SIGINT)
    result = hasten.finish(process)
    assert result.code == 0, result
    assert "flutter.py" in result.out + result.err
    assert target.alive()
    assert hasten.stored().share("flutter_main") > 0.9


def test_the_program_ends_first(hasten, start, interpreter):
    target = start(interpreter.run_target("ending.py", 1, "code:0"))
    result = hasten("attach", target.pid, "-d", "30")
    assert result.code == 0, result
    assert hasten.stored().share("spin") > 0.8


def test_twice_at_once(hasten, start, system):
    target = start(system.run_target("flutter.py", 60))
    first = hasten.popen("attach", target.pid, "-d", "1.5")
    second = hasten.popen("attach", target.pid, "-d", "1.5")
    assert hasten.finish(first).code == 0
    assert hasten.finish(second).code == 0
    assert len(hasten.runs()) == 2


def test_a_process_that_is_stopped(hasten, start, system):
    target = start(system.run_target("flutter.py", 60))
    os.kill(target.pid, signal.SIGSTOP)
    hasten.ok("attach", target.pid, "-d", "0.5")
    os.kill(target.pid, signal.SIGCONT)
    assert target.alive()


def test_a_deleted_binary(hasten, start, interpreter, tmp_path):
    """The interpreter's file is gone from the disk; the process still runs it."""
    if interpreter.root is not None:
        pytest.skip("the copy would have to be made inside the other root")
    import shutil
    real = os.path.realpath(interpreter.command[0])
    copy = tmp_path / "python-copy"
    shutil.copy(real, copy)
    prefix = os.path.dirname(os.path.dirname(real))
    environment = dict(os.environ, PYTHONHOME=prefix, LD_LIBRARY_PATH=prefix + "/lib")
    target = start([str(copy)] + interpreter.run_target("flutter.py", 60)[1:], env=environment)
    copy.unlink()
    hasten.ok("attach", target.pid, "-d", "0.5")
    assert hasten.stored().share("flutter_main") > 0.9


def test_a_virtual_environment(hasten, start, interpreter, tmp_path):
    import subprocess
    if interpreter.root is not None:
        pytest.skip("needs ensurepip inside the other root")
    subprocess.run(interpreter.command + ["-m", "venv", "--without-pip", str(tmp_path / "venv")], check=True)
    target = start([str(tmp_path / "venv/bin/python")] + interpreter.run_target("flutter.py", 60)[1:])
    hasten.ok("attach", target.pid, "-d", "0.5")
    assert hasten.stored().share("flutter_main") > 0.9
