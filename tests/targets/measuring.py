"""A program that measures itself, and says in JSON what it knows of that: measuring.py WHAT [ARGUMENTS]."""
import asyncio
import io
import json
import os
import signal
import sys
import threading
import time

import hasten


def leaf(i):
    return i


def work(n):
    for i in range(n):
        leaf(i)


def spin(seconds):
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        pass


def quiet(seconds):
    time.sleep(seconds)


def gen(n):
    for i in range(n):
        yield i


async def task(n):
    for _ in range(n):
        await asyncio.sleep(0)
    return n


def calls_of(run, *names):
    found = {row["function"].split(".")[-1]: [row["calls"], row["primitive_calls"]] for row in run.json("-n", "100000")["functions"]}
    return {name: found.get(name) for name in names}


def tell(**facts):
    print(json.dumps(facts))


# --- what is asked for -----------------------------------------------------------------------------------------
def trace():
    def outer():
        with hasten.trace() as first:
            work(100)
            thread = threading.Thread(target=work, args=(7,))
            thread.start()
            thread.join()
        return first.run

    run = outer()
    edges = [[row["caller"] and row["caller"]["function"].split(".")[-1], row["callee"]["function"], row["calls"]]
             for row in run.json("-n", "100000")["edges"]]
    names = [row["function"] for row in run.json("-n", "100000")["functions"]]

    @hasten.trace(python_only=True, name="decorated")
    def decorated(n):
        work(n)
        return sorted([3, 1, 2])

    again = decorated(5)
    tell(run=run.number, calls=calls_of(run, "work", "leaf", "outer"), edges=edges, names=names, returned=again,
         text=run.text("--callers", "leaf"))


def trace_many(n):
    counts = []
    for i in range(int(n)):
        with hasten.trace() as one:
            work(i)
        counts.append(calls_of(one.run, "leaf")["leaf"] if i in (0, int(n) - 1) else None)
    tell(first=counts[0], last=counts[-1], descriptors=len(os.listdir("/proc/self/fd")))


def trace_fork():
    with hasten.trace() as one:
        work(10)
        pid = os.fork()
        if pid == 0:
            work(1000)
            os._exit(0)
        os.waitpid(pid, 0)
    run = one.run
    tell(calls=calls_of(run, "leaf", "work"), processes=len(run.json("--threads").get("threads", [])))


def trace_killed():
    hasten.trace().start()
    work(500)
    os.kill(os.getpid(), signal.SIGKILL)


def trace_busy():
    with hasten.trace():
        try:
            hasten.trace().start()
            tell(error=None)
        except hasten.Error as error:
            tell(error=str(error))


def trace_options(folder):
    with hasten.trace(only="leaf") as only:
        work(10)
    with hasten.trace(skip=["leaf"]) as skip:
        work(10)
    with hasten.trace(timeline=True) as line:
        work(10)
    path = os.path.join(folder, "timeline.json")
    line.run.export(path, "chrome")
    with open(path) as file:
        events = [event for event in json.load(file)["traceEvents"] if event["ph"] == "B" and event["name"].startswith("leaf ")]
    tell(only=sorted(row["function"] for row in only.run.json()["functions"]), skip=calls_of(skip.run, "work", "leaf"),
         slices=len(events))


def pause():
    """Below `hasten trace`, paused or not."""
    def on():
        work(3)

    work(100)
    before = hasten.resume()
    on()
    paused = hasten.pause()
    work(100)
    with hasten.trace() as part:
        on()
    work(100)
    tell(resumed=before, paused=paused, run=part.run is not None, again=hasten.pause())


def pause_threads():
    """A thread that works all the time, and is traced twice for a while."""
    stop, counted, traced, begin = [], [0], 0, time.monotonic()

    def count():
        counted[0] += 1

    def busy():
        while not stop:
            count()

    thread = threading.Thread(target=busy)
    thread.start()
    for _ in range(2):
        time.sleep(0.02)
        from_here = time.monotonic()
        hasten.resume()
        time.sleep(0.02)
        hasten.pause()
        traced += time.monotonic() - from_here
    stop.append(1)
    thread.join()
    tell(counted=counted[0], traced=traced, paused=time.monotonic() - begin - traced)


