"""hasten trace: every call, on every interpreter, whatever ends the program."""
import json
import os
import shutil
import signal
import subprocess
import time

import pytest

from conftest import BINARY, ROOT


def traced(hasten, *words):
    return json.loads(hasten.ok("show", "last", "--json", *words).out)


def calls_of(page, name):
    return sum(row["calls"] for row in page["functions"] if row["function"].split(".")[-1] == name)


def trace(hasten, interpreter, *words, options=()):
    return hasten("trace", *options, "--", *interpreter.traceable().run_target("calls.py", *words))


@pytest.mark.parametrize("words, code, calls", [
    ([], 0, 1000),
    (["exit", 7], 7, 1000),
    (["kill"], -signal.SIGKILL, 1000),
    (["_exit"], 3, 1000),
    (["fork"], 0, 1200),
    (["subprocess"], 0, 2000),
    (["spawn"], 0, 1300),
    (["threads"], 0, 1500),
], ids=lambda value: "-".join(str(v) for v in value) if isinstance(value, list) else "")
@pytest.mark.parametrize("options", [(), ("--python-only",)], ids=["all", "python-only"])
def test_counts(hasten, interpreter, words, code, calls, options):
    result = trace(hasten, interpreter, *words, options=options)
    assert result.code == code, result
    page = traced(hasten)
    assert calls_of(page, "leaf") == calls, page["functions"]
    assert calls_of(page, "<built-in method builtins.abs>".split(".")[-1]) == (0 if options else calls)
    assert page["run"]["kind"] == "traced" and page["run"]["cost"]["dropped"] == 0
    assert all(row["failure"] == "" and row["backend"] for row in page["traces"])
    edge = [row["calls"] for row in page["edges"]
            if row["caller"] and row["caller"]["function"] == "work" and row["callee"]["function"] == "leaf"]
    assert edge == [calls]


def wait_for_calls(hasten):
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        shown = hasten("show", "last", "--json")
        if shown.code == 0 and calls_of(json.loads(shown.out), "leaf") == 1000:
            return
        time.sleep(0.1)
    pytest.fail("the calls were not to be seen")


def test_seen_while_it_runs(hasten, interpreter):
    """What was counted can be shown before the program ends."""
    target = hasten.popen("trace", "--", *interpreter.traceable().run_target("calls.py", "sleep"))
    try:
        wait_for_calls(hasten)
    finally:
        target.send_signal(signal.SIGTERM)
        target.wait(20)


def test_hasten_is_killed(hasten, system):
    """The program goes on, what was seen stays, and the next trace clears up."""
    target = hasten.popen("trace", "--", *system.run_target("calls.py", "sleep"))
    wait_for_calls(hasten)
    children = subprocess.run(["pgrep", "-P", str(target.pid)], stdout=subprocess.PIPE).stdout.split()
    target.kill()
    target.wait(20)
    try:
        assert calls_of(traced(hasten), "leaf") == 1000
        assert os.path.exists("/proc/%d" % int(children[0])), "the program ended with hasten"
        assert trace(hasten, system).code == 0
        assert not [name for name in os.listdir("/dev/shm") if name.startswith("hasten-trace-%d-" % target.pid)]
    finally:
        for child in children:
            os.kill(int(child), signal.SIGKILL)


def test_not_a_python(hasten):
    result = hasten("trace", "--", "/bin/sh", "-c", "exit 4")
    assert result.code == 4
    assert "nothing was traced" in result.err and "hasten run" in result.err
    assert hasten("show", "last").code == 3  # nothing is kept of it


def test_through_a_shell(hasten, system):
    result = hasten("trace", "-q", "--", "/bin/sh", "-c", " ".join(system.run_target("calls.py")) + " && true")
    assert result.code == 0 and result.err == ""
    assert calls_of(traced(hasten), "leaf") == 1000


