"""Profiles of users in a WeakKeyDictionary, which drops a profile when its user goes; but the profile refers to the
user, so none ever goes."""
import weakref

from _steps import serve

TRUTH = {"type": "__main__.Profile", "holder": "the WeakKeyDictionary PROFILES, whose values refer to their keys",
         "path": "PROFILES", "objects_each_step": 1000, "or": [("__main__.User", "PROFILES")]}
PROFILES = weakref.WeakKeyDictionary()


class User:
    def __init__(self, number):
        self.name = "user %d" % number


class Profile:
    def __init__(self, user):
        self.user = user
        self.visits = ["page of %s" % user.name]


def visit(user):
    PROFILES[user] = Profile(user)


def step(number):
    for i in range(1000):
        visit(User(number * 1000 + i))


if __name__ == "__main__":
    serve(step, PROFILES.clear)
