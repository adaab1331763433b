"""PyCounters' words, checked in the program itself; the package's folder is the argument."""
import asyncio
import io
import json
import logging
import os
import sys
import tempfile
import time

sys.path.insert(0, sys.argv[1])
from hasten import pycounters as P  # noqa: E402
from hasten.pycounters import counters, reporters, shortcuts  # noqa: E402


def raises(kind, words, function, *arguments):
    try:
        function(*arguments)
    except kind as error:
        assert words in str(error), error
        return
    raise AssertionError("no %s" % kind.__name__)


def events():
    P.report_value("nobody listens", 3)
    query = P.register_counter(P.AverageTimeCounter("query"))
    raises(ValueError, "registered already", P.register_counter, P.AverageTimeCounter("query"))
    assert P.register_counter(P.AverageTimeCounter("query"), False) is query
    with P.report_start_end("query"):
        time.sleep(0.02)
    P.report_start("query")
    P.report_start("inner")
    P.report_end("query")
    P.report_end("inner")
    assert 0.01 <= query.get_value() < 0.5
    raises(ValueError, "not started here", P.report_end, "query")
    raises(TypeError, "a counter is wanted", P.register_counter, 3)
    P.unregister_counter(name="query")
    raises(KeyError, "query", P.unregister_counter, query)


@shortcuts.frequency()
def serve():
    return 1


@shortcuts.time("timed")
async def timed():
    await asyncio.sleep(0.001)
    return 2


@P.count("calls")
def generator():
    yield 1


def shortcut_words():
    assert serve() == 1 and asyncio.run(timed()) == 2 and list(generator()) == [1]
    P.value("average", 2)
    for counter in (counters.MaxWindowCounter("most", events=["average"]),
                    counters.MinWindowCounter("least", events=["average"]),
                    counters.TotalCounter("total", events=["average"]),
                    counters.ValueAccumulator("sum", events=["average"])):
        P.register_counter(counter)
    P.value("average", 4)
    P.value("average", 9)
    P.occurrence("happened")
    values = P.get_values()
    assert values["calls"] == 1 and values["average"] == 5 and 0 < values["timed"] < 0.5
    assert (values["most"], values["least"], values["total"], values["sum"]) == (9, 4, 13, 13)
    assert values["serve"] > 0 and values["happened"] > 0
    assert P.get_values()["sum"] == 0, "it begins again after each report"


def categories():
    P.register_counter(P.ThreadTimeCategorizer("request", ["db", "render"]))
    with P.report_start_end("request"):
        with P.report_start_end("db"):
            time.sleep(0.02)
        with P.report_start_end("render"):
            with P.report_start_end("db"):
                time.sleep(0.02)
    times = P.get_values()["request"]
    assert 0.039 < times["db"] < 0.5 and times["render"] < 0.02, times


def reports():
    path = os.path.join(tempfile.mkdtemp(), "values.json")
    log = io.StringIO()
    logger = logging.getLogger("reports")
    logger.setLevel(logging.INFO)
    logger.addHandler(logging.StreamHandler(log))
    P.register_reporter(reporters.JSONFileReporter(path))
    P.register_reporter(reporters.LogReporter(logger))
    raises(TypeError, "output_values", P.register_reporter, 3)
    raises(ValueError, "above 0", P.start_auto_reporting, 0)
    P.start_auto_reporting(0.02)
    end = time.monotonic() + 20
    while "calls 1" not in log.getvalue() and time.monotonic() < end:
        time.sleep(0.01)
    P.stop_auto_reporting()
    assert "calls 1\n" in log.getvalue()
    with open(path) as file:
        assert json.load(file)["calls"] == 1
    os.unlink(path)
    P.output_report()
    assert os.listdir(os.path.dirname(path)) == ["values.json"]


for check in (events, shortcut_words, categories, reports):
    check()
print("fine")
