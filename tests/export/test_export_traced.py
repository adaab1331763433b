"""Exports of traced runs: exact calls and times, read by the tools that the formats are for.

The program's counts are known; its times are not, so that they are compared with what `hasten export -f jsonl` says of each
context, added up here, and with `hasten show --json`."""
import collections
import gzip
import json
import pathlib
import re

import pytest

import consumers
from traced import COUNTS, EDGES, NATIVE, PROGRAM, Traced


@pytest.fixture
def traced(hasten, system):
    """A traced run, the last one in the store, as its contexts."""
    program = hasten.folder / "counted.py"
    program.write_text(PROGRAM)
    interpreter = system.traceable()
    hasten.ok("trace", "-q", "--", *interpreter.command, interpreter.inside(program))
    return Traced(hasten.ok("export", "-f", "jsonl").out)


def export(hasten, name, *options):
    path = hasten.folder / name
    result = hasten.ok("export", "-o", path, *options)
    assert re.search(r"%s: \d+ calls of run 1 as " % re.escape(name), result.out), result
    return path


def relative(function, traced):
    """The file as our exports write it; None of a function of C."""
    prefix = traced.info["directory"] + "/"
    file = function.file[len(prefix):] if function.file.startswith(prefix) else function.file
    return None if file == NATIVE else file


def label(function, traced):
    if function.file == NATIVE:
        return function.qualname
    return "%s (%s:%d)" % (function.qualname, relative(function, traced), function.first_line)


def of_program(function):
    return function.file.endswith("/counted.py")


def by_name(sums):
    """The rows of the program's functions by the last part of their names; Other.leaf is left out."""
    return {f.name: row for f, row in sums.items() if of_program(f) and f.qualname != "Other.leaf"}


def test_counts_are_known(traced):
    found = by_name(traced.sums(lambda f: f))
    assert {name: found[name][:2] for name in COUNTS} == COUNTS
    edges = {(a.name, b.name): row[:2] for (a, b), row in traced.edges(lambda f: f).items()
             if of_program(a) and of_program(b)}
    assert {pair: edges[pair] for pair in EDGES} == EDGES
    calls = {f.name: [call for _, path, call in traced.contexts if path[-1] == f] for f in traced.functions}
    assert sum(c["raises"] for c in calls["fails"]) == 8
    assert sum(c["resumes"] for c in calls["numbers"]) == 20


# --- jsonl -----------------------------------------------------------------------------------------------------
def test_jsonl(hasten, traced):
    assert traced.info["kind"] == "traced"
    (trace,) = traced.rows["trace"]
    assert trace["backend"] and trace["clock"] and trace["lost_contexts"] == 0 and trace["python_only"] is False
    assert traced.rows["sample"] == []
    for row in traced.rows["call"]:
        assert set(row) == {"thread", "stack", "calls", "resumes", "raises", "self_ns", "raw_ns", "suspended_ns"}
    assert traced.end == {"samples": 0, "contexts": len(traced.contexts), "self_ns": traced.total(),
                          "calls": sum(call["calls"] for _, _, call in traced.contexts)}


def test_equals_show(hasten, traced):
    """The same run as `show` adds it up."""
    shown = hasten.ok("show", "--json").json
    key = lambda f: (f.qualname, f.file, f.first_line)
    found = {(r["function"], r["file"], r["first_line"]): (r["calls"], r["primitive_calls"], r["self_ns"], r["total_ns"])
             for r in shown["functions"]}
    assert found == traced.sums(key)


def test_a_part(hasten, traced):
    second = next(t for t, row in enumerate(traced.rows["thread"]) if row["name"] == "second"
                  or traced.sums(lambda f: f.name, t).get("threaded"))
    part = Traced(hasten.ok("export", "-f", "jsonl", "--thread", traced.rows["thread"][second]["native_id"]).out)
    assert part.total() == traced.total(second) and {t for t, _, _ in part.contexts} == {second}
    shown = Traced(hasten.ok("export", "-f", "jsonl", "--show", "fac").out)
    assert shown.contexts and all(any(f.name == "fac" for f in path) for _, path, _ in shown.contexts)


# --- pstats ----------------------------------------------------------------------------------------------------
def pstats_key(function):
    return function.file, function.first_line, function.name


