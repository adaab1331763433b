"""Healthy: buffers that are given back to a pool and taken from it again.  A step needs 500 more than the one before,
at most 2000, at one time: the pool has its size after the fourth step."""
from _steps import serve

TRUTH = None
KEPT = {"__main__.Buffer": (1000, 2000, 2000)}
FREE = []


class Buffer:
    def __init__(self):
        self.data = bytearray(256)
        self.used = 0


def take():
    return FREE.pop() if FREE else Buffer()


def step(number):
    taken = [take() for _ in range(min(500 * (number + 1), 2000))]
    for buffer in taken:
        buffer.used += 1
    FREE.extend(taken)


if __name__ == "__main__":
    serve(step)
