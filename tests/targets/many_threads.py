"""Rounds of threads that are all alive for a moment: more threads in sum than get a row of their own in a run.

usage: python many_threads.py ROUNDS THREADS
"""
import sys
import threading
import time

ROUNDS, THREADS = int(sys.argv[1]), int(sys.argv[2])


def visitor():
    time.sleep(0.06)


for _ in range(ROUNDS):
    threads = [threading.Thread(target=visitor) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
