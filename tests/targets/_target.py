"""What every target shares: it says when it is set up, and it ends by itself, so that no test leaves one behind.

usage of each: python TARGET.py [SECONDS] [more]      prints "ready" once the stacks are as its text says
Targets run on CPython 3.8 and newer.
"""
import sys
import time

LIMIT_S = float(sys.argv[1]) if len(sys.argv) > 1 else 30.0
END = time.monotonic() + LIMIT_S


def ready(*words):
    print("ready", *words)
    sys.stdout.flush()


def going():
    return time.monotonic() < END
