"""Functions that are made anew, called a few times and thrown away: their code objects die, and others are born at
the same addresses."""
from _target import going, ready

SOURCE = """
def leaf_%(n)d(x):
    return x + 1

def middle_%(n)d(x):
    return leaf_%(n)d(x) + leaf_%(n)d(x)

def outer_%(n)d(x):
    for i in range(20):
        middle_%(n)d(i)
"""


def use(n):
    names = {}
    exec(SOURCE % {"n": n % 7}, names)
    for i in range(3):
        names["outer_%d" % (n % 7)](i)


def main():
    n = 0
    while going():
        use(n)
        n += 1


if __name__ == "__main__":
    ready()
    main()
