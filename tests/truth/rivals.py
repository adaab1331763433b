#!/usr/bin/env python3
"""How hasten and other tracers count the programs of test_trace_counts.py: for each tool the programs whose numbers of calls, or
whose callers, are not what the program says.

    rivals.py [--list] PYTHON...       each with hasten (HASTEN_BINARY, default build/hasten) and the tools that it can
                                       import: cProfile, yappi, viztracer

Only begun calls of the program's own functions are asked for, and under cProfile their callers: no other tool tells
resumptions and exceptions apart, and each spells functions of C in its own way.  A program that the tool breaks, or
of which it leaves nothing, is wrong.
"""
import json
import os
import pathlib
import pstats
import re
import subprocess
import sys
import tempfile

from counts import Seen, programs

BINARY = os.environ.get("HASTEN_BINARY", str(pathlib.Path(__file__).resolve().parents[2] / "build" / "hasten"))
TOOLS = {
    "hasten": [],
    "cProfile": ["-m", "cProfile", "-o", "OUT"],
    "yappi": ["-m", "yappi", "-b", "-c", "wall", "-f", "pstat", "-o", "OUT"],
    "viztracer": ["-m", "viztracer", "--quiet", "--ignore_c_function", "--output_file", "OUT.json", "--"],
}
EVENT = re.compile(r"^(.*) \((.*):(\d+)\)$")


def pstats_rows(path):
    """A pstats file in the shape of `hasten show --json`."""
    def named(key):
        return {"file": key[0], "first_line": key[1], "function": key[2]}

    def row(key, primitive, calls):
        return dict(named(key), calls=calls, primitive_calls=primitive, resumes=0, raises=0)

    functions, edges = [], []
    for key, (primitive, calls, _, _, callers) in pstats.Stats(path).stats.items():
        functions.append(row(key, primitive, calls))
        for caller, counts in callers.items():
            calls = counts[0] if isinstance(counts, tuple) else counts
            edges.append(dict(row(key, calls, calls), caller=named(caller), callee=named(key)))
    return functions, edges


def viztracer_rows(path):
    """Begun calls by function; the file's nesting of events in time is left unused."""
    counts = {}
    for event in json.loads(pathlib.Path(path).read_text())["traceEvents"]:
        match = EVENT.match(event["name"]) if event["ph"] == "X" else None
        if match:
            counts[match.groups()] = counts.get(match.groups(), 0) + 1
    return [{"file": file, "first_line": int(line), "function": name, "calls": calls, "primitive_calls": calls,
             "resumes": 0, "raises": 0} for (name, file, line), calls in counts.items()], None


def hasten_rows(python, program, folder):
    environment = dict(os.environ, HASTEN_STORE=folder + "/")
    command = [BINARY, "trace", "-q", "--", python, "-Wignore", str(program.file), program.name]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=20, env=environment,
                          universal_newlines=True)
    page = json.loads(subprocess.check_output([BINARY, "show", "last", "--json", "-n", "100000"], env=environment))
    return page["functions"], page["edges"], done.stdout


def measure(python, tool, program, folder):
    """-> functions, edges (None: not told); raises when there is nothing."""
    if tool == "hasten":
        return hasten_rows(python, program, folder)
    out = os.path.join(folder, program.id)
    options = [word.replace("OUT", out) for word in TOOLS[tool]]
    command = [python, "-Wignore"] + options + [str(program.file), program.name]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=20,
                          universal_newlines=True)
    if tool == "viztracer":
        return viztracer_rows(out + ".json") + (done.stdout,)
    functions, edges = pstats_rows(out)
    if tool == "yappi":  # whose files have the two numbers of calls in the other order, and other names for callers
        for row in functions:
            row["calls"], row["primitive_calls"] = row["primitive_calls"], row["calls"]
        edges = None
    return functions, edges, done.stdout


def right(program, functions, edges, version, output):
    """Whether all calls, and all callers, are right, as any way of the interpreter to tell of them has it."""
    told = re.search(r"TRUTH (\d+)", output)
    seen = Seen(functions, edges or [], program.file.name)
    truths = [program.truth(version, monitoring, told.group(1) if told else "") for monitoring in (False, True)]
    calls = callers = True
    for key in set(truths[0]) | set(truths[1]):
        name, elsewhere = key
        either = [row for truth in truths for row in truth.get(key, ())]
        if elsewhere:
            continue
        count = seen.functions.get(key, {"calls": 0})["calls"]
        calls = calls and any(count == counts.calls for counts, _ in either)
        if edges is None or name == program.name or any(rows is None for _, rows in either):
            continue
        found = {caller: row["calls"] for caller, row in seen.callers(key).items()
                 if row["calls"] and caller != "(none)"}
        callers = callers and any(found == {caller: row.calls for caller, row in rows.items()
                                            if row.calls and caller != "(none)"} for _, rows in either)
    return calls, callers


def judge(python, tool, folder, listed):
    version = tuple(json.loads(subprocess.check_output(
        [python, "-c", "import sys; print(list(sys.version_info[:2]))"])))
    wrong_calls, wrong_callers, total = [], [], 0
    for program in programs():
        if version < program.since or program.needs:
            continue
        total += 1
        try:
            functions, edges, output = measure(python, tool, program, folder)
            calls, callers = right(program, functions, edges, version, output)
        except Exception:
            calls = callers = False
        wrong_calls += [program.id] * (not calls)
        wrong_callers += [program.id] * (not callers)
    print("%-10s %-6s %3d programs, calls wrong in %3d, callers wrong in %s" % (
        tool, "%d.%d" % version, total, len(wrong_calls), len(wrong_callers) if tool in ("hasten", "cProfile") else "-"), flush=True)
    if listed:
        print("  " + "\n  ".join(wrong_calls + ["callers: " + one for one in wrong_callers]), flush=True)


def main(words):
    listed = "--list" in words
    for python in [word for word in words if word != "--list"]:
        for tool in TOOLS:
            if tool == "hasten" or subprocess.call([python, "-c", "import " + tool], stderr=subprocess.DEVNULL) == 0:
                with tempfile.TemporaryDirectory() as folder:
                    judge(python, tool, folder, listed)


if __name__ == "__main__":
    main(sys.argv[1:])
