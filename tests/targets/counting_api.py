"""What hasten.counters promises to a program, checked in the program itself; the package's folder is the argument."""
import asyncio
import functools
import inspect
import pickle
import sys
import threading
import weakref

sys.path.insert(0, sys.argv[1])
import hasten  # noqa: E402

C = hasten.counters


def raises(kind, words, function, *arguments, **named):
    try:
        function(*arguments, **named)
    except kind as error:
        assert words in str(error), error
        return
    raise AssertionError("no %s" % kind.__name__)


@C.time("render")
def render(a, b=2, *more, k=3, **rest):
    "Its words."
    return a, b, more, k, rest


def functions():
    assert render(1) == (1, 2, (), 3, {})
    assert render(1, 4, 5, 6, k=7, x=8) == (1, 4, (5, 6), 7, {"x": 8})
    raises(TypeError, "argument", render)
    assert render.series.count == 3 and render.series is C.time("render").histogram
    assert (render.__name__, render.__doc__, render.__module__) == ("render", "Its words.", "__main__")
    assert str(inspect.signature(render)) == "(a, b=2, *more, k=3, **rest)"
    assert pickle.loads(pickle.dumps(render)) is render and weakref.ref(render)() is render
    assert functools.partial(render, 9)()[0] == 9
    render.own = 1
    assert render.own == 1 and render.__dict__["own"] == 1

    @C.count
    @C.frequency("twice")
    def fails():
        raise KeyError("x")
    raises(KeyError, "x", fails)
    assert fails.series.value == 1 and C.frequency("twice").count == 1
    named = C.time("builtin")(len)
    assert named([1, 2]) == 2 and named.series.count == 1

    class Callable:
        def __call__(self, *a, **k):
            return a, k
    wrapped = C.time("object")(Callable())
    assert wrapped(1, x=2) == ((1,), {"x": 2}) and wrapped() == ((), {})


class Thing:
    @C.time
    def method(self, x):
        return self, x

    @C.count
    @staticmethod
    def static(x):
        return x

    @C.time("cls")
    @classmethod
    def cls(cls, x):
        return cls, x


def methods():
    thing = Thing()
    assert thing.method(1) == (thing, 1) and Thing.method(thing, x=2) == (thing, 2)
    assert thing.method.__self__ is thing and Thing.method.series.count == 2
    assert Thing.method.series.name == "__main__.Thing.method"
    assert Thing.static(3) == 3 and thing.static(3) == 3 and thing.cls(4) == (Thing, 4)
    assert C.time("cls").histogram.count == 1


@C.time
async def coroutine(x):
    await asyncio.sleep(0.02)
    return x


@C.time("generated")
def generator():
    got = yield 1
    yield got
    return 3


@C.count("agen")
async def asynchronous():
    try:
        got = yield 1
    except KeyError:
        yield "key"
        return
    yield got


def later():
    async def all_of_it():
        assert await asyncio.gather(coroutine(1), coroutine(2)) == [1, 2]
        one = asynchronous()
        assert await one.__anext__() == 1 and await one.asend(5) == 5
        await one.aclose()
        two = asynchronous()
        await two.__anext__()
        assert await two.athrow(KeyError("k")) == "key"
        return [x async for x in asynchronous()]
    assert asyncio.run(all_of_it()) == [1, None]
    assert inspect.iscoroutinefunction(coroutine) and inspect.isasyncgenfunction(asynchronous)
    histogram = C.time("__main__.coroutine").histogram
    assert histogram.count == 2 and 0.015 < histogram.min < 1, histogram.min
    it = generator()
    assert next(it) == 1 and it.send(7) == 7
    raises(StopIteration, "3", next, it)
    assert inspect.isgeneratorfunction(generator) and C.time("generated").histogram.count == 1
    generator().close()  # never begun: nothing to time
    unfinished = generator()
    next(unfinished)
    unfinished.close()
    assert C.time("generated").histogram.count == 2
    assert C.counter("agen").value == 3


