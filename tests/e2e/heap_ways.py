"""What hasten heap owes a program whichever way (--fork, --precopy) its memory is read while it goes on."""
import json
import os
import signal
import subprocess
import time

from conftest import wait_until
from test_heap import churned, heap, state_of

WAITS = [("read", "12345"), ("pause", "signals 1"), ("sleep", None), ("epoll", []), ("lock", False)]
# What differs: the time it took, and the pages that came and went meanwhile.
PASSING = ("run", "pause_ns", "census_ns", "resident_bytes", "known_bytes", "parts", "own_bytes", "way", "fork", "precopy")


def say(target, text):
    target.process.stdin.write(text)
    target.process.stdin.flush()


def said_by(target):
    return json.loads(target.process.stdout.readline().decode())


def check_same_objects(hasten, target, way, named):
    """Returns what the way cost. The program ends well afterwards."""
    still, other = heap(hasten, target.pid), heap(hasten, target.pid, way)
    key = way.lstrip("-")
    assert (still["way"], still[key], other["way"]) == ("stopped", None, named)
    cost = other[key]
    assert (cost["stolen_ns"] > 0) == (cost["faults"] > 0)
    assert still["pause_ns"] > 0 and other["pause_ns"] > 0
    assert abs(still["own_bytes"] - other["own_bytes"]) <= 1 << 16  # being stopped may touch a page
    for name in PASSING:
        del still[name], other[name]
    assert still == other
    return cost


def check_churn(hasten, target, expected, way):
    for _ in range(3):
        answer = heap(hasten, target.pid, way)
        assert not churned(answer, expected)
        cost = answer[way.lstrip("-")]
        assert cost["faults"] > 0 and cost["stolen_ns"] > 0


def check_wait(hasten, target, kind, expected, way):
    """No call ends early, none late, none with an error; no child is to be seen."""
    for _ in range(3 if kind in ("read", "pause") else 1):  # those end by themselves
        heap(hasten, target.pid, way)
    if kind == "pause":
        os.kill(target.pid, signal.SIGUSR1)
    if kind == "read":
        say(target, b"12345")
    said = said_by(target)
    assert said["result"] == expected
    assert said["children"] == 0 and said["turns"] > 100
    if kind not in ("read", "pause"):
        assert 2.0 <= said["seconds"] < 4.0
    target.process.stdin.close()
    assert target.process.wait() == 0


def check_stopped(hasten, target, way):
    os.kill(target.pid, signal.SIGSTOP)
    wait_until(lambda: state_of(target.pid) == "T", "the target to stop")
    assert heap(hasten, target.pid, way)["objects"] > 1000
    assert state_of(target.pid) == "T"
    os.kill(target.pid, signal.SIGCONT)


def check_killed(hasten, target, whom, way, is_clean):
    """hasten is killed at whatever moment: the program answers, and in the end nothing is left."""
    whole_s = 9
    for _ in range(3):
        begin = time.monotonic()
        heap(hasten, target.pid, way)
        whole_s = min(whole_s, time.monotonic() - begin)
    killed = 0
    for step in range(24):
        process = hasten.popen("heap", way, target.pid, start_new_session=True)
        try:
            process.wait(whole_s * step / 24)
        except subprocess.TimeoutExpired:
            (os.killpg if whom == "its group" else os.kill)(process.pid, signal.SIGKILL)
            killed += 1
        process.communicate()
        wait_until(is_clean, "what hasten left to go")
        assert state_of(target.pid) in "SR"
    assert killed > 6
    say(target, b"still here")
    said = said_by(target)
    assert said["result"] == "still here" and said["children"] == 0
