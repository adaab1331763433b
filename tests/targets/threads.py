"""Threads with names, each doing one known thing:

    cpu      loops in spin()                      sleeper  in wait_sleep(), time.sleep
    queue    in wait_queue(), an empty queue      lock     in wait_lock(), a lock that the main thread holds
    pipe     in wait_pipe(), reads an empty pipe  MainThread  in wait_end(), joins cpu
"""
import os
import queue
import threading
import time

from _target import END, going, ready


def spin():
    total = 0
    while going():
        for i in range(1000):
            total += i * i
    return total


def wait_sleep():
    while going():
        time.sleep(60)


def wait_queue(empty):
    empty.get()


def wait_lock(lock):
    lock.acquire()


def wait_pipe(descriptor):
    os.read(descriptor, 1)


def wait_end(thread):
    thread.join()


def main():
    lock = threading.Lock()
    lock.acquire()
    reading, writing = os.pipe()
    threads = [
        threading.Thread(target=spin, name="cpu"),
        threading.Thread(target=wait_sleep, name="sleeper", daemon=True),
        threading.Thread(target=wait_queue, args=(queue.Queue(),), name="queue", daemon=True),
        threading.Thread(target=wait_lock, args=(lock,), name="lock", daemon=True),
        threading.Thread(target=wait_pipe, args=(reading,), name="pipe", daemon=True),
    ]
    for thread in threads:
        thread.start()
    time.sleep(0.05)
    ready()
    wait_end(threads[0])
    os.close(writing)


if __name__ == "__main__":
    main()
