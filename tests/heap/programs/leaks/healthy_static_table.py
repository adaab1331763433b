"""Healthy: a dictionary of 60,000 words, loaded before the program is ready, by far the largest thing in it; it never
changes, and what a step makes is gone at its end."""
from _steps import serve

TRUTH = None
KEPT = {"__main__.Word": (60000, 60000, 60000)}


class Word:
    def __init__(self, number):
        self.text = "word %d" % number
        self.frequency = number % 17


WORDS = {word.text: word for word in map(Word, range(60000))}


def step(number):
    found = [WORDS["word %d" % (i * 7)] for i in range(2000)]
    copies = [Word(word.frequency) for word in found]
    copies.clear()


if __name__ == "__main__":
    serve(step)
