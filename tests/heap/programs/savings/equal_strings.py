"""Names of 100 cities, each read anew wherever it stands; after: interned."""
import sys

from _measure import AFTER, N, measure


def city(number):
    name = "city number %d" % (number % 100)
    return sys.intern(name) if AFTER else name


if __name__ == "__main__":
    measure(lambda: [city(i) for i in range(N)])
