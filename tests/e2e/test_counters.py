"""hasten.counters inside programs, and `hasten count` outside, on every interpreter."""
import contextlib
import http.client
import json
import math
import os
import pathlib
import random
import re
import shutil
import signal
import struct
import subprocess
import tempfile
import time

import pytest

from conftest import BINARY, ROOT, TARGETS, wait_until
from package import PYTHON, Package, package  # noqa: F401


@pytest.fixture
def of_system(system, hasten):
    made = Package(system, hasten)
    yield made
    made.remove()


@pytest.fixture
def counting(start):
    """counting(package, what, words...) -> a program that has counted and waits."""
    def begin(package, what, *words, **more):
        return start(package.command("counting.py", what, package.inside, *words), stdin=subprocess.PIPE,
                     env=dict(package.environment, **more))
    return begin


def by_name(answer):
    return {(row["name"], tuple(sorted(row["labels"].items()))): row for row in answer["series"]}


# --- inside ---------------------------------------------------------------------------------------------------------
def test_api(package):
    done = package.run("counting_api.py", package.inside)
    assert done.stdout == "fine\n", done.stdout


def test_coroutines_and_generators(package):
    done = package.run("counting_async.py", package.inside)
    assert done.stdout == "fine\n", done.stdout


def test_pycounters(package):
    done = package.run("counting_events.py", package.inside)
    assert done.stdout == "fine\n", done.stdout


def test_api_while_traced(package, hasten):
    """Another copy of the agent is in the program already: its module is the module."""
    traced = hasten.finish(hasten.popen("trace", "-q", "--", *package.command("counting_api.py", package.inside),
                                        env=dict(hasten.environment, PYTHONDONTWRITEBYTECODE="1")), timeout=120)
    assert traced.code == 0 and traced.out == "fine\n", traced


def test_works_without_a_file(package):
    """Where no file can be made, values are the program's own, and it is told."""
    done = package.run("counting_api.py", package.inside, HASTEN_COUNTERS="/proc/no")
    assert done.stdout.splitlines()[-1] == "fine" and "RuntimeWarning" in done.stdout, done.stdout


# --- outside --------------------------------------------------------------------------------------------------------
def test_no_update_is_lost(package, counting, hasten):
    n = 1000000 // (1 if not package.interpreter.free_threaded else 4)
    counting(package, "threads", n)
    rows = by_name(hasten.ok("count", "--json").json)
    assert rows["events", ()]["value"] == 8 * n
    assert rows["level", ()]["value"] == n and rows["sizes", ()]["count"] == n
    assert rows["sizes", ()]["sum"] == 1.5 * n and rows["calls", ()]["value"] == n
    assert rows["often", ()]["count_since_start"] == n and rows["wide", ()]["count_since_start"] == n
    assert rows["sum", ()]["value"] == -3 * n


def test_subinterpreters(package, counting, hasten):
    counting(package, "interpreters")
    rows = by_name(hasten.ok("count", "--json").json)
    assert rows["both", ()]["value"] == 900000 and rows["took", ()]["count"] == 3


def exact_quantile(values, q):
    return sorted(values)[max(math.ceil(q * len(values)), 1) - 1]


def test_histogram_error(package, counting, hasten):
    random.seed(1)
    values = [math.exp(random.gauss(-7, 2)) for _ in range(100000)]
    target = counting(package, "values")
    row = by_name(hasten.ok("count", target.pid, "--json").json)["latency", ()]
    assert row["count"] == len(values) and row["max"] == max(values) and row["min"] == min(values)
    assert math.isclose(row["sum"], sum(values), rel_tol=1e-9)
    for name, q in (("p50", 0.5), ("p90", 0.9), ("p99", 0.99), ("p999", 0.999)):
        assert abs(row[name] / exact_quantile(values, q) - 1) <= 0.016, name


def test_octaves_get_their_memory(package, counting, hasten):
    """However histograms and their octaves come after each other, and in children, and when all have ended."""
    target = counting(package, "octaves")
    target.process.stdout.readline()  # of the other child
    def check():
        rows = by_name(hasten.ok("count", "--json").json)
        for n, count in ((0, 3), (1, 2), (2, 1)):
            row = rows["wide", (("n", str(n)),)]
            assert row["count"] == 64 * count and row["min"] == 1.25 * 2.0 ** -32 and row["max"] == 1.25 * 2.0 ** 31
            assert row["sum"] == pytest.approx(count * 1.25 * (2.0 ** 32 - 2.0 ** -32))
            assert row["p50"] == pytest.approx(0.625, rel=0.016)
        assert sum(row["value"] for (name, _), row in rows.items() if name == "between") == (2 + 3 + 1 + 1) * 4
    check()
    os.killpg(target.pid, signal.SIGKILL)
    target.process.wait()
    wait_until(lambda: not hasten.ok("count", "--json").json["processes"], "nobody lives")
    check()
    assert package.files() == []


