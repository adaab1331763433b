"""A shop that appends a function for the end of the day to a list for each order; the function closes over the order,
and the day never ends."""
from _steps import serve

TRUTH = {"type": "__main__.Order", "holder": "the list AT_CLOSING of functions that close over an order",
         "path": "AT_CLOSING", "objects_each_step": 2000, "or": [("function", "AT_CLOSING")]}
AT_CLOSING = []


class Order:
    def __init__(self, number):
        self.number = number
        self.articles = ["article %d" % number]


def accept(order):
    def book():
        return order.number, order.articles
    AT_CLOSING.append(book)


def step(number):
    for i in range(2000):
        accept(Order(number * 2000 + i))


if __name__ == "__main__":
    serve(step, AT_CLOSING.clear)
