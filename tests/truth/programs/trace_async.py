"""Coroutines: a task that waits is suspended, not called again."""
import asyncio
import sys


async def leaf(n):
    return n


async def pause(n):
    for _ in range(n):
        await asyncio.sleep(0)
    return n


class Ready:
    """Awaitable that suspends n times."""

    def __init__(self, n):
        self.n = n

    def __await__(self):
        for _ in range(self.n):
            yield
        return self.n


def drive(coroutine):
    """Runs a coroutine without a loop."""
    steps = 0
    while True:
        try:
            coroutine.send(None)
            steps += 1
        except StopIteration:
            return steps


def awaiting():
    """A chain of awaits that never waits.

    main 1 < ...
    leaf 3 < main 3
    """
    async def main():
        for i in range(3):
            await leaf(i)

    asyncio.run(main())


def by_hand():
    """Driven by send(): each suspension goes through the whole chain.

    drive 1
    outer 1~4 < coroutine.send 1~4
    inner 2~4 < outer 2~4
    __await__ 2~4 < inner 2~4
    __init__ 2 < inner 2
    """
    async def inner(n):
        await Ready(n)

    async def outer():
        await inner(1)
        await inner(3)

    assert drive(outer()) == 4


def never_awaited():
    """Closed before it began: its function did not begin.

    * coroutine.close 1
    """
    one = leaf(1)
    one.close()


def sleeping():
    """A task that lets others go on: five suspensions.

    main 1~5 < ...
    pause 2~5 < main 2~5
    """
    async def main():
        await pause(2)
        await pause(3)

    asyncio.run(main())


def gathered():
    """Twenty tasks at once, each suspended three times.

    main 1~1 < ...
    pause 20~60 < ...
    """
    async def main():
        await asyncio.gather(*map(pause, [3] * 20))

    asyncio.run(main())


def tasks():
    """Tasks that await each other, and one that has failed.

    main 1~4 < ...
    waiting 3~3 < ...
    failing 1~1!1 < ...
    leaf 3 < waiting 3
    """
    async def waiting(n):
        await asyncio.sleep(0)
        return await leaf(n)

    async def failing():
        await asyncio.sleep(0)
        raise KeyError

    async def main():
        one = asyncio.ensure_future(waiting(1))
        two = asyncio.ensure_future(failing())
        await one
        await asyncio.sleep(0)
        try:
            await two
        except KeyError:
            pass
        await waiting(2)
        three = asyncio.ensure_future(waiting(3))
        await three

    asyncio.run(main())


def cancelled():
    """A task that is cancelled while it waits.

    main 1~2 < ...
    waiting 1~1!1 < ...
    """
    async def waiting():
        await asyncio.get_running_loop().create_future()

    async def main():
        task = asyncio.ensure_future(waiting())
        await asyncio.sleep(0)
        task.cancel()
        try:
            await task
        except asyncio.CancelledError:
            pass

    asyncio.run(main())


def asynchronous_generators():
    """async for over an async generator.

    main 1~2 < ...
    numbers 2~7 < main 2~7
    """
    async def numbers(n):
        for i in range(n):
            if i == 1:
                await asyncio.sleep(0)
            yield i

    async def main():
        async for _ in numbers(3):
            pass
        async for _ in numbers(2):
            pass

    asyncio.run(main())


def asynchronous_comprehension():
    """Part of its function since 3.12, a coroutine of its own before.

    main 1 < ...
    [-3.11] <listcomp> 1 < main 1
    [-3.11] numbers 1~4 < <listcomp> 1~4
    [3.12+] numbers 1~4 < main 1~4
    """
    async def numbers(n):
        for i in range(n):
            yield i

    async def main():
        return [i async for i in numbers(4)]

    asyncio.run(main())


def asynchronous_context():
    """async with.

    main 1 < ...
    __aenter__ 3 < main 3
    __aexit__ 3 < main 3
    """
    class Context:
        async def __aenter__(self):
            pass

        async def __aexit__(self, *arguments):
            pass

    async def main():
        for _ in range(3):
            async with Context():
                pass

    asyncio.run(main())


def callbacks_of_the_loop():
    """call_soon and call_later: plain functions that the loop calls.

    main 1~1 < ...
    callback 4 < ...
    """
    def callback(future):
        callback.calls += 1
        if callback.calls == 4:
            future.set_result(None)

    callback.calls = 0

    async def main():
        loop = asyncio.get_running_loop()
        future = loop.create_future()
        for _ in range(3):
            loop.call_soon(callback, future)
        loop.call_later(0.01, callback, future)
        await future

    asyncio.run(main())


def threads_of_the_loop():
    """run_in_executor: a function in other threads, and the task that waits for it.

    main 1~? < ...
    work 3 < ...
    """
    waits = []

    def work():
        return 1

    async def main():
        for _ in range(3):
            future = asyncio.get_running_loop().run_in_executor(None, work)
            waits.append(not future.done())
            await future

    asyncio.run(main())
    print("TRUTH", sum(waits))


if __name__ == "__main__":
    globals()[sys.argv[1]]()
