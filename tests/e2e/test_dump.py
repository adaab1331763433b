"""hasten dump: what every thread does now, on every interpreter, without disturbing the program."""
import os
import pathlib
import shutil
import signal
import subprocess

import pytest

from conftest import wait_until
from stacks import edges_of, impossible_edges, line_of


def dump(hasten, pid, *options):
    """The answer, once the target has returned from saying that it is ready."""
    def settled():
        answer = hasten.ok("dump", pid, "--json", *options).json
        return not any("ready" in names(thread) for thread in answer["threads"]) and answer
    return wait_until(settled, "the target to return from ready()")


def thread_named(answer, name):
    found = [t for t in answer["threads"] if t["name"] == name]
    assert len(found) == 1, answer
    return found[0]


def names(thread):
    return [f["function"] for f in thread["frames"]]


def thread_with(answer, function):
    found = [t for t in answer["threads"] if function in names(t)]
    assert len(found) == 1, (function, answer)
    return found[0]


def test_one_thread_whole(hasten, start, interpreter):
    target = start(interpreter.run_target("blocked.py", 60, "nanosleep"))
    answer = dump(hasten, target.pid)
    assert answer["pid"] == target.pid
    assert interpreter.full_version in answer["interpreter"]
    assert "blocked.py" in answer["command"]
    (thread,) = answer["threads"]
    assert thread["native_id"] == target.pid
    assert names(thread) == ["nanosleep", "<module>"]
    leaf, root = thread["frames"]
    assert leaf["line"] == line_of("blocked.py", "time.sleep(LIMIT_S)")
    assert root["line"] == line_of("blocked.py", "globals()[sys.argv[2]]()")
    assert leaf["file"] == root["file"] == interpreter.run_target("blocked.py")[-1]
    if interpreter.version >= (3, 11):
        assert leaf["qualname"] == "nanosleep"
        assert leaf["column"] in (4, 5)
    assert target.alive()


@pytest.mark.parametrize("function, syscalls", [
    ("read_pipe", {"read"}),
    ("select_pipe", {"select", "pselect6"}),
    ("poll_pipe", {"poll", "ppoll"}),
    ("futex_lock", {"futex"}),
    ("nanosleep", {"clock_nanosleep", "nanosleep", "select", "pselect6"}),
])
def test_names_the_system_call(hasten, start, system, function, syscalls):
    target = start(system.run_target("blocked.py", 60, function))
    def waiting():
        thread = thread_with(dump(hasten, target.pid), function)
        return thread["state"] in ("blocked", "idle") and thread
    thread = wait_until(waiting, "the thread to block")
    assert thread["syscall"] in syscalls, thread
    assert thread["holds_gil"] is False


def test_threads_by_name_and_state(hasten, start, interpreter):
    target = start(interpreter.run_target("threads.py", 60))
    answer = dump(hasten, target.pid)
    assert len(answer["threads"]) == 6, answer
    expected = {"spin": "cpu", "wait_sleep": "sleeper", "wait_queue": "queue", "wait_lock": "lock",
                "wait_pipe": "pipe", "wait_end": "MainThread"}
    for function, name in expected.items():
        thread = thread_with(answer, function)
        assert thread["name"] == name, thread
        if function == "spin":
            assert thread["state"] in ("running", "runnable"), thread
        else:
            assert thread["state"] in ("blocked", "idle"), thread
            assert thread["syscall"], thread
    ids = {t["native_id"] for t in answer["threads"]}
    assert ids == {int(t) for t in os.listdir("/proc/%d/task" % target.pid)}
    assert thread_with(answer, "wait_lock")["syscall"] == "futex"
    assert thread_with(answer, "wait_pipe")["syscall"] == "read"


def test_who_holds_the_gil(hasten, start, interpreter):
    if interpreter.free_threaded:
        pytest.skip("no GIL in this build")
    target = start(interpreter.run_target("gil.py", 60))
    holders, waits = set(), 0
    for _ in range(60):
        threads = [t for t in dump(hasten, target.pid)["threads"] if "contend" in names(t)]
        holding = [t["name"] for t in threads if t["holds_gil"]]
        assert len(holding) <= 1, threads
        holders.update(holding)
        waits += sum(t["state"] == "gil_wait" for t in threads)
        if holders == {"one", "two"} and waits >= 5:
            break
    assert holders == {"one", "two"} and waits >= 5, (holders, waits)


