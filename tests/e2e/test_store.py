"""The store when things are not as they should be, and where it lies."""
import json
import os
import pathlib
import shutil
import sqlite3
import subprocess

import pytest

STORE = 6
HEAP = pathlib.Path(__file__).parent.parent / "fuzz" / "corpus" / "store" / "seed-store-heap"


def make_run(hasten, system, *options):
    result = hasten("run", *options, "--", *system.run_target("ending.py", 0.3, "code:0"))
    assert result.code == 0, result
    return result


def test_corrupt(hasten, system):
    make_run(hasten, system)
    hasten.database.write_bytes(b"this is not a database, it never was one\n" * 200)
    for command in (("runs",), ("show",), ("export", "-f", "collapsed"), ("rm", "1")):
        result = hasten(*command)
        assert result.code == STORE and str(hasten.database) in result.err, (command, result)
    # A measurement is not thrown away for that: the program runs, and its code is kept.
    result = hasten("run", "--", *system.run_target("ending.py", 0.3, "code:5"))
    assert result.code in (5, STORE), result
    assert str(hasten.database) in result.err
    assert hasten.database.read_bytes().startswith(b"this is not")


def test_damaged_in_the_middle(hasten, system):
    make_run(hasten, system)
    with open(str(hasten.database), "r+b") as file:
        size = os.path.getsize(str(hasten.database))
        for place in range(4096 + 100, size - 600, 4096):
            file.seek(place)
            file.write(os.urandom(512))
    for command in (("runs",), ("show",), ("export", "-f", "collapsed")):
        result = hasten(*command)
        assert result.code in (0, 1, STORE), (command, result)
        assert result.code == 0 or result.err, (command, result)


def test_newer(hasten, system):
    make_run(hasten, system)
    with sqlite3.connect(str(hasten.database)) as connection:
        (version,) = connection.execute("pragma user_version").fetchone()
        assert version >= 1
        connection.execute("pragma user_version = %d" % (version + 900))
    result = hasten("runs")
    assert result.code == STORE and "newer" in result.err, result


def test_locked(hasten, system):
    make_run(hasten, system)
    connection = sqlite3.connect(str(hasten.database), isolation_level=None)
    connection.execute("begin exclusive")
    result = hasten("rm", "1", timeout=60)
    connection.execute("rollback")
    connection.close()
    assert result.code == STORE and "lock" in result.err, result


def test_read_only(hasten, as_nobody, system):
    """What only reads works in a store that cannot be written; what writes says so."""
    make_run(hasten, system)
    shutil.copytree(str(hasten.store), str(as_nobody.store))  # root's, and readable
    done = as_nobody("show")
    assert done.code == 0 and "spin" in done.out, done
    done = as_nobody("rm", "1")
    assert done.code == STORE and str(as_nobody.store) in done.err, done


def test_found_at_the_root_of_the_project(hasten, system, tmp_path):
    project = tmp_path / "project"
    (project / "deep" / "er").mkdir(parents=True)
    (project / "pyproject.toml").write_text("")
    environment = {k: v for k, v in hasten.environment.items() if k != "HASTEN_STORE"}
    command = system.run_target("ending.py", 0.3, "code:0")
    assert hasten("run", "--", *command, cwd=project / "deep" / "er", env=environment).code == 0
    assert (project / ".hasten" / "runs.db").exists()
    assert (project / ".hasten" / ".gitignore").read_text().strip() == "*"
    assert hasten("runs", "--json", cwd=project / "deep", env=environment).json[0]["number"] == 1


def test_the_option_wins_over_the_variable(hasten, system, tmp_path):
    make_run(hasten, system, "--store", tmp_path / "other")
    assert not hasten.database.exists()
    assert len(hasten.ok("runs", "--json", "--store", tmp_path / "other").json) == 1


def test_names_numbers_and_removal(hasten, system):
    make_run(hasten, system, "--name", "before")
    make_run(hasten, system)
    assert [run["number"] for run in hasten.runs()] in ([1, 2], [2, 1])
    for run, number in (("before", 1), ("1", 1), ("last", 2), ("last~1", 1)):
        assert hasten.stored(run).info["number"] == number
    hasten.ok("rm", "before")
    assert [run["number"] for run in hasten.runs()] == [2]
    make_run(hasten, system)
    assert sorted(run["number"] for run in hasten.runs()) == [2, 3], "a number is never given twice"


def test_a_name_is_given_once(hasten, system):
    make_run(hasten, system, "--name", "same")
    result = hasten("run", "--name", "same", "--", *system.run_target("ending.py", 0.3, "code:0"))
    assert "same" in result.err and result.code != 0, result


def test_one_run_as_a_file(hasten, system, tmp_path):
    make_run(hasten, system, "--name", "one")
    make_run(hasten, system)
    before = hasten.stored("one")
    hasten.ok("export", "one", "-f", "hasten", "-o", tmp_path / "one.hasten")
    copy = hasten.stored("last", "--store", tmp_path / "one.hasten")
    assert copy.samples == before.samples and copy.tables == before.tables


def test_heap(hasten, tmp_path):
    """What shows time says that a heap has none; the rest knows it as a run."""
    hasten.database.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(str(HEAP), str(hasten.database))
    assert "12  heap" in hasten("runs").out
    assert json.loads(hasten("runs", "--json").out)[0]["kind"] == "heap"
    for command in (("show", "1"), ("export", "1", "-f", "collapsed", "-o", str(tmp_path / "x"))):
        result = hasten(*command)
        assert result.code != 0 and "hasten heap types 1" in result.err, (command, result)
    copy = tmp_path / "one.hasten"
    result = hasten("export", "heap", "-f", "hasten", "-o", str(copy))
    assert result.code == 0 and "12 objects" in result.out, result
    assert hasten("rm", "1").code == 0
    with sqlite3.connect(str(hasten.database)) as connection:
        assert connection.execute("select count(*) from heap_column").fetchone() == (0,)
    with sqlite3.connect(str(copy)) as connection:
        assert connection.execute("select object_count from heap where run = 1").fetchone() == (12,)
        assert connection.execute("select objects from named_heap_type where name = 'app.Node'").fetchone() == (2,)
