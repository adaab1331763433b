"""Sensors that were meant to keep their own readings: the list stands in the class, so all share it, and it outlives
every sensor."""
from _steps import serve

TRUTH = {"type": "__main__.Reading", "holder": "the list readings of the class Sensor", "path": "Sensor readings",
         "objects_each_step": 2000}


class Reading:
    __slots__ = ("celsius", "when")

    def __init__(self, celsius, when):
        self.celsius = celsius
        self.when = when


class Sensor:
    readings = []

    def measure(self, when):
        self.readings.append(Reading(20.0 + when % 7, when))


def step(number):
    sensor = Sensor()
    for i in range(2000):
        sensor.measure(number * 2000 + i)


if __name__ == "__main__":
    serve(step, Sensor.readings.clear)
