#!/usr/bin/env python3
"""Makes the first inputs of each fuzzer's corpus: good ones, that a fuzzer then spoils.

usage: tests/fuzz/seeds.py      (needs zstd and cc; files that fuzzers found later are left alone)
"""
import marshal
import os
import pathlib
import pickle
import random
import shutil
import struct
import subprocess
import sys
import tempfile
import types

HERE = pathlib.Path(__file__).resolve().parent
CORPUS = HERE / "corpus"
TESTS = HERE.parent


def put(fuzzer, name, data):
    folder = CORPUS / fuzzer
    folder.mkdir(parents=True, exist_ok=True)
    (folder / ("seed-" + name)).write_bytes(data)


def varint(value):
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes(out) + bytes([value])


def reader():
    """See fuzz_reader.c for the form of these."""
    rng = random.Random(2)
    for number in range(8):
        put("reader", "%d-as-it-is" % number, bytes([number, 2]))
        for kind in range(4):
            records = b""
            for _ in range(6):
                records += struct.pack("<BHHBB", kind, rng.randrange(400), rng.randrange(256), rng.randrange(60),
                                       rng.choice([0, 0, 1, 4]))
                if kind == 0:
                    records += bytes([8]) + rng.randbytes(8)
                elif kind == 1:
                    records += struct.pack("<Hb", rng.randrange(400), rng.randrange(-4, 5))
                elif kind == 3:
                    records += bytes([rng.randrange(16)])
            put("reader", "%d-kind-%d" % (number, kind), bytes([number, rng.randrange(4)]) + records)


