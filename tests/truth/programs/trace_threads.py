"""Threads: each has its own stack of calls."""
import _thread
import sys
import threading
import time


def leaf(*arguments):
    return arguments


def work(n):
    for i in range(n):
        leaf(i)


def joined():
    """Threads of threading, each with its own calls.

    work 4 < run 4
    leaf 1000 < work 1000
    """
    threads = []
    for n in (100, 200, 300, 400):
        threads.append(threading.Thread(target=work, args=(n,)))
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def with_main():
    """Two threads call one function while the main one calls another: no call goes to a wrong caller.

    spin 2 < run 2
    other 40000 < spin 40000
    leaf 40000
    """
    def other():
        pass

    def spin():
        for _ in range(20000):
            other()

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    threads = [threading.Thread(target=spin), threading.Thread(target=spin)]
    for thread in threads:
        thread.start()
    for _ in range(40000):
        leaf()
    for thread in threads:
        thread.join()
    sys.setswitchinterval(interval)


def bare():
    """_thread.start_new_thread, under both its names.

    body 6 < (none) 6
    leaf 60 < body 60
    """
    locks = []

    def body(lock):
        for _ in range(10):
            leaf()
        lock.release()

    for i in range(6):
        lock = _thread.allocate_lock()
        lock.acquire()
        locks.append(lock)
        (_thread.start_new_thread if i % 2 else _thread.start_new)(body, (lock,))
    for lock in locks:
        lock.acquire()
    while _thread._count() > 0:
        time.sleep(0.001)


def many_short():
    """Three hundred threads, one after the other.

    leaf 300 < run 300
    """
    for i in range(300):
        thread = threading.Thread(target=leaf, args=(i,))
        thread.start()
        thread.join()


def pooled():
    """concurrent.futures: calls in whatever thread takes them.

    task 100 < ...
    leaf 200 < task 200
    """
    import concurrent.futures

    def task(n):
        leaf(n)
        leaf(n)
        return n

    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(task, range(100))) == 4950


def started_by_threads():
    """Threads that start threads.

    grow 15 < run 15
    leaf 15 < grow 15
    """
    def grow(n):
        leaf()
        if n:
            threads = [threading.Thread(target=grow, args=(n - 1,)), threading.Thread(target=grow, args=(n - 1,))]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()

    thread = threading.Thread(target=grow, args=(3,))
    thread.start()
    thread.join()


def subclassed():
    """A subclass of Thread with its own run().

    run 3 < ...
    leaf 3 < run 3
    """
    class Own(threading.Thread):
        def run(self):
            leaf()

    for thread in (Own(), Own(), Own()):
        thread.start()
        thread.join()


def failing():
    """A thread that ends by an exception, which threading.excepthook gets.

    bad 2!2 < run 2
    hook 2 < ...
    """
    def bad():
        raise KeyError

    def hook(arguments):
        pass

    threading.excepthook = hook
    for _ in range(2):
        thread = threading.Thread(target=bad)
        thread.start()
        thread.join()


def passed_generators():
    """A generator that one thread begins and another goes on with.

    numbers 10~40 < builtins.next 10~40
    go_on 10 < run 10
    * builtins.next 50 < passed_generators 20, go_on 30
    """
    def numbers():
        for i in range(4):
            yield i

    def go_on(generator):
        next(generator)
        next(generator)
        next(generator)

    for _ in range(10):
        generator = numbers()
        next(generator)
        thread = threading.Thread(target=go_on, args=(generator,))
        thread.start()
        thread.join()
        next(generator, None)


def timers():
    """threading.Timer, Condition and queue.

    late 2 < run 2
    consume 1 < run 1
    leaf 3 < consume 3
    """
    import queue

    box = queue.Queue()

    def late():
        pass

    def consume():
        while True:
            item = box.get()
            if item is None:
                return
            leaf(item)

    for _ in range(2):
        timer = threading.Timer(0.001, late)
        timer.start()
        timer.join()
    thread = threading.Thread(target=consume)
    thread.start()
    for item in (1, 2, 3, None):
        box.put(item)
    thread.join()


def daemons():
    """A thread that still runs when the program ends.

    forever 1 < run 1
    leaf 5
    """
    ready = threading.Event()

    def forever():
        ready.set()
        while True:
            time.sleep(1)

    threading.Thread(target=forever, daemon=True).start()
    ready.wait()
    for _ in range(5):
        leaf()


def local_data():
    """threading.local with an __init__, made once in each thread.

    __init__ 4 < local_data 1, use 3
    use 3 < run 3
    """
    class Data(threading.local):
        def __init__(self):
            self.x = 1

    data = Data()
    data.x

    def use():
        data.x
        data.x

    for _ in range(3):
        thread = threading.Thread(target=use)
        thread.start()
        thread.join()


def shared_name():
    """Eight threads at once in one function, deep in recursion.

    down 408/8 < run 8, down 400
    [monitoring] thread_of 8 < list 8
    [hook] thread_of 8
    """
    barrier = threading.Barrier(8)

    def down(n):
        if n == 50:
            barrier.wait()
        if n:
            down(n - 1)

    threads = list(map(thread_of, [down] * 8))
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def thread_of(function):
    return threading.Thread(target=function, args=(50,))


if __name__ == "__main__":
    globals()[sys.argv[1]]()
