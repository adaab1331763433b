"""Rows on exact measurement: what a traced call and a watched line cost beside the rivals, and how true it is.

Each program times its own loops and takes the least of nine rounds; hasten, the rivals and nothing at all are run by
turns, and a round's ratio is (hasten - nothing) / (cProfile - nothing).
"""
import collections
import json
import os
import pathlib
import shutil
import subprocess
import sys

import conftest
from rows import PROGRAMS, Values, row
from samplers import BINARY, ROOT, TARGET_CPU, on_cpus

PROGRAM = PROGRAMS / "calls.py"
RIVALS = {"yappi": "yappi==1.7.6", "viztracer": "viztracer==1.1.1", "line_profiler": "line_profiler==5.0.0"}
AGENT = BINARY.parent / "src" / "agent" / "hasten_agent.so"


def rival_python(bench, name="rivals", packages=RIVALS):
    """A virtual environment of the usual interpreter with the rivals that can be had for it."""
    place = ROOT / ".cache" / ("%s-%s" % (name, bench.usual.full_version))
    python = place / "bin" / "python"
    if not (place / "done").exists():
        subprocess.run(bench.usual.command + ["-m", "venv", str(place)], check=True)
        for package in packages.values():
            subprocess.run([str(python), "-m", "pip", "install", "-q", "--disable-pip-version-check", package])
        (place / "done").write_text("")
    return [str(python)]


def run(command, *words, env=None):
    done = subprocess.run([str(c) for c in command] + [str(w) for w in words], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          universal_newlines=True, preexec_fn=on_cpus({TARGET_CPU}), env=env)
    if done.returncode != 0:
        raise RuntimeError("%s: %s" % (command, done.stderr[-300:]))
    return json.loads(done.stdout.splitlines()[-1])


def hasten_command(verb, *options):
    store = ROOT / ".cache" / "bench-trace.db"
    return [str(BINARY), verb, "-q", "--store", str(store), *options, "--"]


def ways(bench, interpreter, what, options=()):
    """{column: command before the program}"""
    python = interpreter.command
    found = {"none": (python, "none"), "cprofile": (python, "cprofile"),
             "hasten": (hasten_command("trace", *options) + python, "none")}
    if interpreter is bench.usual and not options:
        for name in ("yappi", "viztracer"):
            found[name] = (rival_python(bench), name)
    if interpreter is bench.newest and not options:
        found["profiling.tracing"] = (python, "tracing")
    return found


