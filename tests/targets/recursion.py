"""Recursion of a given depth (second argument, default 100,000) in a thread named deep; at the bottom it loops in
bottom().  Before 3.11 each Python call takes C stack, hence the large thread stack."""
import sys
import threading

from _target import going, ready

DEPTH = int(sys.argv[2]) if len(sys.argv) > 2 else 100000


def bottom():
    ready(DEPTH)
    total = 0
    while going():
        for i in range(1000):
            total += i
    return total


def descend(n):
    if n == 0:
        return bottom()
    return descend(n - 1)


def main():
    sys.setrecursionlimit(DEPTH + 1000)
    threading.stack_size(min(max(16 << 20, DEPTH * 6144), 1 << 30))
    thread = threading.Thread(target=descend, args=(DEPTH,), name="deep")
    thread.start()
    thread.join()


if __name__ == "__main__":
    main()
