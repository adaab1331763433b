"""Waits in one known system call, named by the second argument, in a function of that name:
read_pipe, select_pipe, poll_pipe, futex_lock, nanosleep."""
import os
import select
import sys
import threading
import time

from _target import LIMIT_S, ready

READING, WRITING = os.pipe()


def read_pipe():
    timer = threading.Timer(LIMIT_S, os.write, (WRITING, b"x"))
    timer.daemon = True
    timer.start()
    ready()
    os.read(READING, 1)


def select_pipe():
    ready()
    select.select([READING], [], [], LIMIT_S)


def poll_pipe():
    poll = select.poll()
    poll.register(READING, select.POLLIN)
    ready()
    poll.poll(LIMIT_S * 1000)


def futex_lock():
    lock = threading.Lock()
    lock.acquire()
    ready()
    lock.acquire(True, LIMIT_S)


def nanosleep():
    ready()
    time.sleep(LIMIT_S)


if __name__ == "__main__":
    globals()[sys.argv[2]]()
