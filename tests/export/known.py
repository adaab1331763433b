"""A run whose content is known to the nanosecond: what make_run is told, and what every export of it must say."""
import collections
import random

RUNNING, RUNNABLE, GIL_WAIT, BLOCKED, IDLE = 1, 2, 3, 4, 5
HOLDS_GIL, IN_GC = 1, 2
NO_FRAME = "<no Python frame>"

Function = collections.namedtuple("Function", "name qualname file first_line")
Sample = collections.namedtuple("Sample", "time weight thread stack state flags detail")


def spelled(text):
    """A text as make_run reads it: bytes that could be misread are %XX."""
    data = text if isinstance(text, bytes) else text.encode()
    return "".join(chr(b) if 0x20 <= b < 0x7f and b != 0x25 else "%%%02x" % b for b in data)


def decoded(data):
    """What a JSON reader must get: valid UTF-8 as it is, every other byte as the replacement character."""
    return (data if isinstance(data, bytes) else data.encode()).decode("utf-8", "replace")


def cleaned(data, forbidden="", replacement=""):
    """What a format of lines must get: no control characters and no separators."""
    text = "".join(" " if ord(c) < 0x20 or ord(c) == 0x7f else c for c in decoded(data))
    return "".join(replacement if c in forbidden else c for c in text)


class Known:
    directory = "/srv/app"
    command = 'python app.py --name "x\ty"'

    def __init__(self):
        self.processes = [(7, 1, "python app.py", "/usr/bin/python3"), (9, 7, "python child.py", "/usr/bin/python3")]
        self.threads = [(0, 7, b"MainThread"), (0, 8, b'wor;ker "2"\n'), (1, 9, b"MainThread")]
        self.functions = [
            Function("<module>", "<module>", "/srv/app/app.py", 1),
            Function("work", "Worker.work", "/srv/app/app.py", 10),
            Function("fib", "fib", "/srv/app/app.py", 20),
            Function("even", "even", "/srv/app/app.py", 30),
            Function("odd", "odd", "/srv/app/app.py", 40),
            Function("<lambda>", "Worker.work.<locals>.<lambda>", "/srv/app/app.py", 12),
            Function("<module>", "<module>", "/srv/app/other.py", 1),
            Function(b'we;ird "n\\ame"\n\x01\xff\xed\xa0\x80\xc3\xa9', b'we;ird "n\\ame"\n\x01\xff\xed\xa0\x80\xc3\xa9',
                     b"/srv/app/odd\xff;dir/x y.py", 5),
            Function("decode", "JSONDecoder.decode", "/usr/lib/python3.11/json/decoder.py", 333),
            Function("<lambda>", "Other.<lambda>", "/srv/app/app.py", 12),  # pstats cannot tell it from the other
        ]
        self.locations, self.stacks, self.samples = [], [None], []
        self.location_ids, self.stack_ids = {}, {}

    # --- building
    def stack(self, *frames):
        """frames from the root to the leaf, each (function, line) -> the stack's number"""
        at = 0
        for frame in frames:
            if frame not in self.location_ids:
                self.location_ids[frame] = len(self.locations)
                self.locations.append(frame)
            key = at, self.location_ids[frame]
            if key not in self.stack_ids:
                self.stack_ids[key] = len(self.stacks)
                self.stacks.append(key)
            at = self.stack_ids[key]
        return at

    def sample(self, thread, weight, stack, state=RUNNING, flags=0, detail=0, gap=0):
        ends = [s.time for s in self.samples if s.thread == thread][-1:] or [0]
        self.samples.append(Sample(ends[0] + gap + weight, weight, thread, stack, state, flags, detail))

    def description(self):
        rows = [("info", self.command, self.directory, 1000)]
        rows += [("process", pid, parent, command, "CPython 3.11.2", executable)
                 for pid, parent, command, executable in self.processes]
        rows += [("thread", process, native, name) for process, native, name in self.threads]
        rows += [("function",) + function for function in self.functions]
        rows += [("location", function, line, 5) for function, line in self.locations]
        rows += [("stack",) + stack for stack in self.stacks[1:]]
        rows += [("sample",) + sample for sample in self.samples]
        return "".join("\t".join(spelled(f) if isinstance(f, (str, bytes)) else str(f) for f in row) + "\n"
                       for row in rows)

    # --- what must come out
    def frames(self, stack):
        """(function, line) from the root to the leaf"""
        result = []
        while stack:
            stack, location = self.stacks[stack]
            result.append(self.locations[location])
        return result[::-1]

    def path(self, stack):
        return tuple(function for function, _ in self.frames(stack))

    def total(self, keep=lambda s: True):
        return sum(s.weight for s in self.samples if keep(s))

    def by_path(self, keep=lambda s: True):
        sums = collections.Counter()
        for s in self.samples:
            if keep(s):
                sums[self.path(s.stack)] += s.weight
        return sums

    def sums(self, key):
        """{key of a function: (self, total)}, each sample counted once a key; None stands for no frame."""
        selfs, totals = collections.Counter(), collections.Counter()
        for path, weight in self.by_path().items():
            keys = [key(f) for f in path] or [key(None)]
            selfs[keys[-1]] += weight
            for k in set(keys):
                totals[k] += weight
        return {k: (selfs[k], totals[k]) for k in totals}

    def file(self, function, relative=True):
        name = cleaned(self.functions[function].file)
        prefix = self.directory + "/"
        return name[len(prefix):] if relative and name.startswith(prefix) else name

    def label(self, function, forbidden="", replacement=""):
        if function is None:
            return NO_FRAME
        text = "%s (%s:%d)" % (cleaned(self.functions[function].qualname), self.file(function),
                               self.functions[function].first_line)
        return "".join(replacement if c in forbidden else c for c in text)

    def callgrind_name(self, function):
        if function is None:
            return NO_FRAME
        qualname = self.functions[function].qualname
        if sum(f.qualname == qualname for f in self.functions) > 1:
            return self.label(function)
        return cleaned(qualname)


