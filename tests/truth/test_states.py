"""What a thread was doing, against what the program measured: waiting, running, the interpreter lock, the garbage
collector, and a crowd of threads of which most rest."""
import pytest

from test_calls import record

# System calls a waiting Python thread may be in, by kind (x86-64 numbers): sleep is clock_nanosleep, nanosleep,
# select or pselect6, by version.
WAITS = {"sleep": {230, 35, 23, 270}, "pipe": {0}, "lock": {202}}


def shares_of(rows):
    """Weights by state, as shares; the collector and the lock are taken from the flags."""
    total = sum(row[1] for row in rows)
    shares = {}
    for row in rows:
        state = row[4].decode()
        shares[state] = shares.get(state, 0) + row[1] / total
        if b'"in_gc":true' in row[5]:
            shares["gc"] = shares.get("gc", 0) + row[1] / total
    return shares


def main_rows(run, truth, program):
    """The samples of the main thread: those of the thread that has main() on its stacks."""
    rows = run.between(truth)
    main = {row[2] for row in rows if any(f[0] == "main" for f in run.frames(row[3], program))}
    assert len(main) == 1, main
    return [row for row in rows if row[2] in main]


def system_calls(rows):
    return {int(row[5].split(b'"system_call":')[1].rstrip(b"}").split(b",")[0])
            for row in rows if b'"system_call"' in row[5]}


def record_calm(hasten, interpreter, kind, seconds):
    """The quietest of some runs, and the share of its time that the thread waited for a CPU."""
    best = None
    for _ in range(3):
        run, truth = record(hasten, interpreter, "states.py", "1khz", kind, seconds)
        busy = truth["queued"] / (truth["end_ns"] - truth["begin_ns"])
        if best is None or busy < best[2]:
            best = run, truth, busy
        if busy < 0.05:
            break
    return best


@pytest.mark.parametrize("kind", ["sleep", "pipe", "lock"])
def test_waiting(hasten, interpreter, kind):
    run, truth, busy = record_calm(hasten, interpreter, kind, 1.0)
    rows = main_rows(run, truth, "states.py")
    shares = shares_of(rows)
    wall = truth["end_ns"] - truth["begin_ns"]
    waited, cpu = truth["wait"] / wall, truth["cpu"] / wall
    in_wait = sum(row[1] for row in rows if any(f[0] == "wait" for f in run.frames(row[3], "states.py")))
    in_wait /= sum(row[1] for row in rows)
    assert abs(in_wait - waited) < 0.07 + busy, (in_wait, waited, busy)
    # wait() is left a little after the system call ended, which counts as waiting only for the program.
    assert waited - 0.15 - busy < shares.get("blocked", 0) < waited + 0.07 + busy, (shares, truth)
    assert abs(shares.get("running", 0) - cpu) < 0.1 + busy, (shares, cpu, busy)
    blocked = [row for row in rows if row[4] == b"blocked"]
    known = system_calls(blocked)
    assert known & WAITS[kind], (kind, known)
    where = sum(any(f[0] == "wait" for f in run.frames(row[3], "states.py")) for row in blocked)
    assert where > 0.9 * len(blocked), (where, len(blocked))


def test_interpreter_lock(hasten, interpreter):
    if interpreter.free_threaded:
        pytest.skip("has no interpreter lock")
    run, truth, busy = record_calm(hasten, interpreter, "gil", 1.0)
    rows = main_rows(run, truth, "states.py")
    shares = shares_of(rows)
    cpu = truth["cpu"] / (truth["end_ns"] - truth["begin_ns"])
    assert abs(shares.get("running", 0) - cpu) < 0.12 + busy, (shares, cpu, busy)
    # Whoever does not run waits for the lock here, or has it and waits for a CPU.
    assert shares.get("gil_wait", 0) > 0.7 * (1 - cpu) - busy, (shares, cpu, busy)
    holders = {}
    for row in run.between(truth):
        holders.setdefault(row[0], []).append(b'"holds_gil":true' in row[5])
    assert all(sum(held) <= 1 for held in holders.values()), "two threads held the lock in one tick"


def test_collector(hasten, interpreter):
    run, truth, busy = record_calm(hasten, interpreter, "gc", 1.0)
    rows = main_rows(run, truth, "states.py")
    share = shares_of(rows).get("gc", 0)
    waited = truth["wait"] / (truth["end_ns"] - truth["begin_ns"])
    assert abs(share - waited) < 0.08 + busy, (share, waited, busy)


@pytest.mark.timeout(180)
def test_crowd(hasten, system):
    run, truth = record(hasten, system, "crowd.py", "1khz", 2)
    names = {}
    for stack in run.tables["stack"]:
        frames = [frame[0] for frame in run.frames(stack, "crowd.py")]
        names[stack] = ("rest" if "rest" in frames else "busy" if "busy" in frames else
                        "pause" if "pause" in frames else "other")
    by_thread, busy_ns = {}, 0
    for row in run.between(truth):
        by_thread.setdefault(row[2], []).append(row)
        if names[row[3]] in ("busy", "pause") and row[4] == b"running":
            busy_ns += row[1]
    resting = [rows for rows in by_thread.values() if any(names[row[3]] == "rest" for row in rows)]
    working = [rows for rows in by_thread.values() if any(names[row[3]] in ("busy", "pause") for row in rows)]
    assert len(resting) == truth["resting"], len(resting)
    assert len(working) == truth["busy"], len(working)
    for rows in resting:
        assert {row[4] for row in rows} <= {b"idle", b"blocked"}, rows[:3]
        assert {names[row[3]] for row in rows} == {"rest"}
    # A thread's life is told whole: the weights of its samples add up to the time that it was watched.
    wall = truth["end_ns"] - truth["begin_ns"]
    for rows in resting + working:
        assert abs(sum(row[1] for row in rows) / wall - 1) < 0.1, (sum(row[1] for row in rows), wall)
    # Bursts of a tenth of a millisecond: their sum is an estimate, and part of it may count as waiting for a CPU.
    assert 0.3 < busy_ns / truth["cpu"] < 2, (busy_ns, truth["cpu"])
