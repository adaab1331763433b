"""Which leak `hasten heap suspects` names after three snapshots of a running program: the right one first for nearly
all that leak, and none for those that are healthy.  test_leak_programs proves that they are what they say."""
import pytest

from conftest import wait_until
from stepped import HEALTHY_NAMES, LEAK_NAMES, LOOKS, Stepped, names, truth_of

RIGHT_AT_LEAST = 22  # of 24


def suspects(hasten, start, interpreter, name):
    """What is suspected in a program, strongest first."""
    program = Stepped(start, interpreter, name)
    for steps in LOOKS:
        program.step_until(steps)
        # It waits for its next line: nothing of its own is going on.
        wait_until(lambda: open("/proc/%d/syscall" % program.pid).read().split()[0] == "0", "%s to read" % name)
        hasten.ok("heap", program.pid, "--json")
    program.end()
    return hasten.ok("heap", "suspects", "--json", "last~2", "last~1", "last").json["suspects"]


def told(accusations):
    """{program: its suspects}, in lines: pytest cuts what is no text."""
    return "\n".join("%s: %s" % (name, [(row["type"], row["holder"], row["path"], row["growth_objects"])
                                        for row in found[:3]]) for name, found in accusations.items())


@pytest.mark.timeout(600)
def test_leaks_are_named(hasten, start, interpreter):
    wrong = {}
    for name in LEAK_NAMES:
        found = suspects(hasten, start, interpreter, name)
        if not found or not names(truth_of(name), found[0]):
            wrong[name] = found
        for row in found:
            assert row["bytes"] > 0 and row["objects"] > 0 and row["reason"], (name, row)
    assert len(LEAK_NAMES) - len(wrong) >= RIGHT_AT_LEAST, told(wrong)


@pytest.mark.timeout(600)
def test_the_healthy_are_not_accused(hasten, start, interpreter):
    accused = {}
    for name in HEALTHY_NAMES:
        found = suspects(hasten, start, interpreter, name)
        if found:
            accused[name] = found
    assert not accused, told(accused)
