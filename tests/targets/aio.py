"""asyncio: three tasks that compute a little (aio_work), await a nested coroutine (aio_inner) and sleep."""
import asyncio

from _target import going, ready


def aio_work():
    total = 0
    for i in range(20000):
        total += i
    return total


async def aio_inner():
    aio_work()
    await asyncio.sleep(0.001)


async def aio_task(number):
    while going():
        await aio_inner()


async def main():
    ready()
    await asyncio.gather(*(aio_task(number) for number in range(3)))


if __name__ == "__main__":
    asyncio.run(main())
