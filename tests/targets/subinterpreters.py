"""One sub-interpreter in a thread named sub, which computes in sub_spin(); the main thread waits.  The module that
makes them has had several names; without one the target says so and ends with exit code 77."""
import sys
import threading

from _target import LIMIT_S, ready

CODE = """
import time
end = time.monotonic() + {limit}
def sub_spin():
    total = 0
    while time.monotonic() < end:
        for i in range(1000):
            total += i
sub_spin()
"""


def find_module():
    for name in ("_interpreters", "_xxsubinterpreters"):
        try:
            return __import__(name)
        except ImportError:
            pass
    print("no sub-interpreters here")
    sys.exit(77)


def run_sub(module):
    number = module.create()
    run = getattr(module, "exec", None) or module.run_string
    run(number, CODE.format(limit=LIMIT_S))


def wait_end(thread):
    thread.join()


def main():
    thread = threading.Thread(target=run_sub, args=(find_module(),), name="sub")
    ready()  # now: where interpreters share the GIL, this thread may not get it again before the other ends
    thread.start()
    wait_end(thread)


if __name__ == "__main__":
    main()
