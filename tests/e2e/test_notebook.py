"""The package where people use it: a Jupyter kernel, IPython, pytest; and its types."""
import json
import os
import re
import subprocess
import sys

import pytest

from conftest import ROOT
from package import Package


@pytest.fixture
def ours(hasten, tmp_path):
    """The package in the interpreter that runs the tests, which has IPython and pytest. -> its environment"""
    from conftest import Interpreter

    package = Package(Interpreter("%d.%d.%d" % sys.version_info[:3], [sys.executable]), hasten)
    hasten.environment["HASTEN_STORE"] = package.measuring()
    package.environment.update(IPYTHONDIR=str(tmp_path / "ipython"), HOME=str(tmp_path), NO_COLOR="1", COLUMNS="100")
    yield package
    package.remove()


# --- IPython ---------------------------------------------------------------------------------------------------
CELLS = [
    "%load_ext hasten",
    "import time\ndef f(n):\n    t = 0\n    for i in range(n):\n        t += i\n    return t\n\ndef spin():\n"
    "    end = time.time() + 0.3\n    while time.time() < end:\n        pass\n",
    "%hasten spin()",
    "%%hasten -t\nx = f(10)\ny = [f(1) for _ in range(3)]",
    "x, y",
    "%hasten_lines -f f f(1000)",
    "%hasten -t -q -R f(10)",
    "%hasten -t -s '--callers f' f(2)",
    "%hasten_lines f(1)",
    "%hasten_lines -f nothing f(1)",
    "%hasten",
    "%hasten 1/0",
    "%hasten -r never f(1)",
]


def check(said):
    """said: what each cell printed and gave, errors too; a kernel has it coloured."""
    said = [re.sub(r"\x1b\[[0-9;]*m", "", text) for text in said]
    assert said[0] == "" == said[1]
    assert re.search(r"\d+ samples at 1 kHz", said[2]) and re.search(r"spin  .*:\d+", said[2]), said[2]
    assert re.search(r" 4  f  ", said[3]), said[3]
    assert "(45, [0, 0, 0])" in said[4]
    assert re.search(r"^ +5 +1000 .*  t \+= i$", said[5], flags=re.M), said[5]
    assert re.search(r"<hasten.Run \d+", said[6])
    assert "Callers of f" in said[7]
    assert "no function is named" in said[8]
    assert "-f nothing: NameError" in said[9]
    assert "nothing to run" in said[10]
    assert "ZeroDivisionError" in said[11]
    assert "hasten: --rate does not take 'never'" in said[12]


def test_jupyter_kernel(ours):
    """A real kernel in a process of its own."""
    script = """
import json, os, sys
import nbformat
from nbclient import NotebookClient
cells = json.loads(sys.stdin.read())
book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
book.metadata.kernelspec = {"name": "ours", "display_name": "ours", "language": "python"}
NotebookClient(book, timeout=60, kernel_name="ours", allow_errors=True).execute()
said = []
for cell in book.cells:
    said.append("".join(out.get("text") or (out.get("data") or {}).get("text/plain") or
                        "%s: %s" % (out.get("ename"), out.get("evalue")) for out in cell.outputs))
print(json.dumps(said))
"""
    place = ours.place / "jupyter" / "kernels" / "ours"
    place.mkdir(parents=True)
    (place / "kernel.json").write_text(json.dumps({
        "argv": [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"], "display_name": "ours",
        "language": "python"}))
    done = subprocess.run([sys.executable, "-c", script], input=json.dumps(CELLS), stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, universal_newlines=True, timeout=110,
                          env=dict(ours.environment, JUPYTER_PATH=str(ours.place / "jupyter")))
    assert done.returncode == 0, done.stderr
    check(json.loads(done.stdout.splitlines()[-1]))


# --- pytest ----------------------------------------------------------------------------------------------------
TESTS = """
import time
import pytest

def spin(seconds):
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        pass

@pytest.fixture
def slow():
    spin(0.1)
    yield
    spin(0.1)

def test_fast(): pass
def test_slow(): spin(0.4)
def test_waits(): time.sleep(0.3)
def test_fixture(slow): pass
def test_fails(): assert 1 == 2
"""


def pytest_of(ours, folder, *options):
    (folder / "test_some.py").write_text(TESTS)
    done = subprocess.run([sys.executable, "-m", "pytest", "-p", "hasten.pytest_plugin", "-p", "no:cacheprovider", *options,
                           "test_some.py"], cwd=str(folder), stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          universal_newlines=True, timeout=100, env=ours.environment)
    return done.returncode, done.stdout


def shown(text):
    """[(test, its lines)] in the order of the summary."""
    part = text[text.index("where the tests' time goes"):]
    blocks = re.split(r"^ +[\d.]+ m?s  ", part, flags=re.M)[1:]
    return [(block.splitlines()[0].split("::")[1], block) for block in blocks]


@pytest.mark.parametrize("options", [(), ("-n", "2")], ids=["alone", "xdist"])
def test_pytest_plugin(ours, tmp_path, hasten, options):
    folder = tmp_path / "project"
    folder.mkdir()
    code, text = pytest_of(ours, folder, "--hasten", "--hasten-top", "3", "--hasten-export", str(tmp_path / "out"), *options)
    assert code == 1 and "4 passed" in text and "1 failed" in text, text
    blocks = shown(text)
    assert [name for name, _ in blocks] == ["test_slow", "test_waits", "test_fixture"], text
    assert re.search(r"\d\d %  test_some.py:7  while time.perf_counter\(\) < end:", blocks[0][1]), text
    assert "time.sleep(0.3)" in blocks[1][1] and "test_some.py:7" in blocks[2][1]
    names = sorted(os.listdir(str(tmp_path / "out")))
    assert names == ["test_some.py_test_%s.speedscope.json" % name for name in ("fixture", "slow", "waits")]
    # The command that is shown shows that test alone.
    words = re.search(r"hasten (show .*)", blocks[0][1]).group(1).split()
    page = hasten.ok(*words, "--json").json
    assert page["functions"][0]["function"] == "spin" and 0.35e9 < page["run"]["wall_ns"] < 0.8e9


def test_pytest_without_the_option(ours, tmp_path, hasten):
    code, text = pytest_of(ours, tmp_path, "-k", "fast")
    assert code == 0 and "hasten" not in text and hasten("runs", "--json").json == []


def test_pytest_errors(ours, tmp_path):
    code, text = pytest_of(ours, tmp_path, "--hasten", "--hasten-rate", "often")
    assert code == 4 and "--hasten: --rate does not take 'often'" in text
    ours.environment["HASTEN_COMMAND"] = "/nowhere/hasten"
    code, text = pytest_of(ours, tmp_path, "--hasten")
    assert code == 4 and "/nowhere/hasten" in text


# --- types -----------------------------------------------------------------------------------------------------
def test_types(tmp_path):
    done = subprocess.run([sys.executable, "-m", "mypy", "--strict", "--cache-dir", str(tmp_path), "-p", "hasten"],
                          cwd=str(ROOT / "python"), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, universal_newlines=True)
    assert done.returncode == 0, done.stdout
