"""Does the same work over and over and says, every 20 ms, how much is done: what a profiler beside it costs shows as
less work per second.

usage: python work.py loop|calls [SECONDS [DEPTH]]      DEPTH: frames below which the work is done (10)
Ends with SECONDS or when its standard input is closed.  The last line of its output: a row for each 20 ms with the
monotonic clock, the thread's CPU clock (nanoseconds) and the rounds done so far.
"""
import select
import sys
import time

KIND = sys.argv[1] if len(sys.argv) > 1 else "loop"
SECONDS = float(sys.argv[2]) if len(sys.argv) > 2 else 5.0
DEPTH = int(sys.argv[3]) if len(sys.argv) > 3 else 10
ROWS = []


def loop_round():
    total = 0
    for i in range(8000):
        total += i
    return total


def leaf(n):
    return n + 1


def twig(n):
    return leaf(n) + leaf(n)


def branch(n):
    return twig(n) + twig(n)


def calls_round():
    for n in range(250):
        branch(n)


def work(one_round):
    end, rounds, row_end = time.monotonic() + SECONDS, 0, 0
    while True:
        now = time.monotonic()
        if now >= row_end:
            ROWS.append("[%d, %d, %d]" % (time.monotonic_ns(), time.thread_time_ns(), rounds))
            row_end = now + 0.02
            if now >= end or select.select([sys.stdin], [], [], 0)[0]:
                return
        one_round()
        rounds += 1


def below(levels, one_round):
    if levels > 0:
        below(levels - 1, one_round)
    else:
        work(one_round)


if __name__ == "__main__":
    print("ready")
    sys.stdout.flush()
    below(DEPTH - 4, calls_round if KIND == "calls" else loop_round)
    print('TRUTH {"rows": [%s]}' % ", ".join(ROWS))
