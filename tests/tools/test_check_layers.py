"""tools/check_layers is content with this tree, and finds what is wrong in a broken one."""
import pathlib
import shutil
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
OPENING = "/* A file. */\n"


def check(root):
    done = subprocess.run([sys.executable, str(ROOT / "tools" / "check_layers"), str(root)],
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, universal_newlines=True)
    return done.returncode, done.stdout


@pytest.fixture
def tree(tmp_path):
    for folder in ("base", "target", "report", "cli"):
        (tmp_path / "src" / folder).mkdir(parents=True)
    shutil.copy(ROOT / "src" / "LAYERS", tmp_path / "src" / "LAYERS")
    (tmp_path / "src" / "base" / "good.c").write_text(
        OPENING + '#include "base/good.h"\n/* printf("not code") */\nconst char *text = "exit(1) ptrace(";\n')
    return tmp_path


def test_this_tree_is_in_order():
    code, out = check(ROOT)
    assert (code, out) == (0, "")


def test_a_good_tree_passes(tree):
    assert check(tree) == (0, "")


@pytest.mark.parametrize("folder, line, words", [
    ("base", '#include "cli/main.h"', "base/ may not include cli/"),
    ("report", '#include "target/process.h"', "report/ may not include target/"),
    ("cli", "#include <Python.h>", "Python.h"),
    ("report", "void f(void) { process_vm_readv(1, 0, 0, 0, 0, 0); }", "only target/ touches another process"),
    ("cli", "void f(void) { ptrace(0, 0, 0, 0); }", "only target/ touches another process"),
    ("base", "void f(void) { exit(1); }", "only cli/ ends the program"),
    ("report", 'void f(void) { printf("x"); }', "only cli/ speaks to people"),
    ("report", 'void f(void) { fprintf(stderr, "x"); }', "only cli/ knows the terminal"),
])
def test_a_broken_tree_is_found(tree, folder, line, words):
    (tree / "src" / folder / "bad.c").write_text(OPENING + line + "\n")
    code, out = check(tree)
    assert code == 1
    assert out.startswith("src/%s/bad.c:2: " % folder) and words in out, out
    assert out.count("\n") == 1, out


def test_a_long_function_is_found(tree):
    body = "    f();\n"
    (tree / "src" / "base" / "fits.c").write_text(OPENING + "int f(void)\n{\n" + body * 80 + "}\n")
    assert check(tree) == (0, "")
    (tree / "src" / "base" / "long.c").write_text(OPENING + "int f(void)\n{\n" + body * 81 + "}\n")
    code, out = check(tree)
    assert code == 1 and "src/base/long.c:3: a function of 81 lines" in out, out


def test_a_folder_without_a_layer_and_a_file_without_an_opening(tree):
    (tree / "src" / "attic").mkdir()
    (tree / "src" / "base" / "mute.c").write_text("int x;\n")
    code, out = check(tree)
    assert code == 1
    assert "src/attic: not in src/LAYERS" in out and "mute.c:1: a file opens with" in out, out


def test_a_circle_in_the_layers_is_found(tree):
    (tree / "src" / "LAYERS").write_text("base: cli\ncli: base\n")
    code, out = check(tree)
    assert code == 1 and "base may include cli, which is not above it" in out, out
