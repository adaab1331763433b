"""Healthy: a cache of 1024 results.  A step asks twice for each of 300 new arguments: it is full in the
fourth step and stays so."""
import functools

from _steps import serve

TRUTH = None
KEPT = {"__main__.Route": (600, 1024, 1024)}


class Route:
    def __init__(self, number):
        self.stops = ["stop %d" % (number + i) for i in range(3)]


@functools.lru_cache(maxsize=1024)
def route_to(number):
    return Route(number)


def step(number):
    for i in range(600):
        route_to(10000 + number * 300 + i % 300)


if __name__ == "__main__":
    serve(step)
