"""Handles SIGINT, SIGTERM and SIGUSR1 by printing the name, and goes on; ends by itself or on SIGUSR2 with code 5.
With "ignore" as the second argument SIGINT is ignored in the kernel's sense."""
import os
import signal
import sys
import time

from _target import going, ready


def show(number, frame):
    os.write(1, ("caught %s\n" % signal.Signals(number).name).encode())


def end(number, frame):
    os._exit(5)


if __name__ == "__main__":
    for name in ("SIGINT", "SIGTERM", "SIGUSR1"):
        signal.signal(getattr(signal, name), show)
    if "ignore" in sys.argv:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGUSR2, end)
    ready()
    while going():
        time.sleep(0.01)