def small():
    """By hand: every trap once."""
    run = Known()
    main = (0, 3)
    run.sample(0, 1000, run.stack(main), BLOCKED, 0, 1)
    run.sample(0, 2000, run.stack(main, (1, 11)), RUNNING, HOLDS_GIL)
    run.sample(0, 5_000_000_000, run.stack(main, (1, 11), (2, 21), (2, 22), (2, 22)), RUNNING, HOLDS_GIL)
    run.sample(0, 30, run.stack(main, (1, 11), (2, 21), (2, 22)), RUNNING, HOLDS_GIL | IN_GC)
    run.sample(0, 400, run.stack(main, (3, 31), (4, 41), (3, 31), (4, 41)), RUNNING)
    run.sample(0, 50, run.stack(main, (3, 31), (4, 41), (3, 31)), RUNNABLE)
    run.sample(0, 6, run.stack((0, 4), (5, 12)), RUNNING, gap=1_000_000)
    run.sample(0, 7, run.stack((0, 4), (9, 12)), RUNNING)
    run.sample(1, 800, run.stack((6, 2), (7, 6)), GIL_WAIT)
    run.sample(1, 90, run.stack((6, 2), (8, 340)), RUNNING)
    run.sample(1, 11, 0, RUNNING)
    run.sample(2, 1200, run.stack((6, 2)), RUNNING)
    return run


def random_run(seed, samples=2000):
    """Stacks of any shape, recursion of any kind, lines that change under a call that goes on. Most weights are small:
    the store keeps times in a unit of a thousandth of the usual interval, which is then one nanosecond."""
    dice = random.Random(seed)
    run = Known()
    ends = [0] * len(run.threads)
    stack = []
    for _ in range(samples):
        del stack[dice.randrange(len(stack) + 1):]
        while dice.random() < 0.6:
            stack.append((dice.randrange(len(run.functions)), dice.randrange(1, 4)))
        thread = dice.randrange(len(run.threads))
        weight = dice.randrange(1, 1000) if dice.random() < 0.99 else dice.randrange(10**10)
        end = ends[thread] = ends[thread] + weight + (dice.randrange(10**6) if dice.random() < 0.02 else 0)
        run.samples.append(Sample(end, weight, thread, run.stack(*stack), dice.randrange(6), dice.randrange(4),
                                  dice.randrange(3)))
    return run
