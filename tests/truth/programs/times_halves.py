"""Half of the time in a loop without calls, half in a loop of trivial calls; says how long each took it."""
import sys
import time


def still(n):
    total = 0
    for i in range(n):
        total += i & 7
    return total


def leaf(i):
    return i


def calling(n):
    for i in range(n):
        leaf(i)


def main(loops, calls):
    begin = time.thread_time_ns()
    still(loops)
    middle = time.thread_time_ns()
    calling(calls)
    print("TRUTH", middle - begin, time.thread_time_ns() - middle)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
