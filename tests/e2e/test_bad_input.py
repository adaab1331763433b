"""What cannot work is said in words: what was found, and what to try.  Exit codes are those of docs/exit-codes.md."""
import os
import re
import subprocess

import pytest

USAGE, NOT_FOUND, NOT_PERMITTED, UNSUPPORTED = 2, 3, 4, 5
MEASURING = [("attach", "-d", "1"), ("dump",)]


def refused_with(result, code, *words):
    assert result.code == code, result
    assert result.out == "", result
    for word in words:
        assert re.search(word, result.err), (word, result)
    assert len(result.err.splitlines()) <= 4, result


def free_pid():
    process = subprocess.Popen(["true"])
    process.wait()
    return process.pid


@pytest.mark.parametrize("command", MEASURING)
def test_no_such_process(hasten, command):
    pid = free_pid()
    refused_with(hasten(command[0], pid, *command[1:]), NOT_FOUND, str(pid))


@pytest.mark.parametrize("command", MEASURING)
@pytest.mark.parametrize("word", ["0", "-5", "99999999999999999999", "12x", ""])
def test_not_a_pid(hasten, command, word):
    result = hasten(command[0], *command[1:], "--", word)
    assert result.code in (USAGE, NOT_FOUND), result
    assert result.err and result.out == ""


@pytest.mark.parametrize("command", MEASURING)
def test_not_python(hasten, command):
    process = subprocess.Popen(["sleep", "60"])
    try:
        refused_with(hasten(command[0], process.pid, *command[1:]), UNSUPPORTED, "sleep", "Python")
        assert process.poll() is None
    finally:
        process.kill()
        process.wait()


@pytest.mark.parametrize("command", MEASURING)
def test_interpreters_that_cannot_be_read(hasten, start, refused, command):
    code = "import sys, time; sys.stdout.write('ready\\n'); sys.stdout.flush(); time.sleep(60)"
    target = start(refused.command + ["-c", code])
    found = "PyPy" if refused.pypy else r"%d\.%d" % refused.version
    refused_with(hasten(command[0], target.pid, *command[1:]), UNSUPPORTED, found, r"3\.8")
    assert target.alive()


def test_run_of_an_interpreter_that_cannot_be_read(hasten, refused):
    """The program runs all the same; the report cannot be made and says why."""
    code = "import sys, time; time.sleep(0.5); sys.stdout.write('done\\n'); sys.exit(6)"
    result = hasten("run", "--", *refused.command, "-c", code)
    assert (result.code, result.out) == (6, "done\n"), result
    assert re.search("PyPy" if refused.pypy else r"%d\.%d" % refused.version, result.err), result


@pytest.mark.parametrize("command", MEASURING)
def test_a_process_of_another_user(as_nobody, start, system, command):
    target = start(system.run_target("flutter.py", 60))
    result = as_nobody(command[0], target.pid, *command[1:])
    refused_with(result, NOT_PERMITTED, str(target.pid), "same user|root|sudo")
    assert target.alive()


@pytest.mark.parametrize("command", ["run", "attach", "dump", "top", "runs", "show", "diff", "export", "rm"])
def test_unknown_flag(hasten, command):
    result = hasten(command, "--stroe", "x", "1")
    refused_with(result, USAGE, "--stroe", "--store" if command not in ("dump", "top") else "hasten")


def test_unknown_command(hasten):
    refused_with(hasten("rnu", "x.py"), USAGE, "rnu", "hasten run")


@pytest.mark.parametrize("arguments, words", [
    (("-r", "fast"), "fast"), (("-r", "-5"), "-5"), (("-r", "1e99"), "1e99"), (("-d", "soon"), "soon"),
    (("--budget", "much"), "much"), (("-r",), "-r"),
])
def test_values_that_are_none(hasten, arguments, words):
    result = hasten("attach", "1", *arguments)
    assert result.code == USAGE, result
    assert words in result.err