def heap():
    """See fuzz_heap.c for the form of these."""
    plain, leaf, list_, tuple_, dict_, set_, deque, weak, frame, generator, type_, number, text, table, pool, chunk, state = range(17)
    special = {0: 0, 1 << 20: 12, 1 << 36: 13, 1 << 40: 14, 1 << 63: 16, 0xffffffff: 8}
    all_of_them = 65535

    def place(group, index, word):
        return struct.pack("<BHB", group, index, word & 255)

    def words(group, index, word, *values):  # values: numbers of 8 bytes
        return b"".join(b"\0" + place(group, index, word + i) + b"\x08" + struct.pack("<Q", value & (1 << 64) - 1)
                        for i, value in enumerate(values))

    def pointer(group, index, word, *to, many=0):
        return bytes([17 if many else 1]) + place(group, index, word) + place(*to) + (struct.pack("<H", many) if many else b"")

    def magic(group, index, word, value, many=0):
        return bytes([18 if many else 2]) + place(group, index, word) + bytes([special[value]]) + (struct.pack("<H", many) if many else b"")

    single = {
        "deques-of-one-block": pointer(deque, 0, 3, table, 40, 0, many=all_of_them) + pointer(table, 40, 65, table, 40, 0) +
        magic(deque, 0, 2, 1 << 40, all_of_them) + magic(deque, 0, 5, 0, all_of_them),
        "deque-of-few": pointer(deque, 0, 3, table, 40, 0, many=all_of_them) + pointer(table, 40, 65, table, 40, 0) +
        magic(deque, 0, 2, 1 << 20, all_of_them) + magic(deque, 0, 5, 0, all_of_them),
        "long-lists": magic(list_, 0, 4, 1 << 36, all_of_them) + magic(list_, 0, 2, 1 << 36, all_of_them),
        "one-table-for-dicts": pointer(dict_, 0, 4, table, 7, 0, many=all_of_them),
        "one-table-for-lists": pointer(list_, 0, 3, pool, 0, 0, many=all_of_them) +
        bytes([16]) + place(list_, 0, 2) + b"\x08" + struct.pack("<QH", 30000, all_of_them),
        "large-sets": magic(set_, 0, 4, 1 << 36, all_of_them) + magic(set_, 0, 3, 1 << 20, all_of_them),
        "frame-calls-itself": pointer(state, 10, 0, state, 9, 0) + pointer(state, 14, 0, state, 13, 0),
        "frames-go-round": pointer(state, 26, 0, state, 9, 0) + pointer(state, 18, 0, state, 13, 0),
        "interpreter-is-next": pointer(state, 6, 0, state, 5, 0),
        "thread-is-next": pointer(state, 2, 0, state, 1, 0),
        "least-size": magic(number, 0, 2, 1 << 63, all_of_them) + magic(tuple_, 0, 2, 1 << 63, 3000),
        "types-without-head": b"".join(words(type_, index, 4, 16, 8) for index in range(0, 300, 3)),
        "types-are-their-bases": b"".join(pointer(type_, index, 32, type_, index, 0) for index in range(40)),
        "free-list-goes-round": b"".join(pointer(pool, index, 0, pool, index, 0) for index in range(40)),
        "no-chunks": magic(chunk, 0, 0, 0, all_of_them),
        "chunks-of-all": magic(chunk, 0, 0, 1 << 20, all_of_them),
        "own-table": b"".join(pointer(list_, index, 3, list_, index, 0) for index in range(30)),
        "tables-are-objects": b"".join(pointer(dict_, index, 4, tuple_, index, 0) + pointer(list_, index, 3, tuple_, 9 * index, 0)
                                       for index in range(16)),
        "empty-texts": magic(text, 0, 2, 0, all_of_them),
        "long-texts": magic(text, 0, 2, 1 << 40, 3000),
    }
    rng = random.Random(4)
    for base in range(3):
        put("heap", "%d-as-it-is" % base, bytes([base]))
        for name, records in single.items():
            put("heap", "%d-%s" % (base, name), bytes([base]) + records)
        for number_ in range(12):
            records = b""
            for _ in range(rng.randrange(4, 30)):
                kind = rng.choice([0, 1, 1, 2, 2, 3])
                many = rng.random() < 0.2
                records += bytes([kind + 16 * many]) + place(rng.randrange(17), rng.randrange(1 << 16), rng.choice([0, 1, 2, 3, 4, rng.randrange(40)]))
                if kind == 0:
                    records += bytes([8]) + rng.randbytes(8)
                elif kind == 2:
                    records += bytes([rng.randrange(19)])
                else:
                    records += place(rng.randrange(17), rng.randrange(1 << 16), rng.choice([0, 0, 0, 1, -1, 2]))
                if many:
                    records += struct.pack("<H", rng.choice([10, 1000, all_of_them]))
            put("heap", "%d-random-%d" % (base, number_), bytes([base]) + records)


def timeline():
    """See fuzz_timeline.c and docs/format.md."""
    def block(events, base, start, lost, words, indices, times):
        data = b"\x01" + varint(events) + varint(base) + varint(start) + varint(lost) + varint(len(words))
        last = 0
        for word in words:
            data += varint(word - last << 1 if word >= last else (last - word << 1) - 1)
            last = word
        if len(words) > 1:
            data += bytes(index & 255 for index in indices)
        if len(words) > 256:
            data += bytes(index >> 8 for index in indices)
        data += bytes(time & 255 for time in times) + bytes(min(time >> 8, 255) for time in times)
        return data + b"".join(varint((time >> 8) - 255) for time in times if time >> 8 >= 255)

    put("timeline", "loop", b"\x01" + block(400, 10 ** 9, 3, 0, [4, 0], [0, 1] * 200, [40] * 400))
    put("timeline", "pauses", b"\x01" + block(4, 0, 0, 7, [1, 2, 0], [0, 1, 2, 2], [1, 65279, 65280, 10 ** 10]))
    put("timeline", "many-words", b"\x01" + block(600, 5, 1, 0, list(range(600)), range(600), [3] * 600))
    whole = subprocess.run(["zstd", "-qc", "--stream-size=%d" % len(block(2, 1, 0, 0, [1, 0], [0, 1], [5, 6]))],
                           input=block(2, 1, 0, 0, [1, 0], [0, 1], [5, 6]), stdout=subprocess.PIPE, check=True).stdout
    put("timeline", "compressed", b"\x00" + whole)


