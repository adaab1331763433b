"""hasten heap --precopy: what is read is what the other way reads, the pause is short, and the program keeps nothing of it."""
import ctypes
import os
import platform
import struct
import subprocess

import pytest

from conftest import BINARY, SUPPORTED, wait_until
from heap_ways import WAITS, check_churn, check_killed, check_same_objects, check_stopped, check_wait, say
from test_heap import counts, heap, planted  # planted: a fixture
from test_heap_fork import waiting  # a fixture


def why_not():
    """This system tells which pages are written to, or the reason why it does not."""
    if platform.machine() != "x86_64":
        return "on x86-64 only"
    sleeper = subprocess.Popen(SUPPORTED[0].command + ["-c", "import time; print('ready', flush=True); time.sleep(60)"],
                               stdout=subprocess.PIPE)
    try:
        sleeper.stdout.readline()
        done = subprocess.run([str(BINARY), "heap", "--precopy", "--store", os.devnull, str(sleeper.pid)],
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, universal_newlines=True)
        return done.stderr.splitlines()[0] if "this system does not tell" in done.stderr else None
    finally:
        sleeper.kill()
        sleeper.wait()


WHY_NOT = why_not()
pytestmark = pytest.mark.skipif(WHY_NOT is not None, reason=str(WHY_NOT))


def watched(pid):
    """Mappings with protected pages, as the system says (smaps: uw)."""
    with open("/proc/%d/smaps" % pid) as file:
        return sum(1 for line in file if line.startswith("VmFlags:") and " uw" in line)


def descriptors(pid):
    return sorted(os.readlink("/proc/%d/fd/%s" % (pid, fd)) for fd in os.listdir("/proc/%d/fd" % pid))


def test_same_objects(hasten, planted):
    target, plant = planted()
    plant()
    before = descriptors(target.pid)
    check_same_objects(hasten, target, "--precopy", "precopied")
    assert descriptors(target.pid) == before and watched(target.pid) == 0
    say(target, b"\n")
    assert target.process.wait() == 0


def test_threads_that_churn(hasten, planted):
    target, plant = planted("churn")
    check_churn(hasten, target, plant(), "--precopy")
    assert watched(target.pid) == 0 and target.alive()


def test_memory_that_changes(hasten, interpreter, start):
    """Each number is in one pair, at whatever moment; mappings come and go, and children are made."""
    target = start(interpreter.run_target("heap_restless.py", 60, 50000))
    heap(hasten, target.pid)  # by then it has warned of what is forked with threads
    for _ in range(6):
        before, copied, after = (counts(heap(hasten, target.pid, *way)) for way in ([], ["--precopy"], []))
        assert copied["__main__.Pair"] == 50000
        for name in "int", "type":  # the number of classes grows
            assert before[name] - 10 <= copied[name] <= after[name] + 10
    assert heap(hasten, target.pid, "--precopy")["incomplete"] is None
    assert watched(target.pid) == 0 and target.alive()


def test_the_pause_is_short(hasten, planted):
    """Of 80 MB and more that nobody writes to: a tenth of the other way's, and more."""
    target, plant = planted(number=4000)
    plant()
    still = min(heap(hasten, target.pid)["pause_ns"] for _ in range(3))
    short = min(heap(hasten, target.pid, "--precopy")["pause_ns"] for _ in range(3))
    assert short < still / 4, (short, still)


def test_pages_are_protected_meanwhile(hasten, planted):
    target, plant = planted(number=4000)
    plant()
    process = hasten.popen("heap", "--precopy", target.pid)
    wait_until(lambda: watched(target.pid) > 0 or process.poll() is not None, "the protection to come")
    assert watched(target.pid) > 0
    assert hasten.finish(process).code == 0
    assert watched(target.pid) == 0


def test_text(hasten, planted):
    target, _ = planted()
    result = hasten.ok("heap", "--precopy", target.pid)
    assert "copied while it goes on" in result.err
    assert "copied while it went on" in result.out and "pages that it wrote to" in result.out


@pytest.mark.parametrize("kind, expected", WAITS)
def test_a_wait_goes_on(hasten, waiting, kind, expected):
    check_wait(hasten, waiting(kind), kind, expected, "--precopy")


def test_a_stopped_program_stays_stopped(hasten, planted):
    target, plant = planted()
    check_stopped(hasten, target, "--precopy")
    plant()


@pytest.mark.parametrize("whom", ["hasten", "its group"])
def test_hasten_is_killed(hasten, waiting, whom):
    target = waiting("read")
    before = descriptors(target.pid)
    check_killed(hasten, target, whom, "--precopy",
                 lambda: watched(target.pid) == 0 and descriptors(target.pid) == before)


def test_seccomp_is_refused(hasten, waiting):
    target = waiting("seccomp")
    result = hasten("heap", "--precopy", target.pid)
    assert result.code == 5 and "seccomp" in result.err and "--precopy" in result.err, result
    assert target.alive()


def test_no_descriptor_is_left(hasten, start, system):
    """The program may open no more: that is told, and it goes on."""
    code = ("import resource, sys; resource.setrlimit(resource.RLIMIT_NOFILE, (3, 3)); print('ready', flush=True); "
            "sys.stdin.readline(); print('well')")
    target = start(system.command + ["-c", code], stdin=subprocess.PIPE)
    result = hasten("heap", "--precopy", target.pid)
    assert result.code == 5 and "Too many open files" in result.err and "without --precopy" in result.err, result
    say(target, b"\n")
    assert target.process.stdout.readline() == b"well\n"


def without_userfaultfd():
    """A system that has none, for the process that calls this: seccomp(2), with a filter of four instructions."""
    PR_SET_NO_NEW_PRIVS, PR_SET_SECCOMP, USERFAULTFD, ENOSYS = 38, 22, 323, 38
    filter = b"".join(struct.pack("HBBI", *one) for one in (
        (0x20, 0, 0, 0), (0x15, 0, 1, USERFAULTFD), (0x06, 0, 0, 0x00050000 | ENOSYS), (0x06, 0, 0, 0x7fff0000)))
    held = ctypes.create_string_buffer(filter)
    program = ctypes.create_string_buffer(struct.pack("HxxxxxxQ", len(filter) // 8, ctypes.addressof(held)))
    libc = ctypes.CDLL(None)
    assert libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0
    assert libc.prctl(PR_SET_SECCOMP, 2, ctypes.c_void_p(ctypes.addressof(program)), 0, 0) == 0


def test_a_system_that_cannot(hasten, start, system):
    target = start(system.run_target("heap_planted.py", 60, 10), stdin=subprocess.PIPE)
    before = descriptors(target.pid)
    done = hasten.finish(hasten.popen("heap", "--precopy", target.pid, preexec_fn=without_userfaultfd))
    assert done.code == 5 and "this system does not tell" in done.err and "--fork" in done.err, done
    assert descriptors(target.pid) == before and target.alive()


def test_not_with_others(hasten, tmp_path):
    assert hasten("heap", "--precopy", "--fork", 1).code == 2
    (tmp_path / "core").write_bytes(b"no core")
    result = hasten("heap", "--precopy", tmp_path / "core")
    assert result.code == 2 and "--precopy" in result.err, result
