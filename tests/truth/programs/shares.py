"""Six functions that take turns in a random order and measure what each of them takes with the thread's own CPU
clock, so that the true share of each is known however busy the machine is.  One turn takes far longer than reading
the clock (a system call): what a function does before and after its own measure is a part that does not count.

usage: python shares.py [SECONDS [SEED]]
The last line of its output: CPU nanoseconds of each function, of the whole thread since its start ("total"), and
how much of that was before main ("start"); and the nanoseconds that it waited for a CPU ("queued").
"""
import sys
import time

SECONDS = float(sys.argv[1]) if len(sys.argv) > 1 else 2.0
SEED = int(sys.argv[2]) if len(sys.argv) > 2 else 1
clock = time.thread_time_ns
TAKEN = {}


def half(n):
    begin = clock()
    for i in range(n * 5000):
        i + i
    TAKEN["half"] = TAKEN.get("half", 0) + clock() - begin


def quarter(n):
    begin = clock()
    for i in range(n * 2500):
        i * 3
    TAKEN["quarter"] = TAKEN.get("quarter", 0) + clock() - begin


def eighth(n):
    begin = clock()
    text = "x" * 50
    for i in range(n * 600):
        text.upper()
    TAKEN["eighth"] = TAKEN.get("eighth", 0) + clock() - begin


def leaf():
    return 1


def caller(n):
    begin = clock()
    for i in range(n * 400):
        leaf()
    TAKEN["caller"] = TAKEN.get("caller", 0) + clock() - begin


def small(n):
    begin = clock()
    sum(range(n * 500))
    TAKEN["small"] = TAKEN.get("small", 0) + clock() - begin


def tiny(n):
    begin = clock()
    sorted(range(n * 160))
    TAKEN["tiny"] = TAKEN.get("tiny", 0) + clock() - begin


def main():
    time.sleep(0.4)  # by now it is sampled; what is not sampled is in the program's own measure all the same
    functions = (half, quarter, eighth, caller, small, tiny)
    end = time.monotonic() + SECONDS
    seed = SEED
    while time.monotonic() < end:
        for _ in range(6):
            seed = (seed * 1103515245 + 12345) % 2147483648
            functions[seed // 65536 % 6](seed // 8192 % 8 + 1)


def queued():
    """How long this thread wanted a CPU and had none: nanoseconds since its start."""
    with open("/proc/self/schedstat") as file:
        return int(file.read().split()[1])


if __name__ == "__main__":
    start = clock()
    main()
    print('TRUTH {"start": %d, "functions": {%s}, "total": %d, "queued": %d}' % (
        start, ", ".join('"%s": %d' % row for row in sorted(TAKEN.items())), clock(), queued()))
