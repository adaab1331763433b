"""Gives numbered objects new numbers all the while, maps, unmaps and enlarges memory, and forks.

usage: python heap_restless.py SECONDS [N]      prints "ready"; N pairs, each of which refers to one number twice
"""
import mmap
import os
import sys
import threading
import time

from _target import going, ready


class Pair:
    __slots__ = ("one", "two")


CLASSES = []
PAIRS = [Pair() for _ in range(int(sys.argv[2]))]


def renumber():
    number = 10 ** 6
    while going():
        for pair in PAIRS:
            number += 1
            pair.one = pair.two = number
        time.sleep(0.001)


def remap():
    kept = []
    while going():
        area = mmap.mmap(-1, 1 << 20, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
        area.write(b"\xff" * (1 << 19))
        kept.append(area)
        kept.append(bytearray(b"\xff") * 300000)
        del kept[:-4]
        time.sleep(0.001)


def grow():
    """Classes, in an area of the C library that is this thread's own and is enlarged, bit by bit."""
    while going():
        if len(CLASSES) < 3000:
            CLASSES.append(type("Class%d" % len(CLASSES), (), {}))
        time.sleep(0.001)


def fork():
    while going():
        child = os.fork()
        if child == 0:
            os._exit(0)
        os.waitpid(child, 0)
        time.sleep(0.02)


def main():
    for pair in PAIRS:
        pair.one = pair.two = 10 ** 5 + id(pair)
    for work in remap, grow, fork:
        threading.Thread(target=work, daemon=True).start()
    ready()
    renumber()


if __name__ == "__main__":
    main()
