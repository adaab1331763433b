"""A function with a list as default value of a parameter: meant to be empty at each call, it is one list for all."""
from _steps import serve

TRUTH = {"type": "__main__.Address", "holder": "the default value of the parameter seen of the function normalise",
         "path": "normalise", "objects_each_step": 2000}


class Address:
    def __init__(self, number):
        self.street = "street %d" % number
        self.city = "Berlin"


def normalise(address, seen=[]):
    if not seen or seen[-1].street != address.street:
        seen.append(address)
    return address.street.upper()


def step(number):
    for i in range(2000):
        normalise(Address(number * 2000 + i))


if __name__ == "__main__":
    serve(step, normalise.__defaults__[0].clear)
