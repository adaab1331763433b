"""Shows what it was given: arguments on standard error, standard input on standard output, and whether each of the
three streams is a terminal.  Exit code: the first argument."""
import os
import sys

if __name__ == "__main__":
    sys.stderr.write("arguments %r\n" % (sys.argv[2:],))
    sys.stderr.write("terminals %r\n" % ([os.isatty(n) for n in range(3)],))
    sys.stderr.flush()
    for line in sys.stdin:
        sys.stdout.write("got " + line)
    sys.stdout.flush()
    sys.exit(int(sys.argv[1]))
