"""Makes reference cycles and has them collected: most of the time is inside the garbage collector, called from
collect()."""
import gc

from _target import going, ready

ALIVE = [[n] for n in range(200000)]


def make_cycles():
    for _ in range(200):
        a, b = [], []
        a.append(b)
        b.append(a)


def collect():
    gc.collect()


def main():
    while going():
        make_cycles()
        collect()


if __name__ == "__main__":
    gc.disable()
    ready()
    main()