def contexts():
    timer = C.time("block")
    with timer:
        with timer:
            pass
    mark = timer.start()
    assert timer.stop(mark) >= 0 and timer.histogram.count == 3

    async def overlapping():
        async def one(seconds):
            async with timer:
                await asyncio.sleep(seconds)
        await asyncio.gather(one(0.03), one(0.06))
    asyncio.run(overlapping())
    assert timer.histogram.count == 5 and timer.histogram.max > 0.05
    gauge = C.gauge("inside")
    with gauge:
        assert gauge.value == 1
    assert gauge.value == 0 and gauge(lambda: gauge.value)() == 1 and gauge.value == 0
    counter = C.counter("entered")
    with counter, C.frequency("entries"):
        pass
    assert counter.value == 1


def series():
    counter = C.counter("c", help="h")
    assert C.counter("c") is counter and counter.labels(b=1, a="x") is counter.labels(a="x").labels(b="1")
    assert counter.labels(b=1, a="x").label_pairs == (("a", "x"), ("b", "1"))
    counter.inc()
    counter.inc(2)
    counter.inc(True)
    assert counter.value == 4 and isinstance(counter.value, int)
    counter.inc(0.5)
    assert counter.value == 4.5
    total = C.total("t")
    total.add(-(2 ** 62))
    total.add(2 ** 62)
    total.add(-1)
    assert total.value == -1
    window = C.window("w", window=10)
    assert window.value is None and window.min is None and window.window == 10
    for value in (1, 5, 3):
        window.observe(value)
    assert (window.value, window.min, window.max, window.sum, window.count) == (3, 1, 5, 9, 3)
    assert C.average("av").value is None and C.value is C.window
    histogram = C.histogram("h")
    assert histogram.value is None and histogram.quantile(0.5) != histogram.quantile(0.5)  # NaN
    for value in (0, -5, 1e300, float("inf"), 1e-300, float("nan"), 1):
        histogram.observe(value)
    assert histogram.count == 6 and histogram.min == -5 and histogram.max == float("inf")
    for each in (counter, total, window, histogram):
        each.clear()
    assert counter.value == 0 and total.value == 0 and window.count == 0 and histogram.count == 0
    assert C.values()["c"] == 0 and any(row["name"] == "h" for row in C.snapshot())


def mistakes():
    counter, frequency, window = C.counter("c"), C.frequency("twice"), C.window("w", window=10)
    raises(ValueError, "only grows", counter.inc, -1)
    raises(ValueError, "only grows", counter.inc, -0.5)
    raises(ValueError, "finite", counter.inc, float("nan"))
    raises(TypeError, "real number", counter.inc, "1")
    raises(TypeError, "at most 1", counter.inc, 1, 2)
    raises(ValueError, "from 0", frequency.tick, -1)
    raises(ValueError, "finite", window.observe, float("inf"))
    raises(ValueError, "quantile", C.histogram("h").quantile, 1.5)
    raises(ValueError, "at least one character", C.counter, "")
    raises(ValueError, "can be printed", C.counter, "a\nb")
    raises(TypeError, "a name is a str", C.counter, 5)
    raises(ValueError, "longer than 255", C.counter, "x" * 256)
    raises(ValueError, "is a counter already, not a gauge", C.gauge, "c")
    raises(ValueError, "has a window of 10 s already", C.window, "w", window=20)
    raises(ValueError, "from 0.1 s", C.window, "other", window=0)
    raises(ValueError, "a label is of letters", counter.labels, **{"a-b": 1})
    raises(ValueError, "a label is of letters", counter.labels, __name="x")
    raises(ValueError, "zero byte", counter.labels, a="\0")
    raises(ValueError, "longer than 4096", counter.labels, a="x" * 5000)
    raises(TypeError, "only functions", C.time("z"), 3)
    raises(TypeError, "only functions", C.time("z"), dict)
    raises(ValueError, "without a name", C.time().start)
    raises(TypeError, "made by the functions", type(counter))
    raises(ValueError, "1 to 127", C.service, "")
    raises(UnicodeEncodeError, "surrogates", counter.labels, a="\udc80")
    raises(AttributeError, "nothing", getattr, hasten, "nothing")


def from_threads():
    """All threads get the same series, however they meet."""
    found, gate = [], threading.Barrier(8)

    def find(i):
        gate.wait()
        found.append([C.counter("met").labels(i=j) for j in range(50)])
    workers = [threading.Thread(target=find, args=(i,)) for i in range(8)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert all(one == found[0] for one in found)


for check in (functions, methods, later, contexts, series, mistakes, from_threads):
    check()
print("fine")
