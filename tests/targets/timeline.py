"""Calls of many kinds in a known order, for timelines; then the program ends in the way that was asked for.

usage: python timeline.py [end | kill | _exit | fork | threads | pause | many N | sleep]
"""
import os
import signal
import sys
import threading
import time


def leaf(value):
    return abs(value)


def work(count):
    for value in range(count):
        leaf(value)


def fib(number):
    return number if number < 2 else fib(number - 1) + fib(number - 2)


def numbers(count):
    for value in range(count):
        yield leaf(value)


def fails(depth):
    if depth == 0:
        raise ValueError("as wanted")
    fails(depth - 1)


def mixed():
    work(200)
    fib(12)
    assert sum(numbers(50)) == 1225
    for _ in numbers(5):
        break  # the generator is dropped
    try:
        fails(6)
    except ValueError:
        pass
    sorted([3, 1, 2], key=leaf)


def forked(depth):
    if depth > 0:
        return forked(depth - 1)
    child = os.fork()
    work(30 if child == 0 else 10)
    return child


def main(words):
    how = words[0] if words else "end"
    mixed()
    if how == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    elif how == "_exit":
        os._exit(3)
    elif how == "fork":
        if forked(3) == 0:
            os._exit(0)
        os.wait()
    elif how == "threads":
        threads = [threading.Thread(target=mixed, name="worker-%d" % i) for i in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    elif how == "pause":
        for _ in range(2):
            time.sleep(2.5)
            leaf(1)
    elif how == "many":
        work(int(words[1]))
    elif how == "sleep":
        work(20000)
        print("ready", flush=True)
        time.sleep(60)


if __name__ == "__main__":
    main(sys.argv[1:])
