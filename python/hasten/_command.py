"""The `hasten` command, from inside a program."""
import os
import shutil
import subprocess
import sysconfig
import tempfile
from typing import Dict, Iterator, List, Optional


class Error(RuntimeError):
    """What hasten could not do, and what to try."""


def find() -> str:
    """The command's path: HASTEN_COMMAND, in the wheel, beside this interpreter, in PATH."""
    named = os.environ.get("HASTEN_COMMAND")
    if named:
        return named
    packages = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    within = os.path.join(packages, "hasten.scripts", "hasten")  # where auditwheel puts it
    if os.access(within, os.X_OK):
        return within
    beside = os.path.join(sysconfig.get_path("scripts") or "", "hasten")
    if os.access(beside, os.X_OK):
        return beside
    found = shutil.which("hasten")
    if found is None:
        raise Error("the command hasten is neither beside this Python nor in PATH; "
                    "pip install hasten, or name it in HASTEN_COMMAND")
    return found


def environment() -> Dict[str, str]:
    """This process', without the agent that may have been preloaded into it."""
    env = dict(os.environ)
    if env.pop("HASTEN_AGENT", None) is not None:
        others = [word for word in env.get("LD_PRELOAD", "").split(":") if "hasten" not in os.path.basename(word)]
        env["LD_PRELOAD"] = ":".join(others)
        if not env["LD_PRELOAD"]:
            del env["LD_PRELOAD"]
    return env


def said(text: str) -> str:
    """The command's complaint as a sentence of ours."""
    lines = [line.strip() for line in text.strip().splitlines() if not line.startswith("hasten: note: ")]
    lines = [line[len("hasten: "):] if line.startswith("hasten: ") else line for line in lines]
    return "; ".join(lines) or "the command hasten ended without a word"


def run(words: List[str], width: Optional[int] = None) -> str:
    """Runs it to its end; what it printed. Error: what it complained of."""
    env = environment()
    if width is not None:
        env["COLUMNS"] = str(width)
    try:
        done = subprocess.run([find()] + words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=env,
                              universal_newlines=True, errors="replace")
    except OSError as error:
        raise _no_start(error) from None
    if done.returncode != 0:
        raise Error(said(done.stderr))
    return done.stdout


def lines(words: List[str]) -> Iterator[str]:
    """Runs it, and gives what it prints line by line. Its input ends when all is ready to read that."""
    with tempfile.TemporaryFile("w+", errors="replace") as complaint:
        try:
            process = subprocess.Popen([find()] + words, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                       stderr=complaint, env=environment(), universal_newlines=True, errors="replace")
        except OSError as error:
            raise _no_start(error) from None
        with process:
            assert process.stdin is not None and process.stdout is not None
            process.stdin.close()
            yield from process.stdout
        if process.returncode != 0:
            complaint.seek(0)
            raise Error(said(complaint.read()))


def _no_start(error: OSError) -> Error:
    return Error("cannot start %s: %s" % (error.filename, error.strerror))