def test_pstats(hasten, traced, capsys):
    stats = consumers.pstats_stats(export(hasten, "x.pstats"))
    sums, edges = traced.sums(pstats_key), traced.edges(pstats_key)
    assert set(stats.stats) == set(sums)
    for function, (cc, nc, tt, ct, callers) in stats.stats.items():
        row = sums[function]
        assert (nc, cc) == row[:2], function
        assert (tt, ct) == pytest.approx([ns / 1e9 for ns in row[2:]], rel=1e-12, abs=1e-15), function
        assert set(callers) == {caller for caller, callee in edges if callee == function}
        for caller, (edge_nc, edge_cc, edge_tt, edge_ct) in callers.items():
            row = edges[caller, function]
            assert (edge_nc, edge_cc) == row[:2], (caller, function)
            assert (edge_tt, edge_ct) == pytest.approx([ns / 1e9 for ns in row[2:]], rel=1e-12, abs=1e-15)
    assert (NATIVE, 0, "<built-in method builtins.len>") in stats.stats
    assert stats.total_calls == traced.end["calls"]
    assert stats.total_tt == pytest.approx(traced.total() / 1e9)
    stats.sort_stats("ncalls").print_stats()
    stats.print_callers()
    stats.print_callees()
    out = capsys.readouterr().out
    assert re.search(r"^ +16/4 .*counted.py:\d+\(fac\)", out, re.M)
    assert "{built-in method builtins.len}" in out


def test_pstats_is_as_cprofile_counts(hasten, system):
    """The same numbers as cProfile for each function that is not resumed (each resumption is a call to it).  It sees one
    thread only up to 3.11, and all threads as one later, so there is none besides the main one."""
    program = hasten.folder / "counted.py"
    program.write_text(PROGRAM[:PROGRAM.index("thread = ")])
    inside = pathlib.Path(system.traceable().inside(program))
    consumers.run([*system.command, "-m", "cProfile", "-o", inside.with_suffix(".prof"), inside])
    theirs = consumers.pstats_stats(pathlib.Path("%s%s" % (system.root or "", inside.with_suffix(".prof"))))
    hasten.ok("trace", "-q", "--", *system.command, inside)
    ours = consumers.pstats_stats(export(hasten, "ours.pstats"))

    def table(stats):
        rows = {key: value for key, value in stats.stats.items()
                if key[0].endswith("/counted.py") and key[2] not in ("numbers", "<module>")}
        return {key: (value[:2], {caller: edge[:2] for caller, edge in value[4].items()}) for key, value in rows.items()}
    assert table(ours) == table(theirs)


def test_pstats_in_gprof2dot(hasten, traced):
    selfs = consumers.gprof2dot_functions(export(hasten, "x.pstats"), "pstats")
    assert sum(selfs.values()) == pytest.approx(traced.total() / 1e9)


def test_pstats_in_snakeviz(hasten, traced):
    """Both of its pages' tables, made by its own code."""
    consumers.package("snakeviz")
    from snakeviz.stats import json_stats, table_rows
    stats = consumers.pstats_stats(export(hasten, "x.pstats"))
    rows = {row[-1]: row for row in table_rows(stats)}
    (fac,) = [row for name, row in rows.items() if name.endswith("(fac)")]
    assert fac[0][0] == "16/4"
    assert json_stats(stats)


def test_pstats_in_pyprof2calltree(hasten, traced):
    consumers.package("pyprof2calltree")
    from pyprof2calltree import convert
    out = hasten.folder / "converted.callgrind"
    convert(consumers.pstats_stats(export(hasten, "x.pstats")), str(out))
    assert re.search(r"^fn=fac\b", out.read_text(encoding="utf-8"), re.M)


# --- callgrind -------------------------------------------------------------------------------------------------
def callgrind_calls(path):
    """{(caller, callee): number of calls}, with names as the file has them."""
    names, calls, current, callee = {}, collections.Counter(), None, None

    def name_of(text):
        number, _, name = text.partition(" ")
        return names.setdefault(number, name)
    for line in path.read_text(encoding="utf-8").splitlines():
        key, _, value = line.partition("=")
        if key == "fn":
            current = name_of(value)
        elif key == "cfn":
            callee = name_of(value)
        elif key == "calls":
            calls[current, callee] += int(value.split()[0])
    return calls


