"""Waits in inner(), whose variables are of many kinds; says by "ready" and JSON what repr() makes of those that a dump
should show in the same way.  LOOSE are shown in a way of hasten's own."""
import collections
import enum
import json
import math
import sys
import time

from _target import LIMIT_S, ready

LOOSE = {"text_long", "huge", "many", "deep", "itself", "color", "point", "counted", "failure", "function", "kind", "module",
         "thing", "bytes_long", "wide_dict", "big_set"}


class Color(enum.IntEnum):
    RED = 7


Point = collections.namedtuple("Point", "x y")


class Thing:
    class Inner:
        pass


class Plain:
    def __init__(self):
        self.first = 1
        self.second = "two"


def outer(captured, shared):
    def inner(argument, *rest, keyword=None, **more):
        zero, one, minus = 0, 1, -1
        digit, digits = 2 ** 30, 2 ** 60 - 1
        long_negative = -(10 ** 40)
        ends_in_zeros = 10 ** 27
        limit = 10 ** 60 - 1
        huge = 1 << 5000
        floats = [0.0, -0.0, 1.0, 1e16, 1.5e-05, 0.1]
        more_floats = (1e22, 123456789.125, 5e-324, 1.7976931348623157e308, 0.0001)
        infinite, not_a_number = -math.inf, math.nan
        complexes = [1 + 2j, 3j, -1.5 - 0.5j]
        empty = ["", (), [], {}, set(), frozenset(), b""]
        quotes = ["it's", 'say "x"', "both ' and \"", "back\\slash", "line\nfeed\ttab\r", "\x00\x1b[31m\x7f\x9b"]
        characters = "h\u00e9 \u65e5\u672c \U0001f600"
        raw = b"\x00\xffabc'\n"
        single = (1,)
        nested = {"a": [1, 2], 4.5: (None, True), b"k": {"x"}}
        frozen = frozenset([9])
        split = Plain().__dict__
        text_long = "x" * 1000
        bytes_long = b"y" * 1000
        many = list(range(100))
        wide_dict = {i: i for i in range(300)}
        big_set = set(range(1000))
        deep = [[[[1]]]]
        itself = []
        itself.append(itself)
        color, point, counted = Color.RED, Point(1, "b"), collections.Counter("aab")
        failure = ValueError("bad", 3)
        function, kind, module, thing = outer, Thing.Inner, math, Thing.Inner()
        never = 1
        del never
        found = {name: repr(value) for name, value in locals().items() if name not in LOOSE}
        ready(json.dumps(found))
        time.sleep(LIMIT_S)
        return captured, shared

    shared += 1
    inner("given", 1, 2, keyword=[captured], other=3)


if __name__ == "__main__":
    sys.setrecursionlimit(500)
    outer("from outside", 41)
