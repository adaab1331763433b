"""The Python package, with the agent and the command of this build, where any interpreter finds it."""
import os
import pathlib
import re
import shutil
import subprocess
import tempfile

import pytest

from conftest import BINARY, ROOT, TARGETS

PYTHON = ROOT / "python" / "hasten"
AGENT = BINARY.parent / "src" / "agent" / "hasten_agent.so"


class Package:
    """The package with the agent of this build in it, where an interpreter sees it; and a folder for counters."""

    def __init__(self, interpreter, hasten):
        self.interpreter = interpreter.traceable()
        root = interpreter.root or pathlib.Path("/")
        self.place = pathlib.Path(tempfile.mkdtemp(prefix="hasten-package-", dir=str(root / "tmp")))
        shutil.copytree(str(PYTHON), str(self.place / "hasten"), ignore=shutil.ignore_patterns("__pycache__"))
        shutil.copy(str(AGENT), str(self.place / "hasten" / "_agent.so"))
        self.inside = "/" + str(self.place.relative_to(root))
        self.counters = tempfile.mkdtemp(prefix="hasten-test-counters-", dir="/dev/shm")
        hasten.environment["HASTEN_COUNTERS"] = self.counters
        self.environment = dict(os.environ, HASTEN_COUNTERS=self.counters, PYTHONDONTWRITEBYTECODE="1")

    def command(self, program, *words):
        script = self.interpreter.inside(TARGETS / program)
        return self.interpreter.command + [script] + [str(w) for w in words]

    def run(self, program, *words, **more):
        return subprocess.run(self.command(program, *words), stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              universal_newlines=True, env=dict(self.environment, **more), timeout=120)

    def files(self, ending=".counters"):
        return sorted(p for p in pathlib.Path(self.counters).iterdir() if p.name.endswith(ending))

    def measuring(self):
        """Lets programs measure themselves: names the command and a store. -> the store's path, for all"""
        self.environment.update(HASTEN_COMMAND=self.place_command(), HASTEN_STORE=self.counters + "/runs.db",
                                PYTHONPATH=self.inside)
        return self.environment["HASTEN_STORE"]

    def place_command(self):
        """The command as the interpreter sees it: below another root with all of its libraries beside it."""
        if self.interpreter.root is None:
            return str(BINARY)
        folder = self.place / "command"
        folder.mkdir()
        shutil.copy(str(BINARY), str(folder / "hasten.bin"))
        listed = subprocess.check_output(["ldd", str(BINARY)], universal_newlines=True)
        for library in re.findall(r"(?:=> |^\s*)(/\S+) \(", listed, flags=re.M):
            shutil.copy(library, str(folder))
        loader = next(path.name for path in folder.iterdir() if path.name.startswith("ld-linux"))
        command, inside = folder / "hasten", "/" + str(folder.relative_to(self.interpreter.root))
        command.write_text('#!/bin/sh\nexec %s/%s --library-path %s %s/hasten.bin "$@"\n' % (inside, loader, inside, inside))
        command.chmod(0o755)
        return inside + "/hasten"

    def remove(self):
        shutil.rmtree(str(self.place), ignore_errors=True)
        shutil.rmtree(self.counters, ignore_errors=True)


@pytest.fixture
def package(interpreter, hasten):
    made = Package(interpreter, hasten)
    yield made
    made.remove()