def callgrind_name(traced):
    counts = collections.Counter(f.qualname for f in traced.functions)
    return lambda f: label(f, traced) if counts[f.qualname] > 1 else f.qualname


def test_callgrind_calls(hasten, traced):
    path = export(hasten, "x.callgrind")
    name = callgrind_name(traced)
    expected = {pair: row.calls for pair, row in traced.edges(name).items()}
    for thread in range(len(traced.rows["thread"])):
        for _, path_of, call in [c for c in traced.contexts if c[0] == thread and len(c[1]) == 1]:
            pair = traced.thread_name(thread), name(path_of[0])
            expected[pair] = expected.get(pair, 0) + call["calls"]
    found = callgrind_calls(path)
    assert {pair: n for pair, n in found.items() if n} == {pair: n for pair, n in expected.items() if n}
    text = path.read_text(encoding="utf-8")
    assert re.search(r"^desc: Calls: exact$", text, re.M) and "desc: Trigger: traced, wall time" in text


def test_callgrind_annotate(hasten, traced):
    path, name = export(hasten, "x.callgrind"), callgrind_name(traced)
    sums = traced.sums(lambda f: (f.file, name(f)))
    costs, total = consumers.callgrind_annotate(path, inclusive=False)
    assert total == traced.total() == sum(costs.values())
    assert costs == {key: row.self_ns for key, row in sums.items() if row.self_ns}
    costs, total = consumers.callgrind_annotate(path, inclusive=True)
    expected = {key: row.total_ns for key, row in sums.items() if row.total_ns}
    for thread in {t for t, _, _ in traced.contexts}:
        expected[NATIVE, traced.thread_name(thread)] = traced.total(thread)
    assert costs == expected


def test_callgrind_in_gprof2dot(hasten, traced):
    selfs = consumers.gprof2dot_functions(export(hasten, "x.callgrind"), "callgrind")
    assert sum(selfs.values()) == traced.total()


# --- pprof -----------------------------------------------------------------------------------------------------
def test_pprof(hasten, traced):
    profile = consumers.pprof_message(gzip.decompress(export(hasten, "x.pb.gz").read_bytes()))
    text = profile.string_table
    assert [(text[t.type], text[t.unit]) for t in profile.sample_type] == [("calls", "count"), ("time", "nanoseconds")]
    assert text[profile.default_sample_type] == "time" and not profile.HasField("period_type")
    functions = {f.id: (text[f.name], text[f.filename], f.start_line) for f in profile.function}
    locations = {l.id: functions[l.line[0].function_id] for l in profile.location}
    found = collections.Counter()
    for sample in profile.sample:
        labels = {text[l.key]: text[l.str] or l.num for l in sample.label}
        assert "state" not in labels
        path = tuple(locations[i] for i in reversed(sample.location_id))
        found[labels["thread_id"], path, "calls"] += sample.value[0]
        found[labels["thread_id"], path, "time"] += sample.value[1]
    expected = collections.Counter()
    for thread, path, call in traced.contexts:
        key = traced.rows["thread"][thread]["native_id"], tuple((f.qualname, f.file, f.first_line) for f in path)
        expected[key + ("calls",)] += call["calls"]
        expected[key + ("time",)] += call["self_ns"]
    assert found == expected


def test_pprof_by_go(hasten, traced):
    found = consumers.go_pprof_top(export(hasten, "x.pb.gz"), "-sample_index=time")
    assert found["work"][1] == pytest.approx(by_name(traced.sums(lambda f: f))["work"].total_ns, rel=1e-3)


# --- stacks ----------------------------------------------------------------------------------------------------
def test_collapsed(hasten, traced):
    found = {}
    for line in export(hasten, "x.collapsed").read_text(encoding="utf-8").splitlines():
        frames, weight = re.fullmatch(r"(.*) (\d+)", line).groups()
        assert frames not in found
        found[frames] = int(weight)
    expected = collections.Counter()
    for _, path, call in traced.contexts:
        expected[";".join(label(f, traced).replace(";", ":") for f in path)] += call["self_ns"]
    assert found == {path: ns for path, ns in expected.items() if ns}


