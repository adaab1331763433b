"""Healthy: a pool of threads that has as many as there ever were jobs at one time.  A step has two more than the one
before, up to 8: all threads are there after the fourth.  Each keeps 300 cells of its own for its whole life."""
import queue
import threading

from _steps import serve

TRUTH = None
KEPT = {"__main__.Cell": (1200, 2400, 2400)}
JOBS = queue.Queue()
THREADS = []


class Cell:
    def __init__(self, number):
        self.number = number


def work():
    cells = [Cell(i) for i in range(300)]
    while True:
        together, number = JOBS.get()
        together.wait()
        cells[number % 300] = Cell(number)
        JOBS.task_done()


def step(number):
    at_once = min(2 * (number + 1), 8)
    while len(THREADS) < at_once:
        THREADS.append(threading.Thread(target=work, daemon=True))
        THREADS[-1].start()
    for i in range(20):
        together = threading.Barrier(at_once)
        for j in range(at_once):
            JOBS.put((together, i * 10 + j))
        JOBS.join()


if __name__ == "__main__":
    serve(step)
