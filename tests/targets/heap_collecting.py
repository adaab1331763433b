"""Runs the collector again and again, over objects of a known number.

usage: python heap_collecting.py [SECONDS] [N]      prints "ready"
"""
import gc
import sys

from _target import going, ready


class Planted:
    def __init__(self):
        self.kept = []


KEPT = [Planted() for _ in range(int(sys.argv[2]))]

ready()
while going():
    gc.collect()
