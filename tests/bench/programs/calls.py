"""What a call costs: the least of several rounds, in ns, of Python calls, of calls of a C function, and of a loop.

usage: python calls.py TRACER WHAT
TRACER: none, cprofile, tracing (profiling.tracing of 3.15), yappi, viztracer, line_profiler: started here, around the loops.
WHAT: python, c, lines, half, work
The last line of its output: {"ns": of one call or line}; half: the share of the calling part, as the tracer shows it.
"""
import json
import sys
import time

ROUNDS = 9


def fib(n):
    return n if n < 2 else fib(n - 1) + fib(n - 2)


def python_calls():
    fib(18)
    return 8361


def c_calls():
    call = abs
    for i in range(8000):
        call(i)
    return 8000


def lines():
    for i in range(2000):
        a = i
        b = a
        c = b
        d = c
    return 10000


def quiet_lines():
    total = 0
    for i in range(30000):
        total += i
    return 30000


def leaf():
    pass


def calling(rounds):
    for i in range(rounds):
        leaf()


def quiet(rounds):
    total = 0
    for i in range(rounds):
        total += i
        total -= 1
        total ^= i


def time_of(function, *arguments):
    begin = time.perf_counter()
    function(*arguments)
    return time.perf_counter() - begin


def least(function, rounds=ROUNDS):
    best = float("inf")
    for _ in range(rounds):
        begin = time.perf_counter()
        count = function()
        best = min(best, (time.perf_counter() - begin) / count)
    return best * 1e9


class Nothing:
    def start(self):
        pass

    def stop(self):
        pass


class Profiler(Nothing):
    def __init__(self, kind):
        self.profile = kind()

    def start(self):
        self.profile.enable()

    def stop(self):
        self.profile.disable()

    def share(self):
        import pstats
        import io
        stats = pstats.Stats(self.profile, stream=io.StringIO()).stats
        total = {key[2]: row[3] for key, row in stats.items()}
        return total["calling"] / (total["calling"] + total["quiet"])


class Yappi(Nothing):
    def __init__(self):
        import yappi
        self.module = yappi
        yappi.set_clock_type("wall")

    def start(self):
        self.module.start(builtins=True)

    def stop(self):
        self.module.stop()

    def share(self):
        total = {row.name: row.ttot for row in self.module.get_func_stats()}
        return total["calling"] / (total["calling"] + total["quiet"])


class Viztracer(Nothing):
    def __init__(self):
        import viztracer
        self.tracer = viztracer.VizTracer(verbose=0, tracer_entries=2000000)

    def start(self):
        self.tracer.start()

    def stop(self):
        self.tracer.stop()


class LineProfiler(Nothing):
    def __init__(self):
        import line_profiler
        self.profile = line_profiler.LineProfiler()
        self.profile.add_function(lines)

    def start(self):
        self.profile.enable_by_count()

    def stop(self):
        self.profile.disable_by_count()


def tracer_of(name):
    if name == "cprofile":
        import cProfile
        return Profiler(cProfile.Profile)
    if name == "tracing":
        import profiling.tracing
        return Profiler(profiling.tracing.Profile)
    return {"none": Nothing, "yappi": Yappi, "viztracer": Viztracer, "line_profiler": LineProfiler}[name]()


def equal_halves():
    """Rounds of calling() and quiet() that take the same time untraced."""
    calls = quiets = 100000
    for _ in range(12):
        one = min(time_of(calling, calls) for _ in range(5))
        other = min(time_of(quiet, quiets) for _ in range(5))
        quiets = int(quiets * one / other)
    return calls, quiets


def halves(tracer):
    calls, quiets = json.loads(sys.argv[3]) if len(sys.argv) > 3 else equal_halves()
    if len(sys.argv) <= 3:
        return {"rounds": [calls, quiets]}
    tracer.start()
    for _ in range(20):
        calling(calls)
        quiet(quiets)
    tracer.stop()
    return {"share": tracer.share()} if hasattr(tracer, "share") else {}


def main():
    tracer = tracer_of(sys.argv[1])
    what = {"python": python_calls, "c": c_calls, "lines": lines, "work": quiet_lines}.get(sys.argv[2])
    if what is None:
        return halves(tracer)
    tracer.start()
    ns = least(what)
    tracer.stop()
    return {"ns": ns}


if __name__ == "__main__":
    print(json.dumps(main()))
