"""Two threads, one and two, that both want to compute in contend(): on a build with the GIL each waits half of
the time for it."""
import threading

from _target import going, ready


def contend():
    total = 0
    while going():
        for i in range(1000):
            total += i
    return total


def main():
    threads = [threading.Thread(target=contend, name=name) for name in ("one", "two")]
    for thread in threads:
        thread.start()
    ready()
    for thread in threads:
        thread.join()


if __name__ == "__main__":
    main()