def test_speedscope(hasten, traced):
    path = export(hasten, "x.speedscope.json")
    raw = json.loads(path.read_text())
    threads = sorted({t for t, _, _ in traced.contexts})
    assert len(raw["profiles"]) == len(threads)
    frames = raw["shared"]["frames"]
    native = [f for f in frames if f["name"].startswith("<built-in method")]
    assert native and all(set(f) == {"name"} for f in native)
    for thread, profile in zip(threads, raw["profiles"]):
        assert profile["endValue"] == sum(profile["weights"]) == traced.total(thread)
        # In order of the tree: what is drawn as one box in its picture is one box in time as well.
        done, before = set(), []
        for stack in profile["samples"]:
            common = 0
            while common < min(len(before), len(stack)) and before[common] == stack[common]:
                common += 1
            for depth in range(common, len(before)):
                done.add(tuple(before[:depth + 1]))
            assert not any(tuple(stack[:depth + 1]) in done for depth in range(common, len(stack)))
            before = stack


def test_speedscope_import(hasten, traced):
    profiles = consumers.speedscope_profiles(export(hasten, "x.speedscope.json"))
    for thread, profile in zip(sorted({t for t, _, _ in traced.contexts}), profiles):
        assert profile["name"] == traced.thread_name(thread)
        assert profile["unit"] == "nanoseconds" and profile["total"] == traced.total(thread)
        sums = traced.sums(lambda f: (f.qualname, relative(f, traced), f.first_line or None), thread)
        found = {(f["name"], f.get("file"), f.get("line")): (f["self"], f["total"]) for f in profile["frames"]}
        assert {k: v for k, v in found.items() if any(v)} == {k: v[2:] for k, v in sums.items() if any(v[2:])}


def test_speedscope_of_a_timeline(hasten, system):
    """Its importer takes the events: as many nanoseconds of each function as lie between its own."""
    program = hasten.folder / "counted.py"
    program.write_text(PROGRAM)
    interpreter = system.traceable()
    hasten.ok("trace", "-q", "--timeline", "--", *interpreter.command, interpreter.inside(program))
    path = export(hasten, "x.speedscope.json")
    raw = json.loads(path.read_text())
    jsonschema = pytest.importorskip("jsonschema")
    jsonschema.validate(raw, consumers.speedscope_schema())
    profiles = consumers.speedscope_profiles(path)
    assert [p["name"] for p in raw["profiles"]] == [p["name"] for p in profiles] and len(profiles) == 2
    for written, read in zip(raw["profiles"], profiles):
        own, total, stack, before = collections.Counter(), collections.Counter(), [], 0
        for event in written["events"]:
            if stack:
                own[stack[-1]] += event["at"] - before
                for frame in set(stack):
                    total[frame] += event["at"] - before
            before = event["at"]
            if event["type"] == "O":
                stack.append(event["frame"])
            else:
                assert stack.pop() == event["frame"]
        frames = raw["shared"]["frames"]
        expected = collections.defaultdict(lambda: [0, 0])
        for frame in total:
            row = expected[frames[frame]["name"], frames[frame].get("file"), frames[frame].get("line")]
            row[0], row[1] = row[0] + own[frame], row[1] + total[frame]
        found = {(f["name"], f.get("file"), f.get("line")): [f["self"], f["total"]] for f in read["frames"]}
        assert {k: v for k, v in found.items() if any(v)} == {k: v for k, v in expected.items() if any(v)}
        assert read["unit"] == "nanoseconds" and read["total"] == sum(own.values())


def test_hasten(hasten, traced):
    path = export(hasten, "x.hasten")
    again = hasten.ok("export", "--store", path, "-f", "jsonl").out
    assert again.splitlines()[1:] == hasten.ok("export", "-f", "jsonl").out.splitlines()[1:]


# --- what cannot be --------------------------------------------------------------------------------------------
@pytest.mark.parametrize("format", ["chrome", "gecko"])
def test_order_is_not_known(hasten, traced, format):
    result = hasten("export", "-f", format, "-o", hasten.folder / "x.json")
    assert result.code != 0 and not (hasten.folder / "x.json").exists()
    assert "the format %s shows what came after what" % format in result.err and "-f speedscope" in result.err


def test_states_are_not_known(hasten, traced):
    result = hasten("export", "-f", "collapsed", "--mode", "cpu")
    assert result.code != 0 and "run 1 was traced" in result.err and "--mode" in result.err
