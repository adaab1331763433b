"""Computes for SECONDS, then ends as the second argument says: code:N, signal:NAME, exception."""
import os
import signal
import sys

from _target import going, ready


def spin():
    total = 0
    while going():
        for i in range(1000):
            total += i
    return total


if __name__ == "__main__":
    ready()
    spin()
    how, _, what = sys.argv[2].partition(":")
    if how == "code":
        sys.exit(int(what))
    if how == "signal":
        number = getattr(signal, "SIG" + what)
        if what != "KILL":
            signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)
    raise RuntimeError("the end")