def test_prefork_sums(package, counting, hasten):
    target = counting(package, "prefork")
    rows = by_name(hasten.ok("count", "counting", "--json").json)
    assert rows["served", ()]["value"] == 1000 + 5 * 100
    assert rows["served", (("worker", "all"),)]["value"] == 500
    assert rows["took", ()]["count"] == 500 and rows["took", ()]["max"] == 5
    assert rows["busy", ()]["value"] == 11  # the parent's and the living child's; ended ones are not busy
    assert len(package.files()) == 2 and [p.name for p in package.files(".totals")] == ["counting.totals"]
    # The totals stay when all have ended, whatever ended them, and however often one looks.
    os.killpg(target.pid, signal.SIGKILL)
    target.process.wait()

    def ended():
        answer = hasten.ok("count", "--json").json
        return answer if not answer["processes"] else None
    for _ in range(2):
        rows = by_name(wait_until(ended, "nobody lives"))
        assert rows["served", ()]["value"] == 1500 and rows["took", ()]["count"] == 500
        assert rows["took", ()]["p50"] == pytest.approx(3, rel=0.016)
        assert ("busy", ()) not in rows and package.files() == []
    # And a new run of the service goes on from there.
    counting(package, "prefork")
    assert by_name(hasten.ok("count", "--json").json)["served", ()]["value"] == 3000


def test_children_that_run_another_program_leave_nothing(package, hasten):
    """Subprocesses are forked and run something else at once: they have no file, and count nothing twice."""
    done = package.run("counting.py", "children", package.inside)
    assert done.stdout == "1\n", done.stdout
    assert by_name(hasten.ok("count", "--json").json)["parent", ()]["value"] == 7


def test_folding_that_was_cut_off(of_system, counting, hasten):
    """Its totals are written, and the file is still there: it must not count again."""
    target = counting(of_system, "kinds")
    target.process.kill()
    target.process.wait()
    (left,) = of_system.files()
    data = left.read_bytes()
    before = by_name(hasten.ok("count", "--json").json)
    assert of_system.files() == [] and before["requests.served", ()]["value"] == 2 ** 53 + 1
    left.write_bytes(data)
    os.chmod(of_system.counters, 0o500)  # nothing can be removed or renamed by a plain user
    hasten.ok("count", "--json")
    os.chmod(of_system.counters, 0o700)
    left.write_bytes(data)
    for _ in range(2):
        after = by_name(hasten.ok("count", "--json").json)
        assert {k: r["value"] for k, r in after.items()} == {k: r["value"] for k, r in before.items()}
    assert of_system.files() == []


def test_full_memory(of_system, hasten, tmp_path):
    """No space left is an error, or a loss that is counted; never a signal."""
    small = tmp_path / "small"
    small.mkdir()
    if subprocess.call(["mount", "-t", "tmpfs", "-o", "size=512k", "tmpfs", str(small)], stderr=subprocess.DEVNULL) != 0:
        pytest.skip("a small file system cannot be mounted here")
    try:
        done = of_system.run("counting.py", "full", of_system.inside, HASTEN_COUNTERS=str(small))
        assert done.returncode == 0 and done.stdout.startswith("MemoryError"), done
        hasten.environment["HASTEN_COUNTERS"] = str(small)
        answer = hasten.ok("count", "--json").json
        assert answer["processes"][0]["lost"] > 0 and len(answer["series"]) > 3
    finally:
        subprocess.check_call(["umount", str(small)])


def test_next_start_folds(package):
    for i in range(3):
        assert package.run("counting_api.py", package.inside, HASTEN_SERVICE="api").stdout == "fine\n"
    assert len(package.files()) <= 1 and len(package.files(".totals")) == 1


def test_killed_program(package, counting, hasten):
    target = counting(package, "steady")
    wait_until(lambda: by_name(hasten.ok("count", target.pid, "--json").json)["steady", ()]["value"] > 50, "it counts")
    target.process.kill()
    target.process.wait()
    first = by_name(hasten.ok("count", "--json").json)["steady", ()]["value"]
    assert first > 50 and by_name(hasten.ok("count", "--json").json)["steady", ()]["value"] == first


