"""All time in a loop at module level, on the two lines after the marker: no function to blame."""
from _target import END, ready
import time

ready()
total = 0
while time.monotonic() < END:
    for i in range(10000):  # loop: the for line and the next
        total += i * i