def agent_maps():
    """See fuzz_agent_maps.c for the form of these."""
    rng = random.Random(3)
    put("agent_maps", "as-it-is", b"")

    def record(what, chunk, slot, field, value):
        return struct.pack("<BBBBBI", what, chunk, slot, field, 0, value & 0xffffffff)

    chunk = 1024
    single = {
        "cycle": record(0, 3, 2, 8, 3 * chunk + 5),             # a context whose parent is below it
        "own-parent": record(0, 3, 2, 8, 3 * chunk + 2),
        "thread-is-context": record(0, 3, 0, 4, 3 * chunk + 1),
        "function-is-thread": record(0, 3, 3, 12, 1 * chunk + 1),
        "long-name": record(0, 2, 1, 12, 0xffffffff),
        "many-slots": record(0, 2, 1, 0, 0xffffffff),
        "used": record(0, 3, 0, 8, 0xffffffff),
        "kind": record(0, 3, 0, 0, 6),
        "all-are-events": record(4, 3, 0, 0, 6),
        "event-of-nothing": record(0, 5, 1, 0, 0xffffffff),
        "event-far-away": record(0, 5, 1, 0, 2 * 900000),
        "same-number": record(0, 6, 0, 8, 0),
        "number-missing": record(0, 6, 0, 8, 77),
        "lost": record(0, 6, 0, 24, 1000),
        "time-goes-back": record(1, 6, 0, 16, 0),
        "time-is-huge": record(1, 6, 0, 16, 0xff),
        "pause": record(0, 5, 1, 0, 1),
        "climbing-events": record(4 + 10, 5, 0, 0, 3 * chunk * 2 + 4),
        "climbing-parents": record(4 + 5, 4, 0, 8, 3 * chunk + 1),
        "no-start": record(1, 0, 2, 8, 0),
        "negative-cost": record(1, 0, 3, 24, 0xff),
        "kept-twice": record(3, 7, 0, 0, 5 * chunk),
    }
    for name, bytes_ in single.items():
        put("agent_maps", name, bytes_)
        put("agent_maps", name + "-later", record(2, 7, 40, 0, 0) + bytes_)
    for number in range(24):
        put("agent_maps", "random-%d" % number, b"".join(
            record(rng.randrange(256), rng.randrange(8), rng.choice([0, 0, 1, 2, 3, rng.randrange(30)]), rng.randrange(64),
                   rng.choice([0, 1, 6, 7, 1025, 3073, 3074, 3075, 2 * 3075, 2 * 3076 + 1, rng.randrange(1 << 32)]))
            for _ in range(rng.randrange(2, 20))))


def debug_offsets():
    for snapshot in sorted((TESTS / "replay" / "data").glob("*.snap")):
        plain = subprocess.run(["zstd", "-dc"], input=snapshot.read_bytes(), stdout=subprocess.PIPE, check=True).stdout
        at = plain.find(b"xdebugpy")
        if at >= 0:
            put("debug_offsets", snapshot.stem, b"\0" + plain[at:at + 1024])


def a_function(a, b):
    total = 0
    for i in range(a):
        if i > b:
            total += [
                k for k in range(i)
            ][0]

        elif a:
            total -= (lambda: b)()
    return total


def linetable():
    table = a_function.__code__.co_linetable
    for minor in range(8):
        put("linetable", str(minor + 8), struct.pack("<BII", minor, 10, 20) + table)
    put("linetable", "lnotab", struct.pack("<BII", 0, 10, 20) + bytes([0, 1, 4, 1, 8, 2, 6, 255, 10, 1]))
    put("linetable", "pep626", struct.pack("<BII", 2, 10, 20) + bytes([4, 1, 8, 128, 6, 255, 10, 1]))
    put("linetable", "all-kinds", struct.pack("<BII", 6, 10, 200) +
        bytes([0x80 | 15 << 3, 0x80 | 14 << 3, 2, 1, 5, 9, 0x80 | 13 << 3, 3, 0x80 | 10 << 3, 4, 9, 0x80 | 11 << 3, 4, 9,
               0x80 | 12 << 3, 1, 2, 0x80 | 3 << 3 | 7, 0x53]))


