"""hasten dump -l: each kind of value as repr() shows it, without running anything of the program."""
import json
import re

import pytest

from conftest import wait_until


def frame_of(hasten, target, function, *options):
    def found():
        (thread,) = hasten.ok("dump", target.pid, "-l", "--json", *options).json["threads"]
        if thread["frames"][0]["function"] == function:
            return thread["frames"]
    return wait_until(found, "the target to wait in %s" % function)


@pytest.mark.parametrize("options", [(), ("--blocking",)], ids=["running", "blocking"])
def test_values_as_repr_shows_them(hasten, start, interpreter, options):
    target = start(interpreter.run_target("values.py", 60))
    expected = json.loads(target.ready.split(" ", 1)[1])
    inner, outer, module = frame_of(hasten, target, "inner", *options)
    for name, text in expected.items():
        assert inner["locals"].get(name) == text, name
    assert len(expected) > 25
    assert inner["locals"]["captured"] == "'from outside'" and inner["locals"]["shared"] == "42"
    assert "never" not in inner["locals"]
    assert outer["locals"]["captured"] == "'from outside'" and outer["locals"]["shared"] == "42"
    assert re.match(r"<function outer\.<locals>\.inner at 0x", outer["locals"]["inner"])
    assert module["locals"] == {}
    assert target.alive()


def test_values_shown_in_short(hasten, start, interpreter):
    target = start(interpreter.run_target("values.py", 60))
    found = frame_of(hasten, target, "inner")[0]["locals"]
    assert found["text_long"] == "'%s'... (1000 characters)" % ("x" * 120)
    assert found["bytes_long"] == "b'%s'... (1000 bytes)" % ("y" * 120)
    assert found["huge"] == "<int of 5001 bits>"
    assert found["many"] == "[0, 1, 2, 3, 4, 5, 6, 7, ... (100 items)]"
    assert found["wide_dict"] == "{%s, ... (300 items)}" % ", ".join("%d: %d" % (i, i) for i in range(8))
    assert found["big_set"] == "{0, 1, 2, 3, 4, 5, 6, 7, ... (1000 items)}"
    assert found["deep"] == "[[[...]]]"
    assert found["itself"] == "[[[...]]]"
    assert found["color"] == "__main__.Color(7)"
    assert found["point"] == "__main__.Point((1, 'b'))"
    assert found["counted"] == "collections.Counter({'a': 2, 'b': 1})"
    assert re.match(r"<ValueError\('bad', 3\) at 0x[0-9a-f]+>$", found["failure"])
    assert re.match(r"<function outer at 0x[0-9a-f]+>$", found["function"])
    assert found["kind"] == "<class '__main__.Thing.Inner'>"
    assert found["module"] == "<module 'math'>"
    assert re.match(r"<__main__\.Thing\.Inner at 0x[0-9a-f]+>$", found["thing"])


@pytest.mark.parametrize("program", ["flutter.py", "generators.py", "reentry.py"])
def test_variables_of_a_busy_program(hasten, start, interpreter, program):
    """Values change while they are read: each dump still ends, and shows no word of memory as a value."""
    target = start(interpreter.run_target(program, 60))
    for _ in range(15):
        (thread,) = hasten.ok("dump", target.pid, "-l", "--json").json["threads"]
        assert thread["stack_known"]
        for frame in thread["frames"]:
            for text in (frame["locals"] or {}).values():
                assert "unreadable" not in text and len(text) < 5000
    assert target.alive()


def test_blocking_lets_the_program_go_on(hasten, start, interpreter):
    target = start(interpreter.run_target("ending.py", 3, "code:7"))
    for _ in range(10):
        hasten.ok("dump", "--blocking", target.pid)
    assert target.process.wait(20) == 7


def test_the_marks_under_what_runs(hasten, start, interpreter):
    target = start(interpreter.run_target("values.py", 60))
    frame_of(hasten, target, "inner")
    lines = hasten.ok("dump", "--columns", target.pid).out.splitlines()
    assert "        time.sleep(LIMIT_S)" in lines
    marks = [line for line in lines if line.strip(" ^") == "" and "^" in line]
    assert marks == [], "whole statements need no marks"
    target = start(interpreter.run_target("recursion.py", 60, 20))
    def deep():
        text = hasten.ok("dump", "--columns", target.pid).out
        return "descend" in text and "more at the same place" in text and text
    text = wait_until(deep, "the deep thread")
    assert len(text.splitlines()) < 60
    if interpreter.version >= (3, 11):
        assert re.search(r"\n +\^+\n", text), text
