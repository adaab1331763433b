#!/usr/bin/env python3
"""Cost, speed and truth of hasten beside other profilers, measured by turns in one run.

usage: ./dev bench [ROW...] [--quick] [--json FILE] [--list]

ROW: the beginning of a row's name (--list shows them); all rows when none is given.  Prints a table: what is to be
reached, the median, its 95 % interval; --json keeps every value.
"""
import argparse
import json
import os
import pathlib
import platform
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
sys.path.insert(1, str(pathlib.Path(__file__).resolve().parents[1]))

import conftest  # noqa: E402
import samplers  # noqa: E402
from rows import Bench, ROWS  # noqa: E402
import counting  # noqa: E402,F401 - its rows
import heaps  # noqa: E402,F401 - its rows
import tracers  # noqa: E402,F401 - its rows


def say(text):
    print("bench: " + text, file=sys.stderr, flush=True)


def first_line(path, key):
    for line in pathlib.Path(path).read_text().splitlines():
        if line.startswith(key):
            return line.split(":", 1)[1].strip()
    return "?"


def header():
    """What a number depends on."""
    peers = []
    for kind in (samplers.PySpy, samplers.Austin, samplers.Tachyon):
        sampler = kind()
        reason = sampler.missing()
        peers.append("%s: %s" % (kind.name, reason) if reason else sampler.version())
        sampler.close()
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], cwd=str(samplers.ROOT), capture_output=True,
                            text=True).stdout.strip()
    return {"date": time.strftime("%Y-%m-%d"), "hasten": samplers.Hasten().version(), "commit": commit,
            "peers": peers, "cpu": first_line("/proc/cpuinfo", "model name"), "cpus": len(samplers.CPUS),
            "kernel": platform.release(), "load": "%.1f" % os.getloadavg()[0],
            "interpreters": [i.id for i in conftest.SUPPORTED]}


def number(value):
    if abs(value) >= 1000:
        return "{:,.0f}".format(value)
    return "%.3g" % value if abs(value) < 10 else "%.1f" % value


def verdict(row, result):
    """reached, MISSED, or undecided: the goal lies inside the interval."""
    if row["goal"] is None:
        return ""
    low, high = (result.low, result.high) if row["best"] == "low" else (-result.high, -result.low)
    goal = row["goal"] if row["best"] == "low" else -row["goal"]
    return "reached" if high <= goal else "MISSED" if low > goal else "undecided"


def print_row(row, results):
    sign = "<=" if row["best"] == "low" else ">="
    goal = "" if row["goal"] is None else "   to reach: %s %s %s" % (sign, number(row["goal"]), row["unit"])
    print("\n%s: %s%s" % (row["name"], row["what"], goal))
    for name, result in results.items():
        judged = verdict(row, result) if name.startswith("hasten") else ""
        print("  %-42s %10s  [%s, %s] %s  %-9s %s" % (
            name, number(result.middle), number(result.low), number(result.high), row["unit"], judged, result.note))
    sys.stdout.flush()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter,
                                     usage="./dev bench [ROW...] [--quick] [--json FILE] [--list]")
    parser.add_argument("rows", nargs="*")
    parser.add_argument("--quick", action="store_true", help="a fifth of the time, wider intervals")
    parser.add_argument("--json", metavar="FILE", help="where every value goes (.cache/bench/results.json)")
    parser.add_argument("--list", action="store_true")
    options = parser.parse_args()
    if options.list:
        for row in ROWS.values():
            print("%-14s %s" % (row["name"], row["what"]))
        return 0
    chosen = [r for r in ROWS.values() if not options.rows or any(r["name"].startswith(w) for w in options.rows)]
    if not chosen:
        sys.exit("bench: no row begins with %s; --list shows them" % " or ".join(options.rows))
    samplers.make_venv()
    about = header()
    for key, value in about.items():
        print("%-13s %s" % (key, " · ".join(value) if isinstance(value, list) else value))
    bench = Bench(conftest.SUPPORTED, options.quick, say)
    results, missed = {}, []
    for row in chosen:
        say(row["what"])
        columns = row["measure"](bench)
        print_row(row, columns)
        missed += [(row["name"], name) for name, result in columns.items()
                   if name.startswith("hasten") and verdict(row, result) == "MISSED"]
        results[row["name"]] = {"what": row["what"], "goal": row["goal"], "unit": row["unit"], "columns": {
            name: {"median": r.middle, "interval": [r.low, r.high], "values": r.values, "note": r.note}
            for name, r in columns.items()}}
    path = pathlib.Path(options.json or samplers.VENV / "results.json")
    path.write_text(json.dumps({"about": about, "quick": options.quick, "rows": results}, indent=1))
    print("\nmissed: " + (", ".join("%s (%s)" % pair for pair in missed) or "none"))
    print("every value: %s" % path)
    conftest.pytest_sessionfinish(None)
    return 0


if __name__ == "__main__":
    sys.exit(main())
