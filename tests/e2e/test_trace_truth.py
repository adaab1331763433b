"""hasten trace counts every call: programs whose counts are known, on every interpreter."""
import importlib.util
import json

import pytest

from conftest import ROOT, SUPPORTED

PROGRAMS = ROOT / "tests" / "truth" / "programs"

spec = importlib.util.spec_from_file_location("trace_truth", str(PROGRAMS / "trace_truth.py"))
trace_truth = importlib.util.module_from_spec(spec)
spec.loader.exec_module(trace_truth)
CASES = trace_truth.CASES
assert len(CASES) >= 40


def last(name):
    return name if name.startswith("<") else name.split(".")[-1]


def resolved(value, version):
    return value(version) if callable(value) else value


def own(row):
    """Of the program itself."""
    return row is not None and row["file"].endswith(("trace_truth.py", "si.py"))


def made_at_run_time(row):
    return row["file"] in ("<string>", "<script>") and row["function"] in ("ex_made", "same", "sb_leaf", "sb_main")


def sums(rows):
    """{name: [calls, primitive calls, resumes, raises]}"""
    seen = {}
    for row, name in rows:
        total = seen.setdefault(name, [0, 0, 0, 0])
        for i, key in enumerate(("calls", "primitive_calls", "resumes", "raises")):
            total[i] += row[key]
    return {name: tuple(total) for name, total in seen.items()}


def check(page, name, version):
    _, calls, edges, _ = CASES[name]
    seen = sums((row, last(row["function"])) for row in page["functions"] if own(row) or made_at_run_time(row))
    # Functions of C as far as the program calls them: what it imports calls them too.
    of_c = sums((row, row["callee"]["function"]) for row in page["edges"]
                if row["callee"]["file"] == "~" and own(row["caller"]))
    for function, wanted in resolved(calls, version).items():
        wanted = resolved(wanted, version)
        if function.startswith(("<built-in", "<method")):
            assert of_c[function][0] == wanted[0], (function, of_c)
        else:
            assert seen.get(function) in (wanted if isinstance(wanted, set) else {wanted}), (function, seen)
    found = {}
    for row in page["edges"]:
        if row["caller"] is not None:
            key = last(row["caller"]["function"]), last(row["callee"]["function"])
            found[key] = found.get(key, 0) + row["calls"]
    for edge, wanted in edges.items():
        assert found.get(edge) == wanted, (edge, {key: count for key, count in found.items() if edge[1] in key})


@pytest.mark.parametrize("name", CASES)
def test_counts(hasten, interpreter, name):
    program = interpreter.traceable().inside(PROGRAMS / "trace_truth.py")
    result = hasten("trace", "-q", "--", *interpreter.command, program, name)
    assert result.code == CASES[name][3], result
    check(json.loads(hasten.ok("show", "last", "--json").out), name, interpreter.version)


PYTHON = [name for name in CASES if name not in ("c_functions", "c_recursion", "callbacks_from_c")]


@pytest.mark.parametrize("name", PYTHON)
@pytest.mark.parametrize("python", [i for i in SUPPORTED if (3, 9) <= i.version <= (3, 12)], ids=str)
def test_counts_by_frames(hasten, python, name):
    """Python functions only: by the frame evaluation function."""
    result = hasten("trace", "-q", "--python-only", "--", *python.command, PROGRAMS / "trace_truth.py", name)
    assert result.code == CASES[name][3], result
    # The program's own profiler takes another hook, and so nothing from this one.
    check(json.loads(hasten.ok("show", "last", "--json").out), name, (3, 12) if name == "second_profiler" else python.version)
