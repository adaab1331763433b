"""Files of cProfile: hasten show FILE, hasten import, and what can be asked of such a run."""
import json
import pathlib
import pstats
import subprocess

import pytest

PROGRAM = '''\
import functools


def leaf(n):
    return len(range(n))


def fac(n):
    return 1 if n < 2 else n * fac(n - 1)


class Namesake:
    def leaf(self):
        return leaf(3)


def work():
    for i in range(100):
        leaf(i)
    fac(5)
    Namesake().leaf()
    return sum(map(abs, range(3)))


work()
'''


@pytest.fixture
def prof(hasten, interpreter):
    """A file that the interpreter's own cProfile wrote."""
    program = hasten.folder / "app.py"
    program.write_text(PROGRAM)
    inside = pathlib.Path(interpreter.inside(program))
    subprocess.run([*interpreter.command, "-m", "cProfile", "-o", str(inside.with_suffix(".prof")), str(inside)],
                   check=True, stdout=subprocess.DEVNULL)
    written = pathlib.Path("%s%s" % (interpreter.root or "", inside.with_suffix(".prof")))
    path = hasten.folder / "app.prof"
    path.write_bytes(written.read_bytes())
    return path


def key(row):
    return row["file"], row["first_line"], row["function"]


def numbers(row):
    return row["calls"], row["primitive_calls"], row["self_ns"] / 1e9, row["total_ns"] / 1e9


def check_page(page, path, limit=1e-9):
    """The page against what Python's pstats reads in the same file."""
    stats = pstats.Stats(str(path)).stats
    assert {key(row) for row in page["functions"]} == set(stats)
    for row in page["functions"]:
        cc, nc, tt, ct, _ = stats[key(row)]
        assert numbers(row) == (nc, cc, pytest.approx(tt, abs=limit), pytest.approx(ct, abs=limit))
    assert {(key(row["caller"]), key(row["callee"])) for row in page["edges"]} == {
        (caller, callee) for callee, value in stats.items() for caller in value[4]}
    for row in page["edges"]:
        nc, cc, tt, ct = stats[key(row["callee"])][4][key(row["caller"])]
        assert numbers(row) == (nc, cc, pytest.approx(tt, abs=limit), pytest.approx(ct, abs=limit))


def test_show_file(hasten, prof):
    check_page(hasten.ok("show", prof, "--json").json, prof)
    page = hasten.ok("show", "app.prof").out
    assert "imported from app.prof, made by cProfile\ntimes as cProfile measured them, with its own cost in them\n" in page
    assert "hasten show app.prof --callers FUNCTION" in page and "hasten import app.prof" in page
    assert not hasten.store.exists(), "looking at a file makes no store"


def test_callers_and_order(hasten, prof):
    lines = hasten.ok("show", "app.prof", "--callers", "fac").out.splitlines()
    assert any(" 4/1  fac " in line for line in lines) and any(" 1  work " in line for line in lines), lines
    assert "leaf" in hasten.ok("show", "app.prof", "--callees", "work").out
    by_calls = [row["calls"] for row in hasten.ok("show", "app.prof", "--json", "--sort", "samples").json["functions"]]
    assert by_calls == sorted(by_calls, reverse=True)
    assert len(hasten.ok("show", "app.prof", "--json", "-n", 3).json["functions"]) == 3


def test_import(hasten, prof):
    result = hasten.ok("import", "app.prof", "--name", "before")
    assert result.out.startswith("run 1: ") and "next: hasten show 1" in result.out
    (run,) = hasten.runs()
    assert (run["kind"], run["name"], run["status"]) == ("imported", "before", "complete")
    prof_copy = hasten.folder / "kept.prof"
    prof.rename(prof_copy)
    page = hasten.ok("show", "before", "--json").json
    check_page(page, prof_copy)
    assert page["imported"] == {"file": "app.prof", "maker": "cProfile", "edges_timed": True}
    assert "imported from app.prof" in hasten.ok("show").out
    assert "fac" in hasten.ok("show", "--callers", "fac").out