# --- the command ----------------------------------------------------------------------------------------------------
def test_table(of_system, counting, hasten):
    counting(of_system, "kinds")
    out = hasten.ok("count").out
    lines = {line.split("  ")[1]: line for line in out.splitlines() if line.startswith("  ")}
    assert re.match(r"counting  1 process$", out.splitlines()[0])
    assert "9,007,199,254,740,993" in lines["requests.served"] or "9.007e+15" in lines["requests.served"]
    assert "-2.500" in lines["balance"] and "21.5" in lines["temperature"]
    assert re.search(r"2\.0 ms.*6\.0 ms", lines["took"]), lines["took"]
    assert '"/a"b\\c?' in out and "\x1b" not in out  # what a label says cannot steer a terminal
    assert len(hasten.ok("count", "-n", "2").out.splitlines()) == 5


def test_json(of_system, counting, hasten):
    target = counting(of_system, "kinds")
    answer = hasten.ok("count", "--json").json
    (process,) = answer["processes"]
    assert process["pid"] == target.pid and process["lives"] is True and process["lost"] == 0
    rows = by_name(answer)
    assert rows["requests.served", (("route", '/a"b\\c\n\u00e9'),)]["value"] == 3
    assert rows["requests.served", ()]["value"] == 2 ** 53 + 1
    assert rows["balance", ()]["value"] == -2.5 and rows["temperature", ()]["unit"] == "celsius"
    assert rows["logins", ()]["count_since_start"] == 120 and rows["size", ()]["value"] == 3
    assert (rows["least", ()]["value"], rows["most", ()]["value"], rows["all", ()]["sum"]) == (1, 6, 9)
    assert rows["empty", ()]["count"] == 0 and rows["empty", ()]["p50"] is None


def test_watch_gives_rates(of_system, counting, hasten):
    target = counting(of_system, "steady")
    out = hasten.ok("count", "--batch", "3", "--interval", "300ms", target.pid).out
    rows = re.findall(r"^  steady +(\S+) +(\S+)$", out, flags=re.M)
    assert len(rows) == 3 and rows[0][1] == "-"
    assert 100 < float(rows[2][1].replace(",", "")) < 1100, rows
    lines = hasten.ok("count", "--batch", "2", "--interval", "50ms", "--json").out.splitlines()
    assert len(lines) == 2 and all(json.loads(line)["series"] for line in lines)


def test_nothing_to_show(of_system, hasten):
    assert hasten.ok("count").out.startswith("No program of yours counts anything")
    assert hasten.ok("count", "--json").json["series"] == []
    assert hasten("count", "nobody").code == 3 and hasten("count", os.getpid()).code == 3
    assert "there is no process 2147483647" in hasten("count", 2 ** 31 - 1).err


def test_bad_files(of_system, counting, hasten):
    """Files are untrusted: whatever is in them, the others are shown."""
    target = counting(of_system, "kinds")
    (good,) = of_system.files()
    data = good.read_bytes()
    folder = pathlib.Path(of_system.counters)
    rng = random.Random(7)
    (folder / "1-1.0.counters").write_bytes(b"")
    (folder / "2-1.0.counters").write_bytes(data[:5000])
    (folder / "3-1.0.counters").mkdir()
    os.symlink(str(good), str(folder / "4-1.0.counters"))
    os.mkfifo(str(folder / "5-1.0.counters"))
    for i in range(40):
        broken = bytearray(data)
        for _ in range(20):
            at = rng.randrange(4096, min(len(broken), 60000)) & ~3
            broken[at:at + 4] = rng.choice((b"\xff\xff\xff\xff", b"\0\0\0\0", bytes(rng.randrange(256) for _ in range(4))))
        broken[8:24] = struct.pack("<IIQ", 1, 10 + i, 1)  # its owner, which its name tells too
        (folder / ("1-1.%d.counters" % (10 + i))).write_bytes(bytes(broken))
    for words in ((), ("--json",), (target.pid, "--json")):
        assert hasten.ok("count", *words).out
    assert by_name(hasten.ok("count", target.pid, "--json").json)["balance", ()]["value"] == -2.5


# --- the endpoint ---------------------------------------------------------------------------------------------------
@contextlib.contextmanager
def served(hasten, *words):
    process = hasten.popen("count", "--serve", "0", *words)
    try:
        port = int(re.match(r"serving http://127\.0\.0\.1:(\d+)/metrics", process.stdout.readline()).group(1))

        def get(path="/metrics", method="GET", **headers):
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
            connection.request(method, path, headers=headers)
            answer = connection.getresponse()
            return answer.status, answer.getheader("Content-Type"), answer.read().decode()
        yield get
        process.send_signal(signal.SIGTERM)
        result = hasten.finish(process)
        assert result.code == 0, result
    finally:
        if process.poll() is None:
            process.kill()


SAMPLE = re.compile(r'([a-zA-Z_:][a-zA-Z0-9_:]*)\{((?:[a-zA-Z_]\w*="(?:[^"\\\n]|\\["\\n])*",?)*)\} '
                    r'(NaN|[+-]Inf|[-+]?[0-9.]+(?:e[-+]?[0-9]+)?)\Z')


