"""Decorated coroutine functions and generators, checked in the program itself; the package's folder is the argument."""
import asyncio
import contextvars
import functools
import gc
import inspect
import sys
import time
import types

sys.path.insert(0, sys.argv[1])
from hasten import counters as C  # noqa: E402

PAUSE, SPIN = 0.1, 0.004


def spin(seconds=SPIN):
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        pass


def both(name):
    """Decorates with a timer from beginning to end, and one of what runs."""
    return lambda function: C.time(name)(C.time(name + ".running", running=True)(function))


def check(name, count, least, most=None):
    """So many calls, each at least so long; what ran of them took at most so long (machines are busy)."""
    whole, running = C.histogram(name, unit="seconds"), C.histogram(name + ".running", unit="seconds")
    assert whole.count == running.count == count, (name, whole.count, running.count)
    assert whole.min >= least, (name, whole.min)
    assert running.max <= (whole.max if most is None else most), (name, running.max)
    assert running.sum <= whole.sum
    return running


def raises(kind, run):
    try:
        run()
    except kind as error:
        return error
    raise AssertionError("no %s" % kind.__name__)


# --- coroutines -----------------------------------------------------------------------------------------------------
@both("sleeps")
async def sleeps(x, *, y=0):
    spin()
    await asyncio.sleep(PAUSE)
    spin()
    return x + y


def coroutines():
    assert inspect.iscoroutinefunction(sleeps) and str(inspect.signature(sleeps)) == "(x, *, y=0)"
    later = sleeps(1)  # nothing has begun
    time.sleep(PAUSE)
    assert asyncio.run(later) == 1
    assert C.histogram("sleeps", unit="seconds").max < 2 * PAUSE + 1 and check("sleeps", 1, PAUSE, PAUSE).min >= 2 * SPIN

    async def by_turns():
        return await asyncio.gather(*(sleeps(i, y=1) for i in range(5)))
    assert asyncio.run(by_turns()) == [1, 2, 3, 4, 5]
    running = check("sleeps", 6, PAUSE)  # each its own, however they take turns
    assert running.sum >= 12 * SPIN and running.average < PAUSE

    async def forgotten():
        sleeps(1).close()
    asyncio.run(forgotten())
    check("sleeps", 6, PAUSE)


@both("fails")
async def fails():
    await asyncio.sleep(PAUSE)
    raise KeyError("x")


@both("ends")
async def ends():
    try:
        await asyncio.sleep(100)
    finally:
        spin()


@both("outer")
async def outer():
    return [await inner() for _ in range(2)]


@both("inner")
async def inner():
    await asyncio.sleep(PAUSE)
    spin()


def endings():
    raises(KeyError, lambda: asyncio.run(fails()))
    check("fails", 1, PAUSE, PAUSE)

    async def cancels():
        task = asyncio.ensure_future(ends())
        await asyncio.sleep(PAUSE)
        task.cancel()
        try:
            await task
        except asyncio.CancelledError:
            return "cancelled"
    assert asyncio.run(cancels()) == "cancelled"
    assert check("ends", 1, PAUSE / 2, PAUSE).min >= SPIN

    async def times_out():
        try:
            await asyncio.wait_for(ends(), PAUSE)
        except asyncio.TimeoutError:
            return "late"
    assert asyncio.run(times_out()) == "late"
    check("ends", 2, PAUSE / 2, PAUSE)

    loop = asyncio.new_event_loop()
    task = loop.create_task(ends())
    loop.run_until_complete(asyncio.sleep(PAUSE))
    task.cancel()
    loop.run_until_complete(asyncio.gather(task, return_exceptions=True))
    loop.close()
    check("ends", 3, PAUSE / 2)

    assert asyncio.run(outer()) == [None, None]
    check("outer", 1, 2 * PAUSE, PAUSE)
    assert C.histogram("outer.running", unit="seconds").sum >= C.histogram("inner.running", unit="seconds").sum >= 2 * SPIN


class Service:
    @both("method")
    async def method(self, x):
        await asyncio.sleep(0)
        return self, x

    @C.time("static")
    @staticmethod
    async def static(x):
        return x

    async def __call__(self, x):
        await asyncio.sleep(PAUSE)
        return x


@C.time("old", running=True)
@types.coroutine
def old():
    got = yield from asyncio.sleep(PAUSE).__await__()
    return got


def other_functions():
    service = Service()
    assert asyncio.run(service.method(3)) == (service, 3) and asyncio.run(Service.static(4)) == 4
    assert check("method", 1, 0) and C.time("static").histogram.count == 1
    called = C.time("called")(service)
    assert asyncio.run(called(5)) == 5 and C.time("called").histogram.min >= PAUSE / 2
    partial = C.time("partial")(functools.partial(sleeps, 7, y=1))
    assert asyncio.run(partial()) == 8 and C.time("partial").histogram.min >= PAUSE / 2

    async def awaits():
        return await old()
    assert asyncio.run(awaits()) is None and C.histogram("old", unit="seconds").count == 1
    assert C.time("plain", running=True)(lambda: 5)() == 5 and C.time("plain").histogram.count == 1
    raises(ValueError, C.time("plain", running=True).__enter__)
    raises(ValueError, C.time("plain", running=True).start)


