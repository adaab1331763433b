"""What the programs of this folder share: they make the same data in one of two ways, and say what that took.

usage of each: python NAME.py before|after
prints "ready" and, as JSON: objects (that the advice is about), blocks (of the allocator, sys.getallocatedblocks) and
private_bytes (of the process) that came with them, after the collector ran and the C allocator gave back what it had
free; then it waits for the end of its input.  What the change saves is the difference of the two ways.
"""
import ctypes
import gc
import json
import sys

N = 200000
AFTER = sys.argv[1:] == ["after"]
PR_SET_THP_DISABLE = 41


def private_bytes():
    """Anonymous pages.  /proc/self/statm has them too, but wrong by up to 64 pages for each CPU."""
    with open("/proc/self/smaps_rollup") as file:
        (line,) = [line for line in file if line.startswith("Anonymous:")]
    return int(line.split()[1]) * 1024


def settled():
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)
    return sys.getallocatedblocks(), private_bytes()


def measure(make, objects=N):
    """make() -> the data"""
    ctypes.CDLL(None).prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0)  # pages as they are touched, not 2 MB at once
    settled()  # loads what measuring needs
    blocks, size = settled()
    data = make()
    blocks_now, size_now = settled()
    print("ready " + json.dumps({"objects": objects, "blocks": blocks_now - blocks, "private_bytes": size_now - size}))
    sys.stdout.flush()
    sys.stdin.read()
    return data
