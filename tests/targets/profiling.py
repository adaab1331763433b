"""A program whose lines are measured by itself, with line_profiler's interface: profiling.py WHAT [ARGUMENTS]."""
import asyncio
import io
import json
import os
import sys
import threading

import hasten


def helper(i):
    x = i * 2
    return x


def loop(n):
    total = 0
    for i in range(n):
        total += helper(i)
    return total


def fib(n):
    if n < 2:
        return n
    return fib(n - 1) + fib(n - 2)


def gen(n):
    for i in range(n):
        yield i


async def wait(n):
    for _ in range(n):
        await asyncio.sleep(0)
    return n


async def agen(n):
    for i in range(n):
        yield i


def fails(n):
    for i in range(n):
        if i == 2:
            raise KeyError(i)


class Shape:
    def side(self):
        return 3

    @property
    def area(self):
        return self.side() ** 2

    @staticmethod
    def unit():
        return 1

    @classmethod
    def make(cls):
        return cls()

    class Inner:
        def deep(self):
            return 0


def hits(profiler):
    """{name: {line from the function's first: hits}}"""
    return {name: {line - first: count for line, count, _ in rows}
            for (_, first, name), rows in profiler.get_stats().timings.items()}


def tell(**facts):
    print(json.dumps(facts))


# --- what is asked for -----------------------------------------------------------------------------------------
def runcall():
    profiler = hasten.LineProfiler(helper)
    loop(5)  # not enabled
    returned = profiler.runcall(loop, 10)
    helper(1)
    profiler.add_function(loop)
    profiler.enable_by_count()
    loop(3)
    profiler.disable_by_count()
    with profiler:
        loop(2)
    profiler.runctx("x = loop(4)", globals(), locals())
    tell(hits=hits(profiler), returned=returned, unit=profiler.timer_unit, count=profiler.enable_count)


def kinds():
    """Every kind of function, decorated; each is called as its name says."""
    profiler = hasten.LineProfiler()
    names = {}
    for function in (loop, fib, gen, wait, agen, fails):
        names[function.__name__] = globals()[function.__name__] = profiler(function)

    async def main():
        taken = [item async for item in agen(4)]
        first, second = await asyncio.gather(wait(3), wait(5))
        partly = agen(9)
        assert await partly.__anext__() == 0
        await partly.aclose()
        return taken, first, second

    one, two = gen(6), gen(3)
    interleaved = [next(one), next(two), next(one), next(two)]
    one.close()
    caught = None
    try:
        fails(9)
    except KeyError as error:
        caught = error.args[0]
    values = [loop(3), fib(6), interleaved, list(two), caught, asyncio.new_event_loop().run_until_complete(main())]
    threads = [threading.Thread(target=loop, args=(10,)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    tell(hits=hits(profiler), values=values, names=[f.__name__ for f in names.values()], left=profiler.enable_count)


def classes():
    profiler = hasten.LineProfiler()
    count = profiler.add_class(Shape)
    with profiler:
        shape = Shape.make()
        value = shape.area + Shape.unit() + Shape.Inner().deep()
    modules = hasten.LineProfiler()
    try:
        profiler.add_function(len)
        error = None
    except hasten.Error as caught:
        error = str(caught)
    tell(hits=hits(profiler), count=count, value=value, module=modules.add_module(sys.modules[__name__]) > 15, error=error)


def output(folder):
    with hasten.lines(loop, helper) as profiler:
        loop(20)
    file = io.StringIO()
    profiler.print_stats(file, output_unit=1e-3, sort=True, summarize=True)
    profiler.dump_stats(os.path.join(folder, "out.lprof"))
    quiet = io.StringIO()
    hasten.LineProfiler(fib).print_stats(quiet, stripzeros=True)
    tell(text=file.getvalue(), quiet=quiet.getvalue(), hits=hits(profiler))


def around_a_trace():
    """Lines give way to a trace, and go on after it."""
    profiler = hasten.LineProfiler(helper)
    profiler.runcall(loop, 5)
    with hasten.trace() as trace:
        loop(3)
    profiler.runcall(loop, 7)
    with profiler:
        try:
            trace.start()
            error = None
        except hasten.Error as caught:
            error = str(caught)
    tell(hits=hits(profiler), error=error,
         calls=[row["calls"] for row in trace.run.json()["functions"] if row["function"] == "helper"] if error else None)


def other_tool():
    """A debugger or coverage has the trace function."""
    seen = []

    def theirs(frame, event, argument):
        seen.append(event)
        return theirs

    profiler = hasten.LineProfiler(helper)
    sys.settrace(theirs)
    profiler.runcall(loop, 3)
    kept = sys.gettrace() is theirs
    sys.settrace(None)
    profiler.runcall(loop, 2)
    tell(hits=hits(profiler), kept=kept, seen=len(seen) > 5)


def decorated(ways=""):
    """The report is printed at the end, unless it was asked for before."""
    global loop
    loop = hasten.profile(loop)
    returned = loop(10)
    if ways == "asked":
        hasten.profile.print_stats(sys.stderr)
    tell(returned=returned, plain=getattr(loop, "__wrapped__", None) is None)


if __name__ == "__main__":
    globals()[sys.argv[1]](*sys.argv[2:])
