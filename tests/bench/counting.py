"""Rows on counters: what an event costs in a program, beside prometheus_client, and how quickly many series are read.

Each program times its own loops, the least of nine rounds; hasten and its rival are run by turns, in fresh processes.
"""
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

import conftest
from rows import PROGRAMS, Values, row
from samplers import BINARY, ROOT, TARGET_CPU, on_cpus

PACKAGE = ROOT / "python" / "hasten"
AGENT = BINARY.parent / "src" / "agent" / "hasten_agent.so"
RIVAL = "prometheus-client==0.26.0"
WHATS = {"inc": ("counter.inc()", 20), "bound": ("inc(), bound before", 20), "observe": ("histogram.observe(value)", 25),
         "timed": ("a timed function, over the bare call", 50)}
_cache = {}


def packages(interpreter):
    """A folder of packages as the interpreter sees it, with this build's agent and the rival, and where it is here."""
    root = interpreter.root or pathlib.Path("/")
    place = pathlib.Path(tempfile.mkdtemp(prefix="hasten-bench-", dir=str(root / "tmp")))
    shutil.copytree(str(PACKAGE), str(place / "hasten"), ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(str(AGENT), str(place / "hasten" / "_agent.so"))
    subprocess.run([sys.executable, "-m", "pip", "install", "-q", "--disable-pip-version-check", "--target", str(place),
                    "--no-deps", RIVAL], check=True, stdout=subprocess.DEVNULL)
    return "/" + str(place.relative_to(root)), place


def measure(bench):
    """{what: {column: [ns]}}, measured once for all rows."""
    if _cache:
        return _cache
    for interpreter in bench.interpreters:
        if not interpreter.supported or (interpreter.root is not None and not conftest.open_for_agent(interpreter.root)):
            continue
        inside, place = packages(interpreter)
        try:
            for turn in range(bench.seconds(12, 3)):
                for library in (("hasten", "prometheus") if turn % 2 == 0 else ("prometheus", "hasten")):
                    command = interpreter.command + [interpreter.inside(PROGRAMS / "counting.py"), inside, library]
                    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, universal_newlines=True,
                                          preexec_fn=on_cpus({TARGET_CPU}))
                    if done.returncode != 0:
                        bench.say("%s, %s: %s" % (library, interpreter, done.stderr[-200:]))
                        break
                    name = "hasten" if library == "hasten" else "prometheus_client"
                    for what, ns in json.loads(done.stdout).items():
                        _cache.setdefault(what, {}).setdefault("%s @%s" % (name, interpreter.id), []).append(ns)
        finally:
            shutil.rmtree(str(place), ignore_errors=True)
    return _cache


for _what, (_words, _goal) in WHATS.items():
    row("count-" + _what, "one event of a counter: " + _words, _goal, "ns")(
        lambda bench, what=_what: {name: Values(ns) for name, ns in measure(bench)[what].items()})


@row("count-read", "10,000 series in each of 8 processes, added up and written as JSON: the whole command", 50, "ms")
def read_many(bench):
    inside, place = packages(bench.usual)
    counters = tempfile.mkdtemp(prefix="hasten-bench-counters-", dir="/dev/shm")
    environment = dict(os.environ, HASTEN_COUNTERS=counters)
    answer = {}
    try:
        for kind, event in (("counter", "inc(i)"), ("histogram", "observe(0.001 * (i % 1000))")):
            code = ("import sys; sys.path.insert(0, %r)\nfrom hasten import counters as C\nimport os, time\n"
                    "made = [C.%s('r%%d' %% (i %% 100)).labels(route='/r/%%d' %% i) for i in range(10000)]\n"
                    "for _ in range(7):\n if os.fork() == 0: break\n"
                    "for i, s in enumerate(made): s.%s\n"
                    "os.write(1, b'ready\\n')\ntime.sleep(1000)" % (inside, kind, event))
            program = subprocess.Popen(bench.usual.command + ["-c", code], env=environment, stdout=subprocess.PIPE,
                                       start_new_session=True)
            try:
                for _ in range(8):
                    assert program.stdout.readline() == b"ready\n"
                times = []
                for _ in range(bench.seconds(20, 5)):
                    begin = time.monotonic()
                    subprocess.run([str(BINARY), "count", "--json"], env=environment, check=True, stdout=subprocess.DEVNULL)
                    times.append((time.monotonic() - begin) * 1e3)
            finally:
                os.killpg(program.pid, 9)
                program.wait()
            answer["hasten, %ss @%s" % (kind, bench.usual.full_version)] = Values(times)
            shutil.rmtree(counters)
            os.mkdir(counters, 0o700)
    finally:
        shutil.rmtree(counters, ignore_errors=True)
        shutil.rmtree(str(place), ignore_errors=True)
    return answer
