"""Generators and coroutines, interleaved and nested: frames that live on the heap and change their caller.

EDGES as in flutter.py: caller -> callee.  gen_leaf runs below gen_middle (yield from) below one of two drivers,
coroutine_leaf below coroutine_middle (await) below drive_coroutine.  From 3.11 on a call that only makes a generator runs
its first instruction in a frame of its own, so main calls the two middle ones.
"""
from _target import going, ready

EDGES = {
    "<module>": {"main"},
    "main": {"going", "drive_left", "drive_right", "drive_coroutine", "gen_middle", "coroutine_middle"},
    "drive_left": {"gen_middle"},
    "drive_right": {"gen_middle"},
    "gen_middle": {"gen_leaf"},
    "gen_leaf": {"work"},
    "drive_coroutine": {"coroutine_middle"},
    "coroutine_middle": {"coroutine_leaf"},
    "coroutine_leaf": {"work", "__await__"},
}


class Pause:
    def __await__(self):
        yield


def work(n):
    total = 0
    for i in range(20):
        total += i ^ n
    return total


def gen_leaf(n):
    for i in range(n):
        yield work(i)


def gen_middle(n):
    yield from gen_leaf(n)


def drive_left(generator):
    next(generator, None)


def drive_right(generator):
    next(generator, None)


async def coroutine_leaf(n):
    work(n)
    await Pause()
    return work(n)


async def coroutine_middle(n):
    return await coroutine_leaf(n)


def drive_coroutine(coroutine):
    try:
        coroutine.send(None)
    except StopIteration:
        return False
    return True


def main():
    while going():
        for _ in range(50):
            first, second = gen_middle(20), gen_middle(20)
            coroutine = coroutine_middle(3)
            alive = True
            for _ in range(20):
                drive_left(first)
                drive_right(second)
                drive_left(second)
                drive_right(first)
                alive = alive and drive_coroutine(coroutine)


if __name__ == "__main__":
    ready()
    main()
