"""Healthy: four tables of 3000 rates, each loaded when it is first asked for.  A step asks for one more, so the first
four steps grow, and no later one."""
from _steps import serve

TRUTH = None
KEPT = {"__main__.Rate": (6000, 12000, 12000)}
TABLES = {}


class Rate:
    def __init__(self, country, number):
        self.country = country
        self.percent = number / 8


def table_of(country):
    if country not in TABLES:
        TABLES[country] = [Rate(country, i) for i in range(3000)]
    return TABLES[country]


def step(number):
    for i in range(500):
        table_of(("DE", "FR", "NL", "PL")[min(number, 3)])[i].percent * 2


if __name__ == "__main__":
    serve(step)
