"""The measurements: each function is one row of the table, asks its question of every profiler that can answer it, in
turns, and returns {column: Values or Share}.  bench.py calls them and prints."""
import collections
import contextlib
import sqlite3
import statistics
import subprocess
import time

from samplers import (Austin, BINARY, Hasten, PySpy, PySpyNonblocking, ROOT, SAMPLER_CPU, Tachyon, Target, on_cpus,
                      truths)
from statistics_of import median, median_interval, wilson

PROGRAMS = ROOT / "tests" / "bench" / "programs"
ROWS = {}


def row(name, what, goal, unit, best="low"):
    """goal: the number to reach; best: whether low or high values are good."""
    def note(function):
        ROWS[name] = dict(name=name, what=what, goal=goal, unit=unit, best=best, measure=function)
        return function
    return note


class Values:
    """Repeated measurements of one number."""

    def __init__(self, values):
        self.values = [float(v) for v in values]
        self.middle = median(self.values)
        self.low, self.high = median_interval(self.values)
        self.note = ""


class Share:
    """Hits among trials, in percent."""

    def __init__(self, hits, trials):
        self.hits, self.trials = hits, trials
        self.values = [100 * hits / max(trials, 1)]
        self.middle = self.values[0]
        self.low, self.high = (100 * v for v in wilson(hits, trials))
        self.note = "%d of %d" % (hits, trials)


class Bench:
    """What every row needs: the interpreters, the profilers, how long to measure."""

    def __init__(self, interpreters, quick, say):
        self.interpreters, self.quick, self.say = interpreters, quick, say
        supported = [i for i in interpreters if i.supported]
        self.newest = next((i for i in supported if i.id.startswith("3.15")), None)
        self.usual = next((i for i in supported if i.id.startswith("3.13.") and i.root is None), supported[0])

    def seconds(self, full, quick):
        return quick if self.quick else full

    def columns(self, classes=(Hasten, PySpy, PySpyNonblocking, Austin, Tachyon), cells=None):
        """[(column, interpreter, class)]: hasten and the rivals of each of the two interpreters."""
        chosen = []
        for interpreter in filter(None, (self.usual, self.newest)):
            for kind in classes:
                if kind is Tachyon and interpreter is not self.newest:
                    continue
                if kind not in (Hasten, Tachyon) and interpreter is not self.usual:
                    continue
                chosen.append(("%s @%s" % (kind.name, interpreter.full_version), interpreter, kind))
        return chosen

    @contextlib.contextmanager
    def sampler(self, kind):
        sampler = kind()
        try:
            reason = sampler.missing()
            if reason:
                raise RuntimeError(reason)
            yield sampler
        finally:
            sampler.close()

    def rounds(self, columns, count, one):
        """Calls one(column, interpreter, sampler) for all columns in turns, count times -> {column: [results]}; a
        profiler that fails is left out from then on, and that is said."""
        results = collections.OrderedDict((name, []) for name, _, _ in columns)
        failed = set()
        for turn in range(count):
            for name, interpreter, kind in (columns if turn % 2 == 0 else columns[::-1]):
                if name in failed:
                    continue
                try:
                    with self.sampler(kind) as sampler:
                        results[name].append(one(interpreter, sampler))
                except RuntimeError as error:
                    failed.add(name)
                    self.say("%s: %s" % (name, str(error)[-200:].strip().replace("\n", " | ")))
        return {name: values for name, values in results.items() if values}


# --- speed ---------------------------------------------------------------------------------------------------------
@row("floor", "one read of another process's memory, by the kernel alone: no sampler from outside is faster", None, "ns")
def floor(bench):
    subprocess.run(["ninja", "-C", str(BINARY.parent), "tests/bench/bench_read"], check=True,
                   stdout=subprocess.DEVNULL)
    with Target(bench.usual, PROGRAMS / "work.py", "loop", 600, 10) as target:
        lines = [subprocess.run([str(BINARY.parent / "tests/bench/bench_read"), str(target.pid)], check=True,
                                stdout=subprocess.PIPE, text=True, preexec_fn=on_cpus({SAMPLER_CPU})).stdout.splitlines()
                 for _ in range(2 if bench.quick else 5)]
    answer = {}
    for same in zip(*lines):
        pieces, size, _ = same[0].split()
        answer["%s piece%s, %s bytes" % (pieces, "" if pieces == "1" else "s", size)] = \
            Values([line.split()[2] for line in same])
    return answer


