"""In step with the clock: first() runs in the first three tenths of each millisecond, second() in the rest.  A
sampler with a period of one millisecond sees only one of them.

usage: python locked.py [SECONDS [spin|sleep]]      sleep: second() sleeps until the next millisecond
The last line of its output: nanoseconds in each function, by the thread's CPU clock (spin) or by the wall clock
(sleep), the total by the same clock, and how much of that was before main ("start"); and the nanoseconds that it waited for a CPU ("queued").
"""
import sys
import time

SECONDS = float(sys.argv[1]) if len(sys.argv) > 1 else 2.0
SLEEP = len(sys.argv) > 2 and sys.argv[2] == "sleep"
PERIOD = 1000000
now = time.monotonic_ns
clock = now if SLEEP else time.thread_time_ns
TAKEN = {"first": 0, "second": 0}


def first():
    begin = clock()
    while now() % PERIOD < 300000:
        pass
    TAKEN["first"] += clock() - begin


def second():
    begin = clock()
    if SLEEP:
        time.sleep((PERIOD - now() % PERIOD) / 1e9)
    while now() % PERIOD >= 300000:
        pass
    TAKEN["second"] += clock() - begin


def main():
    time.sleep(0.4)  # by now it is sampled; what is not sampled is in the program's own measure all the same
    end = now() + int(SECONDS * 1e9)
    while now() < end:
        first()
        second()


def queued():
    """How long this thread wanted a CPU and had none: nanoseconds since its start."""
    with open("/proc/self/schedstat") as file:
        return int(file.read().split()[1])


if __name__ == "__main__":
    begun = clock()
    main()
    start = 0 if SLEEP else begun
    print('TRUTH {"start": %d, "functions": {"first": %d, "second": %d}, "total": %d, "queued": %d}' % (
        start, TAKEN["first"], TAKEN["second"], clock() - (begun if SLEEP else 0), queued()))
