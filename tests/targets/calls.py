"""Calls whose number is known; then the program ends in the way that was asked for.

usage: python calls.py [exit N | kill | _exit | fork | subprocess | spawn | threads | sleep]
"""
import os
import signal
import subprocess
import sys
import threading
import time


def leaf(value):
    return abs(value)


def work(count):
    for value in range(count):
        leaf(value)


def main(words):
    work(1000)
    how = words[0] if words else "end"
    if how == "exit":
        sys.exit(int(words[1]))
    elif how == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    elif how == "_exit":
        os._exit(3)
    elif how == "fork":
        if os.fork() == 0:
            work(200)
            os._exit(0)
        os.wait()
    elif how == "subprocess":
        subprocess.check_call([sys.executable, os.path.abspath(__file__)])
    elif how == "spawn":
        import multiprocessing
        process = multiprocessing.get_context("spawn").Process(target=work, args=(300,))
        process.start()
        process.join()
    elif how == "threads":
        threads = [threading.Thread(target=work, args=(100,)) for _ in range(5)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    elif how == "sleep":
        print("ready", flush=True)
        time.sleep(60)


if __name__ == "__main__":
    main(sys.argv[1:])
