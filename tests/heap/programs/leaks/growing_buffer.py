"""A journal of changes in one bytearray that is written out when the program ends: one object, ever larger."""
from _steps import serve

TRUTH = {"type": "bytearray", "holder": "the bytearray JOURNAL of the module", "path": "JOURNAL",
         "bytes_each_step": 640000}
JOURNAL = bytearray()


def change(number):
    JOURNAL.extend(b"%08d: stock of article %08d changed by one".ljust(64, b".") % (number, number % 900))


def step(number):
    for i in range(10000):
        change(number * 10000 + i)


if __name__ == "__main__":
    serve(step, JOURNAL.clear)
