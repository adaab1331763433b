"""Healthy: the last price of each of 2500 articles.  A step brings 2000 new prices under keys that come round again:
all keys are there after the second step, and the objects under them are always new ones."""
from _steps import serve

TRUTH = None
KEPT = {"__main__.Price": (2500, 2500, 2500)}
LAST_PRICES = {}


class Price:
    def __init__(self, number):
        self.cents = 100000 + number
        self.note = "offer %d" % number


def step(number):
    for i in range(number * 2000, number * 2000 + 2000):
        LAST_PRICES["article %d" % (i % 2500)] = Price(i)


if __name__ == "__main__":
    serve(step)
