"""hasten trace --timeline: the events are all there, in their order, properly nested, and export -f chrome and -f speedscope
show them."""
import collections
import json
import os
import re
import signal
import subprocess
import time

import pytest


def trace(hasten, interpreter, *words, options=()):
    return hasten("trace", "--timeline", "-q", *options, "--", *interpreter.traceable().run_target("timeline.py", *words))


def page_of(hasten):
    return json.loads(hasten.ok("show", "last", "--json").out)


def timelines(page):
    return [row["timeline"] for row in page["traces"]]


class Lane:
    """One thread of an exported file, checked as strictly as the format allows."""

    def __init__(self):
        self.open = []
        self.last = 0.0
        self.begun = collections.Counter()
        self.continued = collections.Counter()
        self.edges = collections.Counter()

    def take(self, event):
        assert event["ts"] >= self.last, "time goes back: %s" % event
        self.last = event["ts"]
        if event["ph"] == "B":
            self.edges[self.open[-1] if self.open else None, event["name"]] += 1
            self.open.append(event["name"])
            self.begun[event["name"]] += 1
            self.continued[event["name"]] += "args" in event
        else:
            assert self.open and self.open.pop() == event["name"], "not nested: %s" % event


class Exported:
    """The whole file."""

    def __init__(self, hasten, *options):
        path = hasten.folder / "out.trace.json"
        hasten.ok("export", "-f", "chrome", "-o", path, *options)
        with open(str(path)) as file:
            document = json.load(file)
        self.lanes, self.names = collections.defaultdict(Lane), {}
        for event in document["traceEvents"]:
            assert event["ph"] in "BEM"
            if event["ph"] == "M":
                self.names[event["name"], event["pid"], event["tid"]] = event["args"].get("name")
            else:
                assert ("thread_name", event["pid"], event["tid"]) in self.names
                assert ("process_name", event["pid"], event["pid"]) in self.names
                self.lanes[event["pid"], event["tid"]].take(event)
        assert not any(lane.open for lane in self.lanes.values())

    def begun(self, function):
        """How often a function of the target was entered, but for calls that had begun before."""
        return sum(lane.begun[name] - lane.continued[name] for lane in self.lanes.values() for name in lane.begun
                   if name.split(" (")[0] == function)

    def all_begun(self):
        return sum(sum(lane.begun.values()) - sum(lane.continued.values()) for lane in self.lanes.values())


def check_speedscope(hasten, exported, *options):
    """The same calls as in chrome's file, thread by thread, each closed in its order."""
    path = hasten.folder / "out.speedscope.json"
    hasten.ok("export", "-f", "speedscope", "-o", path, *options)
    with open(str(path)) as file:
        document = json.load(file)
    names = [frame["name"] for frame in document["shared"]["frames"]]
    assert len(document["profiles"]) == len(exported.lanes)
    begun = []
    for profile in document["profiles"]:
        assert profile["type"] == "evented" and profile["unit"] == "nanoseconds"
        lane, last = Lane(), profile["startValue"]
        for event in profile["events"]:
            lane.take({"ph": {"O": "B", "C": "E"}[event["type"]], "ts": event["at"], "name": names[event["frame"]]})
            last = event["at"]
        assert not lane.open and last == profile["endValue"]
        begun.append(sorted(lane.begun.items()))
    expected = []
    for lane in exported.lanes.values():
        by_name = collections.Counter()
        for name, count in lane.begun.items():
            by_name[re.sub(r" \([^()]*:\d+\)$", "", name)] += count
        expected.append(sorted(by_name.items()))
    assert sorted(begun) == sorted(expected)


def check_counts(hasten, page, exported):
    """Exactly the calls of the tree, edge by edge."""
    assert all(row["dropped"] == 0 for row in timelines(page))
    entered = collections.Counter()
    for lane in exported.lanes.values():
        for (caller, callee), count in lane.edges.items():
            entered[callee] += count
        entered.subtract(lane.continued)
    counted = collections.Counter()
    for row in page["functions"]:
        counted[row["function"]] += row["calls"] + row["resumes"]
    by_name = collections.Counter()
    for label, count in entered.items():
        by_name[label.rsplit(" (", 1)[0]] += count
    assert +by_name == +counted


@pytest.mark.parametrize("words, code", [
    (["end"], 0), (["kill"], -signal.SIGKILL), (["_exit"], 3), (["fork"], 0), (["threads"], 0), (["many", 30000], 0),
], ids=lambda value: str(value[0]) if isinstance(value, list) else "")
@pytest.mark.parametrize("options", [(), ("--python-only",)], ids=["all", "python-only"])
def test_every_event(hasten, interpreter, words, code, options):
    assert trace(hasten, interpreter, *words, options=options).code == code
    page, exported = page_of(hasten), Exported(hasten)
    check_counts(hasten, page, exported)
    check_speedscope(hasten, exported)
    leaves = {"end": 0, "kill": 0, "_exit": 0, "fork": 40, "threads": 4 * 254, "many": 30000}[words[0]]
    assert exported.begun("leaf") == 254 + leaves
    assert exported.begun("fib") == 465 * (5 if words[0] == "threads" else 1)
    assert exported.begun("main") == 1