def flat_out(bench, kind, depth):
    seconds = bench.seconds(2, 1)

    def one(interpreter, sampler):
        path, words = (truths.PROGRAMS / "calls_plain.py", (600, depth - 5)) if kind == "calls" else \
            (PROGRAMS / "work.py", ("loop", 600, depth))
        with Target(interpreter, path, *words) as target:
            # The rivals' files are read back, since only those count what was accepted; ours is in the run's row.
            seen = sampler.attach(target.pid, seconds, None, None if isinstance(sampler, Hasten) else target.program)
        wall = sampler.last()["wall_ns"] / 1e9 if isinstance(sampler, Hasten) else seconds
        return seen.samples / wall, seen.samples / seen.cpu_s
    columns = [c for c in bench.columns() if c[2] is not PySpy]
    results = bench.rounds(columns, 2 if bench.quick else 5, one)
    answer = {}
    for name, values in results.items():
        answer[name] = Values([v[0] for v in values])
        answer[name].note = "%.0f per second of its CPU" % median([v[1] for v in values])
    return answer


for _kind, _depth in (("loop", 10), ("loop", 50), ("calls", 10), ("calls", 50)):
    row("rate-%s-%d" % (_kind, _depth), "accepted stacks per second, flat out, written to the store: %s, depth %d" %
        ({"loop": "a loop", "calls": "call-heavy"}[_kind], _depth), 500000, "/s", best="high")(
            lambda bench, kind=_kind, depth=_depth: flat_out(bench, kind, depth))


@row("read", "CPU per sample for reading, depth 50", 2.0, "us")
def read_cost(bench):
    columns = []
    for name, interpreter, kind in bench.columns((Hasten,)):
        for work in ("loop", "calls"):
            for rate in (1000, None):
                columns.append(("%s, %s, %s" % (name, work, "1 kHz" if rate else "flat out"),
                                (interpreter, work, rate), kind))

    def one(how, sampler):
        interpreter, work, rate = how
        path, words = (truths.PROGRAMS / "calls_plain.py", (600, 45)) if work == "calls" else \
            (PROGRAMS / "work.py", ("loop", 600, 50))
        with Target(interpreter, path, *words) as target:
            cost = sampler.attach(target.pid, bench.seconds(3, 1), rate).cost
        return cost["read_cpu_ns"] / 1e3 / cost["samples"]
    return {name: Values(values) for name, values in bench.rounds(columns, 2 if bench.quick else 5, one).items()}


# --- cost for the program ------------------------------------------------------------------------------------------
def speed(rows, begin, end):
    """Rounds per CPU second and per wall second between two moments."""
    inside = [r for r in rows if begin <= r[0] <= end]
    if len(inside) < 5:
        return None
    rounds = inside[-1][2] - inside[0][2]
    return rounds / (inside[-1][1] - inside[0][1]), rounds / (inside[-1][0] - inside[0][0])


def slow_down(bench, work):
    """One program runs all the time; one second without a profiler and one with, by turns."""
    answer = {}
    for interpreter in filter(None, (bench.usual, bench.newest)):
        columns = [c for c in bench.columns() if c[1] is interpreter]
        phases = []
        with Target(interpreter, PROGRAMS / "work.py", work, 3000, 12) as target:
            failed = set()
            for turn in range(4 if bench.quick else 16):
                for name, _, kind in (columns if turn % 2 == 0 else columns[::-1]):
                    if name in failed:
                        continue
                    phases.append((None, time.monotonic_ns()))
                    time.sleep(0.9)
                    try:
                        with bench.sampler(kind) as sampler:
                            phases.append((name, time.monotonic_ns()))
                            sampler.attach(target.pid, 1, 1000, None if kind is Hasten else target.program)
                    except RuntimeError as error:
                        failed.add(name)
                        bench.say("%s: %s" % (name, str(error)[-200:]))
            phases.append((None, time.monotonic_ns()))
            time.sleep(0.9)
            rows = target.finish()["rows"]
        speeds = [(name, speed(rows, begin + 200000000, begin + 850000000)) for name, begin in phases]
        for name in collections.OrderedDict.fromkeys(n for n, _ in speeds if n and n not in failed):
            pairs = [(speeds[i - 1][1], speeds[i][1], speeds[i + 1][1]) for i in range(1, len(speeds) - 1)
                     if speeds[i][0] == name and None not in (speeds[i - 1][1], speeds[i][1], speeds[i + 1][1])]
            if not pairs:
                bench.say("%s: the program did not get to run often enough beside it" % name)
                continue
            cpu, wall = ([100 * ((a[k] + b[k]) / 2 / x[k] - 1) for a, x, b in pairs] for k in (0, 1))
            answer[name] = Values(cpu)
            answer[name].note = "by the wall clock %.2f %% (%.2f to %.2f)" % (median(wall), *median_interval(wall))
    return answer


