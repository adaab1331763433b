"""Rows on the heap: how long a program stands still for a snapshot, how much of it is found, and what a snapshot takes,
beside the tools that work inside the program (which stands still for as long as they take).
"""
import json
import os
import re
import shutil
import statistics
import subprocess
import tempfile

from rows import PROGRAMS, Values, row
from samplers import BINARY
from tracers import rival_python

RIVALS = {"objgraph": "objgraph==3.7.0", "muppy": "pympler==1.1", "guppy3": "guppy3==3.1.7",
          "memray": "memray==1.20.0"}
INSIDE = ("gc", "closure", "objgraph", "muppy", "guppy3")
_cache = {}


class Target:
    """The program with its objects made."""

    def __init__(self, command, program, n):
        self.process = subprocess.Popen([str(c) for c in command] + [str(program), str(n)], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE, universal_newlines=True)
        made = json.loads(self.process.stdout.readline())
        self.planted, self.resident = made["planted"], made["resident"]
        self.objects = sum(self.planted.values())

    @property
    def pid(self):
        """Of the interpreter, also where a chroot stands before it."""
        children = open("/proc/%d/task/%d/children" % (self.process.pid, self.process.pid)).read().split()
        return int(children[0]) if children else self.process.pid

    def ask(self, word):
        self.process.stdin.write(word + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(self.process.stderr.read()[-200:].strip().splitlines()[-1])
        return json.loads(line)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.stdout.close()
        self.process.stderr.close()
        self.process.wait()


def hasten(pid, *options):
    folder = tempfile.mkdtemp(prefix="hasten-bench-")
    try:
        store = os.path.join(folder, "runs.db")
        done = subprocess.run([str(BINARY), "heap", str(pid), "--json", "--store", store, *options], stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, universal_newlines=True)
        if done.returncode != 0:
            raise RuntimeError(done.stderr.strip())
        answer = json.loads(done.stdout)
        answer["stored_bytes"] = os.path.getsize(store)
        return answer
    finally:
        shutil.rmtree(folder)


def found_share(answer, planted):
    counts = {r["type"]: r["objects"] for r in answer["types"]}
    return 100 * min(1, min(counts.get(name, 0) / number for name, number in planted.items()))


def measure(bench):
    """{column: [{pause, objects, share ...}]}, measured once for all rows."""
    if _cache:
        return _cache
    n = 400000 if not bench.quick else 80000
    rounds = bench.seconds(7, 3)
    for interpreter in (i for i in bench.interpreters if i.supported and not i.free_threaded):
        for way in ("", "--fork", "--precopy"):
            with Target(interpreter.command, interpreter.inside(PROGRAMS / "heap.py"), n) as target:
                for _ in range(rounds):
                    answer = hasten(target.pid, *way.split())
                    _cache.setdefault("hasten%s @%s" % (" " + way if way else "", interpreter.full_version), []).append({
                        "pause": answer["pause_ns"] / 1e9, "resident": target.resident, "census": answer["census_ns"] / 1e9,
                        "objects": answer["objects"], "share": found_share(answer, target.planted),
                        "stored": answer["stored_bytes"] / answer["objects"], "answer": answer})
    for name in INSIDE:
        for _ in range(bench.seconds(3, 1)):
            with Target(rival_python(bench, "heap-rivals", RIVALS), PROGRAMS / "heap.py", n) as target:
                try:
                    answer = target.ask(name)
                except RuntimeError as error:
                    bench.say("%s: %s" % (name, error))
                    break
                _cache.setdefault("%s @%s" % (name, bench.usual.full_version), []).append({
                    "pause": answer["seconds"], "resident": target.resident, "census": answer["seconds"],
                    "objects": answer["objects"], "share": 100 * min(1, answer["objects"] / target.objects),
                    "more": answer["more_bytes"]})
    return _cache


def columns(bench, value, only=lambda name: True, note=lambda measured: ""):
    answer = {}
    for name, measured in measure(bench).items():
        if only(name):
            answer[name] = Values([value(m) for m in measured])
            answer[name].note = note(measured)
    return answer


def is_usual(name):
    return "--" not in name


def by(way):
    return lambda name: way in name


@row("heap-pause", "how long the program stands still, by its resident memory", 0.5, "s/GB")
def heap_pause(bench):
    return columns(bench, lambda m: m["pause"] / (m["resident"] / 1e9), is_usual,
                   lambda all: "%.0f MB, %.3f s" % (all[0]["resident"] / 1e6, statistics.median(m["pause"] for m in all)))


def short_pause(bench, way, cost):
    return columns(bench, lambda m: m["pause"] * 1e3 / (m["resident"] / 1e9), by(way),
                   lambda all: "%.1f ms; stolen %.1f ms" % (
                       statistics.median(m["pause"] for m in all) * 1e3,
                       statistics.median(m["answer"][cost]["stolen_ns"] for m in all) / 1e6))


@row("heap-fork", "the same with --fork", 25, "ms/GB")
def heap_fork(bench):
    return short_pause(bench, "--fork", "fork")


@row("heap-precopy", "the same with --precopy", 25, "ms/GB")
def heap_precopy(bench):
    return short_pause(bench, "--precopy", "precopy")


@row("heap-census", "finding all objects after the copy, for five million", 0.6, "s")
def heap_census(bench):
    return columns(bench, lambda m: m["census"] * 5e6 / m["objects"], is_usual,
                   lambda all: "%.2f million objects" % (all[0]["objects"] / 1e6))


@row("heap-found", "objects found of those planted; hasten: of the type of which the least is found", 99.9, "%", "high")
def heap_found(bench):
    return columns(bench, lambda m: m["share"], is_usual,
                   lambda all: "+%.0f MB in the program" % (all[0]["more"] / 1e6) if "more" in all[0] else "")


@row("heap-store", "a stored snapshot, by object", 20, "B")
def heap_store(bench):
    return columns(bench, lambda m: m["stored"], lambda name: name.startswith("hasten") and is_usual(name))


def grown(command, program, word):
    """(what hasten says that the objects have more when the program has planted, what the tool of that word says)"""
    with subprocess.Popen([str(c) for c in command] + [str(program)], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                          universal_newlines=True) as process:
        process.stdout.readline()
        before = hasten(process.pid)["bytes"] if word == "none" else 0
        process.stdin.write(word + "\n")
        process.stdin.flush()
        said = json.loads(process.stdout.readline())["bytes"]
        after = hasten(process.pid)["bytes"] if word == "none" else 0
        process.stdin.close()
        return after - before, said


@row("heap-totals", "bytes of what was planted: how far from those of the allocators' blocks", 0.5, "%")
def heap_totals(bench):
    python, program = rival_python(bench, "heap-rivals", RIVALS), PROGRAMS / "heap_totals.py"
    rounds = bench.seconds(3, 1)
    blocks = statistics.median(grown(python, program, "blocks")[1] for _ in range(rounds))
    answer = {}
    for word in ("none", "tracemalloc", "memray", "memray-python", "muppy", "guppy3"):
        found = [grown(python, program, word) for _ in range(rounds)]
        of = [mine if word == "none" else said for mine, said in found]
        name = "%s @%s" % ("hasten" if word == "none" else word, bench.usual.full_version)
        answer[name] = Values([100 * abs(number - blocks) / blocks for number in of])
        answer[name].note = "%.2f of %.2f MB" % (statistics.median(of) / 1e6, blocks / 1e6)
    return answer


SHAPE = re.compile(r"^(.+?)\s+\d+ vertices.*dominators\s+([\d.]+) s\s+sums\s+([\d.]+) s.*peak ([\d.]+) bytes")


def graph(bench, millions):
    """{shape: [(seconds for dominators and sums, bytes of memory a vertex)]}, twice as many edges as vertices."""
    tool = BINARY.parent / "tests" / "bench" / "bench_graph"
    if millions not in _graphs:
        subprocess.run(["ninja", "-C", str(BINARY.parent), "tests/bench/bench_graph"], check=True, stdout=subprocess.DEVNULL)
        found = _graphs.setdefault(millions, {})
        for _ in range(bench.seconds(3, 1)):
            done = subprocess.run([str(tool), str(millions * 10 ** 6), str(2 * millions * 10 ** 6)], check=True,
                                  stdout=subprocess.PIPE, universal_newlines=True)
            for line in filter(None, map(SHAPE.match, done.stdout.splitlines())):
                found.setdefault("hasten, %s" % line[1], []).append((float(line[2]) + float(line[3]), float(line[4])))
    return _graphs[millions]


_graphs = {}


@row("heap-graph-5", "dominators and retained sizes: 5 million objects, 10 million references, seconds of CPU", 5, "s")
def heap_graph_5(bench):
    return {name: Values([seconds for seconds, _ in values]) for name, values in graph(bench, 5).items()}


@row("heap-graph-30", "the same of 30 and 60 million", 60, "s")
def heap_graph_30(bench):
    return {name: Values([seconds for seconds, _ in values]) for name, values in graph(bench, 30).items()}


@row("heap-graph-memory", "the memory that this takes at its peak, by object", 80, "B")
def heap_graph_memory(bench):
    return {name: Values([memory for _, memory in values]) for name, values in graph(bench, 30).items()}
