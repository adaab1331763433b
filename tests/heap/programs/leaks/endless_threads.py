"""A watcher thread is started for each upload and waits for an end that is never signalled: the threads pile up, and
with them what their function has in its variables."""
import threading

from _steps import serve

TRUTH = {"type": "__main__.Chunk", "holder": "the variable chunks in the frames of threads that never end",
         "path": "chunks", "objects_each_step": 2000,
         "or": [("threading.Thread", ""), ("list", "chunks")]}
UPLOADS_END = threading.Event()
THREADS_A_STEP = 20


class Chunk:
    def __init__(self, upload, offset):
        self.offset = offset
        self.data = b"%06d" % upload * 16


def watch(upload, begun):
    chunks = [Chunk(upload, i) for i in range(100)]
    begun.set()
    UPLOADS_END.wait()
    return len(chunks)


def step(number):
    for i in range(THREADS_A_STEP):
        begun = threading.Event()
        threading.Thread(target=watch, args=(number * THREADS_A_STEP + i, begun), daemon=True).start()
        begun.wait()


def forget():
    UPLOADS_END.set()
    for thread in threading.enumerate():
        if thread is not threading.main_thread():
            thread.join()


if __name__ == "__main__":
    threading.stack_size(256 * 1024)
    serve(step, forget)
