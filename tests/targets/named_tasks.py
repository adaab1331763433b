"""Tasks of asyncio, two with names of their own: how often each goes on is known by construction."""
import asyncio


def leaf():
    pass


async def inner(n):
    for _ in range(n):
        leaf()
        await asyncio.sleep(0)


async def worker(n):
    await inner(n)
    if n == 3:
        raise KeyError(n)


async def plain():
    await inner(2)


async def main():
    loop = asyncio.get_running_loop()
    tasks = [loop.create_task(worker(n)) for n in (1, 2, 3)]
    for task, name in zip(tasks, ("alpha", "beta", "beta")):
        task.set_name(name)
    await asyncio.gather(*tasks, plain(), return_exceptions=True)
    waiting = loop.create_task(asyncio.sleep(60))
    waiting.set_name("cancelled")
    await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)


asyncio.new_event_loop().run_until_complete(main())