def test_export(hasten, prof):
    hasten.ok("import", prof)
    out = hasten.folder / "again.pstats"
    hasten.ok("export", "-o", out)
    before, after = pstats.Stats(str(prof)).stats, pstats.Stats(str(out)).stats
    assert set(before) == set(after)
    for function, value in before.items():
        assert value[:2] == after[function][:2]
        assert value[2:4] == pytest.approx(after[function][2:4], abs=1e-9)
        assert {c: e[:2] for c, e in value[4].items()} == {c: e[:2] for c, e in after[function][4].items()}
    hasten.ok("export", "-f", "hasten", "-o", hasten.folder / "one.hasten")
    check_page(hasten.ok("show", "--store", hasten.folder / "one.hasten", "--json").json, prof)
    text = (hasten.folder / "callgrind.out.0")
    hasten.ok("export", "-f", "callgrind", "-o", text)
    body = text.read_text()
    selfs = sum(row["self_ns"] for row in hasten.ok("show", "--json").json["functions"])
    assert "summary: %d\n" % selfs in body and "desc: Trigger: cProfile" in body
    assert "calls=100 4\n" in body


@pytest.mark.parametrize("format", ["collapsed", "speedscope", "gecko", "pprof", "chrome", "jsonl"])
def test_no_stacks_to_export(hasten, prof, format):
    hasten.ok("import", prof)
    result = hasten("export", "-f", format, "-o", hasten.folder / "x")
    assert result.code != 0 and "holds only edges" in result.err and "-f pstats" in result.err
    assert not (hasten.folder / "x").exists()


def test_what_it_cannot_say(hasten, prof):
    hasten.ok("import", prof)
    hasten.ok("import", prof)
    for words in (["show", "--tree"], ["show", "app.prof", "--threads"], ["show", "--lines", "app.py"]):
        result = hasten(*words)
        assert result.code != 0 and "no stacks, lines or threads" in result.err, words
    for words in (["--mode", "cpu"], ["-g"], ["--thread", "1"], ["--process", "1"], ["--show", "fac"], ["--hide", "fac"]):
        result = hasten("show", "app.prof", *words)
        assert result.code == 2 and "no part can be shown" in result.err, words
    result = hasten("diff")
    assert result.code != 0 and "cannot be compared" in result.err
    result = hasten("export", "-f", "pstats", "--mode", "cpu")
    assert result.code != 0 and "no part can be taken" in result.err


def test_remove(hasten, prof):
    hasten.ok("import", prof)
    hasten.ok("rm", "1")
    assert hasten.runs() == []


def test_no_such_thing(hasten, prof):
    script = hasten("show", "app.py")
    assert script.code != 0 and "app.py is a file, and no profile" in script.err
    (hasten.folder / "x.json").write_text('{"a": 1}')
    assert "x.json is a file, and no profile" in hasten("show", "x.json").err
    damaged = hasten.folder / "half.prof"
    damaged.write_bytes(prof.read_bytes()[:100])
    for command in ("show", "import"):
        result = hasten(command, damaged)
        assert result.code != 0 and "byte 100: it ends in the middle of a value" in result.err, result
    result = hasten("import", "absent.prof")
    assert result.code != 0 and "there is no file absent.prof" in result.err
    result = hasten("import", "app.py")
    assert result.code != 0 and "no profile of cProfile" in result.err
    assert not hasten.store.exists()
    hasten.ok("import", prof, "--name", "taken")
    assert hasten("import", prof, "--name", "taken").code != 0 and len(hasten.runs()) == 1


def test_numbers_that_are_large(hasten):
    import marshal
    path = hasten.folder / "large.prof"
    f, g = ("a.py", 1, "f"), ("~", 0, "<built-in method é>")
    path.write_bytes(marshal.dumps({f: (1, 2**40, 4e5, 9e8, {}), g: (7, 7, 1e-9, 0.25, {f: (9, 7, 1e-9, 0.25)})}))
    check_page(hasten.ok("show", path, "--json").json, path)
    hasten.ok("import", path)
    check_page(json.loads(hasten.ok("show", "--json").out), path)
