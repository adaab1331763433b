"""Every file in cases/ is one command line and what must come of it, byte for byte.

    $ hasten help rnu                     the command; more than one line may begin so, the last one is compared
    --- exit 2
    --- stdout
    --- stderr
    hasten: there is no command 'rnu'

Before each command the store holds what the folder fixture (below) puts there.  What changes from day to day is
replaced: the version by VERSION, the folder of the test by FOLDER.  Rewrite all with: HASTEN_REWRITE=1 pytest
tests/cli (through ./dev test: HASTEN_REWRITE=1 ./dev test --quick expected), then read the diff.
"""
import os
import pathlib
import re
import shlex
import subprocess

import pytest

from conftest import BINARY, SANITIZER

CASES = pathlib.Path(__file__).parent / "cases"
# Besides hasten, what puts snapshots of a heap into the store: make_heap.c.
PROGRAMS = {"hasten": BINARY, "make_heap": BINARY.parent / "tests" / "cli" / "make_heap"}
REWRITE = os.environ.get("HASTEN_REWRITE") == "1"


def version():
    return subprocess.run([str(BINARY), "--version"], stdout=subprocess.PIPE,
                          universal_newlines=True).stdout.split()[1]


def clean(text, folder):
    text = text.replace(str(folder), "FOLDER").replace(version(), "VERSION")
    return re.sub(r"[ \t]+$", "", text, flags=re.M)


def run_case(commands, hasten):
    for command in commands:
        words = shlex.split(command)
        if words[0] in PROGRAMS:
            words[0] = str(PROGRAMS[words[0]])
        done = subprocess.run(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              universal_newlines=True, env=hasten.environment, cwd=str(hasten.folder), timeout=60)
        assert not SANITIZER.search(done.stderr), done.stderr
    return "--- exit %d\n--- stdout\n%s--- stderr\n%s" % (
        done.returncode, clean(done.stdout, hasten.folder), clean(done.stderr, hasten.folder))


@pytest.mark.parametrize("path", sorted(CASES.glob("*.case")), ids=lambda path: path.stem)
def test_expected(path, hasten):
    text = path.read_text()
    commands = [line[2:] for line in text.splitlines() if line.startswith("$ ")]
    assert commands, "%s has no command" % path.name
    head = "".join("$ %s\n" % command for command in commands)
    found = head + run_case(commands, hasten)
    if REWRITE:
        path.write_text(found)
    assert text == found or REWRITE


def test_there_are_cases():
    assert len(list(CASES.glob("*.case"))) >= 20
