"""A family of processes: for each way of making a child that the second argument names (or all), a child that
computes in a function named after the way, child_subprocess, child_fork and so on; the parent waits in wait_all().

A child made by exec or subprocess runs this file with --child.  Ways: subprocess fork exec mp_fork mp_spawn
mp_forkserver.
"""
import multiprocessing
import os
import subprocess
import sys

from _target import LIMIT_S, going, ready

WAYS = ("subprocess", "fork", "exec", "mp_fork", "mp_spawn", "mp_forkserver")


def spin():
    total = 0
    while going():
        for i in range(1000):
            total += i
    return total


def child_subprocess():
    spin()


def child_fork():
    spin()


def child_exec():
    spin()


def child_mp_fork():
    spin()


def child_mp_spawn():
    spin()


def child_mp_forkserver():
    spin()


def start(way):
    """Returns what wait_all calls to wait for the child."""
    again = [sys.executable, os.path.abspath(__file__), str(LIMIT_S), "--child", way]
    if way == "subprocess":
        return subprocess.Popen(again).wait
    if way.startswith("mp_"):
        process = multiprocessing.get_context(way[3:]).Process(target=globals()["child_" + way])
        process.start()
        return process.join
    pid = os.fork()
    if pid == 0:
        try:
            if way == "exec":
                os.execv(sys.executable, again)
            child_fork()
        finally:
            os._exit(0)
    return lambda: os.waitpid(pid, 0)


def wait_all(waits):
    for wait in waits:
        wait()


def main():
    ways = sys.argv[2].split(",") if len(sys.argv) > 2 else WAYS
    waits = [start(way) for way in ways]
    ready()
    wait_all(waits)


if __name__ == "__main__":
    if "--child" in sys.argv:
        globals()["child_" + sys.argv[-1]]()
    else:
        main()
