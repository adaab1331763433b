"""Healthy: sessions in a dict that drops the oldest beyond 800.  400 new ones a step: it is full after the second, and
from then on every entry is replaced by a new one, with a new key, in two steps."""
import collections

from _steps import serve

TRUTH = None
KEPT = {"__main__.Session": (800, 800, 800)}
SESSIONS = collections.OrderedDict()


class Session:
    def __init__(self, user):
        self.user = user
        self.basket = []


def session_of(user):
    if user not in SESSIONS:
        SESSIONS[user] = Session(user)
        if len(SESSIONS) > 800:
            SESSIONS.popitem(last=False)
    return SESSIONS[user]


def step(number):
    for i in range(400):
        session_of("user %d" % (number * 400 + i)).basket.append(i)


if __name__ == "__main__":
    serve(step)