@pytest.mark.parametrize("depth", [5000, 100000])
def test_deep_recursion(hasten, start, interpreter, depth):
    target = start(interpreter.run_target("recursion.py", 60, depth))
    thread = wait_until(lambda: next((t for t in dump(hasten, target.pid)["threads"] if "bottom" in names(t)), None),
                        "the deep thread")
    found = names(thread)
    assert found[0] == "bottom"
    assert found[1:depth + 2] == ["descend"] * (depth + 1)
    assert found[depth + 2:] == ["run", "_bootstrap_inner", "_bootstrap"]


@pytest.mark.parametrize("program", ["flutter.py", "generators.py", "reentry.py"])
def test_stacks_hold_together(hasten, start, interpreter, program):
    """Each dump of a fast program shows a stack that the program can have."""
    edges = edges_of(program)
    target = start(interpreter.run_target(program, 60))
    full = 0
    for _ in range(40):
        (thread,) = dump(hasten, target.pid)["threads"]
        frames = [(f["function"], f["file"]) for f in reversed(thread["frames"])]
        assert not impossible_edges(frames, edges, program), frames
        assert frames[0][0] == "<module>", frames
        full += len(frames) >= 4
    assert full >= 10


def test_a_frame_of_each_kind_of_comprehension(hasten, start, interpreter):
    target = start(interpreter.run_target("comprehensions.py", 60))
    seen = set()
    def all_seen():
        (thread,) = dump(hasten, target.pid)["threads"]
        found = names(thread)
        if len(found) > 2 and found[-3] in ("in_list", "in_set", "in_dict", "in_generator"):
            seen.add((found[-3], "<" in found[-4] if len(found) > 3 else None))
        return {"in_list", "in_set", "in_dict", "in_generator"} <= {function for function, _ in seen}
    wait_until(all_seen, "a sample in every comprehension; seen %s" % seen)
    own_frame = {function for function, own in seen if own}
    assert "in_generator" in own_frame or ("in_generator", False) not in seen
    if interpreter.version >= (3, 12):
        assert not own_frame & {"in_list", "in_set", "in_dict"}


def test_code_without_a_file(hasten, start, interpreter):
    target = start(interpreter.run_target("nofile.py", 60))
    seen = {}
    def both():
        for frame in dump(hasten, target.pid)["threads"][0]["frames"]:
            seen[frame["function"]] = frame["file"]
        return {"invented", "vanished"} <= set(seen)
    wait_until(both, "both functions")
    assert seen["invented"] == "<generated>"
    assert seen["vanished"] == "/nowhere/vanished.py"
    assert hasten.ok("dump", target.pid).err == ""


def test_module_level(hasten, start, interpreter):
    target = start(interpreter.run_target("module_loop.py", 60))
    first = line_of("module_loop.py", "# loop")
    lines = set()
    for _ in range(20):
        (thread,) = dump(hasten, target.pid)["threads"]
        assert names(thread) == ["<module>"]
        lines.add(thread["frames"][0]["line"])
    assert lines & {first, first + 1}
    assert lines <= {first - 1, first, first + 1}


def test_the_garbage_collector_shows(hasten, start, interpreter):
    target = start(interpreter.run_target("gc_heavy.py", 60))
    def collecting():
        (thread,) = dump(hasten, target.pid)["threads"]
        return thread["in_gc"] and thread
    assert "collect" in names(wait_until(collecting, "a dump during a collection"))


def test_coroutines_and_event_loop(hasten, start, interpreter):
    target = start(interpreter.run_target("aio.py", 60))
    def working():
        found = names(dump(hasten, target.pid)["threads"][0])
        return found[0] == "aio_work" and found
    found = wait_until(working, "a dump during aio_work")
    assert found[1:3] == ["aio_inner", "aio_task"]
    assert "run_forever" in found and found[-1] == "<module>"


def test_sub_interpreters(hasten, start, interpreter):
    target = start(interpreter.run_target("subinterpreters.py", 60), wait_ready=False)
    if not target.process.stdout.readline().startswith(b"ready"):
        pytest.skip("this build has no module that makes sub-interpreters")
    def working():
        answer = hasten.ok("dump", target.pid, "--json").json
        return [t for t in answer["threads"] if "sub_spin" in names(t)]
    assert len(wait_until(working, "the thread of the sub-interpreter")) >= 1


