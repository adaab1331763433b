"""A list of whole numbers and one of floating-point numbers; after: two array.array."""
import array

from _measure import AFTER, N, measure


def make():
    whole, real = range(10 ** 6, 10 ** 6 + N), (i + 0.5 for i in range(N))
    if AFTER:
        return array.array("q", whole), array.array("d", real)
    return list(whole), list(real)


if __name__ == "__main__":
    measure(make, 2 * N)
