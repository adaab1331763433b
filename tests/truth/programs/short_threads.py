"""A thread for each job, as servers do for each request: it lives for half a millisecond, less than the time
between two samples. The main thread works between the jobs.

usage: python short_threads.py [SECONDS]
The last line of its output: CPU nanoseconds of all jobs in job(), and of the main thread in other().
"""
import sys
import threading
import time

SECONDS = float(sys.argv[1]) if len(sys.argv) > 1 else 2.0
JOBS = []


def work(end):
    while time.thread_time_ns() < end:
        for i in range(500):
            i * i


def job():
    begin = time.thread_time_ns()
    work(begin + 500000)
    JOBS.append(time.thread_time_ns() - begin)


def other():
    begin = time.thread_time_ns()
    work(begin + 400000)
    return time.thread_time_ns() - begin


def main():
    others = 0
    end = time.monotonic() + SECONDS
    while time.monotonic() < end:
        thread = threading.Thread(target=job)
        thread.start()
        thread.join()
        others += other()
    return sum(JOBS), others


if __name__ == "__main__":
    print('TRUTH {"jobs": %d, "others": %d}' % main())
