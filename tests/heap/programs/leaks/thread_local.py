"""Database workers that live as long as the program, each with the queries of its "current" request in a thread-local
that no request ever empties."""
import concurrent.futures
import threading

from _steps import serve

TRUTH = {"type": "__main__.Query", "holder": "the attribute history of the thread-local of each worker",
         "path": "history", "objects_each_step": 2000}
WORKERS = 4
CURRENT = threading.local()
TOGETHER = threading.Barrier(WORKERS)


class Query:
    def __init__(self, number):
        self.text = "select * from orders where id = %d" % number
        self.rows = number % 5


def work(first):
    TOGETHER.wait()  # so that every worker gets one part
    if not hasattr(CURRENT, "history"):
        CURRENT.history = []
    for i in range(500):
        CURRENT.history.append(Query(first + i))


def empty(first):
    TOGETHER.wait()
    CURRENT.history.clear()


POOL = concurrent.futures.ThreadPoolExecutor(WORKERS)


def step(number):
    list(POOL.map(work, range(number * 2000, number * 2000 + 2000, 500)))


def forget():
    list(POOL.map(empty, range(WORKERS)))


if __name__ == "__main__":
    serve(step, forget)
