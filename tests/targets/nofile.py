"""Code without a file: a function made by exec under the invented name <generated>, and one under the name of a
file that is not there.  Both are called by turns from call_both()."""
from _target import going, ready

SOURCE = """
def {name}(limit):
    total = 0
    for i in range(limit):
        total += i
    return total
"""


def make(name, file):
    names = {}
    exec(compile(SOURCE.format(name=name), file, "exec"), names)
    return names[name]


invented = make("invented", "<generated>")
vanished = make("vanished", "/nowhere/vanished.py")


def call_both():
    while going():
        for _ in range(50):
            invented(1000)
            vanished(1000)


if __name__ == "__main__":
    ready()
    call_both()