@row("slow-loop", "slow-down of the program at 1 kHz, a loop (work per CPU second of the program)", 0.5, "%")
def slow_loop(bench):
    return slow_down(bench, "loop")


@row("slow-calls", "slow-down of the program at 1 kHz, call-heavy (work per CPU second of the program)", 1.0, "%")
def slow_calls(bench):
    return slow_down(bench, "calls")


# --- truth ---------------------------------------------------------------------------------------------------------
def impossible(bench, interpreter, rates):
    """-> {column: Share} over the programs with a known call graph, at the rates; and what was dropped."""
    kinds = [Hasten, PySpy, PySpyNonblocking, Austin] + ([Tachyon] if interpreter is bench.newest else [])
    wrong, lines, total, dropped = (collections.Counter() for _ in range(4))
    failed = {}
    for path in sorted(truths.PROGRAMS.glob("calls_*.py")):
        graph = truths.Graph(path.name)
        with Target(interpreter, path, 600) as target:
            for rate in rates:
                for kind in kinds:
                    if kind in failed:
                        continue
                    try:
                        with bench.sampler(kind) as sampler:
                            seen = sampler.attach(target.pid, 1, rate, target.program)
                    except RuntimeError as error:
                        failed[kind] = str(error)
                        bench.say("%s @%s: %s" % (kind.name, interpreter, str(error)[-200:]))
                        continue
                    for frames, count in seen.stacks.items():
                        verdict = graph.judge(list(frames))
                        total[kind] += count
                        wrong[kind] += count if verdict in ("root", "edge") else 0
                        lines[kind] += count if verdict == "line" else 0
                    if seen.cost:
                        dropped[kind] += seen.cost["dropped"]
    answer = {}
    for kind in kinds:
        if total[kind]:
            share = answer["%s @%s" % (kind.name, interpreter.full_version)] = Share(wrong[kind], total[kind])
            share.note = "%d of %d; wrong line %.3f %%" % (wrong[kind], total[kind], 100 * lines[kind] / total[kind])
            if kind is Hasten:
                share.note += "; dropped %.3f %%" % (100 * dropped[kind] / (dropped[kind] + total[kind]))
    return answer


def edges_at(bench, rates, old):
    answer = {}
    for interpreter in bench.interpreters:
        if not interpreter.supported or (interpreter.version < (3, 11)) is not old:
            continue
        answer.update(impossible(bench, interpreter, rates))
    return answer


for _rate in (1000, 10000, None):
    _text = {1000: "1 kHz", 10000: "10 kHz", None: "flat out"}[_rate]
    _name = {1000: "1khz", 10000: "10khz", None: "max"}[_rate]
    row("edges-" + _name, "samples with an impossible call, call-heavy, %s, 3.11 to 3.15" % _text, 0.02, "%")(
        lambda bench, rate=_rate: edges_at(bench, (rate,), False))
    row("edges-old-" + _name, "samples with an impossible call, call-heavy, %s, 3.8 to 3.10" % _text, 0.1, "%")(
        lambda bench, rate=_rate: edges_at(bench, (rate,), True))


