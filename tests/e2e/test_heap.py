"""hasten heap: every object that was planted is counted, none that is not there, and the program goes on."""
import json
import os
import shutil
import signal
import subprocess
import time

import pytest

from conftest import AS_NOBODY, wait_until

N = 1000
WITH_DEBUG_BUILDS = True


def heap(hasten, pid, *options):
    return hasten.ok("heap", pid, "--json", *options).json


def counts(answer):
    return {row["type"]: row["objects"] for row in answer["types"]}


def stand_in_read(process):
    """The target waits for its next line: nothing of its own is going on."""
    wait_until(lambda: open("/proc/%d/syscall" % process.pid).read().split()[0] == "0", "the target to read")


@pytest.fixture
def planted(interpreter, start):
    """planted(words) -> a target, and a function that has it plant and says what."""
    def run(*words, allocator=None, number=N):
        if interpreter.free_threaded and allocator in ("malloc", "malloc_debug"):
            pytest.skip("%s has mimalloc alone" % interpreter)
        if interpreter.version < (3, 13) and allocator == "mimalloc":
            pytest.skip("%s has no mimalloc" % interpreter)
        env = dict(os.environ, PYTHONMALLOC=allocator) if allocator else None
        target = start(interpreter.run_target("heap_planted.py", 60, number, *words), stdin=subprocess.PIPE, env=env)
        process = target.process

        def plant():
            process.stdin.write(b"\n")
            process.stdin.flush()
            said = json.loads(process.stdout.readline().decode())
            stand_in_read(target)
            return said
        stand_in_read(target)
        return target, plant
    return run


# Where there are most, the 40 that may differ are one in a thousand.
@pytest.mark.parametrize("allocator, number", [(None, 40000), ("malloc", N), ("debug", N), ("malloc_debug", N),
                                               ("mimalloc", N)])
def test_census(hasten, planted, allocator, number):
    target, plant = planted(allocator=allocator, number=number)
    before = counts(heap(hasten, target.pid))
    expected = plant()
    answer = heap(hasten, target.pid)
    after = counts(answer)
    wrong = {}
    for name in set(before) | set(after):
        grown, wanted = after.get(name, 0) - before.get(name, 0), expected.get(name, 0)
        # What importing, printing and counting leave behind, and what of it went, are some objects of the usual types.
        if abs(grown - wanted) > (0 if name.startswith("__main__.") else 40):
            wrong[name] = (wanted, grown)
    assert not wrong
    assert "__main__.Gone" not in after
    assert target.alive()


def churned(answer, expected):
    """{type: (planted, seen)} of those that are wrong. Threads make and drop objects of one of the types."""
    seen = counts(answer)
    return {name: (count, seen.get(name, 0)) for name, count in expected.items() if name.startswith("__main__.") and
            (seen.get(name, 0) < count if name == "__main__.Plain" else seen.get(name, 0) != count)}


def test_threads_that_churn(hasten, planted):
    target, plant = planted("churn")
    expected = plant()
    for _ in range(3):
        assert not churned(heap(hasten, target.pid), expected)
    assert target.alive()


def test_while_it_collects(hasten, interpreter, start):
    """The collector keeps numbers in the words of its lists while it works, which is when most of these see it."""
    target = start(interpreter.run_target("heap_collecting.py", 60, 50000))
    for _ in range(6):
        answer = heap(hasten, target.pid)
        assert counts(answer)["__main__.Planted"] == 50000
        assert answer["incomplete"] is None


def test_parts_add_up(hasten, planted):
    target, plant = planted()
    plant()
    answer = heap(hasten, target.pid)
    assert answer["object_bytes"] == sum(row["bytes"] for row in answer["types"])
    assert answer["objects"] == sum(row["objects"] for row in answer["types"])
    known = sum(answer[key] for key in ("object_bytes", "free_bytes", "unused_bytes", "overhead_bytes"))
    assert 0 < known <= answer["own_bytes"]
    parts = {}
    for part in answer["parts"]:
        parts[part["kind"]] = parts.get(part["kind"], 0) + part["bytes"]
    assert sum(parts.values()) == answer["resident_bytes"] > 0
    assert parts.get("other", 0) <= 0.05 * answer["resident_bytes"]
    # The blocks of objects alone, and their tables, are what the types have with their tables.
    held = sum(parts.get(kind, 0) for kind in ("objects", "tables", "slack"))
    assert abs(held - answer["object_bytes"]) < 0.05 * answer["object_bytes"]
    assert answer["pause_ns"] > 0 and answer["pid"] == target.pid


