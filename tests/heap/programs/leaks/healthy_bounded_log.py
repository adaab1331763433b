"""Healthy: the last 3000 records of a log in a deque with a bound, 1200 more a step.  Full in the third step, then
every record is dropped in its turn."""
import collections

from _steps import serve

TRUTH = None
KEPT = {"__main__.Record": (2400, 3000, 3000)}
LAST_RECORDS = collections.deque(maxlen=3000)


class Record:
    def __init__(self, number):
        self.text = "order %d was packed" % number
        self.level = number % 3


def step(number):
    for i in range(1200):
        LAST_RECORDS.append(Record(number * 1200 + i))


if __name__ == "__main__":
    serve(step)
