"""The share of time that a report states for a function, against what the program measured of itself with its
thread's clock: inside the stated 95 % interval 95 times in 100, also for a program in step with the sampler."""

import os

import pytest

from truths import PROGRAMS, binomial_least, truth_of


def compare(hasten, interpreter, program, *arguments, mode="cpu", rate="1khz"):
    """-> [(function, true share, stated share, low, high)] of one run, and how busy the machine was with others"""
    path = interpreter.inside(PROGRAMS / program)
    # -I -S: what is not sampled while the interpreter starts is in the truth too, so let it be little.
    result = hasten.ok("run", "-r", rate, "--", *interpreter.command, "-I", "-S", path, *arguments)
    truth = truth_of(result.out)
    shown = hasten.ok("show", "last", "--json", "--mode", mode, "-n", 1000).json
    stated = {row["function"]: row for row in shown["functions"]}
    rows = []
    for name, taken in truth["functions"].items():
        row = stated.get(name)
        share, interval = (row["self_share"], row["self_interval"]) if row else (0.0, (0.0, 0.0))
        if row and name == "caller":  # its leaf's time is in the program's own measure
            share, interval = row["total_share"], row["total_interval"]
        rows.append((name, taken / truth["total"], share, interval[0], interval[1]))
    if program == "locked.py":  # its two functions are compared with each other
        true, seen = sum(row[1] for row in rows), sum(row[2] for row in rows) or 1
        rows = [(name, share / true, stated / seen, low / seen, high / seen) for name, share, stated, low, high in rows]
    others = max(0.0, os.getloadavg()[0] / len(os.sched_getaffinity(0)) - 1)
    return rows, max(truth["queued"] / (truth["queued"] + truth["total"]), min(0.5, others / 8))


# A program that waits for a CPU most of the time, because others run there, waits in whatever function it is; and a
# sampler that waits sees it when the others are done.  Such runs say little: they are made again, so many times.
BUSY = 0.1


def compare_calm(count, most, one):
    """-> rows of `count` runs on a quiet machine, else of the quieter half of all `most`; the busiest share of them"""
    runs = []
    for turn in range(most):
        runs.append(one(turn))
        if sum(busy <= BUSY for _, busy in runs) == count:
            break
    runs.sort(key=lambda run: run[1])
    runs = runs[:max(1, count // 2, sum(busy <= BUSY for _, busy in runs[:count]))]
    return [row for rows, _ in runs for row in rows], runs[-1][1]


def inside(row):
    return row[3] <= row[1] <= row[4]


@pytest.mark.timeout(240)
def test_intervals_hold_the_truth(hasten, system):
    rows, busy = compare_calm(14, 24, lambda seed: compare(hasten, system, "shares.py", 0.8, seed))
    hits = sum(map(inside, rows))
    if busy <= BUSY:
        assert hits >= binomial_least(len(rows)), (hits, len(rows), [row for row in rows if not inside(row)])
        # An interval that holds the truth because it is wide is no news.
        for name, true, stated, low, high in rows:
            assert high - low < 0.15, (name, true, stated, low, high)
    # Nor may every miss be on one side: the mean error over all runs is small.
    for name in {row[0] for row in rows}:
        errors = [row[2] - row[1] for row in rows if row[0] == name]
        assert abs(sum(errors) / len(errors)) < 0.02 + busy / 4, (name, busy, errors)


def test_shares_on_every_interpreter(hasten, interpreter):
    rows, busy = compare_calm(1, 3, lambda seed: compare(hasten, interpreter, "shares.py", 0.8, seed, rate="5khz"))
    for name, true, stated, low, high in rows:
        # The whole width is about four standard deviations.  The hundredth: the start is not all sampled.
        assert abs(stated - true) <= (high - low) + 0.015 + busy / 2, (busy, rows)


@pytest.mark.parametrize("kind, mode", [("spin", "cpu"), ("sleep", "wall")])
@pytest.mark.parametrize("rate", ["1khz", "2khz"])
def test_a_program_in_step_with_the_sampler(hasten, system, kind, mode, rate):
    rows, busy = compare_calm(2, 4, lambda _: compare(hasten, system, "locked.py", 1.0, kind, mode=mode, rate=rate))
    # A sampler with a fixed period is wrong by 30 or 70 points here.
    for name, true, stated, low, high in rows:
        assert abs(stated - true) <= (high - low) + 0.015 + busy / 2, (busy, rows)
