"""hasten heap export -f meliae and import, of real programs: a reader after the loader of meliae takes every line."""
import gzip
import json
import re
import subprocess

PROGRAM = '''\
import sys


class Node:
    def __init__(self, number):
        self.number = number
        self.title = 'n%d "quoted" \\\\ / \\u00e9' % number
        self.items = [number, self.title]


class Meta(type):
    pass


class Unused(metaclass=Meta):
    def method(self):
        return self


CACHE = {"nodes": [Node(i + 100000) for i in range(200)], "large": 3 ** 50, 7: True, "long": "x" * 300}
print("ready", flush=True)
sys.stdin.readline()
'''
# The keys in the order in which meliae writes them, as its loader demands it; it takes neither type nor name with an escape.
LINE = re.compile(r'\{"address": (?P<address>\d+)'
                  r', "type": "(?P<type>[^"]*)"'
                  r', "size": (?P<size>\d+)'
                  r'(?:, "name": "(?P<name>[^"]*)")?'
                  r'(?:, "len": (?P<len>\d+))?'
                  r'(?:, "value": (?P<quote>"?)(?P<value>.*)(?P=quote))?'
                  r', "refs": \[(?P<refs>(?:\d+(?:, \d+)*)?)\]\}')


def load(lines):
    """{address: object}; that JSON says the same is asked of every line."""
    objects = {}
    for line in lines:
        match = LINE.fullmatch(line)
        assert match, line
        assert "\\" not in match["type"] + (match["name"] or "")
        one = json.loads(line)
        assert (int(match["address"]), int(match["size"])) == (one["address"], one["size"])
        assert [int(word) for word in match["refs"].split(", ") if word] == one["refs"]
        for key in ("name", "value"):
            assert (match[key] is not None) == (key in one)
            if isinstance(one.get(key), str):
                assert json.loads('"%s"' % match[key]) == one[key]
        objects[one["address"]] = one
    assert len(objects) == len(lines)
    return objects


def only(objects, **wanted):
    found = [one for one in objects.values() if all(one.get(key) == value for key, value in wanted.items())]
    assert len(found) == 1, (wanted, found)
    return found[0]


def dict_of(objects, one):
    return {objects[key].get("value"): objects[value] for key, value in zip(one["refs"][::2], one["refs"][1::2])
            if key and value}


def snapshot(hasten, interpreter, start, tmp_path):
    (tmp_path / "app.py").write_text(PROGRAM)
    target = start(interpreter.command + [interpreter.inside(tmp_path / "app.py")], stdin=subprocess.PIPE)
    hasten.ok("heap", target.pid)


def test_lines(hasten, interpreter, start, tmp_path):
    snapshot(hasten, interpreter, start, tmp_path)
    objects = load(hasten.ok("heap", "export", "-f", "meliae").out.splitlines())
    module = only(objects, type="module", name="__main__")
    assert only(objects, type="module", name="sys")
    names = dict_of(objects, objects[module["refs"][0]])
    cache = names["CACHE"]
    assert cache["type"] == "dict" and cache["len"] == 4
    entries = dict_of(objects, cache)
    assert (entries["large"]["value"], entries[7]["value"]) == (3 ** 50, "True")
    assert "x" * 48 == entries["long"]["value"][:48] and "len" not in entries["long"]
    assert entries["nodes"]["len"] == 200
    for number, address in enumerate(entries["nodes"]["refs"], 100000):
        node = objects[address]
        assert node["type"] == "__main__.Node"
        assert objects[node["refs"][-1]] is names["Node"]
        values = {objects[child].get("value") for one in [node] + [objects[ref] for ref in node["refs"][:-1]]
                  for child in one["refs"] if one in (node,) or one["type"] == "dict"}
        assert {number, 'n%d "quoted" \\ / \xe9' % number} <= values
    assert names["Node"]["name"] == "__main__.Node" and names["Unused"]["name"] in ("Unused", "__main__.Unused")
    assert only(objects, type="function", name="Unused.method")


def test_there_and_back(hasten, interpreter, start, tmp_path):
    snapshot(hasten, interpreter, start, tmp_path)
    hasten.ok("heap", "export", "-f", "meliae", "-o", "one.json")
    answer = hasten.ok("heap", "import", "-f", "meliae", "one.json", "--json").json
    assert (answer["bad_lines"], answer["repeated"], answer["unknown_references"]) == (0, 0, 0)
    hasten.ok("heap", "export", "-f", "meliae", "-o", "two.json.gz")
    one = (hasten.folder / "one.json").read_text()
    assert gzip.open(str(hasten.folder / "two.json.gz"), "rt").read() == one
    types = [hasten.ok("heap", "types", run, "-n", 0, "--json").json["types"] for run in ("last~1", "last")]
    of = [{(row["type"], row["objects"], row["bytes"]) for row in rows} for rows in types]
    assert of[0] == of[1] and len(of[0]) == answer["types"]
    shown = hasten.ok("heap", "show", "__main__.CACHE['nodes'][3]", "--json").json
    assert shown["type"] == "__main__.Node" and shown["reached"]


def test_damage(hasten):
    lines = ['{"address": %d, "type": "a", "size": 16, "refs": [%d]}' % (i, i + 16) for i in range(16, 1600, 16)]
    lines[3] = "\x00\x01"
    lines[5] = '{"address": 2, "type": "b", "size": 99999999999999999999, "refs": []}'
    lines[7] = lines[6]
    path = hasten.folder / "bad.json"
    path.write_text("[\n" + ",\n".join(lines) + "\n]\n")
    result = hasten.ok("heap", "import", "-f", "meliae", path, "--json")
    assert result.json["objects"] == len(lines) - 3
    assert [row["line"] for row in result.json["first_bad_lines"]] == [5, 7]
    assert (result.json["repeated"], result.json["unknown_references"]) == (1, 4)
    assert "line 7, byte" in result.err and "2 of 101 lines were left out" in result.err
    whole = gzip.compress(path.read_bytes())
    path.write_bytes(whole[:len(whole) // 2])
    cut = hasten.ok("heap", "import", "-f", "meliae", path, "--json").json
    assert cut["cut"] and 0 < cut["objects"] < len(lines)
    path.write_bytes(b"")
    empty = hasten("heap", "import", "-f", "meliae", path)
    assert empty.code == 2 and "is empty" in empty.err and hasten("heap", "import", hasten.folder).code != 0
