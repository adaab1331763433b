"""200 threads: 150 wait for ever in rest(), 50 work a little in busy() and sleep in pause(); each of the 50 measures
its own CPU time.

usage: python crowd.py [SECONDS [THREADS]]      THREADS: in all, three of four rest (200)
The last line of its output: when all ran and when they were told to end (nanoseconds since 1970), the number of
resting and of busy threads, and the CPU nanoseconds of the busy ones.
"""
import os
import sys
import threading
import time

SECONDS = float(sys.argv[1]) if len(sys.argv) > 1 else 2.0
THREADS = int(sys.argv[2]) if len(sys.argv) > 2 else 200
NEVER = threading.Event()
TAKEN = []
END = [time.monotonic() + SECONDS + 60]


def rest():
    NEVER.wait()


def busy():
    for i in range(3000):
        i + i


def pause():
    time.sleep(0.02)


def work():
    while not TAKEN:
        pause()
    begin = time.thread_time_ns()
    while time.monotonic() < END[0]:
        busy()
        pause()
    TAKEN.append(time.thread_time_ns() - begin)


def main():
    workers = []
    for n in range(THREADS):
        thread = threading.Thread(target=rest if n % 4 else work, daemon=True)
        thread.start()
        if n % 4 == 0:
            workers.append(thread)
    END[0] = time.monotonic() + SECONDS
    begin = time.time_ns()
    TAKEN.append(0)
    time.sleep(SECONDS)
    end = time.time_ns()
    for worker in workers:
        worker.join()
    return begin, end, THREADS - len(workers), len(workers), sum(TAKEN)


if __name__ == "__main__":
    print('TRUTH {"begin_ns": %d, "end_ns": %d, "resting": %d, "busy": %d, "cpu": %d}' % main())
    sys.stdout.flush()
    os._exit(0)
