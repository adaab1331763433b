"""The bash completion against the program: it offers what `hasten help` lists."""
import shutil
import subprocess

import pytest

from conftest import BINARY, ROOT

SCRIPT = ROOT / "tools" / "completions" / "hasten.bash"


def complete(hasten, *words):
    """The words that bash would offer for the last of words."""
    program = """
        source {script}
        COMP_WORDS=({words}); COMP_CWORD={last}
        _hasten {binary} "${{COMP_WORDS[$COMP_CWORD]}}" "${{COMP_WORDS[$COMP_CWORD-1]}}"
        printf '%s\\n' "${{COMPREPLY[@]}}"
    """.format(script=SCRIPT, words=" ".join("'%s'" % w for w in ("hasten",) + words), last=len(words), binary=BINARY)
    done = subprocess.run(["bash", "-c", program], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          universal_newlines=True, env=hasten.environment, cwd=str(hasten.folder), check=True)
    assert done.stderr == ""
    return done.stdout.split()


def test_commands(hasten):
    offered = complete(hasten, "")
    assert {"run", "attach", "top", "dump", "heap", "runs", "show", "diff", "export", "import", "rm", "help"} <= set(offered)
    assert complete(hasten, "att") == ["attach"]


def test_options_are_those_of_the_command(hasten):
    assert "--rate" in complete(hasten, "run", "--")
    assert "--rate" not in complete(hasten, "rm", "--")
    assert complete(hasten, "show", "--callee") == ["--callees"]


def test_questions_to_a_heap(hasten):
    assert {"types", "top", "refs", "suspects", "query"} <= set(complete(hasten, "heap", ""))
    assert "--sort" in complete(hasten, "heap", "types", "--")
    assert "--sort" not in complete(hasten, "heap", "top", "--")
    assert "last" in complete(hasten, "heap", "top", "")


def test_runs(hasten, system):
    assert hasten("run", "--name", "before", "--", *system.run_target("ending.py", 0.2, "code:0")).code == 0
    assert {"last", "1", "before"} <= set(complete(hasten, "show", ""))


def test_files_of_other_profilers(hasten):
    for name in ("app.prof", "app.lprof", "app.py"):
        (hasten.folder / name).write_text("")
    assert set(complete(hasten, "show", "app")) == {"app.prof", "app.lprof"}
    assert set(complete(hasten, "import", "app")) == {"app.prof", "app.lprof", "app.py"}


def test_arguments_of_the_program_are_files(hasten):
    (hasten.folder / "script.py").write_text("")
    (hasten.folder / "data.csv").write_text("")
    assert complete(hasten, "run", "scr") == ["script.py"]
    assert complete(hasten, "run", "-r", "100", "script.py", "da") == ["data.csv"]


@pytest.mark.parametrize("shell, name", [("zsh", "_hasten"), ("fish", "hasten.fish"), ("bash", "hasten.bash")])
def test_syntax(shell, name):
    if shutil.which(shell) is None:
        pytest.skip("%s is not installed" % shell)
    subprocess.run([shell, "-n", str(SCRIPT.parent / name)], check=True)
