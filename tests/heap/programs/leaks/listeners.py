"""Windows that listen for a change of colours and are closed without being taken off the list of listeners."""
from _steps import serve

TRUTH = {"type": "__main__.Window", "holder": "the listeners of BUS: bound methods of closed windows",
         "path": "BUS listeners", "objects_each_step": 1000, "or": [("method", "BUS listeners")]}


class Bus:
    def __init__(self):
        self.listeners = {}

    def subscribe(self, topic, listener):
        self.listeners.setdefault(topic, []).append(listener)


BUS = Bus()


class Window:
    def __init__(self, number):
        self.title = "window %d" % number
        self.pixels = bytes(400)
        BUS.subscribe("colours", self.on_colours)

    def on_colours(self, colours):
        self.colours = colours


def step(number):
    for i in range(1000):
        Window(number * 1000 + i)


if __name__ == "__main__":
    serve(step, BUS.listeners.clear)
