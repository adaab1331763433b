"""hasten.heap: a program looks at its own objects, on every interpreter, and sees what it made."""
import json
import os
import platform
import re
import subprocess

import pytest

from package import package  # noqa: F401


@pytest.fixture
def inside(package, hasten):
    """inside(what, words...) -> what the program says."""
    hasten.environment["HASTEN_STORE"] = package.measuring()

    def run(what, *words, **more):
        done = subprocess.run(package.command("heap_inside.py", what, *words), stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, universal_newlines=True, timeout=100,
                              env=dict(package.environment, **more))
        assert done.returncode == 0 and done.stderr == "", done.stderr
        return json.loads(done.stdout)

    run.package = package
    return run


def test_types(inside, hasten):
    told = inside("types")
    assert 'run 1 already has the name "mine"' in told.pop("twice")
    assert told == {"planted": 1234, "slotted": 2, "sorted": True, "runs": [1, 1, 1, 1], "same": True, "fresh": 1234,
                    "repr": "<hasten.heap.Snapshot 1>", "last~1": 1}
    assert len(hasten.runs()) == 2
    rows = hasten.ok("heap", "types", "mine", "-n", 0, "--json").json["types"]
    assert {row["type"]: row["objects"] for row in rows}["__main__.Planted"] == 1234


@pytest.mark.skipif(platform.machine() != "x86_64", reason="on x86-64 only")
def test_ways(inside):
    told = inside("ways")
    assert told["fork"] == 1234
    if "this system does not tell" in str(told["precopy"]):
        pytest.skip(told["precopy"])
    assert told["precopy"] == 1234


def test_questions(inside):
    told = inside("questions")
    assert told == {"new": 500, "kept": True, "type": "list", "retained": True,
                    "query": [{"type": "__main__.Planted", "n": 1234}], "suspects": ["list", "list"], "cycles": True,
                    "waste": ["bytes", "example", "kind", "objects", "text", "type"],
                    "duplicates": ["bytes", "example", "kind", "objects", "text", "type"], "top": 3}


def test_objects(inside):
    told = inside("objects")
    errors = told.pop("errors")
    assert told == {"same": True, "address": True, "path": "__main__.PAIR.other",
                    "referrers": [[".other", True, "__main__.Slotted"]], "referents": [[".other", True, "tuple"]],
                    "class": "__main__.Planted", "text": "'a text of its own'", "reference": True}
    assert len(errors) == 4 and ("no object" in errors[0] or "made after" in errors[0]) and "no object" in errors[1]
    assert "not taken by this process" in errors[2] and "NOTHING" in errors[3]


def test_tracker(inside, hasten):
    told = inside("tracker")
    ((kind, objects, size),) = told["first"]
    assert (kind, objects) == ("__main__.Later", 500) and size >= 500 * 16 and told["list"]
    lines = told["text"].splitlines()
    assert lines[0].split() == ["objects", "bytes", "type"] and len(lines) > 1
    (row,) = [line.split() for line in lines if line.endswith("  __main__.Planted")]
    assert row[0] == "-234" and int(row[1]) < -234 * 16
    assert told["quiet"] < 100, "the tracker finds itself"
    assert [run["number"] for run in hasten.runs()] == [told["run"]]


def test_loader(inside):
    told = inside("loader")
    lines = told["text"].splitlines()
    assert re.match(r"Total %d objects, \d+ types, Total size = \d+\.\d[KM]iB \(%d bytes\)$"
                    % (told["objects"], told["size"]), lines[0])
    assert lines[1] == " Index   Count   %      Size   % Cum     Max Kind" and len(lines) == 22
    index, count, _, size, _, _, largest, kind = lines[2].split()
    assert index == "0" and int(count) <= told["objects"] and int(largest) <= int(size)
    assert told["total"] == told["objects"] and told["size"] == told["bytes"]
    assert told["type"] == "__main__.Slotted" and told["address"] and told["in"] and told["missing"] == "1"
    assert told["c"] and told["p"] and "__main__.Slotted" in told["children"]
    assert sorted(told["parents"]) == ["dict", "tuple"] and told["num"] == [2, 1]
    assert told["value"] == "a text of its own" and told["none"] is None
    assert told["planted"] == 1234 and told["sorted"] and told["retained"]
    assert {"__main__.Slotted", "tuple", "str"} <= set(told["reached"]) and "module" not in told["reached"]
    assert told["repr"].startswith("__main__.Slotted(0x") and told["repr"].endswith("refs 2par)")
    assert told["edges"] == told["back"] > told["objects"]


def test_a_file_of_meliae(inside):
    dump = inside.package.place / "dump.json"
    dump.write_text("".join(json.dumps(row) + "\n" for row in (
        {"address": 64, "type": "list", "size": 88, "len": 2, "refs": [128, 192]},
        {"address": 128, "type": "str", "size": 60, "len": 5, "value": "hello", "refs": []},
        {"address": 192, "type": "int", "size": 28, "value": 7, "refs": []})))
    told = inside("file", inside.package.inside + "/dump.json")
    assert told["text"].splitlines() == [
        "Total 3 objects, 3 types, Total size = 176.0B (176 bytes)",
        " Index   Count   %      Size   % Cum     Max Kind",
        "     0       1  33        88  50  50      88 list",
        "     1       1  33        60  34  84      60 str",
        "     2       1  33        28  15 100      28 int"]
    assert told["children"] == ["hello", 7] and told["parents"] == [64] and told["run"] == 1
    assert told["types"] == ["list", "str", "int"]


def test_a_plain_user(inside):
    """Its own children may look, also where the system wants to be told so."""
    os.chmod(str(inside.package.place), 0o755)
    told = inside("as_a_plain_user", "dumpable")
    assert told["objects"] == 1234
    assert told["asked"] == [[0x59616D61, told["pid"]], [0x59616D61, 0]]


def test_not_allowed(inside):
    os.chmod(str(inside.package.place), 0o755)
    told = inside("as_a_plain_user", "hidden")
    assert "not" in told["error"] and "try" in told["error"] and "note:" not in told["error"], told
    assert len(told["asked"]) == 2


def test_without_the_command(inside):
    said = inside("refused", HASTEN_COMMAND="/nowhere/hasten")
    assert said == ["cannot start /nowhere/hasten: No such file or directory"] * 5


def test_nothing_in_the_store(inside):
    inside("types")
    said = inside("refused")
    assert len(said) == 1 and "/no/such/file" in said[0]
