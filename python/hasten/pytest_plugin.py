"""`pytest --hasten`: samples the tests, and says which are the slowest and which of their lines take the time.

    --hasten                 the whole session is sampled, as one run; workers of pytest-xdist too
    --hasten-top N           so many tests are shown (default 10)
    --hasten-rate RATE       samples a second (default 1000; "10khz", "max")
    --hasten-export FOLDER   a speedscope file of each test that is shown

A test's time is that of its setup, call and teardown. Each is a stretch of the run: `hasten show RUN --since A
--until B` says all of it, with every other option of `hasten show`.
"""
import linecache
import os
import re
from typing import Any, Dict, Generator, List, Optional, Tuple

import pytest

import hasten
from hasten._run import Run

LINES = 3


def pytest_addoption(parser: Any) -> None:
    group = parser.getgroup("hasten", "where the tests' time goes (hasten)")
    group.addoption("--hasten", action="store_true", help="sample the tests; show the slowest and their hot lines")
    group.addoption("--hasten-top", type=int, default=10, metavar="N", help="show so many tests (default 10)")
    group.addoption("--hasten-rate", default="1000", metavar="RATE", help="samples a second (default 1000)")
    group.addoption("--hasten-export", metavar="FOLDER", help="write a speedscope file of each test that is shown")


def pytest_configure(config: Any) -> None:
    if config.getoption("--hasten"):
        is_worker = hasattr(config, "workerinput")  # of pytest-xdist: sampled from its controller, as its child
        config.pluginmanager.register(_Stamps() if is_worker else _Sampling(config), "hasten-session")


class _Stamps:
    """Says with each report when it was, and in which process."""

    @pytest.hookimpl(hookwrapper=True)
    def pytest_runtest_makereport(self, item: Any, call: Any) -> Generator[None, Any, None]:
        outcome = yield
        outcome.get_result().hasten = [os.getpid(), call.start, call.stop]


class _Test:
    def __init__(self, name: str, pid: int) -> None:
        self.name, self.pid = name, pid
        self.begin, self.end = float("inf"), 0.0

    @property
    def seconds(self) -> float:
        return self.end - self.begin


class _Sampling(_Stamps):
    def __init__(self, config: Any) -> None:
        self._config = config
        self._tests: Dict[str, _Test] = {}
        self._sample = hasten.sample(config.getoption("--hasten-rate"))
        self._trouble: Optional[str] = None

    def pytest_sessionstart(self) -> None:
        try:
            self._sample.start()
        except hasten.Error as error:
            raise pytest.UsageError("--hasten: %s" % error) from None

    def pytest_runtest_logreport(self, report: Any) -> None:
        stamp = getattr(report, "hasten", None)
        if stamp is None:
            return
        pid, begin, end = stamp
        test = self._tests.setdefault(report.nodeid, _Test(report.nodeid, pid))
        test.begin, test.end = min(test.begin, begin), max(test.end, end)

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self) -> None:
        try:
            self._sample.stop()
        except hasten.Error as error:
            self._trouble = str(error)

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        terminalreporter.section("hasten: where the tests' time goes")
        run = self._sample.run
        if self._trouble is not None or run is None or not self._tests:
            terminalreporter.write_line(self._trouble or "nothing was sampled")
            return
        tests = sorted(self._tests.values(), key=lambda test: -test.seconds)
        terminalreporter.write_line("%s in %d tests; hasten show %d says more" % (
            _duration(sum(test.seconds for test in tests)), len(tests), run.number))
        start = run.json("-n", "1")["run"]["start_unix_ns"] / 1e9
        for test in tests[:max(self._config.getoption("--hasten-top"), 0)]:
            try:
                self._show(terminalreporter, run, test, start)
            except hasten.Error as error:
                terminalreporter.write_line("         %s" % error)

    def _show(self, terminalreporter: Any, run: Run, test: _Test, start: float) -> None:
        part = ["--since", "%.4f" % max(test.begin - start, 0), "--until", "%.4f" % max(test.end - start, 0.0001),
                "--process", str(test.pid)]
        terminalreporter.write_line("")
        terminalreporter.write_line("%9s  %s" % (_duration(test.seconds), test.name), bold=True)
        for share, place, text in _hot_lines(run.json("-n", str(LINES), *part)):
            terminalreporter.write_line("%8.0f %%  %s  %s" % (share * 100, place, text))
        terminalreporter.write_line("           hasten show %d %s" % (run.number, " ".join(part)))
        folder = self._config.getoption("--hasten-export")
        if folder:
            os.makedirs(folder, exist_ok=True)
            name = re.sub(r"[^\w.\[\]=-]+", "_", test.name)[:150] + ".speedscope.json"
            run.export(os.path.join(folder, name), "speedscope", *part)


def _duration(seconds: float) -> str:
    return "%.2f s" % seconds if seconds >= 1 else "%.1f ms" % (seconds * 1e3)


def _hot_lines(report: Dict[str, Any]) -> List[Tuple[float, str, str]]:
    """Share, place and text of the lines that took most, this test's own."""
    rows = [row for row in report.get("lines", []) if row["self_share"] >= 0.02][:LINES]
    return [(row["self_share"], "%s:%d" % (_short(row["file"]), row["line"]),
             linecache.getline(row["file"], row["line"]).strip()) for row in rows]


def _short(file: str) -> str:
    near = os.path.relpath(file) if os.path.isabs(file) else file
    return file if near.startswith("..") else near