@row("dropped", "samples dropped after retries, call-heavy, worst of 1 kHz, 10 kHz and flat out", 1.0, "%")
def dropped(bench):
    answer = {}
    for interpreter in bench.interpreters:
        if not interpreter.supported:
            continue
        with Target(interpreter, truths.PROGRAMS / "calls_plain.py", 600) as target:
            worst = None
            for rate in (1000, 10000, None):
                with bench.sampler(Hasten) as sampler:
                    cost = sampler.attach(target.pid, bench.seconds(2, 1), rate).cost
                share = Share(cost["dropped"], cost["dropped"] + cost["samples"])
                share.note += " at %s" % (rate or "flat out")
                worst = share if worst is None or share.middle > worst.middle else worst
        answer["hasten @" + interpreter.full_version] = worst
    return answer


def stated_intervals(bench, program, arguments, mode, runs):
    """hasten run over a program that knows its shares -> hits and trials of the stated intervals."""
    hits = trials = 0
    errors = []
    for turn in range(runs):
        with bench.sampler(Hasten) as sampler:
            path = bench.usual.inside(truths.PROGRAMS / program)
            log = sampler.launch([BINARY, "run", "-r", 1000, "--"] + bench.usual.command + ["-I", "-S", path, 1] +
                                 [a if a != "SEED" else turn for a in arguments])["log"]
            shown = sampler.show(mode)
        truth = truths.truth_of(log)
        stated = {r["function"]: r for r in shown["functions"]}
        for function, taken in truth["functions"].items():
            part = "total" if function == "caller" else "self"
            share = stated.get(function, {part + "_share": 0, part + "_interval": [0, 0]})
            scale, seen = truth["total"], 1
            if program == "locked.py":  # its two functions are compared with each other
                scale = sum(truth["functions"].values())
                seen = sum(stated[name]["self_share"] for name in truth["functions"] if name in stated) or 1
            true, (low, high) = taken / scale, share[part + "_interval"]
            hits += low / seen <= true <= high / seen
            trials += 1
            errors.append(share[part + "_share"] / seen - true)
    answer = Share(hits, trials)
    answer.note += "; mean error %.2f points, largest %.2f" % (100 * statistics.mean(errors),
                                                               100 * max(map(abs, errors)))
    return answer


@row("truth", "true share of a function inside the stated 95 % interval (six functions, its own CPU clock)", 95, "%",
     best="high")
def truth(bench):
    return {"hasten @" + bench.usual.full_version:
            stated_intervals(bench, "shares.py", ["SEED"], "cpu", 6 if bench.quick else 40)}


@row("locked", "the same for a program in step with the 1 kHz sampler", 95, "%", best="high")
def locked(bench):
    runs = 3 if bench.quick else 20
    answer = {"hasten @%s, %s" % (bench.usual.full_version, kind):
              stated_intervals(bench, "locked.py", [kind], mode, runs)
              for kind, mode in (("spin", "cpu"), ("sleep", "wall"))}

    def one(interpreter, sampler):
        """The rivals state no interval: the binomial one of their counts is taken."""
        with Target(interpreter, truths.PROGRAMS / "locked.py", 2, "spin", settle_s=0.6) as target:
            seen = sampler.attach(target.pid, 1, 1000, target.program)
            true = target.finish()
        first = sum(n for frames, n in seen.stacks.items() if frames[-1][0] == "first")
        both = first + sum(n for frames, n in seen.stacks.items() if frames[-1][0] == "second")
        share = true["functions"]["first"] / sum(true["functions"].values())
        low, high = wilson(first, both)
        return low <= share <= high, first / max(both, 1) - share
    columns = [c for c in bench.columns() if c[2] is not Hasten]
    for name, results in bench.rounds(columns, runs, one).items():
        answer[name] = Share(sum(hit for hit, _ in results), len(results))
        answer[name].note += "; largest error %.1f points" % (100 * max(abs(error) for _, error in results))
    return answer