def maps():
    put("maps", "program", b"""\
00400000-0041f000 r--p 00000000 fe:00 247702                             /usr/bin/python3.11
0041f000-006d2000 r-xp 0001f000 fe:00 247702                             /usr/bin/python3.11 (deleted)
01c96000-01d81000 rw-p 00000000 00:00 0                                  [heap]
7f2ca0000000-7f2ca0021000 rw-p 00000000 00:00 0
7f2ca80f5000-7f2ca811b000 r--p 00000000 fe:00 131223                     /usr/lib/x86_64-linux-gnu/libc.so.6
ffffffffff600000-ffffffffff601000 --xp 00000000 00:00 0                  [vsyscall]
""")
    put("maps", "odd", b"1-2 r 0 0 0 /a b\\012c\n\n3-3 ---p 0 0:0 1 \n")


def residency():
    put("residency", "program", b"""\
00400000-0041f000 r--p 00000000 fe:00 247702                             /usr/bin/python3.11
Rss:                 100 kB
Anonymous:             4 kB
0041f000-00420000 rw-p 0001f000 fe:00 247702                             /usr/bin/python3.11
Rss:                   4 kB
Anonymous:             4 kB
00420000-00440000 rw-p 00000000 00:00 0
Rss:                  64 kB
Anonymous:            64 kB
Swap:                 12 kB
01c96000-01d81000 rw-p 00000000 00:00 0                                  [heap]
Rss:                 300 kB
7f2ca0000000-7f2ca0001000 ---p 00000000 00:00 0
Rss:                   0 kB
7f2ca0001000-7f2ca0021000 rw-p 00000000 00:00 0
Rss:                  16 kB
7f2cb0000000-7f2cb0021000 rw-s 00000000 00:01 77                         /memfd:x (deleted)
Rss:                   4 kB
""")
    head = b"\x7fELF\x02\x01\x01".ljust(16, b"\0") + struct.pack("<HHIQQQIHHHHHH", 3, 62, 1, 0, 64, 0, 0, 64, 56, 2, 0, 0, 0)
    head += struct.pack("<IIQQQQQQ", 1, 5, 0, 0, 0, 0x1000, 0x1000, 0x1000)
    head += struct.pack("<IIQQQQQQ", 1, 6, 0x1000, 0x1000, 0, 0x100, 0x9000, 0x1000)
    put("residency", "headers", head + b"\n00400000-0041f000 rw-p 0 0:0 0 /a\nRss: 8 kB\nAnonymous: 8 kB\n"
        b"0041f000-0051f000 rw-p 0 0:0 0 \nRss: 8 kB\n")


def chunks():
    """See fuzz_chunks.c: a heap, an arena of a thread, and variables of the C library."""
    heap_start, arena_start = 0x10000000, 0x14000000

    def chain(page, at, sizes, flag, end):
        for size in sizes:
            struct.pack_into("<Q", page, at + 8, size | flag | 1)
            at += size
        struct.pack_into("<Q", page, at + 8, end - at | 1)
        return at

    heap, arena, variables = bytearray(4096), bytearray(4096), bytearray(4096)
    top = chain(heap, 0, [0x290, 0x30, 0x30, 0x40, 0x100], 0, 256 << 10)
    struct.pack_into("<H", heap, 16 + 2, 1)  # a list of one chunk of 48 bytes
    struct.pack_into("<Q", heap, 16 + 128 + 8, heap_start + 0x290 + 16)
    struct.pack_into("<Q", heap, 0x290 + 16, heap_start + 0x290 >> 12)
    struct.pack_into("<QQQQ", arena, 0, arena_start + 48, 0, 256 << 10, 256 << 10)
    chain(arena, 0x8d0, [0x290, 0x50, 0x20], 4, 256 << 10)
    struct.pack_into("<Q", variables, 0x108 - 80 + 8, heap_start + 0x2c0)  # the list of 48 bytes, then the top
    struct.pack_into("<Q", variables, 0x108, heap_start + top)
    put("chunks", "arenas", bytes(heap + arena + variables))
    put("chunks", "mapped", struct.pack("<QQ", 0, 0x8000 | 2) + bytes(32) + struct.pack("<QQ", 48, 0x8000 - 48 | 2) + bytes(4032))


