"""Files of line_profiler, both ways: what `hasten lines` counted, read by line_profiler; what line_profiler counted, read by hasten."""
import pickle
import pickletools
import re
import subprocess
import sys

import pytest

import consumers

PROGRAM = '''\
def work(n):
    total = 0
    for i in range(n):
        total += i
    return total


class Namesake:
    def work(self):
        return work(3)


work(1000)
Namesake().work()
'''
HITS = {("work", 1): {2: 2, 3: 1005, 4: 1003, 5: 2}, ("Namesake.work", 9): {10: 1}}
# Bytes of a pickle that does nothing but hold data.
PLAIN = {"PROTO", "BINUNICODE", "STACK_GLOBAL", "EMPTY_TUPLE", "NEWOBJ", "EMPTY_DICT", "MARK", "EMPTY_LIST", "BININT", "LONG1",
         "BINFLOAT", "TUPLE3", "APPENDS", "SETITEMS", "BUILD", "STOP"}


class LineStats:
    """In place of line_profiler's own, to look into a file where that is not installed."""


class Unpickler(pickle.Unpickler):
    def find_class(self, module, name):
        assert (module, name) == ("line_profiler._line_profiler", "LineStats")
        return LineStats


@pytest.fixture
def run(hasten, system):
    """A run of lines, the last one in the store."""
    program = hasten.folder / "app.py"
    program.write_text(PROGRAM)
    interpreter = system.traceable()
    hasten.ok("lines", "-q", "-f", "work", "-f", "Namesake.work", "--",
              *interpreter.command, interpreter.inside(program))
    return hasten.ok("show", "--json").json


def export(hasten):
    path = hasten.folder / "x.lprof"
    assert "hits of run 1 as lprof\nnext: python3 -m line_profiler" in hasten.ok("export", "-o", path).out
    return path


def rows_of(page):
    return {(row["file"], row["first_line"], row["function"]): [(line["line"], line["hits"], line["total_ns"])
                                                                for line in row["lines"]] for row in page["functions"]}


def test_file(hasten, run):
    path = export(hasten)
    operations = {op.name for op, _, _ in pickletools.genops(path.read_bytes())}
    assert operations <= PLAIN, operations - PLAIN
    with open(str(path), "rb") as file:
        stats = Unpickler(file).load()
    assert stats.unit == 1e-9
    assert stats.timings == rows_of(run)
    found = {(name.split(".")[-1], first): {line: hits for line, hits, _ in rows}
             for (_, first, name), rows in stats.timings.items()}
    assert found == {(name.split(".")[-1], first): hits for (name, first), hits in HITS.items()}


def test_by_line_profiler(hasten, system, run):
    """As its own program prints it."""
    consumers.package("line_profiler")
    path = export(hasten)
    out = consumers.run([sys.executable, "-m", "line_profiler", path.name], cwd=str(hasten.folder))
    from line_profiler import load_stats
    assert load_stats(str(path)).timings == rows_of(run)
    assert re.search(r"^ +3 +1005 +[\d.]+ +[\d.]+ +[\d.]+ ", out, re.M), out
    if system.root is None:  # else the source is not where the file says
        assert re.search(r"^Function: work at line 1$", out, re.M), out
        assert re.search(r"^ +4 +1003 +[\d.]+ +[\d.]+ +[\d.]+ +total \+= i$", out, re.M), out


def test_read_again(hasten, run):
    """hasten show FILE of our own file: the same lines."""
    path = export(hasten)
    page = hasten.ok("show", path, "--json").json
    assert rows_of(page) == rows_of(run)
    assert page["imported"]["maker"] == "line_profiler"
    hasten.ok("import", path, "--name", "kept")
    assert rows_of(hasten.ok("show", "kept", "--json").json) == rows_of(run)
    again = hasten.folder / "again.lprof"
    hasten.ok("export", "kept", "-o", again)
    assert again.read_bytes() == path.read_bytes()


def test_file_of_line_profiler(hasten):
    consumers.package("line_profiler")
    (hasten.folder / "theirs.py").write_text(PROGRAM + '''
import sys
from line_profiler import LineProfiler
profiler = LineProfiler(work, Namesake.work)
profiler.enable()
work(1000)
Namesake().work()
profiler.disable()
profiler.dump_stats("theirs.lprof")
''')
    subprocess.run([sys.executable, "theirs.py"], cwd=str(hasten.folder), check=True)
    from line_profiler import load_stats
    stats = load_stats(str(hasten.folder / "theirs.lprof"))
    page = hasten.ok("show", "theirs.lprof", "--json").json
    assert rows_of(page) == {key: [tuple(row) for row in rows] for key, rows in stats.timings.items()}
    text = hasten.ok("show", "theirs.lprof").out
    assert "imported from theirs.lprof, made by line_profiler" in text
    assert re.search(r"^ +1,003 +\S+ us +\d+ ns +\d+\.\d % +4 > +total \+= i$", text, re.M), text
    assert re.search(r"^ +1 +def work\(n\):$", text, re.M), text


def test_what_it_cannot_say(hasten, run):
    for format in ("collapsed", "pstats", "chrome", "jsonl"):
        result = hasten("export", "-f", format, "-o", hasten.folder / "x")
        assert result.code == 2 and "holds the hits and times of lines" in result.err and "--format lprof" in result.err
    assert hasten("export", "-f", "lprof", "--mode", "cpu").code == 2


def test_hostile_file(hasten):
    """Nothing of it is executed."""
    class Touch:
        def __reduce__(self):
            return (open, (str(hasten.folder / "touched"), "w"))
    path = hasten.folder / "evil.lprof"
    path.write_bytes(pickle.dumps(Touch(), 2))
    for command in ("show", "import"):
        result = hasten(command, path)
        assert result.code == 2 and "it wants the class " in result.err and "executes nothing" in result.err, result
    assert not (hasten.folder / "touched").exists()
