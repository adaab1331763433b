"""Grows, step by step: at each line on standard input 100 objects of a class more, and a list that gets longer.

usage: python growing.py [SECONDS]      prints "ready", then a line for each step
"""
import signal
import sys

from _target import LIMIT_S, ready


class Grown:
    __slots__ = ()


KEPT = []
NUMBERS = [0]
signal.alarm(int(LIMIT_S))
ready()
for line in sys.stdin:
    KEPT.append([Grown() for _ in range(100)])
    NUMBERS.extend([0] * 1000)
    print(len(KEPT), flush=True)