def symbols():
    with tempfile.TemporaryDirectory() as folder:
        source = pathlib.Path(folder, "a.c")
        source.write_text("int _PyRuntime[4] = {1}; int Py_Version = 3; extern int other; int *p = &other;\n"
                          "int PyCode_Type(void) { return other; }\n")
        for style in ("gnu", "sysv", "both"):
            library = pathlib.Path(folder, style)
            subprocess.run(["cc", "-shared", "-nostdlib", "-fPIC", "-Os", "-o", library, source, "-Wl,-z,noseparate-code",
                            "-Wl,-z,max-page-size=64", "-Wl,-z,common-page-size=64", "-Wl,--build-id=none",
                            "-Wl,--hash-style=" + style], check=True)
            put("symbols", style, library.read_bytes())


def note(kind, data, name=b"CORE"):
    return struct.pack("<III", len(name) + 1, len(data), kind) + (name + b"\0").ljust(8, b"\0") + data.ljust(-len(data) % 4 + len(data), b"\0")


def core():
    status = bytearray(336)  # signal at 12, pid at 32, registers from 112
    struct.pack_into("<h", status, 12, 11)
    struct.pack_into("<i", status, 32, 77)
    struct.pack_into("<q", status, 112 + 15 * 8, -1)
    info = bytearray(136)
    struct.pack_into("<i", info, 24, 77)
    info[40:56] = b"python3".ljust(16, b"\0")
    info[56:136] = b"python3 a.py".ljust(80, b"\0")
    files = struct.pack("<QQ", 2, 4096) + struct.pack("<QQQ", 0x400000, 0x401000, 0) + \
        struct.pack("<QQQ", 0x401000, 0x403000, 1) + b"/usr/bin/python3.11\0/gone\0"
    notes = note(1, bytes(status)) + note(3, bytes(info)) + note(0x53494749, struct.pack("<iii", 11, 0, 1).ljust(128, b"\0")) + \
        note(0x46494c45, files) + note(1, bytes(status))
    loads = [(0x400000, 0, 0x1000, 5), (0x401000, 64, 0x2000, 4), (0x7ffff0000000, 512, 512, 6)]
    head = 64 + 56 * (1 + len(loads))
    data = head + len(notes)
    headers, body = struct.pack("<IIQQQQQQ", 4, 4, head, 0, 0, len(notes), 0, 4), b""
    for start, in_core, size, flags in loads:
        headers += struct.pack("<IIQQQQQQ", 1, flags, data + len(body), start, 0, in_core, size, 4096)
        body += bytes(range(64)) * (in_core // 64)
    elf = b"\x7fELF\2\1\1".ljust(16, b"\0") + struct.pack("<HHIQQQIHHHHHH", 4, 62, 1, 0, 64, 0, 0, 64, 56, 1 + len(loads), 64, 0, 0)
    put("core", "small", elf + headers + notes + body)
    put("core", "cut", (elf + headers + notes + body)[:-100])


def store():
    (CORPUS / "store").mkdir(parents=True, exist_ok=True)
    for number, path in enumerate(sorted((TESTS / "data").glob("store-*.db"))):
        shutil.copy(path, CORPUS / "store" / ("seed-%s" % path.stem))
    hasten = TESTS.parent / "build" / "hasten"
    if hasten.exists():  # of this version: a traced run with a timeline
        with tempfile.TemporaryDirectory() as folder:
            subprocess.run([hasten, "trace", "--timeline", "-q", "--only", "timeline.py", "--store", folder + "/", "-f", "hasten", "-o",
                            CORPUS / "store" / "seed-store-timeline", sys.executable, TESTS / "targets" / "timeline.py"], check=True)
    maker = TESTS.parent / "build" / "tests" / "unit" / "test_store_heap"
    if maker.exists():
        heap = CORPUS / "store" / "seed-store-heap"
        heap.unlink(missing_ok=True)
        subprocess.run([maker], env={**os.environ, "HST_MAKE_HEAP_STORE": str(heap)}, check=True)


def heap_column():
    """Three objects of two types that name each other, a value, a root: the content of each column's block."""

    def block(*codes):
        return b"\1" + b"".join(varint(code) for code in codes)

    def columns(head, *blocks):
        return bytes(head) + b"".join(struct.pack("<H", len(block)) + block for block in blocks)

    rotated = lambda difference: (difference << 1) >> 4
    put("heap_column", "small", columns(
        (3, 5, 1), block(rotated(0x7f0000001000), rotated(64), rotated(128)), block(0, 2, 1), block(rotated(64), rotated(32), 0),
        block(4, 2, 0), block(2, 2, 3, 1, 0), block(0, 16, 0, 4, 14), block(2), block(6), b"\1abc", block(4), block(0), block(2),
        block(0)))
    put("heap_column", "many", columns((200, 200, 0), block(*[8] * 200), block(*[0] * 200), block(8, *[0] * 199), block(2, *[0] * 199),
        block(*[0] * 200), block(*[0] * 200), block(*[2] * 100), block(*[6] * 100), b"\1" + b"x" * 300, block(*[2] * 100),
        block(*[0] * 100), block(*[0] * 100), block(*[0] * 100)))


def options():
    lines = ["run -r 1khz --duration=500ms a --budget 1% -tn5 --hide x --hide=y b", "run --thr --mode cpu -- -x", "run --help",
             "run -n -1 --rate max --out", "run -tr10 -d1h --mode=wall --rows 99999999999999999999 " + "--hide a " * 33]
    for number, line in enumerate(lines):
        put("options", str(number), line.replace(" ", "\n").encode())


def counters():
    """A dead process, or one of another pid namespace (1, by the harness), with a series of each kind."""

    def series(kind, name, cell, labels=b"", unit=b""):
        text = name + labels + b"help" + unit
        data = 1 + (len(text) + 63) // 64
        head = struct.pack("<IIHHHHH", data + len(cell) // 64, data, kind, len(name), len(labels), 4, len(unit))
        return head.ljust(64, b"\0") + text.ljust((data - 1) * 64, b"\0") + cell

    number = struct.pack("<qd", 12, 0.5).ljust(64, b"\0")
    window = struct.pack("<QQd", 10 ** 9, 3, 6.0).ljust(64, b"\0") + struct.pack("<QQddd", 1, 3, 6.0, 1.0, 3.0) + bytes(63 * 40)
    histogram = struct.pack("<Qddd", 1 << 32, 3.0, 1.0, 1.0).ljust(64, b"\0") + \
        struct.pack("<Q", 1 << 32 | 9).rjust(33 * 8, b"\0").ljust(512, b"\0") + struct.pack("<Q", 3).ljust(512, b"\0")
    room = struct.pack("<IIH", 9, 1, 10).ljust(9 * 64, b"\0")
    body = b"".join([series(1, b"requests", number, b"route\0/x\0"), series(2, b"sum", number), series(3, b"now", number),
                     series(4, b"often", window), series(8, b"wide", window, unit=b"bytes"),
                     room, series(9, b"took", histogram, unit=b"seconds")])
    for name, pid, start, ns in (("dead", 4194304, 1, 2), ("elsewhere", 1, 1, 1)):
        header = b"hst-cnt2" + struct.pack("<IIQQQQQII", pid, 0, start, ns, 64 + len(body) // 64, 0, 0, 0, 0) + b"service"
        put("counters", name, header.ljust(4096, b"\0") + body)


def pstats():
    f, g, c = ("/srv/a.py", 1, "f"), ("/srv/b.py", 2**31 - 1, "\u00e9\U0001f40d"), ("~", 0, "<built-in method builtins.len>")
    profile = {f: (1, 2**40, 0.5, 1.5, {f: (2**40 - 1, 1, 0.25, 0.5)}), g: (7, 7, 1e-9, 9e8, {f: (7, 7, 0.0, 0.1)}),
               c: (3, 3, 0.1, 0.1, {f: (1, 1, 0.1, 0.1), g: (2, 2, 0.0, 0.0)})}
    for version in range(5):
        put("pstats", "version-%d" % version, marshal.dumps(profile, version))
    put("pstats", "profile", marshal.dumps({f: (1, 1, 0, 0, {}), c: (4, 4, 0.1, 0.1, {f: 4})}))
    put("pstats", "empty", marshal.dumps({}))


def lprof():
    for module in ("line_profiler.line_profiler", "line_profiler._line_profiler"):
        folder = types.ModuleType("line_profiler")
        inner = types.ModuleType(module)
        inner.LineStats = type("LineStats", (), {"__module__": module})
        sys.modules.update({"line_profiler": folder, module: inner})
        stats = inner.LineStats()
        stats.unit = 1e-9
        stats.timings = {("/srv/a.py", 3, "f"): [(4, 2, 660), (5, 70000, 2**33), (6, 1, 72171)],
                         ("/srv/a.py", 9, "C.m"): [(10, 1, 2563)], ("/srv/\u00e9.py", 1, "never"): []}
        for protocol in range(2, 6):
            put("lprof", "%s-%d" % (module.split(".")[1].strip("_") + ("-old" if "_line" in module else ""), protocol),
                pickle.dumps(stats, protocol))


def meliae():
    line = '{"address": %d, "type": "%s", "size": %d%s, "refs": [%s]}'
    lines = [line % (16, "module", 56, ', "name": "app"', "32"),
             line % (32, "dict", 280, ', "len": 2', "48, 64, 80, 96"),
             line % (48, "str", 52, ', "len": 3, "value": "n\\u00e9\\""', ""),
             line % (64, "int", 28, ', "value": -%d' % 2**70, ""),
             line % (80, "bool", 28, ', "value": "True"', ""),
             line % (96, "app.Node", 64, "", "96, 32, 7, 112"),
             line % (112, "type", 1064, ', "name": "Node"', "32, 32, 32"),
             line % (128, "function", 136, ', "name": "run"', "112"),
             line % (144, "frame", 400, ', "value": "run"', "128")]
    put("meliae", "whole", "\n".join(lines).encode() + b"\n")
    put("meliae", "list", b"[\n" + ",\n".join(lines).encode() + b"\n]\n")
    put("meliae", "backwards", b'{"refs": [2, 3], "value": "\\ud83d\\ude00\\ud83d", "size": 9, "type": "dict", "address": 1}\n'
        b' { "more" : {"a": [1, "]"]}, "type":"dict" , "size":1e3, "address":2 }\n{"address":3,"type":"","refs":[0,2]}')
    put("meliae", "bad", b'{"address": 1, "type": "list", "size": 18446744073709551616, "refs": []}\n\xff\x00\x80\n'
        b'{"address": 9223372036854775808, "type": "\xff", "size": 9223372036854775807, "refs": [9223372036854775808]}\n'
        b'{"address": 9223372036854775808, "type": "again", "size": 1}\n{"address": 5, "type": "large", "size": 1}\n{"type": "x"}')


for make in (counters, reader, heap, debug_offsets, linetable, maps, residency, chunks, symbols, core, store, heap_column, timeline,
             agent_maps, pstats, lprof, meliae, options):
    make()
