"""hasten where it may do less than it would like: as a plain user, and kept to a CPU."""
import os
import re
import subprocess

import pytest

from conftest import AS_NOBODY, BINARY, NOBODY
from stacks import judge

CPUS = sorted(os.sched_getaffinity(0))


def plain_target(as_nobody, system, *words):
    if subprocess.call(AS_NOBODY + system.command + ["-c", ""], stderr=subprocess.DEVNULL) != 0:
        pytest.skip("%s cannot be run by a plain user" % system)
    return system.command + [str(as_nobody.folder / "targets" / words[0])] + [str(word) for word in words[1:]]


def assert_true_picture(run, program):
    """Many samples, all of them possible, few lost: as with all rights."""
    total, edge_total, wrong, examples = judge(run, program)
    cost = run.info["cost"]
    assert total > 800
    assert wrong <= edge_total * 0.001 + 1, (wrong, edge_total, examples)  # the bar for the oldest that may be `system`
    assert cost["dropped"] <= 0.01 * cost["samples"] + 1, cost


def test_a_plain_user_runs_a_program(as_nobody, system):
    """Without a real-time class, without ptrace of others: the picture is the same."""
    result = as_nobody("run", "--", *plain_target(as_nobody, system, "flutter.py", 2))
    assert result.code == 0, result
    assert_true_picture(as_nobody.stored(), "flutter.py")
    assert as_nobody.database.stat().st_uid == as_nobody.folder.stat().st_uid


def test_a_plain_user_attaches_to_a_program_of_the_same_user(as_nobody, system, start):
    try:
        with open("/proc/sys/kernel/yama/ptrace_scope") as file:
            scope = int(file.read())
    except FileNotFoundError:
        scope = 0
    target = start(AS_NOBODY + plain_target(as_nobody, system, "flutter.py", 60))
    result = as_nobody("attach", target.pid, "-d", "2")
    if scope > 0:
        assert result.code == 4 and "ptrace_scope" in result.err, result
        return
    assert result.code == 0, result
    assert_true_picture(as_nobody.stored(), "flutter.py")
    result = as_nobody("dump", target.pid)
    assert result.code == 0 and re.search("flutter.py", result.out), result
    assert target.alive()


@pytest.mark.skipif(len(CPUS) < 2, reason="needs two CPUs")
@pytest.mark.parametrize("mine, its", [(0, 0), (0, 1), (1, 0)])
def test_kept_to_a_cpu(hasten, system, start, mine, its):
    """taskset for hasten is obeyed, on the program's own CPU and on another, and the program's stays too."""
    target = start(["taskset", "-c", str(CPUS[its])] + system.run_target("flutter.py", 60))
    hasten.command = ["taskset", "-c", str(CPUS[mine]), str(BINARY)]
    result = hasten("attach", target.pid, "-d", "2")
    assert result.code == 0, result
    assert_true_picture(hasten.stored(), "flutter.py")
    assert os.sched_getaffinity(target.pid) == {CPUS[its]}


def test_what_root_stores_in_a_users_folder_is_the_users(as_nobody, hasten, system):
    """sudo hasten attach, in one's own project: the store can be written without sudo afterwards."""
    project = as_nobody.folder / "project"
    project.mkdir()
    os.chown(str(project), NOBODY, NOBODY)
    (project / "pyproject.toml").write_text("")
    hasten.environment.pop("HASTEN_STORE")
    as_nobody.environment.pop("HASTEN_STORE")
    hasten.ok("run", "--", *system.run_target("ending.py", 0.3, "code:0"), cwd=project)
    made = [project / ".hasten", *(project / ".hasten").iterdir()]
    assert {path.name for path in made} >= {".hasten", ".gitignore", "runs.db"}
    assert {path.stat().st_uid for path in made} == {NOBODY}, made
    as_nobody.ok("run", "--", *plain_target(as_nobody, system, "ending.py", 0.3, "code:0"), cwd=project)
    assert len(as_nobody.ok("runs", "--json", cwd=project).json) == 2
    # What was root's before stays root's.
    other = as_nobody.folder / "other"
    other.mkdir()
    hasten.ok("run", "--store", other / "runs.db", "--", *system.run_target("ending.py", 0.3, "code:0"))
    assert (other / "runs.db").stat().st_uid == 0


def test_very_many_threads(hasten, system):
    """Those after the 4096th share a row, and their time is not lost."""
    result = hasten("run", "--", *system.run_target("many_threads.py", 80, 60))
    assert result.code == 0, result
    run = hasten.stored()
    assert run.end["samples"] > 0 and len(run.tables["thread"]) == 4097, len(run.tables["thread"])
    later = [row for row in run.tables["thread"].values() if row["name"] == "(later threads)"]
    assert len(later) == 1
    slept = sum(s["weight_ns"] for s in run.samples if s["thread"] == later[0]["id"] and "visitor" in run.frames(s["stack"]))
    assert slept > 0.5 * (80 * 60 - 4096) * 60e6, slept
