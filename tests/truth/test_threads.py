"""Threads that live for less than the time between two samples get their share, on every interpreter."""
from truths import PROGRAMS, truth_of


def test_short_threads(hasten, interpreter):
    result = hasten.ok("run", "--", *interpreter.command, interpreter.inside(PROGRAMS / "short_threads.py"), "3")
    truth = truth_of(result.out)
    run = hasten.stored()
    awake = [s for s in run.samples if s["state"] in ("running", "runnable")]
    time = {name: sum(s["weight_ns"] for s in awake if name in run.frames(s["stack"])) for name in ("job", "other")}
    # Without meeting them at once, jobs get a quarter of their time, or nothing.
    assert abs(time["job"] / truth["jobs"] - 1) < 0.2, (time, truth)
    assert abs(time["other"] / truth["others"] - 1) < 0.2, (time, truth)
