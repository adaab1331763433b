"""A program that hasten heap starts: makes 500 objects of a class, and ends in one of several ways.

usage: python heap_ends.py HOW     return, exit (code 3), raise, os_exit, kill, child (a child Python ends too), wait (for a line)
"""
import atexit
import os
import signal
import subprocess
import sys


class Row:
    pass


class Last:
    pass


ROWS = [Row() for _ in range(500)]
LATE = []


def at_the_end():
    LATE.append(Last())
    print("at the end", flush=True)


def main():
    how = sys.argv[1]
    atexit.register(at_the_end)
    print("begun", flush=True)
    print("to err", file=sys.stderr, flush=True)
    if how == "child":
        print(subprocess.check_output([sys.executable, "-c", "print('child done')"]).decode().strip(), flush=True)
    elif how == "wait":
        print("read %s" % sys.stdin.readline().strip(), flush=True)
    elif how == "exit":
        sys.exit(3)
    elif how == "raise":
        raise ValueError("on purpose")
    elif how == "os_exit":
        os._exit(4)
    elif how == "kill":
        os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    main()
