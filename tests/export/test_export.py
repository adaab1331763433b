"""Every export against its consumer: a run of known content is written to a store, exported, read by the tool that the
format is for, and what that tool adds up must be the known content, to the nanosecond.

Which consumer is asked: docs/commands/export.md. One that is not there is skipped by name ("CONSUMER ABSENT")."""
import collections
import gzip
import json
import re

import pytest

import consumers
import known
from conftest import BINARY

MAKE_RUN = BINARY.parent / "tests" / "export" / "make_run"
RUNS = {"small": known.small(), "random 1": known.random_run(1), "random 2": known.random_run(2, 300)}


@pytest.fixture(scope="module", autouse=True)
def said(request):
    print("consumers here: " + consumers.versions())


@pytest.fixture(params=RUNS, ids=lambda name: name.replace(" ", "-"))
def content(request, hasten):
    """A known run, which is the last one in the store."""
    make(hasten, RUNS[request.param])
    return RUNS[request.param]


def make(hasten, content):
    hasten.store.mkdir(exist_ok=True)
    consumers.run([MAKE_RUN, hasten.database], input=content.description())


def export(hasten, name, *options):
    path = hasten.folder / name
    result = hasten.ok("export", "-o", path, "--mode", "all", *options)
    assert name in result.out
    return path


def nonzero(sums):
    return {key: value for key, value in sums.items() if value}


# --- collapsed -------------------------------------------------------------------------------------------------
def test_collapsed_lines(hasten, content):
    """The rule by which flamegraph.pl, inferno and speedscope read a line, and no line twice."""
    found = collections.Counter()
    for line in export(hasten, "x.collapsed").read_text(encoding="utf-8").split("\n")[:-1]:
        frames, weight = re.fullmatch(r"(.*) (\d+)", line).groups()
        assert frames not in found
        found[frames] = int(weight)
    expected = collections.Counter()
    for path, weight in content.by_path().items():
        expected[";".join(content.label(f, ";", ":") for f in path or [None])] += weight
    assert found == expected


def test_collapsed_in_speedscope(hasten, content):
    (profile,) = consumers.speedscope_profiles(export(hasten, "x.collapsed"))
    expected = content.sums(lambda f: content.label(f, ";", ":"))
    assert profile["total"] == content.total()
    assert {f["name"]: (f["self"], f["total"]) for f in profile["frames"]} == expected


# --- speedscope ------------------------------------------------------------------------------------------------
def test_speedscope_schema(hasten, content):
    jsonschema = pytest.importorskip("jsonschema", reason="CONSUMER ABSENT: the package jsonschema is not installed")
    jsonschema.validate(json.loads(export(hasten, "x.speedscope.json").read_text()), consumers.speedscope_schema())


def test_speedscope_import(hasten, content):
    profiles = consumers.speedscope_profiles(export(hasten, "x.speedscope.json"))
    threads = sorted({s.thread for s in content.samples})
    assert len(profiles) == len(threads)
    for thread, profile in zip(threads, profiles):
        one = known.Known()
        one.__dict__.update(content.__dict__, samples=[s for s in content.samples if s.thread == thread])
        process, native, name = content.threads[thread]
        assert profile["name"] == "%s (pid %d, thread %d)" % (known.decoded(name), content.processes[process][0], native)
        assert profile["unit"] == "nanoseconds" and profile["total"] == one.total()
        expected = one.sums(lambda f: (known.NO_FRAME, None, None) if f is None else (
            known.decoded(content.functions[f].qualname), speedscope_file(content, f), content.functions[f].first_line))
        assert {(f["name"], f.get("file"), f.get("line")): (f["self"], f["total"]) for f in profile["frames"]} == expected


def speedscope_file(content, function):
    name, prefix = known.decoded(content.functions[function].file), content.directory + "/"
    return name[len(prefix):] if name.startswith(prefix) else name


# --- callgrind -------------------------------------------------------------------------------------------------
def callgrind_key(content):
    return lambda f: ("~" if f is None else content.file(f, relative=False), content.callgrind_name(f))


