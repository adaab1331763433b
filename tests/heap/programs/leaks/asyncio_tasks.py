"""A chat server that keeps its deliveries in a set "so that they are not collected", each waiting for an
acknowledgement that never comes; nothing takes them out."""
import asyncio

from _steps import serve

TRUTH = {"type": "_asyncio.Task", "holder": "the set DELIVERIES of tasks that never end", "path": "DELIVERIES",
         "objects_each_step": 1000,
         "or": [("__main__.Delivery", "DELIVERIES"), ("coroutine", "DELIVERIES")]}
DELIVERIES = set()


class Delivery:
    def __init__(self, number):
        self.text = "message %d" % number
        self.tries = 0


async def deliver(delivery):
    delivery.tries += 1
    await asyncio.get_running_loop().create_future()


async def accept(first):
    for i in range(1000):
        DELIVERIES.add(asyncio.ensure_future(deliver(Delivery(first + i))))
    await asyncio.sleep(0)  # each task comes to its wait


async def cancel():
    for task in DELIVERIES:
        task.cancel()
    await asyncio.wait(DELIVERIES)
    DELIVERIES.clear()


if __name__ == "__main__":
    LOOP = asyncio.new_event_loop()
    serve(lambda number: LOOP.run_until_complete(accept(number * 1000)),
          lambda: LOOP.run_until_complete(cancel()))
