"""Lists of 9 items that grew by append, with room for 16; after: copies of them, which have room for what they hold."""
from _measure import AFTER, N, measure


def grown():
    items = []
    for i in range(9):
        items.append(None)
    return items[:] if AFTER else items


if __name__ == "__main__":
    measure(lambda: [grown() for _ in range(N)])