def ratios(bench, interpreter, what, options=()):
    """{column: ratio of added cost to cProfile's, by rounds}, and the added ns of hasten and cProfile."""
    if interpreter.root is not None and not conftest.open_for_agent(interpreter.root):
        raise RuntimeError("%s: /dev/shm cannot be mounted there" % interpreter)
    program = interpreter.inside(PROGRAM)
    values, added = collections.defaultdict(list), collections.defaultdict(list)
    chosen = ways(bench, interpreter, what, options)
    for turn in range(bench.seconds(9, 3)):
        ns = {}
        for name in (list(chosen) if turn % 2 == 0 else list(chosen)[::-1]):
            command, tracer = chosen[name]
            try:
                ns[name] = run(command, program, tracer, what)["ns"]
            except RuntimeError as error:
                bench.say("%s: %s" % (name, str(error)[-200:]))
        for name in ns:
            if name not in ("none", "cprofile"):
                values[name].append((ns[name] - ns["none"]) / (ns["cprofile"] - ns["none"]))
            added[name].append(ns[name] - ns["none"])
    notes = {name: sorted(added[name])[len(added[name]) // 2] for name in added}
    return values, notes


def trace_row(bench, versions, kinds, options=()):
    answer = collections.OrderedDict()
    for interpreter in bench.interpreters:
        if not interpreter.supported or interpreter.version not in versions or interpreter.free_threaded:
            continue
        if interpreter.version == (3, 13) and interpreter.root is not None:
            continue  # one build of a version is enough
        for kind in kinds:
            values, notes = ratios(bench, interpreter, kind, options)
            for name in values:
                result = Values(values[name])
                result.note = "%.0f ns added, cProfile %.0f" % (notes[name], notes["cprofile"])
                answer["%s %s @%s" % (name, {"python": "Python", "c": "C"}[kind], interpreter.full_version)] = result
    return answer


@row("trace-new", "added cost of a traced call, beside cProfile's, 3.13 to 3.15", 0.45, "of cProfile's")
def trace_new(bench):
    return trace_row(bench, {(3, 13), (3, 14), (3, 15)}, ("python", "c"))


@row("trace-312", "the same on 3.12", 0.60, "of cProfile's")
def trace_312(bench):
    return trace_row(bench, {(3, 12)}, ("python", "c"))


@row("trace-old", "the same on 3.8 to 3.11", 0.75, "of cProfile's")
def trace_old(bench):
    return trace_row(bench, {(3, 8), (3, 9), (3, 10), (3, 11)}, ("python", "c"))


@row("trace-python", "the same with --python-only, 3.9 and later", 0.33, "of cProfile's")
def trace_python(bench):
    return trace_row(bench, {(3, minor) for minor in range(9, 16)}, ("python",), ("--python-only",))


def shown_share():
    shown = subprocess.run([str(BINARY), "show", "last", "--json", "--store", str(ROOT / ".cache" / "bench-trace.db")],
                           stdout=subprocess.PIPE, check=True, universal_newlines=True)
    total = {row["function"]: row for row in json.loads(shown.stdout)["functions"]}
    return {kind: total["calling"][kind] / (total["calling"][kind] + total["quiet"][kind])
            for kind in ("total_ns", "raw_total_ns")}


@row("trace-half", "a program that is half trivial calls, half a loop: error of the shown share", 2.0, "points")
def trace_half(bench):
    answer = collections.OrderedDict()
    for interpreter in bench.interpreters:
        if not interpreter.supported or interpreter.free_threaded:
            continue
        if interpreter.root is not None and not conftest.open_for_agent(interpreter.root):
            continue
        errors = collections.defaultdict(list)
        program = interpreter.inside(PROGRAM)
        for _ in range(bench.seconds(11, 3)):
            rounds = json.dumps(run(interpreter.command, program, "none", "half")["rounds"])
            run(hasten_command("trace") + interpreter.command, program, "none", "half", rounds)
            shown = shown_share()
            errors["hasten"].append(100 * abs(shown["total_ns"] - 0.5))
            errors["hasten's raw times"].append(100 * abs(shown["raw_total_ns"] - 0.5))
            share = run(interpreter.command, program, "cprofile", "half", rounds)["share"]
            errors["cProfile"].append(100 * abs(share - 0.5))
        for name, values in errors.items():
            answer["%s @%s" % (name if name != "hasten's raw times" else "raw, before correction", interpreter.full_version)] = \
                Values(values)
    return answer


@row("lines", "added cost of a watched line", 35, "ns")
def lines(bench):
    answer = collections.OrderedDict()
    for interpreter in bench.interpreters:
        if not interpreter.supported or interpreter.free_threaded:
            continue
        if interpreter.root is not None and not conftest.open_for_agent(interpreter.root):
            continue
        program, added = interpreter.inside(PROGRAM), collections.defaultdict(list)
        for turn in range(bench.seconds(9, 3)):
            base = run(interpreter.command, program, "none", "lines")["ns"]
            ours = run(hasten_command("lines", "-f", "lines") + interpreter.command, program, "none", "lines")["ns"]
            added["hasten"].append(ours - base)
            if interpreter is bench.usual:
                try:
                    added["line_profiler"].append(run(rival_python(bench), program, "line_profiler", "lines")["ns"] - base)
                except RuntimeError as error:
                    bench.say(str(error)[-200:])
        for name, values in added.items():
            answer["%s @%s" % (name, interpreter.full_version)] = Values(values)
    return answer


def slower(bench, interpreter, command, what, env=None):
    """Per cent that a program is slower with the command in front, by rounds."""
    # Where code and stack happen to lie is worth some per cent in a run: so there are many.
    program, values = interpreter.inside(PROGRAM), []
    for turn in range(bench.seconds(60, 20)):
        order = [(interpreter.command, None), (command + interpreter.command, env)]
        ns = {}
        for words, environment in (order if turn % 2 == 0 else order[::-1]):
            ns[len(words)] = run(words, program, "none", what, env=environment)["ns"]
        values.append(100 * (ns[len(command) + len(interpreter.command)] / ns[len(interpreter.command)] - 1))
    return Values(values)


@row("lines-off", "slow-down of code that is not watched while other code is, 3.12 and later", 1.0, "%")
def lines_off(bench):
    answer = collections.OrderedDict()
    for interpreter in filter(None, (bench.usual, bench.newest)):
        if interpreter.root is not None and not conftest.open_for_agent(interpreter.root):
            continue
        for what, name in (("work", "a loop"), ("python", "calls")):
            answer["hasten, %s @%s" % (name, interpreter.full_version)] = slower(
                bench, interpreter, hasten_command("lines", "-f", "leaf"), what)
    return answer


@row("idle", "slow-down by the agent when it is loaded and has nothing to do", 1.0, "%")
def idle(bench):
    answer = collections.OrderedDict()
    for interpreter in bench.interpreters:
        if not interpreter.supported or interpreter.root is not None or interpreter.free_threaded:
            continue
        for what, name in (("work", "a loop"), ("python", "calls")):
            answer["hasten, %s @%s" % (name, interpreter.full_version)] = slower(
                bench, interpreter, ["env", "LD_PRELOAD=%s" % AGENT, "HASTEN_AGENT=folder=/dev/null/none"], what)
    return answer
