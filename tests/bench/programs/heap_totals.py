"""Plants what tests/heap/programs/totals.py plants, and says how many bytes a tool inside the program sees in it.

usage: python heap_totals.py     prints "ready"; at the word of a tool on standard input plants, and prints {"bytes": bytes}
words: none (nobody looks), blocks (those of the allocators, as tracemalloc's traces tell), tracemalloc, memray (what it
records by default), memray-python (with --trace-python-allocators), muppy, guppy3
"""
import json
import os
import pathlib
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "heap" / "programs"))

import totals  # noqa: E402

N = 20000


def by_none():
    totals.plant(N)


def by_blocks():
    return totals.planted_by_traces(N)["blocks"]


def by_tracemalloc():
    return totals.planted_by_traces(N)["asked"]


def by_memray(python=False):
    import memray
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "memory.bin")
        with memray.Tracker(path, trace_python_allocators=python):
            totals.plant(N)
        kinds = memray.AllocatorType
        of_python = (kinds.PYMALLOC_MALLOC, kinds.PYMALLOC_CALLOC, kinds.PYMALLOC_REALLOC)
        records = memray.FileReader(path).get_leaked_allocation_records(merge_threads=True)
        return sum(r.size for r in records if not python or r.allocator in of_python)


def by_muppy():
    from pympler import muppy
    before = muppy.get_size(muppy.get_objects())
    totals.plant(N)
    return muppy.get_size(muppy.get_objects()) - before


def by_guppy3():
    import guppy
    heap = guppy.hpy()
    before = heap.heap().size
    totals.plant(N)
    return heap.heap().size - before


TOOLS = {"none": by_none, "blocks": by_blocks, "tracemalloc": by_tracemalloc, "memray": by_memray,
         "memray-python": lambda: by_memray(True), "muppy": by_muppy, "guppy3": by_guppy3}


def main():
    print("ready")
    sys.stdout.flush()
    for word in sys.stdin:
        print(json.dumps({"bytes": TOOLS[word.strip()]()}))
        sys.stdout.flush()


if __name__ == "__main__":
    main()
