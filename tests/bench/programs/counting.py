"""What one event costs, in ns: the slope between loops of N and 2N, the loop itself taken away.

usage: counting.py FOLDER-OF-PACKAGES hasten|prometheus
"""
import json
import sys
import time

sys.path.insert(0, sys.argv[1])
N = 100000


def function():
    pass


def events(library):
    if library == "hasten":
        from hasten import counters
        counter, histogram = counters.counter("events"), counters.histogram("sizes")
        timed = counters.time("function")(function)
    else:
        from prometheus_client import Counter, Histogram
        counter, histogram = Counter("events", "x"), Histogram("sizes", "x")
        timed = Histogram("function", "x").time()(function)
    return {"inc": ("c.inc()", dict(c=counter)), "bound": ("inc()", dict(inc=counter.inc)),
            "observe": ("h.observe(v)", dict(h=histogram, v=0.0123)),
            "timed": ("f()", dict(f=timed)), "bare": ("f()", dict(f=function)), "nothing": ("pass", {})}


def loop(code, names):
    """The names are local in it, as a program's hot ones are."""
    scope = dict(names)
    header = "def run(%s):" % ", ".join(["n", "clock"] + ["%s=%s" % (name, name) for name in names])
    exec("%s\n begin = clock()\n for _ in range(n):\n  %s\n return clock() - begin\n" % (header, code), scope)
    return scope["run"]


def main():
    loops = {name: loop(*how) for name, how in events(sys.argv[2]).items()}
    clock = time.perf_counter
    best = {name: [float("inf"), float("inf")] for name in loops}
    n = N if sys.argv[2] == "hasten" else N // 10
    for _ in range(9):
        for name, run in loops.items():
            for i in (0, 1):
                best[name][i] = min(best[name][i], run(n * (i + 1), clock))
    ns = {name: (long - short) / n * 1e9 for name, (short, long) in best.items()}
    print(json.dumps({"inc": ns["inc"] - ns["nothing"], "bound": ns["bound"] - ns["nothing"],
                      "observe": ns["observe"] - ns["nothing"], "timed": ns["timed"] - ns["bare"]}))


main()
