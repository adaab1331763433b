"""Waits in one kind of call, while a thread counts its turns and asks whether a child of the program is to be seen.

usage: python heap_waits.py SECONDS KIND     prints "ready", and when the wait is over what came of it, as JSON
KIND: read (by C, from standard input), pause (for SIGUSR1), sleep, epoll, lock (each of them for two seconds);
seccomp, as read, under a filter that allows all; without_ctypes is said where C cannot be called
"""
import json
import os
import select
import signal
import sys
import threading
import time

from _target import ready

WAIT_S = 2.0
turns = children = 0


def look_for_children():
    global turns, children
    while True:
        turns += 1
        try:
            os.waitpid(-1, os.WNOHANG)
            children += 1
        except ChildProcessError:
            pass


def read():
    """Python would call again after EINTR."""
    text = ctypes.create_string_buffer(100)
    got = libc.read(0, text, 100)
    return text.raw[:got].decode() if got >= 0 else "errno %d" % ctypes.get_errno()


def pause():
    signal.pause()
    return "signals %d" % signals


def count_signal(number, frame):
    global signals
    signals += 1


def sleep():
    time.sleep(WAIT_S)


def epoll():
    return select.epoll().poll(WAIT_S)


def lock():
    held = threading.Lock()
    held.acquire()
    return held.acquire(timeout=WAIT_S)


def filter_calls():
    """One instruction: whatever is called is allowed."""
    class Instruction(ctypes.Structure):
        _fields_ = [("code", ctypes.c_ushort), ("jt", ctypes.c_ubyte), ("jf", ctypes.c_ubyte), ("k", ctypes.c_uint)]

    class Program(ctypes.Structure):
        _fields_ = [("length", ctypes.c_ushort), ("filter", ctypes.POINTER(Instruction))]
    program = Program(1, ctypes.pointer(Instruction(6, 0, 0, 0x7FFF0000)))
    no_new_privileges, set_seccomp, filtered = 38, 22, 2
    if libc.prctl(no_new_privileges, 1, 0, 0, 0) or libc.prctl(set_seccomp, filtered, ctypes.byref(program), 0, 0):
        raise OSError(ctypes.get_errno(), "prctl")


kind = sys.argv[2]
signals = 0
if kind in ("read", "seccomp"):
    try:
        import ctypes
    except ImportError:
        ready("without_ctypes")
        sys.exit()
    libc = ctypes.CDLL(None, use_errno=True)
if kind == "seccomp":
    filter_calls()
signal.signal(signal.SIGUSR1, count_signal)
threading.Thread(target=look_for_children, daemon=True).start()
ready()
begin = time.monotonic()
result = {"read": read, "pause": pause, "sleep": sleep, "epoll": epoll, "lock": lock, "seccomp": read}[kind]()
print(json.dumps({"result": result, "seconds": time.monotonic() - begin, "children": children, "turns": turns}))
sys.stdout.flush()
