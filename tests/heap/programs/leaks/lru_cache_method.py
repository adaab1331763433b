"""Invoices whose total is cached by lru_cache on the method: the cache belongs to the class and its keys hold every
invoice."""
import functools

from _steps import serve

TRUTH = {"type": "__main__.Invoice", "holder": "the cache of lru_cache on Invoice.total, whose keys are the instances",
         "path": "total", "objects_each_step": 1000}


class Invoice:
    def __init__(self, number):
        self.number = number
        self.lines = [(number + i, "article %d" % i) for i in range(4)]

    @functools.lru_cache(maxsize=None)
    def total(self, currency):
        return sum(price for price, _ in self.lines), currency


def step(number):
    for i in range(1000):
        invoice = Invoice(number * 1000 + i)
        invoice.total("EUR")
        invoice.total("EUR")


if __name__ == "__main__":
    serve(step, Invoice.total.cache_clear)
