"""Many tiny functions that call one another in a known pattern, as fast as they can: the hardest stack to read.

EDGES lists every caller -> callee that can exist; a sample that shows another pair is a torn one.  Each function
has exactly one caller above it that may call it with the same tail, so a stack is also a path from flutter_main.
"""
from _target import going, ready

EDGES = {
    "<module>": {"flutter_main"},
    "flutter_main": {"going", "wing_left", "wing_right"},
    "wing_left": {"left_up", "left_down"},
    "left_up": {"left_up_tip", "left_up_edge"},
    "left_up_edge": {"left_up_tip"},
    "left_down": {"left_down_tip"},
    "wing_right": {"right_up", "right_down"},
    "right_up": {"right_up_tip"},
    "right_down": {"right_down_edge"},
    "right_down_edge": {"right_down_tip"},
}


def left_up_tip(n):
    return n + 1


def left_up_edge(n):
    return left_up_tip(n) + left_up_tip(n)


def left_up(n):
    return left_up_tip(n) + left_up_edge(n)


def left_down_tip(n):
    return n - 1


def left_down(n):
    return left_down_tip(n) + left_down_tip(n)


def wing_left(n):
    return left_up(n) + left_down(n)


def right_up_tip(n):
    return n * 2


def right_up(n):
    return right_up_tip(n) + right_up_tip(n) + right_up_tip(n)


def right_down_tip(n):
    return n // 2


def right_down_edge(n):
    return right_down_tip(n)


def right_down(n):
    return right_down_edge(n) + right_down_edge(n)


def wing_right(n):
    return right_up(n) + right_down(n)


def flutter_main():
    total = 0
    while going():
        for n in range(2000):
            total += wing_left(n)
            total += wing_right(n)
    return total


if __name__ == "__main__":
    ready()
    flutter_main()
