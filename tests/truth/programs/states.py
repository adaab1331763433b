"""A main thread that computes and waits by turns, and measures both itself.

usage: python states.py sleep|pipe|lock|gc [SECONDS]      what wait() waits for
       python states.py gil [SECONDS]                     two threads that both want to compute all the time
The last line of its output: when main began and ended (nanoseconds since 1970), the wall time of the main thread
in wait() ("wait"), its CPU time ("cpu") and the time that it waited for a CPU ("queued") between begin and end.
"""
import gc
import os
import sys
import threading
import time

KIND = sys.argv[1] if len(sys.argv) > 1 else "sleep"
SECONDS = float(sys.argv[2]) if len(sys.argv) > 2 else 2.0
END = time.monotonic() + SECONDS
PIPE = os.pipe()
GATE = threading.Lock()
ALIVE = [[n] for n in range(30000)] if KIND == "gc" else []


def compute(seconds):
    end = time.thread_time() + seconds
    while time.thread_time() < end:
        for i in range(200):
            i + i


def wait():
    if KIND == "sleep":
        time.sleep(0.003)
    elif KIND == "pipe":
        os.read(PIPE[0], 1)
    elif KIND == "lock":
        GATE.acquire()
    elif KIND == "gc":
        gc.collect()


def feed():
    while time.monotonic() < END + 1:
        time.sleep(0.004)
        if KIND == "pipe":
            os.write(PIPE[1], b"x")
        elif KIND == "lock" and GATE.locked():
            GATE.release()


def compete():
    while time.monotonic() < END:
        compute(0.01)


def main():
    helper = {"pipe": feed, "lock": feed, "gil": compete}.get(KIND)
    if helper:
        threading.Thread(target=helper, daemon=True).start()
    if KIND == "lock":
        GATE.acquire()
    if KIND == "gc":
        gc.disable()
    waited, cpu, delay, begin = 0, time.thread_time_ns(), queued(), time.time_ns()
    while time.monotonic() < END:
        compute(0.002)
        before = time.perf_counter_ns()
        wait()
        waited += time.perf_counter_ns() - before
    return begin, time.time_ns(), waited, time.thread_time_ns() - cpu, queued() - delay


def queued():
    """How long this thread wanted a CPU and had none: nanoseconds since its start."""
    with open("/proc/self/schedstat") as file:
        return int(file.read().split()[1])


if __name__ == "__main__":
    print('TRUTH {"begin_ns": %d, "end_ns": %d, "wait": %d, "cpu": %d, "queued": %d}' % main())
    sys.stdout.flush()
    os._exit(0)
