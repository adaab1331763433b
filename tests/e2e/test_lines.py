"""hasten lines: hits of lines are exact on every interpreter, and nothing else is watched."""
import json
import pathlib
import signal

import pytest

from conftest import TARGETS

SOURCE = (TARGETS / "lines.py").read_text().splitlines()
# {function: {text of the line: hits}}
TRUTH = {
    "fact": {"if n < 2:": 5, "return 1": 1, "return n * fact(n - 1)": 4},
    "gen": {"for i in range(n):": 7, "x = i * 2": 6, "yield x": 6},
    "work": {"total = 0": 4, "for i in range(n):": 1304, "a = i": 1300, "total += a": 1300, "return total": 4},
    "fails": {"if n == 0:": 4, "raise ValueError": 1, "fails(n - 1)": 3, "n = n + 1": 4},
    "wait": {"for i in range(n):": 5, "await Ready()": 4, "return n": 1},
}
NAMES = [option for name in TRUTH if name != "fact" for option in ("-f", name)]


def page_of(hasten):
    return json.loads(hasten.ok("show", "last", "--json").out)


def hits_of(page):
    """{function: {text: hits}}, without the lines that versions count differently."""
    result = {}
    for row in page["functions"]:
        if not row["file"].endswith("lines.py"):
            continue
        lines = result.setdefault(row["function"], {})
        for line in row["lines"]:
            text = SOURCE[line["line"] - 1].strip()
            if text not in ("try:", "finally:"):
                lines[text] = lines.get(text, 0) + line["hits"]
    return result


def watch(hasten, interpreter, options, *words):
    return hasten("lines", *options, "--", *interpreter.traceable().run_target("lines.py", *words))


def test_hits(hasten, interpreter):
    result = watch(hasten, interpreter, NAMES)
    assert result.code == 0, result
    assert hits_of(page_of(hasten)) == TRUTH
    assert "return n * fact(n - 1)" in result.err or interpreter.root is not None


@pytest.mark.parametrize("words, code, more", [(["kill"], -signal.SIGKILL, 0), (["fork"], 0, 10)],
                         ids=["kill", "fork"])
def test_endings(hasten, interpreter, words, code, more):
    assert watch(hasten, interpreter, ["-f", "work"], *words).code == code
    assert hits_of(page_of(hasten))["work"]["a = i"] == 1300 + more


def test_decorator_alone(hasten, interpreter):
    """@profile needs no import and no option; nothing else is watched."""
    assert watch(hasten, interpreter, []).code == 0
    assert hits_of(page_of(hasten)) == {"fact": TRUTH["fact"]}


def test_times(hasten, interpreter):
    """The lines of a function add up to its time; a line's total holds what it calls, once under recursion."""
    assert watch(hasten, interpreter, NAMES + ["-f", "lines.py:main"]).code == 0
    page = page_of(hasten)
    rows = {SOURCE[line["line"] - 1].strip(): line for row in page["functions"] if row["function"] == "main"
            for line in row["lines"]}
    work = next(row for row in page["functions"] if row["function"] == "work")
    assert rows["work(1000)"]["total_ns"] >= rows["work(1000)"]["self_ns"]
    assert rows["work(1000)"]["total_ns"] > 0.5 * work["self_ns"] * 1000 / 1300
    fact = next(row for row in page["functions"] if row["function"] == "fact")
    deepest = next(line for line in fact["lines"] if "n - 1" in SOURCE[line["line"] - 1])
    assert deepest["total_ns"] <= 1.2 * rows["fact(5)"]["total_ns"] + 2000


@pytest.mark.parametrize("options", [["--module", "lines"], ["--module", "lines.py"], ["-f", "lines:w*"], ["-f", "lines.py:*"]],
                         ids=lambda value: value[1])
def test_ways_to_choose(hasten, system, options):
    assert watch(hasten, system, options).code == 0
    found = hits_of(page_of(hasten))
    assert found["work"] == TRUTH["work"] and found["wait"] == TRUTH["wait"]
    assert ("unwatched" in found) == (options[1] != "lines:w*")


def test_all_mine(hasten, system):
    """Everything below the project's folder, nothing of the standard library."""
    script = pathlib.Path(hasten.folder) / "lines.py"
    script.write_text("\n".join(SOURCE))
    (pathlib.Path(hasten.folder) / "pyproject.toml").write_text("")
    assert hasten("lines", "--all-mine", "--", *system.command, script).code == 0
    page = page_of(hasten)
    assert {row["file"] for row in page["functions"]} == {str(script)}
    assert hits_of(page)["unwatched"]["for i in range(n):"] == 1001


def test_hot(hasten, system):
    """The hottest functions of the last run, and no others."""
    script = pathlib.Path(hasten.folder) / "hot.py"
    script.write_text("def cold():\n    pass\n\ndef hot():\n    for i in range(3000000):\n        pass\n\ncold()\nhot()\n")
    result = hasten("lines", "--hot", "1", "--", *system.command, script)
    assert result.code != 0 and "no sampled run" in result.err or "hasten run" in result.err
    hasten.ok("run", "-q", "--", *system.command, script)
    hasten.ok("lines", "--hot", "1", "--", *system.command, script)
    page = page_of(hasten)
    assert [row["function"] for row in page["functions"]] == ["hot"]
    assert {line["line"]: line["hits"] for line in page["functions"][0]["lines"]} == {5: 3000001, 6: 3000000}


def test_nothing_chosen(hasten, system):
    result = hasten("lines", "-f", "no_such_function", "--", *system.run_target("calls.py"))
    assert result.code == 0 and "no line of a chosen function" in result.err and "--all-mine" in result.err