def strict_families(text):
    """{family: (type, {(sample, labels): value})}; AssertionError where it is not OpenMetrics."""
    assert text.endswith("# EOF\n")
    families, name = {}, None
    for line in text[:-len("# EOF\n")].splitlines():
        if line.startswith("# TYPE "):
            _, _, name, kind = line.split(" ")
            assert name not in families, "a family stands together"
            families[name] = (kind, {})
        elif line.startswith("# "):
            assert line.split(" ")[2] == name, line
            assert not line.startswith("# UNIT") or name.endswith("_" + line.split(" ")[3])
        else:
            sample, labels, value = SAMPLE.match(line).groups()
            endings = {"counter": ("_total",), "gauge": ("",), "summary": ("", "_count", "_sum")}[families[name][0]]
            assert sample in [name + ending for ending in endings], line
            assert (sample, labels) not in families[name][1], "once"
            families[name][1][sample, labels] = value
    return families


def test_serve(of_system, counting, hasten):
    counting(of_system, "kinds")
    with served(hasten) as get:
        status, kind, text = get(Accept="application/openmetrics-text")
        assert status == 200 and kind.startswith("application/openmetrics-text; version=1.0.0")
        families = strict_families(text)
        assert families["requests_served"][0] == "counter"
        assert families["requests_served"][1]["requests_served_total", 'service="counting"'] == str(2 ** 53 + 1)
        assert families["took_seconds"][1]["took_seconds_count", 'service="counting"'] == "3"
        assert families["temperature_celsius"] == ("gauge", {("temperature_celsius", 'service="counting"'): "21.5"})
        assert families["balance"][1]["balance", 'service="counting"'] == "-2.5"
        status, kind, older = get()
        assert status == 200 and kind.startswith("text/plain; version=0.0.4") and "# EOF" not in older
        assert "# TYPE requests_served_total counter" in older
        plain = pytest.importorskip("prometheus_client.parser")
        assert {f.name: f.type for f in plain.text_string_to_metric_families(older)}["took_seconds"] == "summary"
        assert json.loads(get("/json")[2])["series"] and get("/")[0] == 200
        assert get("/else")[0] == 404 and get(method="POST")[0] == 405
        assert get(method="HEAD")[2] == ""
        openmetrics = pytest.importorskip("prometheus_client.openmetrics.parser")
        parsed = {family.name: family for family in openmetrics.text_string_to_metric_families(text)}
        (labelled,) = [s for s in parsed["requests_served"].samples if "route" in s.labels]
        assert labelled.labels["route"] == '/a"b\\c\n\u00e9' and labelled.value == 3
        assert parsed["took_seconds"].type == "summary" and parsed["requests_served"].documentation


def test_serve_follows(of_system, counting, hasten):
    """Each answer is of its moment; programs come and go."""
    with served(hasten, "counting") as get:
        assert get(Accept="application/openmetrics-text")[2] == "# EOF\n"
        target = counting(of_system, "steady")
        first = wait_until(lambda: re.findall(r"steady_total\S* (\d+)", get()[2]), "it is there")
        wait_until(lambda: int(re.findall(r"steady_total\S* (\d+)", get()[2])[0]) > int(first[0]), "it grows")
        target.process.kill()
        target.process.wait()
        assert int(re.findall(r"steady_total\S* (\d+)", get()[2])[0]) > int(first[0])


def test_serve_refuses(of_system, hasten):
    for place in ("", "x", "70000", "host:80", "1.2.3.4:", ":80", "[::1"):
        result = hasten("count", "--serve", place)
        assert result.code == 2 and "--serve" in result.err, result
    with served(hasten):
        pass


def test_many_series_are_quick(of_system, start, hasten):
    """10,000 series in 8 processes; the measured figure is in docs/benchmarks.md, this is only a bound."""
    code = ("import sys; sys.path.insert(0, %r)\nfrom hasten import counters as C\nimport os\n"
            "for i in range(10000): C.counter('r%%d' %% (i %% 100)).labels(route='/r/%%d' %% i).inc(i)\n"
            "for _ in range(7):\n if os.fork() == 0: break\n"
            "print('ready', flush=True); import time; time.sleep(100)" % of_system.inside)
    start(of_system.interpreter.command + ["-c", code], env=of_system.environment)
    wait_until(lambda: len(hasten.ok("count", "--json").json["processes"]) == 8, "all are there")
    begin = time.monotonic()
    answer = hasten.ok("count", "--json").json
    assert time.monotonic() - begin < 2
    assert len(answer["series"]) == 10100