def test_callgrind_annotate(hasten, content):
    path = export(hasten, "callgrind.out.7")
    sums = content.sums(callgrind_key(content))
    costs, total = consumers.callgrind_annotate(path, inclusive=False)
    assert total == content.total()
    assert costs == nonzero({key: self for key, (self, _) in sums.items()})
    costs, total = consumers.callgrind_annotate(path, inclusive=True)
    assert total == content.total()
    expected = {key: inclusive for key, (_, inclusive) in sums.items()}
    for thread, (process, native, name) in enumerate(content.threads):
        weight = content.total(lambda s: s.thread == thread)
        expected["~", "%s (pid %d, thread %d)" % (known.cleaned(name), content.processes[process][0], native)] = weight
    assert costs == expected


def test_callgrind_in_speedscope(hasten, content):
    """From edges alone it guesses stacks: it leaves out what is below 0.01 % and cannot share out recursion, so only where
    there is little of either must it come to the whole."""
    (profile,) = consumers.speedscope_profiles(export(hasten, "callgrind.out.7"))
    assert profile["frames"]
    if content is RUNS["small"]:
        assert profile["total"] == pytest.approx(content.total(), rel=1e-3)


def test_callgrind_in_gprof2dot(hasten, content):
    selfs = consumers.gprof2dot_functions(export(hasten, "x.callgrind"), "callgrind")
    assert sum(selfs.values()) == content.total()


def test_callgrind_says_what_its_calls_are(hasten, content):
    text = export(hasten, "x.callgrind").read_text(encoding="utf-8")
    assert re.search(r"^desc: Calls: numbers of samples", text, re.M)
    assert all(int(n) <= len(content.samples) for n in re.findall(r"^calls=(\d+) ", text, re.M))


# --- pstats ----------------------------------------------------------------------------------------------------
def pstats_key(content):
    def key(function):
        if function is None:
            return ("~", 0, known.NO_FRAME)
        row = content.functions[function]
        return (content.file(function, relative=False), row.first_line, known.cleaned(row.name))
    return key


def test_pstats(hasten, content, capsys):
    stats = consumers.pstats_stats(export(hasten, "x.pstats"))
    key = pstats_key(content)
    sums, edges = content.sums(key), collections.defaultdict(lambda: [0, 0, 0.0, 0.0])
    samples, frames = collections.Counter(), collections.Counter()
    for s in content.samples:
        path = [key(f) for f in content.path(s.stack)] or [key(None)]
        samples.update(set(path))
        frames.update(path)
        pairs = list(zip(path, path[1:]))
        for pair in pairs:
            edges[pair][0] += 1
        for pair in set(pairs):
            edges[pair][1] += 1
            edges[pair][3] += s.weight
        if pairs:
            edges[pairs[-1]][2] += s.weight
    assert set(stats.stats) == set(sums)
    for function, (cc, nc, tt, ct, callers) in stats.stats.items():
        assert (cc, nc) == (samples[function], frames[function]), function
        assert (tt, ct) == pytest.approx([ns / 1e9 for ns in sums[function]], rel=1e-12, abs=1e-15), function
        assert set(callers) == {caller for caller, callee in edges if callee == function}
        for caller, (edge_nc, edge_cc, edge_tt, edge_ct) in callers.items():
            expected = edges[caller, function]
            assert [edge_nc, edge_cc] == expected[:2], (caller, function)
            assert [edge_tt, edge_ct] == pytest.approx([ns / 1e9 for ns in expected[2:]], rel=1e-12, abs=1e-15)
    assert stats.total_tt == pytest.approx(content.total() / 1e9)
    stats.sort_stats("cumulative").print_stats()
    stats.print_callers()
    stats.print_callees()
    assert "fib" in capsys.readouterr().out


def test_pstats_in_gprof2dot(hasten, content):
    selfs = consumers.gprof2dot_functions(export(hasten, "x.pstats"), "pstats")
    assert sum(selfs.values()) == pytest.approx(content.total() / 1e9)


