"""Reads from address 16 below fall(3) in the main thread, while the thread "waiter" waits in wait_for_ever()."""
import ctypes
import sys
import threading
import time

EVENT = threading.Event()


def wait_for_ever():
    EVENT.wait()


def rests(thread):
    """It is where it will stay: main lets go of the lock between two looks."""
    for _ in range(5):
        frame = sys._current_frames().get(thread.ident)
        if frame is None or frame.f_code.co_name != "wait":
            return False
        time.sleep(0.01)
    return True


def fall(depth):
    note = "depth %d" % depth
    if depth:
        return fall(depth - 1), note
    return ctypes.string_at(16), note


if __name__ == "__main__":
    WAITER = threading.Thread(target=wait_for_ever, name="waiter", daemon=True)
    WAITER.start()
    while not rests(WAITER):
        time.sleep(0.01)
    fall(3)