# --- generators -------------------------------------------------------------------------------------------------------
@both("gen")
def gen(n):
    """Sends back what it is sent, and what is thrown by name; says when it is closed."""
    got = []
    for i in range(n):
        spin()
        try:
            got.append((yield i))
        except KeyError as error:
            got.append(error.args[0])
    return got


def generators():
    assert inspect.isgeneratorfunction(gen)
    it = gen(3)
    assert next(it) == 0
    time.sleep(PAUSE)
    assert it.send("a") == 1 and it.throw(KeyError("b")) == 2
    assert raises(StopIteration, lambda: it.send(None)).value == ["a", "b", None]
    assert check("gen", 1, PAUSE, PAUSE).min >= 3 * SPIN

    gen(1).close()
    raises(StopIteration, lambda: next(gen(0)))
    check("gen", 2, 0)
    for leave in (lambda it: it.close(), lambda it: raises(ValueError, lambda: it.throw(ValueError("v")))):
        it = gen(3)
        next(it)
        leave(it)
        raises(StopIteration, lambda: next(it))
    check("gen", 4, 0)
    it = gen(3)
    next(it)
    del it  # closed by whoever clears it away
    gc.collect()
    check("gen", 5, 0)
    turns = [gen(4) for _ in range(3)]
    assert [list(values) for values in zip(*turns)] == [[i] * 3 for i in range(4)]
    for it in turns:
        it.close()
    check("gen", 8, 0)

    def delegates():
        return (yield from gen(2))
    assert list(delegates()) == [0, 1]

    @both("stubborn")
    def stubborn():
        while True:
            try:
                yield 1
            except GeneratorExit:
                yield 2
    it = stubborn()
    next(it)
    assert "ignored GeneratorExit" in str(raises(RuntimeError, it.close))
    raises(KeyError, lambda: it.throw(KeyError()))
    check("stubborn", 1, 0)


# --- asynchronous generators --------------------------------------------------------------------------------------------
@both("agen")
async def agen(n):
    got = []
    try:
        for i in range(n):
            spin()
            await asyncio.sleep(PAUSE)
            try:
                got.append((yield i))
            except KeyError as error:
                got.append(error.args[0])
        yield got
    finally:
        await asyncio.sleep(0)


def asynchronous_generators():
    assert inspect.isasyncgenfunction(agen)

    async def uses():
        it = agen(2)
        assert await it.__anext__() == 0
        assert await it.asend("a") == 1
        assert await it.athrow(KeyError("b")) == ["a", "b"]
        try:
            await it.asend(None)
        except StopAsyncIteration:
            pass
        assert check("agen", 1, 2 * PAUSE, 2 * PAUSE).min >= 2 * SPIN

        closed = agen(2)
        await closed.__anext__()
        await closed.aclose()
        check("agen", 2, PAUSE)
        thrown = agen(2)
        await thrown.__anext__()
        try:
            await thrown.athrow(ValueError("v"))
        except ValueError:
            pass
        check("agen", 3, PAUSE)
        await agen(1).aclose()  # never begun
        check("agen", 3, PAUSE)

        async def reads(n):
            return [x async for x in agen(n)]
        assert await asyncio.gather(reads(1), reads(2)) == [[0, [None]], [0, 1, [None, None]]]
        check("agen", 5, PAUSE)

        async def stops():
            async for x in agen(5):
                if x == 1:
                    await asyncio.sleep(100)
        task = asyncio.ensure_future(stops())
        await asyncio.sleep(4 * PAUSE)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        del task
        gc.collect()
        for _ in range(20):  # the loop's hook closes it
            await asyncio.sleep(0)
    asyncio.run(uses())
    check("agen", 6, PAUSE)


# --- with, where contexts change ------------------------------------------------------------------------------------------
def contexts():
    def block(seconds):
        with C.time("block"):
            yield
            time.sleep(seconds)
    short, long = block(0), block(PAUSE)
    next(short), next(long)
    next(short, None), next(long, None)  # not the one entered last
    histogram = C.time("block").histogram
    assert histogram.count == 2 and histogram.min < PAUSE <= histogram.max, (histogram.min, histogram.max)
    timer = C.time("elsewhere")
    for _ in range(3):
        contextvars.copy_context().run(timer.__enter__)
    assert timer.__exit__(None, None, None) is None and timer.histogram.count == 1
    with timer:
        pass
    timer.__exit__(), timer.__exit__()
    assert timer.histogram.count == 4
    assert "not entered" in str(raises(RuntimeError, timer.__exit__))
    variables = len(contextvars.copy_context())
    for _ in range(1000):
        with C.time("block"), C.time("other"):
            pass
    assert len(contextvars.copy_context()) == variables, "a context keeps its variables"


coroutines()
endings()
other_functions()
generators()
asynchronous_generators()
contexts()
print("fine")
