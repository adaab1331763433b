"""hasten heap --fork: what is read is what the other way reads, and the program goes on and notices nothing."""
import json
import os
import platform
import signal
import subprocess
import sys
import time

import pytest

from conftest import wait_until
from test_heap import counts, heap, planted, state_of  # planted: a fixture

pytestmark = pytest.mark.skipif(platform.machine() != "x86_64", reason="on x86-64 only")
SEIZE = """
import ctypes, sys
if ctypes.CDLL(None).ptrace(0x4206, int(sys.argv[1]), None, None):
    sys.exit("PTRACE_SEIZE failed")
print("has it", flush=True)
sys.stdin.read()
"""


def children_of(pid):
    children = []
    for tid in os.listdir("/proc/%d/task" % pid):
        with open("/proc/%d/task/%s/children" % (pid, tid)) as file:
            children += file.read().split()
    return children


@pytest.fixture
def waiting(witness, start):
    """waiting(kind) -> a target that waits so."""

    def run(kind):
        target = start(witness.run_target("heap_waits.py", 60, kind), stdin=subprocess.PIPE)
        if "without_ctypes" in target.ready:
            pytest.skip("%s has no ctypes" % witness)
        return target
    return run


def said_by(target):
    return json.loads(target.process.stdout.readline().decode())


def test_same_objects(hasten, planted):
    target, plant = planted()
    plant()
    still, forked = heap(hasten, target.pid), heap(hasten, target.pid, "--fork")
    assert still.pop("fork") is None
    cost = forked.pop("fork")
    assert cost["reaped"] is True and cost["reap_pause_ns"] > 0
    assert (cost["stolen_ns"] > 0) == (cost["faults"] > 0)
    assert still["pause_ns"] > 0 and forked["pause_ns"] > 0
    assert abs(still.pop("own_bytes") - forked.pop("own_bytes")) <= 1 << 16  # being stopped may touch a page
    assert (still.pop("way"), forked.pop("way")) == ("stopped", "forked")
    for one in still, forked:  # what differs: the time it took, and the pages that came and went meanwhile
        for key in "run", "pause_ns", "census_ns", "resident_bytes", "known_bytes", "parts":
            del one[key]
    assert still == forked
    assert children_of(target.pid) == []
    target.process.stdin.write(b"\n")
    target.process.stdin.flush()
    assert target.process.wait() == 0


def test_threads_that_churn(hasten, planted):
    target, plant = planted("churn")
    expected = plant()
    for _ in range(3):
        answer = heap(hasten, target.pid, "--fork")
        seen = counts(answer)
        wrong = {name: (count, seen.get(name, 0)) for name, count in expected.items()
                 if name.startswith("__main__.") and name != "__main__.Plain" and seen.get(name, 0) != count}
        assert not wrong
        assert answer["fork"]["faults"] > 0 and answer["fork"]["stolen_ns"] > 0
    assert children_of(target.pid) == [] and target.alive()


def test_text(hasten, planted):
    target, _ = planted()
    result = hasten.ok("heap", "--fork", target.pid)
    assert "stands still for up to about" in result.err and "while it goes on" in result.err
    assert "copied from a child" in result.out and "page faults" in result.out


@pytest.mark.parametrize("kind, expected", [("read", "12345"), ("pause", "signals 1"), ("sleep", None), ("epoll", []),
                                            ("lock", False)])
def test_a_wait_goes_on(hasten, waiting, kind, expected):
    """No call ends early, none late, none with an error; no child is to be seen."""
    target = waiting(kind)
    for _ in range(3 if kind in ("read", "pause") else 1):  # those end by themselves
        assert heap(hasten, target.pid, "--fork")["fork"]["reaped"]
    if kind == "pause":
        os.kill(target.pid, signal.SIGUSR1)
    if kind == "read":
        target.process.stdin.write(b"12345")
        target.process.stdin.flush()
    said = said_by(target)
    assert said["result"] == expected
    assert said["children"] == 0 and said["turns"] > 100
    if kind not in ("read", "pause"):
        assert 2.0 <= said["seconds"] < 4.0
    target.process.stdin.close()
    assert target.process.wait() == 0


def test_the_program_goes_on_meanwhile(hasten, planted):
    """While its memory is read it is not stopped but for the pause, and has a child that never ran."""
    target, plant = planted("churn")
    plant()
    process = hasten.popen("heap", "--fork", "--json", target.pid)
    (child,) = wait_until(lambda: children_of(target.pid), "the child")
    states = set()
    while process.poll() is None:
        states.add(state_of(target.pid))
        try:
            with open("/proc/%s/stat" % child) as file:
                fields = file.read().rsplit(")", 1)[1].split()
            # state; time in user mode. A moment passes before its first stop.
            assert fields[0] in "RtZX" and fields[11] == "0"
        except (FileNotFoundError, ProcessLookupError):
            pass
    assert hasten.finish(process).code == 0
    assert states & set("RS")


def test_a_stopped_program_stays_stopped(hasten, planted):
    target, plant = planted()
    os.kill(target.pid, signal.SIGSTOP)
    wait_until(lambda: state_of(target.pid) == "T", "the target to stop")
    assert heap(hasten, target.pid, "--fork")["objects"] > 1000
    assert state_of(target.pid) == "T"
    os.kill(target.pid, signal.SIGCONT)
    plant()
    assert children_of(target.pid) == []


@pytest.mark.parametrize("whom", ["hasten", "its group"])
def test_hasten_is_killed(hasten, waiting, whom):
    """At whatever moment: the program answers, and the child goes."""
    target = waiting("read")
    whole_s = 9
    for _ in range(3):
        begin = time.monotonic()
        heap(hasten, target.pid, "--fork")
        whole_s = min(whole_s, time.monotonic() - begin)
    killed = 0
    for step in range(24):
        process = hasten.popen("heap", "--fork", target.pid, start_new_session=True)
        try:
            process.wait(whole_s * step / 24)
        except subprocess.TimeoutExpired:
            (os.killpg if whom == "its group" else os.kill)(process.pid, signal.SIGKILL)
            killed += 1
        process.communicate()
        wait_until(lambda: children_of(target.pid) == [], "the child to go")
        assert state_of(target.pid) in "SR"
    assert killed > 6
    target.process.stdin.write(b"still here")
    target.process.stdin.flush()
    said = said_by(target)
    assert said["result"] == "still here" and said["children"] == 0


def test_seccomp_is_refused(hasten, waiting):
    target = waiting("seccomp")
    result = hasten("heap", "--fork", target.pid)
    assert result.code == 5 and "seccomp" in result.err and "without --fork" in result.err, result
    assert heap(hasten, target.pid)["objects"] > 1000
    assert target.alive()


def test_another_tracer_is_refused(hasten, waiting):
    target = waiting("pause")
    tracer = subprocess.Popen([sys.executable, "-c", SEIZE, str(target.pid)], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        assert tracer.stdout.readline() == b"has it\n"
        result = hasten("heap", "--fork", target.pid)
        assert result.code == 5 and "traced by process %d" % tracer.pid in result.err, result
    finally:
        tracer.kill()
        tracer.communicate()
    heap(hasten, target.pid, "--fork")


def test_a_core_file_has_no_child(hasten, tmp_path):
    (tmp_path / "core").write_bytes(b"no core")
    result = hasten("heap", "--fork", tmp_path / "core")
    assert result.code == 2 and "--fork" in result.err, result
