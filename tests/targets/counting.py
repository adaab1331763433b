"""Counts as its first argument says, with the package in the folder of the second."""
import math
import os
import random
import signal
import sys
import threading
import time

sys.path.insert(0, sys.argv[2])
from hasten import counters  # noqa: E402

counters.service(os.environ.get("TEST_SERVICE", "counting"))


def say(text):
    print(text, flush=True)


def wait():
    say("ready")
    sys.stdin.read()


def threads():
    """8 threads on one counter, one gauge and one histogram."""
    n = int(sys.argv[3])
    counter, gauge, histogram = counters.counter("events"), counters.gauge("level"), counters.histogram("sizes")
    frequency, window, total = counters.frequency("often"), counters.window("wide"), counters.total("sum")

    @counters.count("calls")
    def function():
        pass

    def work():
        inc, level, observe = counter.inc, gauge.inc, histogram.observe
        for i in range(n):
            inc()
            if i % 8 == 0:
                level(1.0)
                observe(1.5)
                frequency.tick()
                window.observe(2)
                total.add(-3)
                function()
    workers = [threading.Thread(target=work) for _ in range(8)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    wait()


def values():
    """A histogram of values that the test makes too."""
    random.seed(1)
    histogram = counters.histogram("latency", unit="seconds", help='how "long"')
    for i in range(100000):
        histogram.observe(math.exp(random.gauss(-7, 2)))
    wait()


def prefork():
    """A parent that forks 4 workers, which count and end: one of them by SIGKILL; a fifth lives on."""
    served, busy, took = counters.counter("served"), counters.gauge("busy"), counters.histogram("took")
    served.inc(1000)
    busy.set(1)
    for i in range(5):
        if os.fork() == 0:
            assert served.value == 0 and busy.value == 0, "a child begins at 0"
            for _ in range(100):
                served.labels(worker="all").inc()
                served.inc()
                took.observe(i + 1)
            busy.set(10)
            if i == 3:
                os.kill(os.getpid(), signal.SIGKILL)
            if i == 4:
                wait()
            os._exit(0)
        if i < 4:
            os.wait()
    sys.stdin.read()


def octaves():
    """Histograms that use all their octaves, made before and after each other's, in a parent and its child's child."""
    def fill(count):
        for i in range(count):
            wide = counters.histogram("wide", labels={"n": str(i)})
            for octave in range(64):
                wide.observe(1.25 * 2.0 ** (octave - 32))
                if octave % 16 == 0:
                    counters.counter("between").labels(n="%d" % octave).inc()
    fill(2)
    if os.fork() == 0:
        assert counters.histogram("wide", labels={"n": "0"}).count == 0
        fill(3)
        counters.histogram("wide", labels={"n": "0"}).clear()
        fill(1)
        if os.fork() == 0:
            fill(1)
        wait()
    time.sleep(1000)


def kinds():
    """One of each."""
    counters.counter("requests.served", help='a "quoted" \\ text').labels(route='/a"b\\c\n\u00e9').inc(3)
    counters.counter("requests.served").inc(2 ** 53 + 1)
    counters.total("balance").add(-2.5)
    counters.gauge("temperature", unit="celsius").set(21.5)
    counters.frequency("logins").tick(120)
    for value in (1, 2, 6):
        counters.average("size", unit="bytes").observe(value)
        counters.min_window("least").observe(value)
        counters.max_window("most").observe(value)
        counters.window("all").observe(value)
        counters.histogram("took", unit="seconds").observe(value / 1000)
    counters.histogram("empty")
    wait()


def children():
    """Programs that are started from here are forked and become others at once."""
    import subprocess
    counters.counter("parent").inc(7)
    for more in ({}, {"preexec_fn": None, "close_fds": False}):
        subprocess.check_call([sys.executable, "-c", "pass"], **more)
    say(len([n for n in os.listdir(os.environ["HASTEN_COUNTERS"]) if n.endswith(".counters")]))


def interpreters():
    """Two more interpreters, with a lock of their own where the version has that, count under the same names."""
    try:
        import _interpreters as module
    except ImportError:
        import _xxsubinterpreters as module
    code = ("import sys; sys.path.insert(0, %r)\n"
            "from hasten import counters\n"
            "inc = counters.counter('both').inc\n"
            "for _ in range(300000): inc()\n"
            "with counters.time('took'): pass\n" % sys.argv[2])
    others = [module.create() for _ in range(2)]
    threads = [threading.Thread(target=module.run_string, args=(other, code)) for other in others]
    for thread in threads:
        thread.start()
    exec(code, {})
    for thread in threads:
        thread.join()
    wait()


def full():
    """Makes histograms until there is no room, and then uses all they could hold."""
    made = []
    try:
        for i in range(100000):
            made.append(counters.histogram("h%d" % i))
    except MemoryError:
        say("MemoryError")
    for histogram in made:
        for exponent in range(-40, 40):
            histogram.observe(2.0 ** exponent)
    counters.histogram("h0").clear()


def steady():
    counter = counters.counter("steady")
    say("ready")
    while True:
        counter.inc()
        time.sleep(0.001)


globals()[sys.argv[1]]()
