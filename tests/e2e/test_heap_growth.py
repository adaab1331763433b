"""hasten heap growth: what a program makes between two looks is what it shows, and it ends when it should."""
import json
import signal
import subprocess

import pytest

GROWN = "__main__.Grown"


class Growing:
    def __init__(self, target):
        self.target, self.pid = target, target.pid

    def step(self):
        self.target.process.stdin.write(b"\n")
        self.target.process.stdin.flush()
        return self.target.process.stdout.readline()


@pytest.fixture
def growing(interpreter, start):
    grown = Growing(start(interpreter.run_target("growing.py", 60), stdin=subprocess.PIPE))
    grown.step()  # classes and streams are used once
    return grown


@pytest.fixture
def watch(hasten):
    """watch(pid, words...) -> the running command; its rounds are read with read_round."""
    running = []

    def run(pid, *words):
        running.append(hasten.popen("heap", "growth", pid, "--json", *words))
        return running[-1]

    yield run
    for process in running:
        process.kill()
        process.communicate()


def read_round(process):
    return json.loads(process.stdout.readline())


def grown_by(page):
    return {row["type"]: row["growth_objects"] for row in page["types"]}.get(GROWN, 0)


def test_what_grows(growing, watch, hasten):
    process = watch(growing.pid, "--every", "300ms")
    first = read_round(process)
    assert first["round"] == 1 and first["run"] is None and first["elapsed_ns"] >= 300e6 and grown_by(first) == 0
    growing.step()
    growing.step()
    pages = [first]
    while sum(map(grown_by, pages)) < 200:
        pages.append(read_round(process))
    assert sum(map(grown_by, pages)) == 200
    assert [page["round"] for page in pages] == list(range(1, len(pages) + 1))
    (row,) = [row for row in pages[-1]["types"] if row["type"] == GROWN]
    assert row["objects"] == 300 and row["growth_bytes"] > 0
    lists = [row for page in pages for row in page["types"] if row["type"] == "list"]
    assert sum(row["growth_bytes"] for row in lists) > 2 * (1000 + 100) * 8  # two lists, and one that got longer
    for before, after in zip(pages, pages[1:]):
        assert after["objects"] - before["objects"] == after["growth_objects"]
        assert after["bytes"] - before["bytes"] == after["growth_bytes"]
    process.send_signal(signal.SIGINT)
    assert process.wait(20) == 0 and growing.target.alive()
    assert not hasten.database.exists()


def test_the_table(growing, hasten):
    process = hasten.popen("heap", "growth", growing.pid, "--every", "300ms")
    assert process.stdout.readline().startswith("after ")  # the first round is over
    growing.step()
    lines = iter(process.stdout.readline, "")
    row = next(line for line in lines if line.rstrip().endswith(GROWN))
    assert row.split()[:2] == ["200", "+100"]
    process.send_signal(signal.SIGTERM)
    out, err = process.communicate(timeout=20)
    assert process.returncode == 0 and err.count("it stands still") == 1


def test_the_end_of_the_process_is_the_end(growing, watch):
    process = watch(growing.pid, "--every", "200ms")
    read_round(process)
    growing.target.process.stdin.close()  # it ends
    growing.target.process.wait(20)
    out, err = process.communicate(timeout=20)
    assert process.returncode == 0 and "process %d has ended" % growing.pid in err


def test_kept(growing, watch, hasten):
    process = watch(growing.pid, "--every", "100ms", "--rounds", "2", "--keep")
    pages = [read_round(process), read_round(process)]
    assert process.wait(20) == 0
    assert [page["run"] for page in pages] == [2, 3] and [run["kind"] for run in hasten.runs()] == ["heap"] * 3
    assert hasten.ok("heap", "types", 3, "--json").json["objects"] == pages[1]["objects"]