# --- size ----------------------------------------------------------------------------------------------------------
@row("crowd", "200 threads, 150 idle, 1 kHz: CPU of the profiler", 5.0, "% of a core")
def crowd(bench):
    short, long = (1, 3) if bench.quick else (2, 6)

    def one(interpreter, sampler):
        with Target(interpreter, truths.PROGRAMS / "crowd.py", 600, settle_s=1.0) as target:
            # Two lengths: what it takes to start and to print is in both.
            took = [sampler.attach(target.pid, seconds, 1000, None if isinstance(sampler, Hasten) else
                                   target.program) for seconds in (short, long)]
        # By the time that it really took: some do not keep up, and end later.
        share = 100 * (took[1].cpu_s - took[0].cpu_s) / (took[1].seconds - took[0].seconds)
        return share, took[1].samples / took[1].seconds, took[1].seconds / long
    answer = {}
    for name, values in bench.rounds(bench.columns(), 2 if bench.quick else 4, one).items():
        answer[name] = Values([v[0] for v in values])
        answer[name].note = "%.0f samples/s, %.1f times the time asked for" % (
            median([v[1] for v in values]), median([v[2] for v in values]))
    return answer


@row("attach", "attach to first sample, warm (the command's start to the sample's own time)", 20.0, "ms")
def attach(bench):
    def one(interpreter, sampler):
        with Target(interpreter, truths.PROGRAMS / "calls_plain.py", 600) as target:
            times = []
            for _ in range(2 if bench.quick else 4):
                seen = sampler.attach(target.pid, 0.1, 1000, target.program)
                first = seen.run.start_ns + min(r[0] for r in seen.run.rows)
                times.append((first - seen.begin_wall_ns) / 1e6)
        return times[1:]
    return {name: Values(sum(values, [])) for name, values in
            bench.rounds(bench.columns((Hasten,)), 2 if bench.quick else 5, one).items()}


@row("look", "one look at a running program, the whole command (dump)", None, "ms")
def look(bench):
    def one(interpreter, sampler):
        with Target(interpreter, truths.PROGRAMS / "calls_plain.py", 600) as target:
            return min(sampler.look(target.pid)["seconds"] for _ in range(3)) * 1e3
    columns = [c for c in bench.columns() if c[2] is not PySpyNonblocking]
    return {name: Values(values) for name, values in bench.rounds(columns, 2 if bench.quick else 5, one).items()}


@row("memory", "resident memory at its peak, 10^7 samples", 32.0, "MB")
def memory(bench):
    answer = {}
    wanted = 1000000 if bench.quick else 10000000
    for name, interpreter, kind in bench.columns((Hasten,)):
        with bench.sampler(kind) as sampler, Target(interpreter, truths.PROGRAMS / "calls_plain.py", 600) as target:
            rate = sampler.attach(target.pid, 1, None).samples
            seen = sampler.attach(target.pid, round(min(60, 1.15 * wanted / rate), 1), None)
        answer[name] = Values([seen.peak_bytes / 1e6])
        answer[name].note = "%d samples" % seen.samples
    return answer


@row("store", "bytes a sample in the store, call-heavy", 4.0, "B")
def store(bench):
    answer = {}
    for name, interpreter, kind in bench.columns((Hasten,)):
        for rate in (1000, 10000, None):
            with bench.sampler(kind) as sampler, \
                    Target(interpreter, truths.PROGRAMS / "calls_plain.py", 600) as target:
                samples = sampler.attach(target.pid, bench.seconds(5, 2), rate).samples
                with contextlib.closing(sqlite3.connect(str(sampler.store))) as database:
                    blocks = database.execute("SELECT sum(length(data)) FROM block").fetchone()[0]
                file = (sampler.store).stat().st_size
            column = "%s, %s" % (name, {1000: "1 kHz", 10000: "10 kHz", None: "flat out"}[rate])
            answer[column] = Values([blocks / samples])
            answer[column].note = "%d samples; the whole file %.1f kB" % (samples, file / 1e3)
    if bench.newest:
        try:
            with bench.sampler(Tachyon) as sampler, \
                    Target(bench.newest, truths.PROGRAMS / "calls_plain.py", 600) as target:
                size, samples = sampler.binary_bytes(target.pid, bench.seconds(5, 2), 10000)
            answer["profiling.sampling --binary, 10 kHz"] = Values([size / samples])
        except RuntimeError as error:
            bench.say("profiling.sampling --binary: %s" % str(error)[-200:])
    return answer
