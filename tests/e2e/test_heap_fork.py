"""hasten heap --fork: what is read is what the other way reads, and the program goes on and notices nothing."""
import os
import platform
import subprocess
import sys

import pytest

from conftest import wait_until
from heap_ways import WAITS, check_churn, check_killed, check_same_objects, check_stopped, check_wait, say
from test_heap import heap, planted, state_of  # planted: a fixture

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


def test_same_objects(hasten, planted):
    target, plant = planted()
    plant()
    cost = check_same_objects(hasten, target, "--fork", "forked")
    assert cost["reaped"] is True and cost["reap_pause_ns"] > 0
    assert children_of(target.pid) == []
    say(target, b"\n")
    assert target.process.wait() == 0


def test_threads_that_churn(hasten, planted):
    target, plant = planted("churn")
    check_churn(hasten, target, plant(), "--fork")
    assert children_of(target.pid) == [] and target.alive()


def test_text(hasten, planted):
    target, _ = planted()
    result = hasten.ok("heap", "--fork", target.pid)
    assert "stands still for up to about" in result.err and "while it goes on" in result.err
    assert "copied from a child" in result.out and "page faults" in result.out


@pytest.mark.parametrize("kind, expected", WAITS)
def test_a_wait_goes_on(hasten, waiting, kind, expected):
    check_wait(hasten, waiting(kind), kind, expected, "--fork")


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
    check_stopped(hasten, target, "--fork")
    plant()
    assert children_of(target.pid) == []


@pytest.mark.parametrize("whom", ["hasten", "its group"])
def test_hasten_is_killed(hasten, waiting, whom):
    target = waiting("read")
    check_killed(hasten, target, whom, "--fork", lambda: children_of(target.pid) == [])


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
