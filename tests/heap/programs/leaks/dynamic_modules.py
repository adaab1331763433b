"""Rules that a user may write are compiled into modules with ever new names, and stay in sys.modules."""
import sys
import types

from _steps import serve

TRUTH = {"type": "module", "holder": "sys.modules, with a module rule_N for each rule", "path": "rule_",
         "objects_each_step": 200, "or": [("module", "modules")]}
SOURCE = """
LIMIT = %d
WORDS = ["word %%d" %% (LIMIT + i) for i in range(20)]
def applies(order):
    return order > LIMIT
"""


def add_rule(number):
    module = types.ModuleType("rule_%d" % number)
    sys.modules[module.__name__] = module
    exec(compile(SOURCE % (10000 + number), module.__name__ + ".py", "exec"), module.__dict__)
    return module.applies(7)


def step(number):
    for i in range(200):
        add_rule(number * 200 + i)


def forget():
    for name in [name for name in sys.modules if name.startswith("rule_")]:
        del sys.modules[name]


if __name__ == "__main__":
    serve(step, forget)
