"""./dev where something is missing: it names the packages and their use, and stops; it never claims what it did
not do."""
import os
import pathlib
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
SHELL_TOOLS = "sh cat cut dirname env find grep id ls mkdir printf rm sed sleep tail tr uname".split()


def dev(*arguments, **environment):
    done = subprocess.run([str(ROOT / "dev")] + list(arguments), stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          universal_newlines=True, env=dict(os.environ, **environment), timeout=110)
    return done.returncode, done.stdout, done.stderr


@pytest.fixture
def bare_path(tmp_path):
    """A PATH with a shell's usual tools and nothing else."""
    for name in SHELL_TOOLS:
        for folder in ("/usr/bin", "/bin"):
            if os.path.exists("%s/%s" % (folder, name)):
                (tmp_path / name).symlink_to("%s/%s" % (folder, name))
                break
    return tmp_path


def test_help_and_unknown_commands():
    code, out, err = dev("help")
    assert code == 0 and "test [--quick]" in out and err == ""
    assert dev()[1] == out
    code, _, err = dev("tets")
    assert code == 1 and "unknown command: tets" in err
    code, _, err = dev("test", "--fast")
    assert code == 1 and "--fast" in err
    code, _, err = dev("install")
    assert code == 1 and "--prefix" in err


def test_a_system_without_apt(bare_path):
    code, out, err = dev("build", PATH=str(bare_path))
    assert code == 1 and out == ""
    assert "no apt-get" in err
    for package in ("meson", "ninja-build", "libsqlite3-dev"):
        assert package in err, err
    assert "the store of runs" in err


@pytest.mark.parametrize("is_root", [True, False])
def test_how_packages_are_installed(bare_path, is_root):
    """apt-get is called by root itself and through sudo by others; what it was told is in the log."""
    log = bare_path / "log"
    (bare_path / "id").unlink()
    (bare_path / "id").write_text("#!/bin/sh\necho %d\n" % (0 if is_root else 1000))
    (bare_path / "apt-get").write_text("#!/bin/sh\necho \"apt-get $DEBIAN_FRONTEND $*\" >>%s\n" % log)
    (bare_path / "sudo").write_text("#!/bin/sh\necho sudo >>%s\nexec \"$@\"\n" % log)
    for name in ("id", "apt-get", "sudo"):
        (bare_path / name).chmod(0o755)
    code, _, err = dev("build", PATH=str(bare_path))
    assert code == 1 and "still missing" in err, err
    lines = log.read_text().splitlines()
    assert ("sudo" in lines) == (not is_root)
    install = [line for line in lines if " install " in line]
    assert len(install) == 1 and install[0].startswith("apt-get noninteractive"), lines
    assert "libjansson-dev" in install[0]


def test_neither_root_nor_sudo(bare_path):
    (bare_path / "id").unlink()
    (bare_path / "id").write_text("#!/bin/sh\necho 1000\n")
    (bare_path / "apt-get").write_text("#!/bin/sh\nexit 1\n")
    for name in ("id", "apt-get"):
        (bare_path / name).chmod(0o755)
    code, _, err = dev("build", PATH=str(bare_path))
    assert code == 1 and "as root: apt-get install" in err, err


def test_an_installation_that_fails_is_tried_again(bare_path):
    log = bare_path / "log"
    (bare_path / "sleep").unlink()
    for name, text in (("id", "echo 0"), ("sleep", "echo sleep >>%s" % log),
                       ("apt-get", "echo \"$@\" >>%s; exit 100" % log)):
        (bare_path / name).unlink(missing_ok=True)
        (bare_path / name).write_text("#!/bin/sh\n%s\n" % text)
        (bare_path / name).chmod(0o755)
    code, _, err = dev("build", PATH=str(bare_path))
    assert code == 1 and "could not install" in err
    text = log.read_text()
    assert text.count(" install ") == 3 and " update" in text, text


def test_a_pattern_that_matches_nothing_is_no_success():
    binary = os.environ.get("HASTEN_BINARY")
    more = {"HASTEN_BUILD": os.path.dirname(binary)} if binary else {}
    code, _, err = dev("test", "--quick", "no_such_test_anywhere", PYTEST_XDIST_WORKER="", **more)
    assert code == 1 and "no test matches" in err, err


def test_the_list_of_interpreters():
    out = subprocess.run([str(ROOT / "tools" / "interpreters")], stdout=subprocess.PIPE, check=True,
                         universal_newlines=True).stdout
    found = {}
    for line in out.splitlines():
        words = line.split("\t")
        if words[0] == "# absent":
            assert len(words) == 3 and words[2]
        else:
            version, command = words
            assert version not in found, "a version is listed twice"
            found[version] = command
    assert found
    for version, command in found.items():
        said = subprocess.run(command.split() + ["-c", "import sys; sys.stdout.write(sys.version.split()[0])"],
                              stdout=subprocess.PIPE, universal_newlines=True, check=True).stdout
        number = version.split("@")[0].split("-")[0]
        assert said.startswith(number.rstrip("td")) or number.startswith("pypy" + said.rsplit(".", 1)[0])
