"""Comprehensions of each kind: frames of their own up to 3.11, inlined into their function from 3.12 (a generator
expression keeps its frame).  All call element()."""
from _target import going, ready


def element(n):
    total = 0
    for i in range(50):
        total += i
    return total + n


def in_list():
    return [element(n) for n in range(200)]


def in_set():
    return {element(n) for n in range(200)}


def in_dict():
    return {n: element(n) for n in range(200)}


def in_generator():
    return sum(element(n) for n in range(200))


def main():
    while going():
        in_list()
        in_set()
        in_dict()
        in_generator()


if __name__ == "__main__":
    ready()
    main()
