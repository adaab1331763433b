"""Counts that are known by construction: hasten trace states them exactly, on every interpreter."""
import subprocess

import pytest

from counts import PROGRAMS, Seen, mistakes, programs

ALL = programs()


def command_of(interpreter, program):
    """-> the command line, and what goes to its standard input"""
    path = interpreter.inside(program.file)
    python = interpreter.command + ["-S"] * (program.needs is None) + ["-Wignore::DeprecationWarning"]
    source = "import sys\nsys.path.insert(0, %r)\nfrom %s import %s as program\nprogram()\n" % (
        path.rsplit("/", 1)[0], program.file.stem, program.name)
    if program.start == "-c":
        return python + ["-c", source], None
    if program.start == "stdin":
        return python + ["-"], source
    if program.start == "-m":
        folder = path.rsplit("/", 1)[0]
        run = "import sys, runpy; sys.path.insert(0, %r); sys.argv[1:] = [%r]; " \
              "runpy.run_module(%r, run_name='__main__', alter_sys=True)"
        return python + ["-c", run % (folder, program.name, program.file.stem)], None
    return python + [path, program.name], None


def has(interpreter, module):
    return subprocess.call(interpreter.command + ["-c", "import " + module], stderr=subprocess.DEVNULL) == 0


@pytest.mark.parametrize("program", ALL, ids=[program.id for program in ALL])
def test_counts(hasten, interpreter, program):
    interpreter.traceable()
    if interpreter.version < program.since:
        pytest.skip("%s begins with %d.%d" % ((program.name,) + program.since))
    if program.needs and not has(interpreter, program.needs):
        pytest.skip("%s has no %s" % (interpreter, program.needs))
    command, text = command_of(interpreter, program)
    result = hasten("trace", "-q", "--", *command, input=text)
    assert result.code == program.exit_code and not result.err, result
    shown = hasten.ok("show", "last", "--json", "-n", "100000").json
    seen = Seen(shown["functions"], shown["edges"], program.file.name)
    wrong = mistakes(program, seen, interpreter.version, interpreter.version >= (3, 12), result.out)
    assert not wrong, "\n".join(wrong)
    lost = [(row["lost_contexts"], row["failure"]) for row in shown["traces"]]
    assert all(row == (0, "") for row in lost), lost
    if interpreter.version < (3, 12):
        assert sum(row["hook_taken"] for row in shown["traces"]) == program.taken
