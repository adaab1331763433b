"""The pages of docs/ say what the program says: the same commands, options, exit codes and environment."""
import re
import shutil
import subprocess

import pytest

from conftest import BINARY, ROOT

PAGES = ROOT / "docs" / "commands"
COMMANDS = [path.stem for path in sorted(PAGES.glob("*.md")) if path.stem != "hasten"]


def help_of(*words):
    return subprocess.run([str(BINARY), "help"] + list(words), stdout=subprocess.PIPE, check=True,
                          universal_newlines=True).stdout


def options_of(command):
    """{long name: (short name, argument)} as the program's help has them."""
    rows = re.findall(r"^  (?:-(\S),|   ) (--[a-z-]+)(?: ([A-Z.]+))?(?= |$)", help_of(*command.split()), flags=re.M)
    return {name: (short, argument) for short, name, argument in rows if name != "--help"}


def options_documented(command):
    """Options in a page are items such as: - `-r`, `--rate RATE`: text. A question to a heap is a section of its page."""
    command, _, question = command.partition(" ")
    text = (PAGES / (command + ".md")).read_text()
    text = text.split("\n## Questions")[0] if not question else text.split("### hasten heap %s\n" % question)[1].split("\n##")[0]
    rows = re.findall(r"^- (?:`-(\S)`, )?`(--[a-z-]+)(?: ([A-Z.]+))?`", text, flags=re.M)
    return {name: (short, argument) for short, name, argument in rows}


def test_every_command_has_a_page():
    listed = re.findall(r"^  ([a-z]+) +\S", help_of().split("\n\n", 2)[2], flags=re.M)
    assert len(listed) >= 10
    assert sorted(set(listed) - {"help"}) == COMMANDS


QUESTIONS = ["heap " + word for word in re.findall(r"^  hasten heap ([a-z]+) ", help_of("heap"), flags=re.M)]


def test_every_question_has_a_section():
    text = (PAGES / "heap.md").read_text()
    assert sorted(QUESTIONS) == sorted(re.findall(r"^### hasten (heap [a-z]+)$", text, flags=re.M))


@pytest.mark.parametrize("command", COMMANDS + QUESTIONS)
def test_options(command):
    assert options_documented(command) == options_of(command)


@pytest.mark.parametrize("command", COMMANDS)
def test_shape_of_a_page(command):
    lines = (PAGES / (command + ".md")).read_text().splitlines()
    assert lines[0] == "# hasten " + command
    assert lines[2] and lines[2][0].islower() and not lines[2].endswith("."), "line 3 is the page's summary"
    assert "## Synopsis" in lines and "    hasten %s" % command == lines[lines.index("## Synopsis") + 2][:len(command) + 11]


@pytest.mark.skipif(shutil.which("go-md2man") is None, reason="go-md2man is not installed")
@pytest.mark.parametrize("command", ["hasten"] + COMMANDS)
def test_man_page(command):
    roff = subprocess.run([str(ROOT / "tools" / "man_page"), "1.2", str(PAGES / (command + ".md"))],
                          stdout=subprocess.PIPE, check=True, universal_newlines=True).stdout
    assert ".TH" in roff and ".SH NAME" in roff and ".SH SYNOPSIS" in roff
    assert "hasten 1.2" in roff and ".md" not in roff


def test_exit_codes():
    header = (ROOT / "src" / "cli" / "exit_codes.h").read_text()
    defined = {int(n) for n in re.findall(r"HST_EXIT_\w+ = (\d+)", header)}
    page = (ROOT / "docs" / "exit-codes.md").read_text()
    assert {int(n) for n in re.findall(r"^\| (\d+) \|", page, flags=re.M)} == defined


def test_links_between_pages_lead_somewhere():
    for path in list(ROOT.glob("*.md")) + list((ROOT / "docs").rglob("*.md")):
        for link in re.findall(r"\]\(([^)#:]+)\)", path.read_text()):
            assert (path.parent / link).exists(), "%s: %s" % (path.name, link)
