"""hasten trace --only, --skip, --from, --to, --depth: which calls are seen, and whose the time of the others is."""
import json

import pytest

CALLS = {"leaf": 150, "mid": 1, "other": 1, "rec": 21, "main": 1, "late": 3}


def trace(hasten, interpreter, *options, words=()):
    return hasten("trace", "-q", *options, "--", *interpreter.traceable().run_target("selection.py", *words))


def shown(hasten):
    return json.loads(hasten.ok("show", "last", "--json").out)


def counts(page):
    """Calls by function; of functions of the target and abs() only."""
    found = {}
    for row in page["functions"]:
        name = row["function"].split(".")[-1].rstrip(">")
        if row["file"].endswith("selection.py") or name == "abs":
            found[name] = found.get(name, 0) + row["calls"]
    found.pop("<module", None)
    return found


def edges(page):
    return {(row["caller"] and row["caller"]["function"], row["callee"]["function"]): row["calls"] for row in page["edges"]}


@pytest.mark.parametrize("options, expected", [
    ((), dict(CALLS, abs=150)),
    (("--only", "leaf"), {"leaf": 150}),
    (("--only", "leaf", "--only", "re:^mid$"), {"leaf": 150, "mid": 1}),
    (("--skip", "mid", "--skip", "*abs*"), {k: v for k, v in CALLS.items() if k != "mid"}),
    (("--from", "mid"), {"mid": 1, "leaf": 100, "abs": 100}),
    (("--from", "mid", "--python-only"), {"mid": 1, "leaf": 100}),
    (("--to", "mid"), dict(CALLS, leaf=50, abs=50)),
    (("--to", "main"), {"main": 1}),
    (("--from", "main", "--to", "mid", "--only", "selection.py"), dict(CALLS, leaf=50)),
    (("--from", "leaf", "--skip", "leaf"), {"abs": 150}),
], ids=lambda value: "-".join(value) if isinstance(value, tuple) else "")
def test_what_is_seen(hasten, interpreter, options, expected):
    assert trace(hasten, interpreter, *options).code == 0
    page = shown(hasten)
    assert counts(page) == expected
    assert page["run"]["cost"]["dropped"] == 0


def test_edges_pass_over_what_is_not_seen(hasten, interpreter):
    assert trace(hasten, interpreter, "--only", "main", "--only", "leaf").code == 0
    assert edges(shown(hasten)) == {(None, "main"): 1, ("main", "leaf"): 150}


def test_time_goes_to_the_nearest_seen_caller(hasten, interpreter):
    """late() waits, and is called by main() through wait()."""
    assert trace(hasten, interpreter, "--only", "main", "--only", "mid", words=["slow"]).code == 0
    page = shown(hasten)
    rows = {row["function"]: row for row in page["functions"]}
    assert set(rows) == {"main", "mid"}
    assert rows["main"]["self_ns"] > 25e6 > rows["mid"]["total_ns"]


@pytest.mark.parametrize("depth", [1, 2, 3, 4, 7, 1000])
@pytest.mark.parametrize("python_only", [False, True], ids=["all", "python-only"])
def test_depth(hasten, interpreter, depth, python_only):
    options = ["--depth", depth] + (["--python-only"] if python_only else [])
    assert trace(hasten, interpreter, *options).code == 0
    page = shown(hasten)
    found = counts(page)
    assert page["run"]["cost"]["dropped"] == 0
    assert all(found[name] <= dict(CALLS, abs=150)[name] for name in found)
    if depth == 1:
        assert not found
    if depth == 1000:
        assert found == {k: v for k, v in dict(CALLS, abs=150).items() if not python_only or k != "abs"}
    elif depth > 3:  # the module may stand inside runpy's functions
        assert found["rec"] == min(21, depth - 2)


def test_depth_across_fork(hasten, interpreter):
    assert trace(hasten, interpreter, "--depth", 4, words=["fork"]).code == 0
    page = shown(hasten)
    found = counts(page)
    assert found["main"] == 1 and found["rec"] <= 4
    assert found["after"] == 2  # parent and child, at a depth that is seen: the stack stayed in step
    assert page["run"]["cost"]["dropped"] == 0


def test_depth_takes_out_what_the_deeper_calls_cost(hasten, interpreter):
    assert trace(hasten, interpreter, "--depth", 3, words=["many"]).code == 0
    limited = shown(hasten)
    mid = next(row for row in limited["functions"] if row["function"] == "mid")
    costs = limited["traces"][0]
    below = 100000 * sum(costs[name] for name in ("python_caller_ns", "python_callee_ns", "c_caller_ns", "c_callee_ns"))
    taken = mid["raw_self_ns"] - mid["self_ns"]
    if interpreter.version in ((3, 10), (3, 11)):  # the rest is divided by what they run slower
        assert taken >= below * 0.95 and mid["self_ns"] > (mid["raw_self_ns"] - below) / 4
    else:
        assert taken == pytest.approx(below, rel=0.05)


def test_pattern_that_matches_nothing(hasten, interpreter):
    result = trace(hasten, interpreter, "--only", "leaf", "--skip", "laef")
    assert result.code == 0
    assert "--skip 'laef' matches no function that was called" in result.err
    assert "--skip 'leaf'" in result.err
    assert counts(shown(hasten)) == {"leaf": 150}


def test_nothing_is_seen(hasten, system):
    result = trace(hasten, system, "--only", "no_such_function")
    assert result.code == 0
    assert "nothing was traced" in result.err and "--only 'no_such_function' matches no function" in result.err
    assert hasten("show", "last").code == 3


def test_bad_pattern(hasten, system):
    result = trace(hasten, system, "--only", "re:(")
    assert result.code == 2 and "not a regular expression" in result.err
    assert hasten("show", "last").code == 3
