"""Healthy: records collected in a list and written out when the batch is full.  A step ends in the middle of a batch,
at another place each time: 900, 500, 1300 or 100 records are left, in turn."""
from _steps import serve

TRUTH = None
KEPT = {"__main__.Record": (500, 900, 100)}
BATCH = []
LEFT = (900, 500, 1300, 100)
WRITTEN = [0]


class Record:
    def __init__(self, number):
        self.key = "key %d" % number
        self.value = number * 0.5


def write():
    WRITTEN[0] += len(BATCH)
    BATCH.clear()


def step(number):
    for i in range(4000):
        BATCH.append(Record(number * 4000 + i))
        if len(BATCH) == 2000:
            write()
    write()
    BATCH.extend(Record(i) for i in range(LEFT[number % 4]))


if __name__ == "__main__":
    serve(step)