# --- pprof -----------------------------------------------------------------------------------------------------
def test_pprof_by_protobuf(hasten, content):
    data = export(hasten, "x.pb.gz").read_bytes()
    profile = consumers.pprof_message(gzip.decompress(data))
    text = profile.string_table
    assert text[0] == ""
    functions = {f.id: f for f in profile.function}
    locations = {l.id: l for l in profile.location}
    assert 0 not in functions and 0 not in locations
    assert len(functions) == len(profile.function) and len(locations) == len(profile.location)
    assert [(text[t.type], text[t.unit]) for t in profile.sample_type] == [("samples", "count"), ("all", "nanoseconds")]
    assert text[profile.default_sample_type] == "all" and profile.period == 1000000
    found, threads = collections.Counter(), collections.Counter()
    for sample in profile.sample:
        lines = [locations[i].line[0] for i in reversed(sample.location_id)]
        names = tuple((text[functions[l.function_id].name], text[functions[l.function_id].filename], l.line) for l in lines)
        labels = {text[l.key]: text[l.str] or l.num for l in sample.label}
        found[names, labels["state"]] += sample.value[1]
        threads[labels["pid"], labels["thread_id"], labels["thread"]] += sample.value[0]
    expected, expected_threads = collections.Counter(), collections.Counter()
    states = ["unknown", "running", "runnable", "gil_wait", "blocked", "idle"]
    for s in content.samples:
        names = tuple((known.cleaned(content.functions[f].qualname), content.file(f, relative=False), line)
                      for f, line in content.frames(s.stack)) or ((known.NO_FRAME, "", 0),)
        expected[names, states[s.state]] += s.weight
        process, native, name = content.threads[s.thread]
        expected_threads[content.processes[process][0], native, known.cleaned(name)] += 1
    assert found == expected
    assert threads == expected_threads


def test_pprof_by_go(hasten, content):
    found = consumers.go_pprof_top(export(hasten, "x.pb.gz"), "-sample_index=all")
    name = lambda f: known.NO_FRAME if f is None else known.cleaned(content.functions[f].qualname)
    for function, (self, total) in content.sums(name).items():
        assert found.pop(function) == (pytest.approx(self, rel=1e-3), pytest.approx(total, rel=1e-3)), function
    assert not found


def test_pprof_in_speedscope(hasten, content):
    (profile,) = consumers.speedscope_profiles(export(hasten, "x.pb.gz"))
    assert profile["unit"] == "nanoseconds" and profile["total"] == content.total()


# --- chrome ----------------------------------------------------------------------------------------------------
def test_chrome_nests(hasten, content):
    """Perfetto's rules: sorted by time with ties in the file's order, every end closes the innermost begin, nothing stays
    open. The time inside each slice is compared as self and total time of its function."""
    events = json.loads(export(hasten, "x.trace.json").read_text(), parse_float=lambda s: int(s.replace(".", "")))
    events = [e for e in events["traceEvents"] if e["ph"] != "M"]
    found = collections.defaultdict(lambda: [0, 0])
    by_thread = collections.defaultdict(list)
    for event in events:
        assert set(event) == {"ph", "cat", "name", "pid", "tid", "ts"} and event["ph"] in "BE"
        by_thread[event["pid"], event["tid"]].append(event)
    for rows in by_thread.values():
        stack, before = [], 0
        for event in rows:
            assert event["ts"] >= before
            if stack:
                found[stack[-1]][0] += event["ts"] - before
            for name in set(stack):
                found[name][1] += event["ts"] - before
            before = event["ts"]
            if event["ph"] == "B":
                stack.append(event["name"])
            else:
                assert stack and stack.pop() == event["name"]
        assert stack == []
    expected = content.sums(lambda f: content.label(f))
    expected.pop(known.NO_FRAME, None)  # no slice
    assert {name: tuple(sums) for name, sums in found.items()} == expected