def test_text(hasten, planted, interpreter):
    target, plant = planted()
    plant()
    result = hasten.ok("heap", target.pid, "-n", 60)
    assert "stands still" in result.err
    assert interpreter.full_version in result.out and "heap_planted.py" in result.out
    (row,) = [line for line in result.out.splitlines() if line.endswith("__main__.Slotted")]
    assert " 1,000  " in row
    assert "more types (-n)" in hasten.ok("heap", target.pid, "-n", 3).out


def test_a_core_file(hasten, planted, interpreter, tmp_path):
    if shutil.which("gcore") is None:
        pytest.skip("gcore (gdb) is not there")
    target, plant = planted()
    plant()
    live = counts(heap(hasten, target.pid))
    done = subprocess.run(["gcore", "-o", str(tmp_path / "core"), str(target.pid)], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, universal_newlines=True)
    core = tmp_path / ("core.%d" % target.pid)
    assert core.exists(), done.stdout
    answer = hasten.ok("heap", core, "--json").json # gdb notes the names as they are here
    assert answer["pause_ns"] == 0 and interpreter.full_version in answer["interpreter"]
    assert counts(answer) == live
    result = hasten("heap", core, "--root", tmp_path)
    assert result.code == 5 and "--root" in result.err, result
    core.unlink()


def test_a_stopped_program_stays_stopped(hasten, planted):
    target, plant = planted()
    os.kill(target.pid, signal.SIGSTOP)
    wait_until(lambda: state_of(target.pid) == "T", "the target to stop")
    assert heap(hasten, target.pid)["objects"] > 1000
    assert state_of(target.pid) == "T"
    os.kill(target.pid, signal.SIGCONT)
    plant()


def state_of(pid):
    with open("/proc/%d/stat" % pid) as file:
        return file.read().rsplit(")", 1)[1].split()[0]


def test_hasten_dies_meanwhile(hasten, planted):
    """Killed at some moments of its work, it leaves the program going."""
    target, plant = planted()
    for delay in (0.005, 0.01, 0.02, 0.03, 0.05):
        process = hasten.popen("heap", target.pid)
        try:
            process.wait(delay)
        except subprocess.TimeoutExpired:
            process.kill()
        process.communicate()
    plant()
    assert target.alive() and state_of(target.pid) in "SR"


def test_the_process_dies_meanwhile(hasten, start, system):
    """At some moments of the work: the snapshot is whole, or it is said that the process has ended."""
    codes = set()
    begin = time.monotonic()
    heap(hasten, start(system.run_target("heap_planted.py", 60, N), stdin=subprocess.PIPE).pid)
    whole = time.monotonic() - begin
    for part in (0, 0.02, 0.05, 0.1, 0.2, 0.4, 0.8, 3):
        target = start(system.run_target("heap_planted.py", 60, N), stdin=subprocess.PIPE)
        process = hasten.popen("heap", target.pid, "--json")
        time.sleep(part * whole)
        target.process.kill()
        out, err = process.communicate()
        codes.add(process.returncode)
        if process.returncode == 0:
            assert json.loads(out)["objects"] > 1000
        else:
            assert "ended" in err or "no process" in err, err
    assert len(codes) > 1  # both ways were met


def test_limit(hasten, planted):
    target, _ = planted()
    result = hasten("heap", target.pid, "--limit", 1)
    assert result.code != 0 and "1 MB may be used" in result.err and "--limit" in result.err, result
    assert "stands still" not in result.err


def test_what_is_no_python(hasten, start, tmp_path):
    sleeper = subprocess.Popen(["sleep", "30"])
    try:
        result = hasten("heap", sleeper.pid)
        assert result.code != 0 and "sleep" in result.err, result
    finally:
        sleeper.kill()
        sleeper.wait()
    assert hasten("heap", 2 ** 22 + 1).code == 3
    assert hasten("heap", tmp_path / "core").code == 3
    (tmp_path / "core").write_bytes(b"no core")
    assert "core file" in hasten("heap", tmp_path / "core").err
    assert hasten("heap").code == 2 and hasten("heap", "what").code == 2


def test_not_allowed(hasten, start, system):
    if os.getuid() != 0 or shutil.which("setpriv") is None:
        pytest.skip("only root with setpriv can become another user")
    target = start(system.run_target("heap_planted.py", 60, N), stdin=subprocess.PIPE)
    other = type(hasten)(hasten.folder, AS_NOBODY + hasten.command)
    other.folder.chmod(0o755)
    result = other("heap", target.pid, cwd="/")
    assert result.code != 0 and "not allowed" in result.err, result
