"""Draws the Mandelbrot set in pure Python: a real program whose time goes somewhere on purpose.

    python3 examples/mandelbrot.py                      in the terminal
    python3 examples/mandelbrot.py --png set.png        a picture; needs nothing but zlib
    python3 examples/mandelbrot.py --size 200 --iterations 1000

Almost all of the time is in escape_time, as its inner loop runs once per point and iteration.  The smooth colours
cost a little, the drawing nearly nothing: a profile should say so, and in this order.
"""
import argparse
import math
import os
import struct
import sys
import zlib

SHADES = " .:-=+*#%@"


def escape_time(real, imaginary, iterations):
    """How many steps the point takes to leave the circle, and its last distance; None if it stays."""
    x = y = 0.0
    for step in range(iterations):
        xx, yy = x * x, y * y
        if xx + yy > 4.0:
            return step, xx + yy
        y = 2.0 * x * y + imaginary
        x = xx - yy + real
    return None


def in_main_bulbs(real, imaginary):
    """The cardioid and the disc beside it are known to stay: no need to iterate there."""
    shifted = real - 0.25
    q = shifted * shifted + imaginary * imaginary
    return q * (q + shifted) <= 0.25 * imaginary * imaginary or (real + 1.0) ** 2 + imaginary * imaginary <= 0.0625


def smooth(step, distance):
    """A fraction between the steps, so that colours flow instead of forming bands."""
    return step + 1.0 - math.log(math.log(distance) / 2.0) / math.log(2.0)


def brightness(real, imaginary, iterations, shortcut):
    """From 0 (leaves at once) to 1 (stays)."""
    if shortcut and in_main_bulbs(real, imaginary):
        return 1.0
    escaped = escape_time(real, imaginary, iterations)
    if escaped is None:
        return 1.0
    return min(0.999, math.sqrt(max(0.0, smooth(*escaped)) / iterations))


def compute_row(y, width, height, iterations, shortcut):
    imaginary = -1.25 + 2.5 * y / (height - 1)
    return [brightness(-2.1 + 2.8 * x / (width - 1), imaginary, iterations, shortcut) for x in range(width)]


def compute(width, height, iterations, shortcut):
    return [compute_row(y, width, height, iterations, shortcut) for y in range(height)]


def colour(value):
    if value >= 1.0:
        return 0, 0, 0
    wave = 9.0 * value
    return tuple(int(255 * (0.5 + 0.5 * math.sin(wave + phase))) for phase in (0.0, 1.1, 2.2))


def png_chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data) & 0xFFFFFFFF)


def write_png(path, rows):
    lines = b"".join(b"\0" + bytes(part for value in row for part in colour(value)) for row in rows)
    header = struct.pack(">IIBBBBB", len(rows[0]), len(rows), 8, 2, 0, 0, 0)
    with open(path, "wb") as file:
        file.write(b"\x89PNG\r\n\x1a\n" + png_chunk(b"IHDR", header) + png_chunk(b"IDAT", zlib.compress(lines, 9))
                   + png_chunk(b"IEND", b""))


def draw(rows, columns, lines):
    """Averages the picture down to characters."""
    height, width = len(rows), len(rows[0])
    for line in range(lines):
        text = []
        for column in range(columns):
            block = [rows[y][x]
                     for y in range(line * height // lines, max((line + 1) * height // lines, line * height // lines + 1))
                     for x in range(column * width // columns,
                                    max((column + 1) * width // columns, column * width // columns + 1))]
            text.append(SHADES[int(sum(block) / len(block) * (len(SHADES) - 1))])
        print("".join(text).rstrip())


def parse_arguments(arguments):
    parser = argparse.ArgumentParser(description="Draws the Mandelbrot set in pure Python.")
    parser.add_argument("--size", type=int, default=640, help="points from left to right (default 640)")
    parser.add_argument("--iterations", type=int, default=400, help="steps before a point counts as inside (400)")
    parser.add_argument("--png", metavar="FILE", help="write a picture instead of drawing in the terminal")
    parser.add_argument("--shortcut", action="store_true", help="do not iterate where the answer is known: much faster")
    options = parser.parse_args(arguments)
    if options.size < 2 or options.iterations < 1:
        parser.error("--size must be at least 2 and --iterations at least 1")
    return options


def main(arguments=None):
    options = parse_arguments(arguments)
    rows = compute(options.size, options.size * 25 // 28, options.iterations, options.shortcut)
    if options.png:
        write_png(options.png, rows)
        print("wrote %s, %d bytes" % (options.png, os.path.getsize(options.png)))
    else:
        draw(rows, 72, 30)
    return 0


if __name__ == "__main__":
    sys.exit(main())
