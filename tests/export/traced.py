"""A traced run of a program whose counts are known, and what its contexts add up to: what every export must say."""
import collections
import json

PROGRAM = '''\
import threading


def leaf(n):
    return len(range(n))


def fac(n):
    return 1 if n < 2 else n * fac(n - 1)


def even(n):
    return n == 0 or odd(n - 1)


def odd(n):
    return n != 0 and even(n - 1)


def numbers(n):
    for i in range(n):
        yield i


def fails():
    raise ValueError


class Other:
    def leaf(self):
        return leaf(3)


def work():
    for i in range(100):
        leaf(i)
    fac(5)
    fac(3)
    even(6)
    Other().leaf()
    for i in range(4):
        try:
            fails()
        except ValueError:
            pass
    return sum(numbers(10))


def threaded():
    leaf(1)
    work()


work()
thread = threading.Thread(target=threaded, name="second")
thread.start()
thread.join()
'''
# qualified name where the interpreter has it, else the name -> (calls, those not from within it)
COUNTS = {"work": (2, 2), "threaded": (1, 1), "fac": (16, 4), "even": (8, 2), "odd": (6, 2), "numbers": (2, 2),
          "fails": (8, 8)}
EDGES = {("work", "fac"): (4, 4), ("fac", "fac"): (12, 4), ("even", "odd"): (6, 2), ("odd", "even"): (6, 2),
         ("threaded", "work"): (1, 1), ("work", "fails"): (8, 8)}
NATIVE = "~"

Row = collections.namedtuple("Row", "name qualname file first_line")
Sum = collections.namedtuple("Sum", "calls primitive self_ns total_ns")


class Traced:
    """What a jsonl export says, with each context's path spelled out."""

    def __init__(self, text):
        self.rows = collections.defaultdict(list)
        for line in text.splitlines():
            row = json.loads(line)
            self.rows[row.pop("type")].append(row)
        (self.info,), (self.end,) = self.rows["run"], self.rows["end"]
        self.functions = [Row(f["name"], f["qualname"], f["file"], f["first_line"]) for f in self.rows["function"]]
        function_of = [self.functions[l["function"]] for l in self.rows["location"]]
        paths = {0: ()}
        for stack in self.rows["stack"]:
            paths[stack["id"]] = paths[stack["parent"]] + (function_of[stack["location"]],)
        self.contexts = [(call["thread"], paths[call["stack"]], call) for call in self.rows["call"]]

    def thread_name(self, thread):
        row = self.rows["thread"][thread]
        return "%s (pid %d, thread %d)" % (row["name"], self.rows["process"][row["process"]]["pid"], row["native_id"])

    def total(self, thread=None):
        return sum(call["self_ns"] for t, _, call in self.contexts if thread in (None, t))

    def sums(self, key, thread=None):
        """{key of a function: Sum}; time and primitive calls count where the key is on the path once only."""
        return self._sums(lambda path: [key(f) for f in path], thread)

    def edges(self, key, thread=None):
        """{(caller, callee): Sum}"""
        return self._sums(lambda path: list(zip([key(f) for f in path], [key(f) for f in path[1:]])), thread)

    def _sums(self, steps_of, thread):
        sums = collections.defaultdict(lambda: [0, 0, 0, 0])
        for t, path, call in self.contexts:
            if thread not in (None, t):
                continue
            steps = steps_of(path)
            for step in set(steps):
                sums[step][3] += call["self_ns"]
            if steps:
                row = sums[steps[-1]]
                row[0] += call["calls"]
                row[1] += call["calls"] if steps.count(steps[-1]) == 1 else 0
                row[2] += call["self_ns"]
        return {step: Sum(*row) for step, row in sums.items()}