def test_chrome_keeps_a_call_open(hasten):
    """A call that goes on over lines and samples is one slice; a gap ends it."""
    content = known.small()
    make(hasten, content)
    events = json.loads(export(hasten, "x.trace.json").read_text())["traceEvents"]
    begins = collections.Counter(e["name"] for e in events if e["ph"] == "B")
    assert begins["<module> (app.py:1)"] == 2  # before and after the gap
    assert begins["fib (app.py:20)"] == 3
    names = {e["tid"]: e["args"]["name"] for e in events if e["name"] == "thread_name"}
    assert names == {7: "MainThread", 8: known.decoded(content.threads[1][2]), 9: "MainThread"}


def test_chrome_in_speedscope(hasten):
    """Where a call ends and another of the same name begins at the same time, it takes the two for nested, unlike Perfetto;
    this run has no such place."""
    content = known.small()
    make(hasten, content)
    profiles = consumers.speedscope_profiles(export(hasten, "x.trace.json"))
    found = collections.Counter()
    for profile in profiles:
        assert profile["unit"] == "microseconds"
        for frame in profile["frames"]:
            found[frame["name"]] += frame["self"]
    total = content.total(lambda s: s.stack != 0)
    assert sum(found.values()) == pytest.approx(total / 1000, rel=1e-9)


# --- gecko -----------------------------------------------------------------------------------------------------
def check_table(table, *columns):
    assert set(table) == set(columns) | {"length"}
    for column in columns:
        assert len(table[column]) == table["length"], column


def test_gecko_rules(hasten, content):
    """The processed format's own rules, version 57: columns of equal length, indexes that exist, prefixes before their
    children, times that do not go back, a grey category, strings for pids."""
    profile = json.loads(export(hasten, "x.gecko.json").read_text())
    meta, strings = profile["meta"], profile["shared"]["stringArray"]
    assert meta["preprocessedProfileVersion"] == 57 and meta["symbolicated"] is True
    assert meta["interval"] == 1 and isinstance(meta["startTime"], float) and meta["markerSchema"] == []
    assert any(c["color"] == "grey" for c in meta["categories"])
    assert all(c["subcategories"] == ["Other"] for c in meta["categories"])
    names = [c["name"] for c in meta["categories"]]
    threads = sorted({s.thread for s in content.samples})
    assert len(profile["threads"]) == len(threads)
    for index, thread in zip(threads, profile["threads"]):
        check_gecko_tables(thread, strings, len(names))
        process, native, name = content.threads[index]
        assert (thread["name"], thread["tid"]) == (known.decoded(name), native)
        assert thread["pid"] == str(content.processes[process][0])
        samples = [s for s in content.samples if s.thread == index]
        assert gecko_samples(thread, strings, names) == expected_gecko(content, samples)
        times = thread["samples"]["time"]
        assert times == sorted(times)
        assert times == pytest.approx([(s.time - s.weight) / 1e6 for s in samples])


def check_gecko_tables(thread, strings, categories):
    stacks, frames, functions = thread["stackTable"], thread["frameTable"], thread["funcTable"]
    check_table(stacks, "frame", "prefix")
    check_table(frames, "address", "inlineDepth", "category", "subcategory", "func", "nativeSymbol", "innerWindowID",
                "line", "column")
    check_table(functions, "name", "isJS", "relevantForJS", "resource", "fileName", "lineNumber", "columnNumber")
    check_table(thread["resourceTable"], "lib", "name", "host", "type")
    check_table(thread["nativeSymbols"], "libIndex", "address", "name", "functionSize")
    check_table(thread["markers"], "data", "name", "startTime", "endTime", "phase", "category")
    assert all(prefix is None or 0 <= prefix < row for row, prefix in enumerate(stacks["prefix"]))
    assert all(0 <= frame < frames["length"] for frame in stacks["frame"])
    assert all(0 <= function < functions["length"] for function in frames["func"])
    assert all(c is None or 0 <= c < categories for c in frames["category"])
    assert all((c is None) == (s is None) for c, s in zip(frames["category"], frames["subcategory"]))
    assert all(0 <= name < len(strings) for name in functions["name"])
    assert all(name is None or 0 <= name < len(strings) for name in functions["fileName"])
    samples = thread["samples"]
    assert samples["weightType"] == "tracing-ms"
    assert len(samples["stack"]) == len(samples["time"]) == len(samples["weight"]) == samples["length"]


