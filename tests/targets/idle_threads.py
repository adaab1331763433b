"""200 threads: 150 wait for ever in rest(), 50 wake often in busy_a_little().  Second argument changes the total."""
import sys
import threading
import time

from _target import going, ready

TOTAL = int(sys.argv[2]) if len(sys.argv) > 2 else 200


def rest(event):
    event.wait()


def busy_a_little():
    while going():
        sum(range(500))
        time.sleep(0.01)


def main():
    never = threading.Event()
    for n in range(TOTAL):
        target, arguments = (busy_a_little, ()) if n % 4 == 0 else (rest, (never,))
        threading.Thread(target=target, args=arguments, name="t%d" % n, daemon=True).start()
    ready()
    while going():
        time.sleep(0.1)


if __name__ == "__main__":
    main()
