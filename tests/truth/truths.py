"""What a program of tests/truth says about itself, and how a run compares with it: calls that cannot be, shares of
time, and how many mistakes a sample of this size may show by chance.  Used by the tests here and by tests/bench.
"""
import ast
import json
import math
import pathlib
import re

MARGIN_NS = 20000000
PROGRAMS = pathlib.Path(__file__).resolve().parent / "programs"
SAMPLE = re.compile(rb'^\{"type":"sample","time_ns":(\d+),"weight_ns":(\d+),"thread":(\d+),"stack":(\d+),'
                    rb'"state":"([a-z_ -]+)"(.*)\}$', re.MULTILINE)


def truth_of(output):
    """The TRUTH line of a program, wherever a profiler printed around it."""
    for line in output.splitlines():
        at = line.find("TRUTH {")
        if at >= 0:
            return json.loads(line[at + 6:line.rindex("}") + 1])
    raise LookupError("no TRUTH line in: %r" % output[-500:])


# --- call graphs -----------------------------------------------------------------------------------------------
class Graph:
    """The calls that a program can make: caller -> callees, and the lines of the caller on which each is written."""

    def __init__(self, program):
        self.file = program
        tree = ast.parse((PROGRAMS / program).read_text())
        self.edges, hidden = {}, ()
        for node in tree.body:
            if isinstance(node, ast.Assign) and node.targets[0].id == "EDGES":
                self.edges = ast.literal_eval(node.value)
            if isinstance(node, ast.Assign) and node.targets[0].id == "HIDDEN_CALLS":
                hidden = ast.literal_eval(node.value)
        self.hidden = set(hidden)
        self.lines = {}
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef):
                self._note_lines(node.name, node)
        self._note_lines("<module>", ast.Module([n for n in tree.body if isinstance(n, ast.If)], []))

    def _note_lines(self, caller, body):
        for node in ast.walk(body):
            if isinstance(node, ast.Name) and node.id in self.edges.get(caller, ()):
                self.lines.setdefault((caller, node.id), set()).add(node.lineno)

    def judge(self, frames):
        """frames: (function, line or None, whether the file is ours), root first -> None when the program can have
        this stack, or what is wrong with it: "root", "edge" or "line"."""
        while frames and not frames[0][2]:
            frames = frames[1:]
        if not frames or frames[0][0] != "<module>":
            return "root"
        for (caller, line, _), (callee, _, ours) in zip(frames, frames[1:]):
            if not ours or callee not in self.edges.get(caller, ()):
                return "edge"
            if line is not None and (caller, callee) not in self.hidden and \
                    line not in self.lines[caller, callee]:
                return "line"
        return None


# --- runs --------------------------------------------------------------------------------------------------------
class Samples:
    """A jsonl export with all samples; made for millions of them."""

    def __init__(self, data):
        self.tables = {kind: {} for kind in ("process", "thread", "function", "location", "stack")}
        for line in data[:data.find(b'{"type":"sample"')].splitlines():
            row = json.loads(line)
            kind = row.pop("type")
            if kind in self.tables:
                self.tables[kind][row["id"]] = row
            elif kind == "run":
                self.info = row
        self.start_ns = self.info["start_wall_ns"]
        self.end = json.loads(data[data.rstrip().rfind(b"\n") + 1:])
        self.rows = [(int(time_ns), int(weight), int(thread), int(stack), state, more)
                     for time_ns, weight, thread, stack, state, more in SAMPLE.findall(data)]
        assert self.end["type"] == "end" and self.end["samples"] == len(self.rows), (self.end, len(self.rows))

    def between(self, truth):
        """Samples taken while the program was in its main, without its edges: a sample's time is that of its
        tick, and on a busy machine its stack is read some milliseconds later."""
        begin, end = truth["begin_ns"] - self.start_ns + MARGIN_NS, truth["end_ns"] - self.start_ns - MARGIN_NS
        return [row for row in self.rows if begin <= row[0] <= end]

    def frames(self, stack, program):
        """(function, line, whether the file is the program), root first."""
        frames = []
        while stack:
            row = self.tables["stack"][stack]
            location = self.tables["location"][row["location"]]
            function = self.tables["function"][location["function"]]
            frames.append((function["name"], location.get("line"), function["file"].endswith("/" + program)))
            stack = row["parent"]
        return frames[::-1]

    def judge(self, graph, truth):
        """-> samples in main, {what is wrong: samples}, examples"""
        counts = {}
        for row in self.between(truth):
            counts[row[3]] = counts.get(row[3], 0) + 1
        wrong, examples = {}, []
        for stack, count in counts.items():
            frames = self.frames(stack, graph.file)
            verdict = graph.judge(frames)
            if verdict:
                wrong[verdict] = wrong.get(verdict, 0) + count
                examples.append((count, verdict, [frame[:2] for frame in frames]))
        return sum(counts.values()), wrong, sorted(examples, key=lambda example: -example[0])[:3]

    def dropped_share(self):
        cost = self.info["cost"]
        return cost["dropped"] / max(cost["dropped"] + cost["samples"], 1)


# --- statistics --------------------------------------------------------------------------------------------------
def poisson_limit(mean, chance=0.001):
    """The most mistakes that may be seen when `mean` are allowed: more come with less than this chance."""
    if mean > 1000:
        return int(mean + 3.1 * math.sqrt(mean)) + 1
    count, term, rest = 0, math.exp(-mean), 1.0
    while True:
        rest -= term
        if rest < chance:
            return count
        count += 1
        term *= mean / count


def binomial_least(trials, share=0.95, chance=0.001):
    """The fewest hits of `trials` that a true share of hits still explains."""
    below = 0.0
    for hits in range(trials + 1):
        below += math.comb(trials, hits) * share ** hits * (1 - share) ** (trials - hits)
        if below > chance:
            return hits
    return trials


def poisson_interval(count):
    """95 % interval of a mean of which `count` events were seen (Wilson-Hilferty)."""
    low = 0.0 if count == 0 else count * (1 - 1 / (9 * count) - 1.96 / (3 * math.sqrt(count))) ** 3
    more = count + 1
    return low, more * (1 - 1 / (9 * more) + 1.96 / (3 * math.sqrt(more))) ** 3
