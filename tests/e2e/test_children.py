"""Children of each kind are in the same run, each with its own stacks."""
import pytest

WAYS = ("subprocess", "fork", "exec", "mp_fork", "mp_spawn", "mp_forkserver")


@pytest.mark.parametrize("way", WAYS)
def test_each_kind_of_child(hasten, interpreter, way):
    result = hasten("run", "--", *interpreter.run_target("children.py", 1.5, way))
    assert result.code == 0, result
    found = hasten.stored().functions()
    assert "child_" + way in found, sorted(found)
    assert "wait_all" in found, sorted(found)
    assert len(hasten.runs()) == 1


def test_a_whole_family(hasten, interpreter):
    result = hasten("run", "--", *interpreter.run_target("children.py", 3))
    assert result.code == 0, result
    found = hasten.stored().functions()
    assert {"child_" + way for way in WAYS} <= found, found


def test_attach_finds_children_that_are_there_and_that_come(hasten, start, interpreter):
    target = start(interpreter.run_target("children.py", 8, "fork,subprocess"))
    hasten.ok("attach", target.pid, "-d", "2")
    found = hasten.stored().functions()
    assert {"child_fork", "child_subprocess", "wait_all"} <= found, found
    assert target.alive()
