"""The programs of programs/leaks, seen from outside: what each says of itself, how one is started and made to work
step by step, and whether an accusation names what really leaks."""
import ast
import json
import pathlib
import subprocess

from conftest import WITNESSES

LEAKS = pathlib.Path(__file__).resolve().parent / "programs" / "leaks"
HEALTHY_NAMES = sorted(path.name for path in LEAKS.glob("healthy_*.py"))
LEAK_NAMES = sorted({path.name for path in LEAKS.glob("[a-z]*.py")} - set(HEALTHY_NAMES))
# Looks at a program are taken after so many steps: caches and pools may fill between the first two.
LOOKS = (2, 5, 8)


def is_proof(interpreter):
    """Whether the programs themselves are proved on it. That they do as they say does not hang on hasten; what hasten
    says of them is tested on all."""
    return interpreter in WITNESSES


def said_by(name):
    """The constants that stand in a program, by name."""
    tree = ast.parse((LEAKS / name).read_text())
    said = {}
    for node in tree.body:
        if isinstance(node, ast.Assign) and node.targets[0].id in ("TRUTH", "KEPT"):
            said[node.targets[0].id] = ast.literal_eval(node.value)
    return said


def truth_of(name):
    return said_by(name)["TRUTH"]


class Stepped:
    """A program that does a step when it is told to."""

    def __init__(self, start, interpreter, name):
        interpreter.inside(LEAKS / "_steps.py")
        self.target = start(interpreter.command + [interpreter.inside(LEAKS / name)], stdin=subprocess.PIPE)
        self.pid = self.target.pid
        self.steps = 0

    def ask(self, word):
        process = self.target.process
        process.stdin.write(word.encode() + b"\n")
        process.stdin.flush()
        answer = process.stdout.readline().decode().strip()
        assert answer, "the program ended: exit code %s" % process.wait()
        return answer

    def do(self, word):
        assert self.ask(word) == "done"

    def step_until(self, steps):
        while self.steps < steps:
            self.do("step")
            self.steps += 1

    def count(self):
        """{type: [objects, bytes]} and the number of the allocator's blocks, as the program itself sees them."""
        said = json.loads(self.ask("count"))
        return said["types"], said["blocks"]

    def end(self):
        self.target.process.stdin.close()
        assert self.target.process.wait() == 0


def names(truth, suspect):
    """Whether a suspect (a row of `hasten heap suspects --json`) is the leak that truth tells of."""
    answers = [(truth["type"], truth["path"])] + truth.get("or", [])
    return any(suspect["type"] == kind and all(word in suspect["path"] for word in path.split())
               for kind, path in answers)
