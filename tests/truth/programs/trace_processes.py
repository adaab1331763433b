"""Processes: what parent and children count adds up, and no child counts what its parent did."""
import os
import signal
import subprocess
import sys


def leaf(*arguments):
    return arguments


def square(n):
    leaf(n)
    return n * n


def in_child(action):
    """Forks; the child runs action and leaves at once."""
    pid = os.fork()
    if pid == 0:
        action()
        os._exit(0)
    return os.waitpid(pid, 0)[1]


def forked():
    """Work before a fork, and then in both: three, two and four calls.

    leaf 9
    """
    for _ in range(3):
        leaf()
    pid = os.fork()
    for _ in range(2 if pid == 0 else 4):
        leaf()
    if pid == 0:
        os._exit(0)
    os.waitpid(pid, 0)


def forked_deep():
    """Forked three calls deep; the child returns through them and goes on.

    outer 1
    middle 1 < outer 1
    inner 1 < middle 1
    leaf 8 < inner 2, middle 2, outer 2, forked_deep 2
    """
    def inner():
        pid = os.fork()
        leaf()
        return pid

    def middle():
        pid = inner()
        leaf()
        return pid

    def outer():
        pid = middle()
        leaf()
        return pid

    pid = outer()
    leaf()
    if pid == 0:
        os._exit(0)
    os.waitpid(pid, 0)


def forked_in_c():
    """Forked inside a key function of sorted(), which goes on in both.

    key 4 < builtins.sorted 4
    * builtins.sorted 1
    leaf 2
    """
    pids = []

    def key(value):
        if value == 2:
            pids.append(os.fork())
        return value

    sorted([1, 2, 3], key=key)
    leaf()
    if pids[0] == 0:
        os._exit(0)
    os.waitpid(pids[0], 0)


def forked_in_generator():
    """Forked while a generator is suspended: both go on with it.

    numbers 1~6 < builtins.next 1~6
    * builtins.next 7
    """
    def numbers():
        yield 1
        yield 2
        yield 3

    one = numbers()
    next(one)
    pid = os.fork()
    next(one)
    next(one)
    next(one, None)
    if pid == 0:
        os._exit(0)
    os.waitpid(pid, 0)


def forked_often():
    """Twenty children, and a child of each.

    in_child 40/20 < forked_often 20, first 20
    first 20 < in_child 20
    second 20 < in_child 20
    leaf 60 < forked_often 20, first 20, second 20
    """
    def first():
        leaf()
        assert in_child(second) == 0

    def second():
        leaf()

    for _ in range(20):
        leaf()
        assert in_child(first) == 0


def forked_in_thread():
    """Forked by a thread while others run: the child has that one only.

    body 1 < run 1
    spin 1 < run 1
    leaf 6 < body 6
    """
    import threading
    import time

    stop = threading.Event()

    def spin():
        while not stop.is_set():
            time.sleep(0.001)

    def body():
        leaf()
        pid = os.fork()
        leaf()
        leaf()
        if pid == 0:
            leaf()
            os._exit(0)
        os.waitpid(pid, 0)

    other = threading.Thread(target=spin)
    other.start()
    thread = threading.Thread(target=body)
    thread.start()
    thread.join()
    stop.set()
    other.join()


def started_threads_in_child():
    """A child that starts threads of its own.

    child 1 < in_child 1
    in_child 1
    leaf 4 < run 3, child 1
    """
    import threading

    def child():
        leaf()
        for _ in range(3):
            thread = threading.Thread(target=leaf)
            thread.start()
            thread.join()

    assert in_child(child) == 0


def pool_of_forks():
    """multiprocessing with fork.

    square 40 < ...
    leaf 40 < square 40
    """
    import multiprocessing

    pool = multiprocessing.get_context("fork").Pool(2)
    assert sum(pool.map(square, range(40))) == 20540
    pool.close()
    pool.join()


def pool_of_spawned():
    """multiprocessing with spawn: new interpreters, each of them traced.

    square 10 < ...
    leaf 10 < square 10
    """
    import multiprocessing

    pool = multiprocessing.get_context("spawn").Pool(2)
    assert sum(pool.map(square, range(10))) == 285
    pool.close()
    pool.join()


def pool_of_server():
    """multiprocessing with a fork server.

    square 10 < ...
    leaf 10 < square 10
    """
    import multiprocessing

    pool = multiprocessing.get_context("forkserver").Pool(2)
    assert sum(pool.map(square, range(10))) == 285
    pool.close()
    pool.join()


def executor_of_processes():
    """concurrent.futures with processes.

    square 10 < ...
    leaf 10 < square 10
    """
    import concurrent.futures
    import multiprocessing

    with concurrent.futures.ProcessPoolExecutor(2, multiprocessing.get_context("fork")) as pool:
        assert sum(pool.map(square, range(10))) == 285


def child_programs():
    """Other Python programs, started by subprocess: their calls of this file count too.

    leaf 9 < child_programs 3, child 6
    child 2 < <module> 2
    child_programs 1 < <module> 1
    """
    for _ in range(3):
        leaf()
    for _ in range(2):
        subprocess.check_call([sys.executable, "-S", __file__, "child"])


def child():
    for _ in range(3):
        leaf()


def replaced_by_exec():
    """exec: the same process becomes another program, and both count.

    leaf 5 < replaced_by_exec 2, child 3
    child 1 < <module> 1
    """
    leaf()
    leaf()
    os.execv(sys.executable, [sys.executable, "-S", __file__, "child"])


def left_at_once():
    """os._exit: nothing is cleaned up, and nothing is lost.

    exit 3
    one 1
    leaf 1000 < one 1000
    """
    def one():
        for _ in range(1000):
            leaf()
        os._exit(3)

    one()


def killed():
    """SIGKILL from itself: what was before is there.

    exit -9
    one 1
    leaf 1000 < one 1000
    * posix.kill 1 < one 1
    """
    def one():
        for _ in range(1000):
            leaf()
        os.kill(os.getpid(), signal.SIGKILL)

    one()


def aborted():
    """abort(), in a child.

    in_child 1
    child 1 < in_child 1
    leaf 10 < child 10
    """
    def child():
        import resource
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        for _ in range(10):
            leaf()
        os.abort()

    assert in_child(child) == signal.SIGABRT


def spawned_by_shell():
    """A shell between, which is no Python.

    leaf 3 < child 3
    child 1 < <module> 1
    """
    assert os.system('"%s" -S "%s" child; exit 0' % (sys.executable, __file__)) == 0


if __name__ == "__main__":
    globals()[sys.argv[1]]()