@pytest.mark.parametrize("command", ["show", "export", "rm"])
def test_no_such_run(hasten, system, command):
    assert hasten("run", "--name", "thing", "--", *system.run_target("ending.py", 0.2, "code:0")).code == 0
    more = ["-f", "collapsed"] if command == "export" else []
    refused_with(hasten(command, "77", *more), NOT_FOUND, "77")
    refused_with(hasten(command, "thign", *more), NOT_FOUND, "thign", "thing")


def test_empty_store(hasten):
    result = hasten("runs")
    assert result.code == 0, result
    refused_with(hasten("show"), NOT_FOUND, "hasten run")


def test_unknown_format(hasten, system):
    assert hasten("run", "--", *system.run_target("ending.py", 0.2, "code:0")).code == 0
    refused_with(hasten("export", "-f", "colapsed"), USAGE, "colapsed", "collapsed")


@pytest.mark.parametrize("content", [b"", b"not a core file", b"\x7fELF" + b"\0" * 60, b"\x7fELF\x02\x01\x01" + b"\xff" * 4000])
def test_a_core_file_that_is_none(hasten, tmp_path, content):
    (tmp_path / "core").write_bytes(content)
    result = hasten("dump", tmp_path / "core")
    assert result.code in (NOT_FOUND, UNSUPPORTED, 1), result
    assert "core" in result.err and result.out == ""


def test_output_into_a_folder_that_is_not_there(hasten, system):
    assert hasten("run", "--", *system.run_target("ending.py", 0.2, "code:0")).code == 0
    result = hasten("export", "-f", "collapsed", "-o", "/nowhere/at/all.txt")
    assert result.code != 0 and "/nowhere/at/all.txt" in result.err, result


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no /dev/full here")
def test_a_full_disk_behind_the_output(hasten, system):
    assert hasten("run", "--", *system.run_target("ending.py", 0.2, "code:0")).code == 0
    with open("/dev/full", "w") as full:
        from conftest import BINARY
        done = subprocess.run([str(BINARY), "show"], stdout=full, stderr=subprocess.PIPE, env=hasten.environment,
                              cwd=str(hasten.folder), universal_newlines=True)
    assert done.returncode == 1 and "write" in done.stderr, done


@pytest.mark.parametrize("command", ["run", "trace", "lines"])
@pytest.mark.parametrize("options, code, word", [
    (["--format", "colapsed", "-o", "out"], USAGE, "colapsed"),
    (["-o", "out.unknown"], USAGE, "out.unknown"),
    (["-o", "nowhere/out.hasten"], NOT_FOUND, "nowhere/out.hasten"),
    (["-o", "folder.hasten"], USAGE, "folder.hasten"),
    (["-o", "runs.hasten"], USAGE, "other runs"),
], ids=lambda value: value[-1] if isinstance(value, list) else "")
def test_an_export_that_cannot_be_is_said_before_the_program_runs(hasten, system, command, options, code, word):
    os.mkdir(str(hasten.folder / "folder.hasten"))
    for _ in range(2):
        hasten.ok("trace", "-q", "--store", "runs.hasten", "--", *system.command, "-c", "len('')")
    def files():  # without those that SQLite keeps beside a store
        return sorted(name for name in os.listdir(str(hasten.folder)) if not re.search("-(wal|shm)$", name))
    before = files()
    result = hasten(command, *options, "--", *system.command, "-c", "open('ran', 'w').close()")
    refused_with(result, code, word)
    assert files() == before


def test_attach_says_it_before_it_looks(hasten):
    refused_with(hasten("attach", "-f", "colapsed", os.getpid()), USAGE, "collapsed")


def test_a_run_that_fails_leaves_the_file_as_it_was(hasten):
    for name in ("out.collapsed", "out.hasten"):
        (hasten.folder / name).write_text("before")
        assert hasten("trace", "-o", name, "--", "no-such-program").code == 127
        assert (hasten.folder / name).read_text() == "before"
    assert hasten("run", "-o", "new.collapsed", "--", "no-such-program").code == 127
    assert not (hasten.folder / "new.collapsed").exists()