def test_fork(hasten, interpreter):
    """The child's stream begins inside the calls that it was forked in."""
    assert trace(hasten, interpreter, "fork").code == 0
    exported = Exported(hasten)
    assert len(exported.lanes) == 2
    child = next(lane for lane in exported.lanes.values() if sum(lane.continued.values()))
    names = {name.split(" (")[0]: count for name, count in child.continued.items() if count}
    assert names["forked"] == 4 and names["main"] == 1
    assert sum(count for name, count in child.begun.items() if name.startswith("leaf (")) == 30


def test_threads_have_names(hasten, interpreter):
    assert trace(hasten, interpreter, "threads").code == 0
    exported = Exported(hasten)
    assert len(exported.lanes) == 5
    assert sum(kind == "thread_name" for kind, _, _ in exported.names) == 5


def test_long_pauses(hasten, system):
    """Longer than 32 bits of ticks."""
    assert trace(hasten, system, "pause").code == 0
    exported = Exported(hasten)
    assert max(lane.last for lane in exported.lanes.values()) > 5e6
    check_counts(hasten, page_of(hasten), exported)


def test_selection(hasten, interpreter):
    assert trace(hasten, interpreter, options=["--only", "fib", "--only", "mixed"]).code == 0
    exported = Exported(hasten)
    assert exported.all_begun() == 466 == exported.begun("fib") + exported.begun("mixed")
    check_counts(hasten, page_of(hasten), exported)


def test_depth(hasten, interpreter):
    assert trace(hasten, interpreter, options=["--depth", 5]).code == 0
    check_counts(hasten, page_of(hasten), Exported(hasten))


def test_part_of_it(hasten, system):
    assert trace(hasten, system, "threads").code == 0
    part = Exported(hasten, "--show", "fib")
    assert {name.split(" (")[0] for lane in part.lanes.values() for name in lane.begun} == {"fib"}
    assert part.all_begun() == 465 * 5
    check_speedscope(hasten, part, "--show", "fib")
    one = Exported(hasten, "--thread", "MainThread")
    assert len(one.lanes) == 1


def test_seen_while_it_runs(hasten, interpreter):
    """Chunks that are full, and those that are not, reach the store."""
    target = hasten.popen("trace", "--timeline", "--", *interpreter.traceable().run_target("timeline.py", "sleep"))
    try:
        deadline = time.monotonic() + 20
        while True:
            shown = hasten("show", "last", "--json")
            page = json.loads(shown.out) if shown.code == 0 else {"traces": []}
            if page["traces"] and timelines(page)[0]["events"] > 80000:
                break
            assert time.monotonic() < deadline, "the events were not to be seen"
            time.sleep(0.1)
        assert Exported(hasten).begun("leaf") == 20254
    finally:
        target.send_signal(signal.SIGTERM)
        target.wait(20)


def test_hasten_is_killed(hasten, system):
    """The program goes on although nobody takes its events, and what was stored stays."""
    target = hasten.popen("trace", "--timeline", "--", *system.run_target("timeline.py", "sleep"))
    deadline = time.monotonic() + 20
    while hasten("show", "last", "--json").code != 0 and time.monotonic() < deadline:
        time.sleep(0.1)
    time.sleep(1.5)
    children = subprocess.run(["pgrep", "-P", str(target.pid)], stdout=subprocess.PIPE).stdout.split()
    target.kill()
    target.wait(20)
    try:
        assert Exported(hasten).begun("leaf") == 20254
        assert os.path.exists("/proc/%d" % int(children[0]))
    finally:
        for child in children:
            os.kill(int(child), signal.SIGKILL)


def test_dropped_events_are_counted(hasten, interpreter):
    """hasten is stopped while the program makes more events than may wait: the tree is exact, the timeline whole but
    for what is counted as dropped."""
    if interpreter.traceable().root is not None:
        pytest.skip("one root is enough")
    target = hasten.popen("trace", "--timeline", "--timeline-chunks", 8, "-q", "--", *interpreter.run_target("timeline.py", "many", 400000))
    time.sleep(0.02)
    for _ in range(20):  # it hardly gets to run
        target.send_signal(signal.SIGSTOP)
        time.sleep(0.1)
        target.send_signal(signal.SIGCONT)
        time.sleep(0.005)
    assert target.wait(60) == 0
    page = page_of(hasten)
    line = timelines(page)[0]
    counted = sum(row["calls"] + row["resumes"] for row in page["functions"])
    assert sum(row["calls"] for row in page["functions"] if row["function"] == "leaf") == 400254
    assert line["dropped"] > 0
    assert abs(line["events"] + line["dropped"] - 2 * counted) < 200  # those that are open at a gap
    exported = Exported(hasten)  # nested and in order
    assert exported.begun("leaf") < 400254
    check_speedscope(hasten, exported)
    assert "events were dropped" in hasten.ok("show", "last").out


def test_report_and_store(hasten, system):
    assert trace(hasten, system, "many", 100000).code == 0
    text = hasten.ok("show", "last").out
    assert "timeline of" in text and "none was dropped" in text
    line = timelines(page_of(hasten))[0]
    assert line["bytes"] < 4 * line["events"]
    hasten.ok("export", "-f", "hasten", "-o", "copy.hasten")
    copied = json.loads(hasten.ok("show", "--store", "copy.hasten", "--json").out)
    assert timelines(copied)[0] == line
    hasten.ok("rm", "last")
    assert hasten("show", "last").code == 3


def test_without_it(hasten, system):
    assert hasten("trace", "-q", "--", *system.run_target("timeline.py")).code == 0
    assert timelines(page_of(hasten)) == [None]
    assert "timeline of" not in hasten.ok("show", "last").out