def test_locals(hasten, start, interpreter):
    target = start(interpreter.run_target("variables.py", 60))
    (thread,) = dump(hasten, target.pid, "-l")["threads"]
    found = thread["frames"][0]["locals"]
    expected = {"argument": "'given'", "number": "42", "negative": "-7", "fraction": "2.5", "truth": "True",
                "nothing": "None", "text": "'h\u00e9llo'", "wide": "'\u65e5\u672c'", "items": "[1, 'two', None]",
                "pair": "(3, 4)", "table": "{'key': 5}", "big": str(2 ** 80)}
    for name, text in expected.items():
        assert found[name] == text, (name, found)
    assert "Dangerous" in found["odd"]
    assert "locals" not in dump(hasten, target.pid)["threads"][0]["frames"][0]
    text = hasten.ok("dump", target.pid, "-l").out
    assert "number = 42" in text and "items = [1, 'two', None]" in text
    assert target.alive()


def test_text_shows_the_source_line(hasten, start, interpreter):
    target = start(interpreter.run_target("blocked.py", 60, "nanosleep"))
    dump(hasten, target.pid)
    text = hasten.ok("dump", target.pid).out
    assert "time.sleep(LIMIT_S)" in text
    assert "nanosleep" in text and "blocked.py" in text and str(target.pid) in text
    assert "\x1b" not in text


def test_running_and_runnable(hasten, start, system):
    """Beside a program that takes all of their CPU, the one that is nice gets next to none of it."""
    cpu = str(min(os.sched_getaffinity(0)))
    nice = start(["taskset", "-c", cpu, "nice", "-n", "19"] + system.run_target("flutter.py", 60))
    autogroup = pathlib.Path("/proc/%d/autogroup" % nice.pid)
    if autogroup.exists():  # where the kernel shares the CPU between sessions, it is the session that has to be nice
        autogroup.write_text("19")
    def states():
        return [dump(hasten, nice.pid)["threads"][0]["state"] for _ in range(8)]
    wait_until(lambda: states().count("running") >= 6, "running, when it has the CPU to itself")
    start(["taskset", "-c", cpu] + system.run_target("flutter.py", 60))
    wait_until(lambda: states().count("runnable") >= 4, "runnable, when another has the CPU")


def test_two_hundred_threads(hasten, start, system):
    target = start(system.run_target("idle_threads.py", 60, 200))
    def settled():
        answer = dump(hasten, target.pid)
        resting = [t for t in answer["threads"] if "rest" in names(t)]
        return len(answer["threads"]) == 201 and len(resting) == 150
    wait_until(settled, "all threads with their stacks")


def test_the_program_goes_on(hasten, start, interpreter):
    target = start(interpreter.run_target("ending.py", 4, "code:7"))
    for _ in range(20):
        dump(hasten, target.pid)
    assert target.process.wait(20) == 7


def test_a_stopped_program(hasten, start, system):
    target = start(system.run_target("flutter.py", 60))
    dump(hasten, target.pid)  # for the wait in it
    os.kill(target.pid, signal.SIGSTOP)
    first, second = dump(hasten, target.pid), dump(hasten, target.pid)
    assert first["threads"][0]["frames"] == second["threads"][0]["frames"] != []
    os.kill(target.pid, signal.SIGCONT)


@pytest.mark.skipif(shutil.which("gcore") is None, reason="gcore (gdb) is not installed")
def test_a_core_file(hasten, start, interpreter, tmp_path):
    target = start(interpreter.run_target("blocked.py", 60, "nanosleep"))
    dump(hasten, target.pid)  # for the wait in it
    core = tmp_path / "core"
    subprocess.run(["gcore", "-o", str(core), str(target.pid)], check=True, stdout=subprocess.DEVNULL,
                   stderr=subprocess.DEVNULL)
    os.killpg(target.pid, signal.SIGKILL)
    target.process.wait()
    answer = dump(hasten, "%s.%d" % (core, target.pid))
    assert names(answer["threads"][0]) == ["nanosleep", "<module>"]
    assert answer["threads"][0]["frames"][0]["line"] == line_of("blocked.py", "time.sleep(LIMIT_S)")
    assert "nanosleep" in hasten.ok("dump", "%s.%d" % (core, target.pid)).out
