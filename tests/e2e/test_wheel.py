"""One wheel serves every interpreter: it is built once, and installed into a fresh environment of each."""
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

import pytest

from conftest import ROOT

CODE = "import hasten, sys; print(hasten.__version__, hasten._agent.__file__)"


def pip(*words, python=sys.executable):
    return subprocess.run([python, "-m", "pip", "-q", "--disable-pip-version-check", *map(str, words)],
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, universal_newlines=True)


MEASURE = """
import hasten, time
def f(): pass
def g():
    end = time.time() + 0.1
    while time.time() < end: pass
with hasten.trace() as t:
    f(); f(); f()
with hasten.sample() as s:
    g()
p = hasten.LineProfiler(f)
rows = {row["function"]: row.get("calls") for row in t.run.json()["functions"]}
print(rows["f"], s.run.json()["functions"][0]["function"] == "g", len(p.get_stats().timings) - 1)
import hasten.ipython, hasten.counters, hasten.heap, hasten.pycounters
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheel")
    done = subprocess.run([sys.executable, str(ROOT / "tools" / "wheel"), str(folder)], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, universal_newlines=True)
    if "No matching distribution found for meson-python" in done.stdout:
        pytest.skip("meson-python cannot be had: no network to PyPI")
    assert done.returncode == 0, done.stdout
    (path,) = folder.glob("*.whl")
    return path


def test_name(wheel):
    assert wheel.name.startswith("hasten-") and re.search(r"-py3-none-manylinux_\d+_\d+_x86_64.whl$", wheel.name)


def test_install(wheel, interpreter, tmp_path):
    if interpreter.root is not None or interpreter.free_threaded:
        # No pip works below another root, nor in what is built from Debian's source: packages in a folder.
        place = pathlib.Path(tempfile.mkdtemp(prefix="hasten-wheel-", dir=str((interpreter.root or pathlib.Path("/")) / "tmp")))
        try:
            assert pip("install", "--no-deps", "--no-index", "--target", place, wheel).returncode == 0
            inside = "/" + str(place.relative_to(interpreter.root or "/"))
            out = subprocess.run(interpreter.command + ["-c", "import sys; sys.path.insert(0, %r); %s" % (inside, CODE)],
                                 stdout=subprocess.PIPE, check=True, universal_newlines=True).stdout
            assert out.split()[1].startswith(inside)
        finally:
            shutil.rmtree(str(place))
        return
    home = tmp_path / "venv"
    subprocess.run(interpreter.command + ["-m", "venv", str(home)], check=True)
    python = str(home / "bin" / "python")
    done = pip("install", "--no-deps", "--no-index", wheel, python=python)
    assert done.returncode == 0, done.stdout
    out = subprocess.run([python, "-c", CODE], stdout=subprocess.PIPE, check=True, universal_newlines=True).stdout
    version, agent = out.split()
    assert agent.startswith(str(home))
    command = str(home / "bin" / "hasten")
    assert subprocess.check_output([command, "--version"], universal_newlines=True).split() == ["hasten", version]
    # The command finds the agent of the package.
    environment = dict(os.environ, HASTEN_STORE="%s/" % (tmp_path / "store"))
    traced = subprocess.run([command, "trace", python, "-c", "import hasten; print(len('abc'))"], env=environment,
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE, universal_newlines=True)
    assert traced.stdout == "3\n" and " calls" in traced.stderr, traced
    # The package finds the command, and knows the magics and the plugin of pytest.
    measured = subprocess.run([python, "-c", MEASURE], env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              universal_newlines=True)
    assert measured.returncode == 0 and measured.stdout.split() == ["3", "True", "0"], measured
    (points,) = home.rglob("hasten-*.dist-info/entry_points.txt")
    assert "[pytest11]\nhasten = hasten.pytest_plugin" in points.read_text().replace("=", " = ").replace("  ", " ")