def sample():
    with hasten.sample() as one:
        spin(0.3)
    run = one.run.json()
    lines = {row["function"]: row["total_share"] for row in run["functions"]}
    started = hasten.start("2khz")
    quiet(0.02)
    spin(0.1)
    try:
        hasten.start()
        error = None
    except hasten.Error as caught:
        error = str(caught)
    hasten.stop()
    old, sys.stdout = sys.stdout, io.StringIO()
    hasten.display("-n", "5")
    text, sys.stdout = sys.stdout.getvalue(), old
    try:
        children = os.wait()
    except ChildProcessError:
        children = None
    tell(shares=lines, wall_ns=run["run"]["wall_ns"], samples=run["samples"], second=started.run.json()["functions"][0]["function"],
         error=error, text=text, children=children)


def forbidden():
    """Nobody may look into this process from outside: what a container without rights and a strict system do."""
    import ctypes

    class Rule(ctypes.Structure):
        _fields_ = [("code", ctypes.c_uint16), ("jt", ctypes.c_uint8), ("jf", ctypes.c_uint8), ("k", ctypes.c_uint32)]

    class Program(ctypes.Structure):
        _fields_ = [("length", ctypes.c_uint16), ("rules", ctypes.POINTER(Rule))]

    numbers = {"x86_64": (310, 101), "aarch64": (270, 117)}[os.uname().machine]  # process_vm_readv, ptrace
    load, jump, answer = 0x20, 0x15, 0x06
    rules = [Rule(load, 0, 0, 0)]
    for number in numbers:
        rules += [Rule(jump, 0, 1, number), Rule(answer, 0, 0, 0x00050000 | 1)]  # EPERM
    rules.append(Rule(answer, 0, 0, 0x7fff0000))
    array = (Rule * len(rules))(*rules)
    libc = ctypes.CDLL(None, use_errno=True)
    program = Program(len(rules), array)
    assert libc.prctl(38, 1, 0, 0, 0) == 0
    assert libc.prctl(22, 2, ctypes.byref(program), 0, 0) == 0, os.strerror(ctypes.get_errno())
    with hasten.sample() as one:
        spin(0.2)
    tell(shares={row["function"]: row["total_share"] for row in one.run.json()["functions"]})


def errors():
    said = {}
    for name, make in (("rate", lambda: hasten.sample("often")), ("store", lambda: hasten.sample(store="/dev/null/x.db")),
                       ("trace", lambda: hasten.trace(store="/dev/null/x.db")), ("only", lambda: hasten.trace(only="re:("))):
        try:
            make().start()
        except hasten.Error as error:
            said[name] = str(error)
    for name, call in (("display", hasten.display), ("flush", lambda: hasten.trace().print())):
        try:
            call()
        except hasten.Error as error:
            said[name] = str(error)
    os.environ["HASTEN_COMMAND"] = "/nowhere/hasten"
    try:
        hasten.sample().start()
    except hasten.Error as error:
        said["command"] = str(error)
    said["stop"] = hasten.stop()
    tell(**said)


def each(folder):
    @hasten.profile_each(os.path.join(folder, "{name}.{number}.prof"))
    def run(n):
        work(n)
        return inner(n)

    @hasten.profile_each(os.path.join(folder, "callgrind.out.{name}.{number}"))
    def inner(n):
        return n + 1

    @hasten.profile_each(os.path.join(folder, "no", "such", "{name}"))
    def unwritable():
        raise KeyError("mine")

    import warnings

    values = [run(3), run(4), inner(5)]
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            unwritable()
        except KeyError as error:
            raised = str(error)
    tell(values=values, files=sorted(os.listdir(folder)), warned=[str(w.message) for w in caught], raised=raised)


def signals():
    """Waits for signals, and writes what they made it do."""
    hasten.install_signal(signal.SIGUSR1, "dump")
    hasten.install_signal(signal.SIGUSR2, "sample")
    hasten.install_signal(signal.SIGHUP, "trace", only="work")
    hasten.install_signal(signal.SIGQUIT, lambda frame: print("in", frame.f_code.co_name, flush=True))
    try:
        hasten.install_signal(signal.SIGTERM, "nonsense")
    except ValueError as error:
        print(error, flush=True)
    print("ready", flush=True)
    end = time.monotonic() + 30
    while time.monotonic() < end:
        work(1000)


if __name__ == "__main__":
    globals()[sys.argv[1]](*sys.argv[2:])
