"""hasten.profile, LineProfiler and lines: what they count is known by construction, on every interpreter."""
import json
import pathlib
import re
import subprocess
import sys

import pytest

from package import package  # noqa: F401


@pytest.fixture
def profiling(package, hasten):
    """profiling(what, words...) -> what the program says; its standard error is profiling.err."""
    hasten.environment["HASTEN_STORE"] = package.measuring()

    def run(what, *words, prefix=None, **more):
        command = package.command("profiling.py", what, *words)
        done = subprocess.run(command if prefix is None else prefix(command), stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, universal_newlines=True, timeout=100,
                              env=dict(package.environment, **more))
        assert done.returncode == 0, done.stderr
        run.err = done.stderr
        return json.loads(done.stdout.splitlines()[-1])

    run.package = package
    return run


def test_enabled_when_it_is_asked_for(profiling):
    told = profiling("runcall")
    assert told["returned"] == 90 and told["unit"] == 1e-9 and told["count"] == 0
    # 10 by runcall, 3 counted, 2 in the block, 4 by runctx; loop from when it was added.
    assert told["hits"] == {"helper": {"1": 19, "2": 19}, "loop": {"1": 3, "2": 12, "3": 9, "4": 3}}


def test_every_kind_of_function(profiling):
    told = profiling("kinds")
    assert told["values"] == [6, 8, [0, 0, 1, 1], [2], 2, [[0, 1, 2, 3], 3, 5]]
    assert told["names"] == ["loop", "fib", "gen", "wait", "agen", "fails"] and told["left"] == 0
    hits = told["hits"]
    assert hits["loop"] == {"1": 5, "2": 48, "3": 43, "4": 5}  # once with 3, four threads with 10
    assert hits["fib"] == {"1": 25, "2": 13, "3": 12}
    assert hits["gen"]["2"] == 5
    assert hits["wait"] == {"1": 10, "2": 8, "3": 2}
    assert hits["agen"]["2"] == 5
    assert hits["fails"] == {"1": 3, "2": 3, "3": 1}


def test_classes_and_modules(profiling):
    told = profiling("classes")
    assert told["value"] == 10 and told["count"] == 5 and told["module"] is True
    hits = {name: sum(lines.values()) for name, lines in told["hits"].items()}
    assert hits == {"side": 1, "area": 1, "unit": 1, "make": 1, "deep": 1}
    assert "no Python function" in told["error"]


def test_output(profiling, hasten):
    folder = profiling.package.counters
    told = profiling("output", folder)
    assert told["quiet"] == "Timer unit: 1e-06 s\n"
    text = told["text"]
    assert text.startswith("Timer unit: 0.001 s\n")
    assert re.search(r"^ +\d+ +20 +[\d.]+ +[\d.]+ +[\d.]+          total \+= helper\(i\)$", text, flags=re.M), text
    assert re.search(r"^Function: loop at line \d+$", text, flags=re.M) and " seconds - " in text
    shown = hasten.ok("show", pathlib.Path(folder) / "out.lprof", "--json").json
    assert {row["function"]: sum(line["hits"] for line in row["lines"]) for row in shown["functions"]} == \
        {"loop": 43, "helper": 40}
    theirs = subprocess.run([sys.executable, "-m", "line_profiler", folder + "/out.lprof"], stdout=subprocess.PIPE,
                            universal_newlines=True)
    assert theirs.returncode == 0 and "Timer unit" in theirs.stdout, theirs.stdout
    if profiling.package.interpreter.root is None:  # else the source is elsewhere
        assert "total += helper(i)" in theirs.stdout


def test_lines_give_way_to_a_trace(profiling):
    told = profiling("around_a_trace")
    assert told["hits"] == {"helper": {"1": 12, "2": 12}}
    assert told["calls"] == [3] and told["error"] == "lines are measured in this process already"


def test_another_tool_keeps_the_trace_function(profiling):
    told = profiling("other_tool")
    assert told["kept"] and told["seen"]
    if profiling.package.interpreter.version < (3, 12):
        assert told["hits"] == {"helper": {"1": 2, "2": 2}} and "another tool" in profiling.err
    else:
        assert told["hits"] == {"helper": {"1": 5, "2": 5}} and profiling.err == ""


def test_decorated(profiling, hasten):
    told = profiling("decorated")
    assert told == {"returned": 90, "plain": False}
    assert re.search(r" 10 .* total \+= helper", profiling.err) and "hasten: stored as run 1" in profiling.err
    page = hasten.ok("show", "1", "--json").json
    assert page["run"]["kind"] == "lines" and page["run"]["status"] == "complete"
    assert profiling("decorated", "asked")["returned"] == 90
    assert profiling.err.count("total += helper") == 1 and "stored as run" not in profiling.err
    assert profiling("decorated", HASTEN_PROFILE="0") == {"returned": 90, "plain": True} and profiling.err == ""
    assert len(hasten.runs()) == 2


def test_decorated_below_hasten_lines(profiling, hasten):
    """The decorator only chooses; the report is that of `hasten lines`."""
    package = profiling.package
    environment = {k: v for k, v in package.environment.items() if k.startswith(("HASTEN_", "PYTHON"))}
    result = hasten("lines", "-q", "--", *package.command("profiling.py", "decorated"),
                    env=dict(hasten.environment, **environment))
    assert result.code == 0 and json.loads(result.out) == {"returned": 90, "plain": True}, result
    (row,) = hasten.ok("show", "last", "--json").json["functions"]
    assert row["function"] == "loop" and [line["hits"] for line in row["lines"]] == [1, 11, 10, 1]


def test_without_the_command_the_program_runs(profiling):
    assert profiling("decorated", HASTEN_COMMAND="/nowhere/hasten")["returned"] == 90
    assert "no line is measured: cannot start /nowhere/hasten" in profiling.err
