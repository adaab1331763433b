"""hasten heap --precopy: what is read is what the other way reads, the pause is short, and the program keeps nothing of it."""
import ctypes
import os
import platform
import signal
import struct
import subprocess
import time

import pytest

from conftest import BINARY, SUPPORTED, wait_until
from test_heap import counts, heap, planted, state_of  # planted: a fixture
from test_heap_fork import said_by, waiting  # a fixture


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
    still, copied = heap(hasten, target.pid), heap(hasten, target.pid, "--precopy")
    assert still.pop("precopy") is None and copied["fork"] is None
    cost = copied.pop("precopy")
    assert (cost["stolen_ns"] > 0) == (cost["faults"] > 0)
    assert abs(still.pop("own_bytes") - copied.pop("own_bytes")) <= 1 << 16  # being stopped may touch a page
    assert (still.pop("way"), copied.pop("way")) == ("stopped", "precopied")
    for one in still, copied:  # what differs: the time it took, and the pages that came and went meanwhile
        for key in "run", "pause_ns", "census_ns", "resident_bytes", "known_bytes", "parts":
            del one[key]
    assert still == copied
    assert descriptors(target.pid) == before and watched(target.pid) == 0
    target.process.stdin.write(b"\n")
    target.process.stdin.flush()
    assert target.process.wait() == 0


def test_threads_that_churn(hasten, planted):
    target, plant = planted("churn")
    expected = plant()
    for _ in range(3):
        answer = heap(hasten, target.pid, "--precopy")
        seen = counts(answer)
        wrong = {name: (count, seen.get(name, 0)) for name, count in expected.items()
                 if name.startswith("__main__.") and name != "__main__.Plain" and seen.get(name, 0) != count}
        assert not wrong
        assert answer["precopy"]["faults"] > 0 and answer["precopy"]["stolen_ns"] > 0
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


@pytest.mark.parametrize("kind, expected", [("read", "12345"), ("pause", "signals 1"), ("sleep", None), ("epoll", []),
                                            ("lock", False)])
def test_a_wait_goes_on(hasten, waiting, kind, expected):
    target = waiting(kind)
    for _ in range(3 if kind in ("read", "pause") else 1):
        heap(hasten, target.pid, "--precopy")
    if kind == "pause":
        os.kill(target.pid, signal.SIGUSR1)
    if kind == "read":
        target.process.stdin.write(b"12345")
        target.process.stdin.flush()
    said = said_by(target)
    assert said["result"] == expected
    if kind not in ("read", "pause"):
        assert 2.0 <= said["seconds"] < 4.0
    target.process.stdin.close()
    assert target.process.wait() == 0


def test_a_stopped_program_stays_stopped(hasten, planted):
    target, plant = planted()
    os.kill(target.pid, signal.SIGSTOP)
    wait_until(lambda: state_of(target.pid) == "T", "the target to stop")
    assert heap(hasten, target.pid, "--precopy")["objects"] > 1000
    assert state_of(target.pid) == "T"
    os.kill(target.pid, signal.SIGCONT)
    plant()


@pytest.mark.parametrize("whom", ["hasten", "its group"])
def test_hasten_is_killed(hasten, waiting, whom):
    """At whatever moment: the program answers, and no page stays protected."""
    target = waiting("read")
    before = descriptors(target.pid)
    whole_s = 9
    for _ in range(3):
        begin = time.monotonic()
        heap(hasten, target.pid, "--precopy")
        whole_s = min(whole_s, time.monotonic() - begin)
    killed = 0
    for step in range(24):
        process = hasten.popen("heap", "--precopy", target.pid, start_new_session=True)
        try:
            process.wait(whole_s * step / 24)
        except subprocess.TimeoutExpired:
            (os.killpg if whom == "its group" else os.kill)(process.pid, signal.SIGKILL)
            killed += 1
        process.communicate()
        wait_until(lambda: watched(target.pid) == 0, "the protection to go")
        assert state_of(target.pid) in "SR" and descriptors(target.pid) == before
    assert killed > 6
    target.process.stdin.write(b"still here")
    target.process.stdin.flush()
    assert said_by(target)["result"] == "still here"


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
    target.process.stdin.write(b"\n")
    target.process.stdin.flush()
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
