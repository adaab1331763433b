"""Quotes that are cached without a bound by a time of day that is never the same again."""
import functools

from _steps import serve

TRUTH = {"type": "__main__.Quote", "holder": "the cache of lru_cache(maxsize=None) on the function quote_at",
         "path": "quote_at", "objects_each_step": 2000}


class Quote:
    def __init__(self, symbol, price):
        self.symbol = symbol
        self.price = price


@functools.lru_cache(maxsize=None)
def quote_at(symbol, when):
    return Quote(symbol, 100 + when % 13 / 4)


def step(number):
    for i in range(2000):
        quote_at("ABC", (number * 2000 + i) * 0.25)


if __name__ == "__main__":
    serve(step, quote_at.cache_clear)
