"""Dicts that had 100 keys, of which 5 are left, in a table for a hundred; after: new dicts with the same keys."""
from _measure import AFTER, measure

DICTS = 5000
KEYS = ["key %d" % i for i in range(100)]


def emptied():
    table = dict.fromkeys(KEYS)
    for key in KEYS[5:]:
        del table[key]
    return {key: value for key, value in table.items()} if AFTER else table


if __name__ == "__main__":
    measure(lambda: [emptied() for _ in range(DICTS)], DICTS)