def gecko_samples(thread, strings, categories):
    """{(names and lines from the root to the leaf, category): ns}, by the profiler's rule that categories are inherited."""
    stacks, frames, functions = thread["stackTable"], thread["frameTable"], thread["funcTable"]
    found = collections.Counter()
    for stack, weight in zip(thread["samples"]["stack"], thread["samples"]["weight"]):
        path, category = [], None
        while stack is not None:
            frame = stacks["frame"][stack]
            if category is None:
                category = frames["category"][frame]
            path.append((strings[functions["name"][frames["func"][frame]]], frames["line"][frame]))
            stack = stacks["prefix"][stack]
        found[tuple(path[::-1]), categories[category]] += round(weight * 1e6)
    return found


def expected_gecko(content, samples):
    states = ["Unknown", "Running", "Waiting for a CPU", "Waiting for the GIL", "Blocked", "Idle"]
    expected = collections.Counter()
    for s in samples:
        path = tuple((known.decoded(content.functions[f].qualname), line) for f, line in content.frames(s.stack))
        category = "Garbage collector" if s.flags & known.IN_GC else states[s.state]
        expected[path or ((known.NO_FRAME, None),), category] += s.weight
    return expected


# --- our own ---------------------------------------------------------------------------------------------------
def test_jsonl_holds_all(hasten, content):
    rows = [json.loads(line) for line in export(hasten, "x.jsonl").read_text().splitlines()]
    assert rows[0]["type"] == "run" and rows[0]["format"] == "hasten-jsonl" and rows[0]["version"] == 1
    assert rows[0]["command"] == content.command
    tables = collections.defaultdict(list)
    for row in rows:
        tables[row["type"]].append(row)
    for kind in ("process", "thread", "function", "location"):
        assert [row["id"] for row in tables[kind]] == list(range(len(tables[kind])))
    assert [(r["name"], r["qualname"], r["file"], r["first_line"]) for r in tables["function"]] == [
        (known.decoded(f.name), known.decoded(f.qualname), known.decoded(f.file), f.first_line) for f in content.functions]
    assert [(r["function"], r["line"]) for r in tables["location"]] == content.locations
    assert [(r["parent"], r["location"]) for r in tables["stack"]] == content.stacks[1:]
    states = ["unknown", "running", "runnable", "gil_wait", "blocked", "idle"]
    found = sorted((r["thread"], r["time_ns"], r["weight_ns"], r["stack"], states.index(r["state"]),
                    r.get("holds_gil", False) * 1 + r.get("in_gc", False) * 2, r.get("system_call", -1) + 1)
                   for r in tables["sample"])
    assert found == sorted((s.thread, s.time, s.weight, s.stack, s.state, s.flags, s.detail) for s in content.samples)
    assert tables["end"] == [{"type": "end", "samples": len(content.samples), "weight_ns": content.total()}]


def test_hasten_is_the_whole_run(hasten, content):
    path = export(hasten, "x.hasten", "--mode", "wall")
    before = hasten.ok("export", "-f", "jsonl", "--mode", "all").out.splitlines()
    after = hasten.ok("export", "-f", "jsonl", "--mode", "all", "--store", path).out.splitlines()
    assert before[1:] == after[1:]


