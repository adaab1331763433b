"""hasten dump of core files: of a real crash, cut short, without the program's files."""
import os
import pathlib
import resource
import subprocess

import pytest

from stacks import line_of

PATTERN = pathlib.Path("/proc/sys/kernel/core_pattern").read_text().strip()


@pytest.fixture
def crash(interpreter, tmp_path):
    """The core file of a crashed crash.py, written by the system."""
    if PATTERN.startswith("|") or "/" in PATTERN:
        pytest.skip("this system sends core files elsewhere: " + PATTERN)
    inside = pathlib.Path(interpreter.inside(tmp_path / "x")).parent if interpreter.root is None else None
    place = tmp_path if inside is not None else interpreter.root / "tmp" / ("hasten-cores-%d" % os.getpid())
    place.mkdir(exist_ok=True)
    command = interpreter.run_target("crash.py")
    if inside is None:
        command = interpreter.command[:2] + ["sh", "-c", "cd /tmp/%s && exec \"$@\"" % place.name, "sh"] + command[2:]
    def no_limit():
        resource.setrlimit(resource.RLIMIT_CORE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    if resource.getrlimit(resource.RLIMIT_CORE)[1] != resource.RLIM_INFINITY and os.getuid() != 0:
        pytest.skip("core files are forbidden here")
    process = subprocess.run(command, cwd=str(place), preexec_fn=no_limit, stdout=subprocess.DEVNULL,
                             stderr=subprocess.DEVNULL)
    assert process.returncode in (-11, 139)
    cores = list(place.glob("core*"))
    assert len(cores) == 1
    yield cores[0]
    cores[0].unlink()
    if inside is None:
        place.rmdir()


def rooted(interpreter):
    return ["--root", str(interpreter.root)] if interpreter.root else []


def test_a_crash(hasten, crash, interpreter):
    answer = hasten.ok("dump", crash, "-l", "--json", *rooted(interpreter)).json
    assert interpreter.full_version in answer["interpreter"]
    # A core file holds 79 characters of the command line.
    whole = " ".join(interpreter.run_target("crash.py"))
    assert "crash.py" in answer["command"] or len(answer["command"]) == 79 and whole.startswith(answer["command"])
    core = answer["core"]
    assert core["signal_name"] == "SIGSEGV" and core["address"] == 16
    assert core["cut_bytes"] == 0 and core["missing_file"] is None
    main, waiter = answer["threads"]
    assert (main["name"], main["crashed"], main["native_id"]) == ("MainThread", True, answer["pid"])
    assert [f["function"] for f in main["frames"]] == ["string_at"] + ["fall"] * 4 + ["<module>"]
    for depth, frame in enumerate(main["frames"][1:5]):
        assert frame["locals"] == {"depth": str(depth), "note": "'depth %d'" % depth}
        text = "ctypes.string_at(16)" if depth == 0 else "fall(depth - 1)"
        assert frame["line"] == line_of("crash.py", text)
    assert (waiter["name"], waiter["crashed"], waiter["syscall"]) == ("waiter", False, "futex")
    assert "wait_for_ever" in [f["function"] for f in waiter["frames"]]
    assert waiter["native_id"] != main["native_id"]


def test_the_text_says_how_it_ended(hasten, crash, interpreter):
    text = hasten.ok("dump", crash, *rooted(interpreter)).out
    assert "ended by SIGSEGV" in text and "0x10" in text
    assert "MainThread" in text and "crashed" in text
    assert "return ctypes.string_at(16), note" in text


def test_a_core_that_is_cut_short(hasten, crash, interpreter, tmp_path):
    """Every length gives an answer or a reason."""
    size = crash.stat().st_size
    data = crash.read_bytes()
    short = tmp_path / "short"
    for part in (0.999, 0.8, 0.5, 0.2, 0.05, 0.001):
        short.write_bytes(data[:int(size * part)])
        result = hasten("dump", short, *rooted(interpreter))
        assert result.code in (0, 5), result
        if result.code == 0:
            assert "cut short" in result.out, result
        else:
            assert "core" in result.err and result.out == ""


def test_the_files_of_the_program_are_not_there(hasten, crash, interpreter, tmp_path):
    result = hasten("dump", "--root", tmp_path, crash)
    if result.code == 0:
        assert "is not there" in result.out, result
    else:
        assert result.code == 5 and "--root" in result.err and "is not there" in result.err, result


def test_another_build_of_the_program(hasten, crash, interpreter, tmp_path):
    """A file in the place of the executable that is not the one that ran is noticed."""
    maps = hasten.ok("dump", crash, "--json", *rooted(interpreter)).json
    assert maps["threads"]
    root = tmp_path / "root"
    base = interpreter.root or pathlib.Path("/")
    replaced = 0
    real = subprocess.run(interpreter.command + ["-c", "import sys; print([l.split()[-1] for l in open('/proc/self/maps')"
                          " if 'python' in l.split()[-1]])"], stdout=subprocess.PIPE, check=True,
                          universal_newlines=True).stdout
    for name in set(eval(real)):
        name = "/" + str(pathlib.Path(name).relative_to(base)) if name.startswith(str(base)) else name
        source, copy = base / name.lstrip("/"), root / name.lstrip("/")
        if not source.is_file():
            continue
        copy.parent.mkdir(parents=True, exist_ok=True)
        content = bytearray(source.read_bytes())
        content[0x120] ^= 0xff
        copy.write_bytes(content)
        replaced += 1
    assert replaced
    result = hasten("dump", "--root", root, crash)
    assert "another build" in result.out + result.err, result
