"""No sample shows a call that the program cannot make: programs with a known call graph, as call-heavy as Python can
be, at a slow, a fast and the fastest rate.

What is asked (of samples in main): at most 0.02 % with an impossible caller -> callee or a chain that does not
begin at <module>, 0.1 % up to 3.10; at most 1 % dropped.  A run of N samples may show so many by chance, and what
comes by chance once in a thousand times is let pass; at the fastest rate N is large enough to mean something.
"""
import pytest

from truths import Graph, PROGRAMS, Samples, poisson_limit, truth_of

RATES = {"1khz": 0.6, "10khz": 0.4, "max": 0.6}


def record(hasten, interpreter, program, rate, *arguments):
    path = interpreter.inside(PROGRAMS / program)
    result = hasten.ok("run", "-r", rate, "--", *interpreter.command, path, *arguments)
    export = hasten.folder / ("%s.jsonl" % rate)
    hasten.ok("export", "last", "-f", "jsonl", "--mode", "all", "-o", export)
    return Samples(export.read_bytes()), truth_of(result.out)


def allowed_share(interpreter):
    return 0.0002 if interpreter.version >= (3, 11) else 0.001


@pytest.mark.parametrize("program", sorted(path.name for path in PROGRAMS.glob("calls_*.py")))
def test_no_impossible_call(hasten, interpreter, program):
    graph = Graph(program)
    report = []
    good = True
    for rate, seconds in RATES.items():
        run, truth = record(hasten, interpreter, program, rate, seconds)
        total, wrong, examples = run.judge(graph, truth)
        bad = wrong.get("root", 0) + wrong.get("edge", 0)
        limit = poisson_limit(total * allowed_share(interpreter))
        dropped = run.dropped_share()
        report.append((rate, "samples", total, "wrong", wrong, "allowed", limit, "dropped", dropped, examples))
        # A line that the frame did not call from is no impossible call, but it is as wrong to its reader.
        fine = bad <= limit and wrong.get("line", 0) <= limit and dropped <= 0.01
        enough = total > {"1khz": 50, "10khz": 300, "max": 10000}[rate]  # on a busy machine
        good = good and fine and enough
    assert good, "\n".join(str(row) for row in report)


def test_a_wrong_call_is_seen():
    """The judge itself: a path of the program passes, and each kind of mistake is named."""
    graph = Graph("calls_plain.py")
    line = {pair: min(lines) for pair, lines in graph.lines.items()}

    def stack(*names):
        lines = [line.get(pair, 1) for pair in zip(names, names[1:])] + [None]
        return list(zip(names, lines, [True] * len(names)))

    right = stack("<module>", "main", "a0", "b1", "c3")
    assert graph.judge(right) is None
    assert graph.judge([("_run_code", 1, False)] + right) is None
    assert graph.judge(stack("<module>", "main", "a0", "b2", "c4")) == "edge"
    assert graph.judge(stack("<module>", "a0", "b0")) == "edge"
    assert graph.judge(stack("main", "a0", "b0")) == "root"
    assert graph.judge([]) == "root"
    assert graph.judge(right[:-2] + [("b1", 1, True), ("c3", None, True)]) == "line"