@pytest.mark.parametrize("options", [(), ("--python-only",)], ids=["all", "python-only"])
def test_own_profile_function(hasten, interpreter, options):
    """It is told what it is told without hasten, but that it is taken off."""
    command = interpreter.traceable().run_target("own_profile.py")
    bare = subprocess.run(command, stdout=subprocess.PIPE, check=True, universal_newlines=True).stdout.splitlines()
    result = hasten.ok("trace", "-q", *options, "--", *command)
    expected = [line for line in bare if not line.endswith(" c_call run setprofile")]
    assert result.out.splitlines() == expected and len(expected) == len(bare) - 2


def test_missing_things(hasten):
    assert hasten("trace", "no-such-program").code == 127
    assert hasten("trace", "not_there.py").code == 3
    assert hasten("show", "last").code == 3


def test_wrong_backend(hasten, interpreter):
    name = "profile" if interpreter.version >= (3, 12) else "monitoring"
    result = trace(hasten, interpreter, options=("--backend", name))
    assert result.code == 0 and "has no such backend" in result.err


def test_python_refuses_preload(hasten, system, tmp_path):
    """As a setuid program does: the loader ignores LD_PRELOAD."""
    if shutil.which("env") is None:
        pytest.skip("env is not there")
    result = hasten("trace", "--", "env", "-u", "LD_PRELOAD", *system.run_target("calls.py"))
    assert result.code == 0 and "nothing was traced" in result.err


def test_installed(hasten, system, tmp_path):
    """The agent is found where `./dev install` puts it."""
    done = subprocess.run(["meson", "install", "-C", str(BINARY.parent), "--no-rebuild", "--quiet", "--destdir", str(tmp_path)],
                          cwd=str(ROOT), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, universal_newlines=True)
    assert done.returncode == 0, done.stdout
    command = next(tmp_path.rglob("bin/hasten"))
    hasten.command = [str(command)]
    assert trace(hasten, system).code == 0
    assert calls_of(traced(hasten), "leaf") == 1000


def test_threads_have_their_names_and_cpu_time(hasten, interpreter, tmp_path):
    script = tmp_path / "named.py"
    script.write_text("""
import threading, time
def spin(seconds):
    end = time.thread_time() + seconds
    while time.thread_time() < end: pass
threads = [threading.Thread(target=spin, args=(0.1,), name="worker %d" % i) for i in range(2)]
for thread in threads: thread.start()
for thread in threads: thread.join()
spin(0.2)
""")
    hasten.ok("trace", "-q", "--", *interpreter.traceable().command, interpreter.inside(script))
    threads = {row["name"]: row["cpu_ns"] / 1e9 for row in traced(hasten, "--threads")["threads"]}
    assert set(threads) == {"MainThread", "worker 0", "worker 1"}
    assert 0.1 <= threads["worker 0"] < 0.2 and 0.1 <= threads["worker 1"] < 0.2 and 0.2 <= threads["MainThread"] < 0.6


@pytest.mark.parametrize("options", [(), ("--python-only",), ("--timeline",)], ids=lambda o: (o or ("all",))[0].strip("-"))
def test_a_tree_for_each_named_task(hasten, interpreter, options):
    hasten.ok("trace", "-q", *options, "--", *interpreter.traceable().run_target("named_tasks.py"))
    page = traced(hasten, "-n", "100000")

    def name(row):
        return row and row["function"].split(".")[-1]

    edges = {(name(row["caller"]), name(row["callee"])): (row["calls"], row["resumes"]) for row in page["edges"]}
    # alpha waits once, the two betas twice and three times; plain has no name of its own, nor has main.
    assert edges["task alpha", "worker"] == (1, 1) and edges["task beta", "worker"] == (2, 5)
    assert edges["worker", "inner"] == (3, 6) and edges["inner", "leaf"] == (8, 0)
    assert ("task cancelled", "sleep") in edges
    callers = {caller for caller, callee in edges if callee == "plain"}
    assert len(callers) == 1 and not callers.pop().startswith("task")
    rows = {name(row): row for row in page["functions"]}
    assert (rows["task beta"]["calls"], rows["task beta"]["resumes"]) == (2, 5)
    assert rows["task beta"]["self_ns"] < rows["task beta"]["total_ns"]
    assert rows["worker"]["raises"] == 1
    tree = hasten.ok("show", "--tree").out
    assert page["run"]["cost"]["dropped"] == 0 and "<module>" in tree
