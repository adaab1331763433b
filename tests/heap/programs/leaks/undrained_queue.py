"""Events for a consumer that was switched off: a queue.Queue without a bound that only ever gets longer."""
import queue

from _steps import serve

TRUTH = {"type": "__main__.Event", "holder": "the queue.Queue EVENTS, which nobody reads", "path": "EVENTS",
         "objects_each_step": 2000}
EVENTS = queue.Queue()


class Event:
    def __init__(self, number):
        self.kind = "click"
        self.place = (number, number + 1)


def step(number):
    for i in range(2000):
        EVENTS.put(Event(number * 2000 + i))


def forget():
    while not EVENTS.empty():
        EVENTS.get()


if __name__ == "__main__":
    serve(step, forget)
