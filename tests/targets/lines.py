"""Lines whose number of hits is known: recursion, interleaved generators, exceptions, coroutines, threads.

usage: python lines.py [kill | fork]
"""
import os
import signal
import sys
import threading


@profile  # noqa: F821 - hasten lines puts it there
def fact(n):
    if n < 2:
        return 1
    return n * fact(n - 1)


def gen(n):
    for i in range(n):
        x = i * 2
        yield x


def work(n):
    total = 0
    for i in range(n):
        a = i
        total += a
    return total


def interleaved():
    for x, y in zip(gen(3), gen(3)):
        pass


def fails(n):
    try:
        if n == 0:
            raise ValueError
        fails(n - 1)
    finally:
        n = n + 1


async def wait(n):
    for i in range(n):
        await Ready()
    return n


class Ready:
    def __await__(self):
        yield


def drive(coroutine):
    while True:
        try:
            coroutine.send(None)
        except StopIteration:
            return


def unwatched(n):
    for i in range(n):
        pass


def main(words):
    fact(5)
    work(1000)
    interleaved()
    try:
        fails(3)
    except ValueError:
        pass
    drive(wait(4))
    threads = [threading.Thread(target=work, args=(100,)) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    unwatched(1000)
    if words == ["fork"]:
        if os.fork() == 0:
            work(10)
            os._exit(0)
        os.wait()
    if words == ["kill"]:
        os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    main(sys.argv[1:])