# --- the command -----------------------------------------------------------------------------------------------
def test_mode_and_show(hasten):
    content = known.small()
    make(hasten, content)
    weights = lambda *options: sum(int(line.rpartition(" ")[2]) for line in
                                   hasten.ok("export", "-f", "collapsed", *options).out.splitlines())
    assert weights("--mode", "cpu") == content.total(lambda s: s.state == known.RUNNING)
    assert weights("-g") == weights("--mode", "gil") == content.total(lambda s: s.flags & known.HOLDS_GIL)
    assert weights("--mode", "gc") == content.total(lambda s: s.flags & known.IN_GC)
    assert weights("--mode", "blocked") == content.total(lambda s: s.state == known.BLOCKED)
    assert weights("--thread", "8") == content.total(lambda s: s.thread == 1)
    assert weights("--process", "9") == content.total(lambda s: s.thread == 2)
    assert weights("--show", "fib") == content.total(lambda s: 2 in content.path(s.stack))


def test_nothing_left(hasten):
    make(hasten, known.small())
    result = hasten("export", "-f", "collapsed", "--mode", "idle")
    assert result.code == 0 and result.out == "" and "no sample" in result.err and "--mode all" in result.err
    result = hasten("export", "-f", "pstats", "--mode", "idle")
    assert result.code != 0 and "idle" in result.err
    assert not list(hasten.folder.glob("*.pstats*"))


@pytest.mark.parametrize("format, file", [
    ("speedscope", "speedscope_7.speedscope.json"), ("gecko", "gecko_7.gecko.json"), ("pprof", "pprof_7.pb.gz"),
    ("chrome", "chrome_7.trace.json"), ("callgrind", "callgrind.out.7"), ("pstats", "pstats_7.pstats"),
    ("hasten", "hasten_7.hasten"), ("collapsed", None), ("jsonl", None),
])
def test_default_names(hasten, format, file):
    make(hasten, known.small())
    result = hasten.ok("export", "-f", format)
    files = sorted(p.name for p in hasten.folder.iterdir() if p.is_file())
    assert files == ([file] if file else [])
    assert file in result.out if file else result.out.count("\n") >= 10


def test_standard_output(hasten):
    make(hasten, known.small())
    assert json.loads(hasten.ok("export", "-f", "speedscope", "-o", "-").out)["profiles"]


def test_formats_are_listed(hasten):
    names = hasten.ok("export", "--list-formats").out.split()
    assert {"collapsed", "speedscope", "gecko", "pprof", "chrome", "callgrind", "pstats", "lprof", "jsonl", "hasten"} == set(names)
    make(hasten, known.small())
    for arguments, words in [((), "format"), (("-f", "speedscop"), "--format speedscope"), (("-o", "x.svg"), "x.svg")]:
        result = hasten("export", *arguments)
        assert result.code == 2 and result.out == "" and words in result.err, result
        assert all(name in result.err for name in names), result


def test_a_run_of_a_real_program(hasten, system):
    """The same whole in every format, of a program that was sampled."""
    assert hasten("run", "-r", "1khz", "--", *system.run_target("ending.py", 0.5, "code:0")).code == 0
    stored = hasten.stored()
    total = stored.end["weight_ns"]
    assert total > 0
    assert sum(int(line.rpartition(" ")[2]) for line in
               export(hasten, "x.collapsed").read_text(encoding="utf-8").splitlines()) == total
    profile = consumers.pprof_message(gzip.decompress(export(hasten, "x.pb.gz").read_bytes()))
    assert sum(sample.value[1] for sample in profile.sample) == total
    assert sum(sample.value[0] for sample in profile.sample) == stored.end["samples"]
    assert consumers.pstats_stats(export(hasten, "x.pstats")).total_tt == pytest.approx(total / 1e9)
    assert consumers.callgrind_annotate(export(hasten, "callgrind.out.1"), inclusive=False)[1] == total
    gecko = json.loads(export(hasten, "x.gecko.json").read_text())
    assert sum(round(w * 1e6) for t in gecko["threads"] for w in t["samples"]["weight"]) == total
    speedscope = json.loads(export(hasten, "x.speedscope.json").read_text())
    assert sum(w for p in speedscope["profiles"] for w in p["weights"]) == total
