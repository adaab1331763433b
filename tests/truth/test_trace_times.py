"""What tracing costs is taken out of what it states: a program that is half in a loop without calls and half in one of
trivial calls is stated so, where a profiler that does not look at itself says 71 to 87 % for the second."""
import statistics
import subprocess

from counts import PROGRAMS

ROUNDS = 5
PART_NS = 60000000


def untraced(command, loops, calls):
    """Nanoseconds of both parts."""
    out = subprocess.check_output(command + [str(loops), str(calls)], universal_newlines=True)
    return [int(word) for word in out.split()[1:]]


def stated(hasten, command, loops, calls):
    """The second part's share of both, as hasten says."""
    hasten.ok("trace", "-q", "--", *command, loops, calls)
    rows = {row["function"]: row["total_ns"] for row in hasten.ok("show", "last", "--json", "-n", 1000).json["functions"]}
    return rows["calling"] / (rows["calling"] + rows["still"])


def test_halves(hasten, interpreter):
    interpreter.traceable()
    command = interpreter.command + ["-S", interpreter.inside(PROGRAMS / "times_halves.py")]
    first, second = untraced(command, 200000, 200000)
    loops, calls = int(200000 * PART_NS / first), int(200000 * PART_NS / second)
    true, seen = [], []
    for _ in range(ROUNDS):  # in turns, so that a machine that slows down does so for both
        first, second = untraced(command, loops, calls)
        true.append(second / (first + second))
        seen.append(stated(hasten, command, loops, calls))
    error = statistics.median(seen) - statistics.median(true)
    assert abs(error) < 0.02, (true, seen)
