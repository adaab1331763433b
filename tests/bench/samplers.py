"""The profilers that are compared, each behind one call: attach(pid, seconds, rate) -> what it saw and what it took.

All attach to a program that already runs on the first CPU. The rivals are held on the last CPU; hasten keeps off the
program's CPU by itself. Each writes what it saw to a file.  The rivals come from PyPI into .cache/bench; CPython 3.15's own profiler runs in the folder that
tools/interpreters made.
"""
import collections
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "tests" / "truth")]
import truths  # noqa: E402

BINARY = pathlib.Path(os.environ.get("HASTEN_BINARY", ROOT / "build" / "hasten")).resolve()
VENV = ROOT / ".cache" / "bench"
SID = pathlib.Path(os.environ.get("HASTEN_CACHE", "/var/cache/hasten")) / "sid"
PACKAGES = ["py-spy==0.4.3", "austin-dist==4.0.0", "austin-python==2.4.0", "pyinstrument==5.1.3"]
CPUS = sorted(os.sched_getaffinity(0))
TARGET_CPU, SAMPLER_CPU = CPUS[0], CPUS[-1]


def on_cpus(cpus):
    return lambda: os.sched_setaffinity(0, cpus)


def make_venv():
    stamp = VENV / "packages.stamp"
    if stamp.exists() and stamp.read_text() == "\n".join(PACKAGES):
        return
    print("bench: installing %s into %s" % (", ".join(PACKAGES), VENV), file=sys.stderr)
    subprocess.run([sys.executable, "-m", "venv", str(VENV)], check=True)
    done = subprocess.run([str(VENV / "bin/python"), "-m", "pip", "install", "-q", "--disable-pip-version-check"] +
                          PACKAGES)
    if done.returncode == 0:
        stamp.write_text("\n".join(PACKAGES))
    else:
        print("bench: some rivals could not be installed and will be missing", file=sys.stderr)


class Seen:
    """What one profiler saw: samples, its stacks as {((function, line, ours), ...) root first: samples}."""

    def __init__(self, **values):
        self.samples, self.stacks, self.bytes, self.run, self.cost = 0, {}, 0, None, None
        self.__dict__.update(values)


class Sampler:
    """Base: runs the command, measures its CPU time, peak memory and duration."""
    fastest = 1000000
    exit_codes = {0}
    cpus = {SAMPLER_CPU}

    def __init__(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="hasten-bench-"))
        self.output, self.store = self.folder / "out", self.folder / "store.db"

    def close(self):
        shutil.rmtree(self.folder, ignore_errors=True)

    def missing(self):
        """Why it cannot run here, or None."""

    def environment(self):
        return dict(os.environ, HASTEN_STORE=str(self.store), NO_COLOR="1", TERM="dumb")

    def launch(self, command, limit_s=60):
        with open(self.folder / "log", "wb") as log:
            begin, begin_wall_ns = time.monotonic(), time.time_ns()
            process = subprocess.Popen([str(word) for word in command], stdin=subprocess.DEVNULL, stdout=log,
                                       stderr=subprocess.STDOUT, env=self.environment(),
                                       preexec_fn=on_cpus(self.cpus))
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
        log = (self.folder / "log").read_text(errors="replace")
        if process.returncode not in self.exit_codes:
            raise RuntimeError("%s: exit code %d\n%s" % (command, process.returncode, log[-600:]))
        return dict(seconds=time.monotonic() - begin, begin_wall_ns=begin_wall_ns, log=log,
                    cpu_s=usage.ru_utime + usage.ru_stime, peak_bytes=usage.ru_maxrss * 1024)

    def attach(self, pid, seconds, rate, program=None):
        """rate: samples a second, None = as fast as it can. program: name of the file whose frames are `ours`."""
        taken = self.launch(self.command(pid, seconds, rate or self.fastest), seconds + 60)
        return self.read(program, taken)


class Hasten(Sampler):
    name = "hasten"
    cpus = set(CPUS)

    def attach(self, pid, seconds, rate, program=None):
        """program None: only what the run says of itself is read, not its samples."""
        taken = self.launch([BINARY, "attach", pid, "-d", seconds, "-r", rate or "max"], seconds + 60)
        if program is None:
            cost = self.last()["cost"]
            return Seen(samples=cost["samples"], cost=cost, **taken)
        self.launch([BINARY, "export", "last", "-f", "jsonl", "--mode", "all", "-o", self.output])
        run = truths.Samples(self.output.read_bytes())
        seen = Seen(run=run, cost=run.info["cost"], samples=len(run.rows), **taken)
        counts = collections.Counter(row[3] for row in run.rows)
        for stack, count in counts.items():
            seen.stacks[tuple(run.frames(stack, program or "?"))] = count
        return seen

    def last(self):
        runs = json.loads(subprocess.run([str(BINARY), "runs", "--json"], env=self.environment(), check=True,
                                         stdout=subprocess.PIPE).stdout)
        return max(runs, key=lambda run: run["number"])

    def show(self, mode):
        return json.loads(subprocess.run([str(BINARY), "show", "last", "--json", "--mode", mode, "-n", "1000"],
                                         env=self.environment(), check=True, stdout=subprocess.PIPE).stdout)

    def look(self, pid):
        return self.launch([BINARY, "dump", pid])

    def version(self):
        return subprocess.run([str(BINARY), "--version"], capture_output=True, text=True).stdout.strip()


class PySpy(Sampler):
    name = "py-spy"
    flags = []
    fastest = 20000
    frame = re.compile(r"(.*) \((.*?)(?::(\d+))?\)$")

    def missing(self):
        return None if (VENV / "bin/py-spy").exists() else "py-spy is not installed"

    def command(self, pid, seconds, rate):
        return [VENV / "bin/py-spy", "record", "-p", pid, "-d", max(1, round(seconds)), "-r", rate, "-f", "raw",
                "--full-filenames", "-o", self.output, *self.flags]

    def read(self, program, taken):
        seen = Seen(**taken)
        for line in self.output.read_text().splitlines():
            path, _, count = line.rpartition(" ")
            frames = []
            for text in path.split(";"):
                match = self.frame.match(text)  # none: a name that was read torn
                function, file, number = match.groups() if match else (text, "", 0)
                frames.append((function, int(number or 0), file.endswith("/" + str(program))))
            seen.stacks[tuple(frames)] = seen.stacks.get(tuple(frames), 0) + int(count)
            seen.samples += int(count)
        seen.bytes = self.output.stat().st_size
        return seen

    def look(self, pid):
        return self.launch([VENV / "bin/py-spy", "dump", "-p", pid])

    def version(self):
        return subprocess.run([str(VENV / "bin/py-spy"), "--version"], capture_output=True, text=True).stdout.strip()


class PySpyNonblocking(PySpy):
    name = "py-spy --nonblocking"
    flags = ["--nonblocking"]


class Austin(Sampler):
    """The binary of austin 4 wants a newer C library than Debian 12's; it takes that of the folder with sid."""
    name = "austin"
    exit_codes = {0, 254}  # it ends with 254 when the time of -x is over

    def program(self):
        binary = VENV / "bin/austin"
        loader = SID / "lib64/ld-linux-x86-64.so.2"
        if not binary.exists():
            return None
        if subprocess.run([str(binary), "--version"], capture_output=True).returncode == 0:
            return [binary]
        if loader.exists():
            return [loader, "--library-path", SID / "lib/x86_64-linux-gnu", binary]
        return None

    def missing(self):
        return None if self.program() else "austin does not start with this system's C library"

    def command(self, pid, seconds, rate):
        return self.program() + ["-i", "%dus" % max(1, round(1e6 / rate)), "-x", max(1, round(seconds)),
                                 "-o", self.output, "-p", pid]

    def read(self, program, taken):
        seen = Seen(bytes=self.output.stat().st_size, **taken)
        text = self.folder / "text"
        subprocess.run([str(VENV / "bin/mojo2austin"), str(self.output), str(text)], check=True, capture_output=True)
        for line in text.read_text().splitlines():
            if not line.startswith("P"):
                continue
            path, _, _ = line.rpartition(" ")
            frames = []
            for frame in path.split(";")[2:]:
                file, _, rest = frame.partition(":")
                function, _, number = rest.rpartition(":")
                number = number if number.isdigit() else 0
                frames.append((function, int(number), file.endswith("/" + str(program))))
            seen.stacks[tuple(frames)] = seen.stacks.get(tuple(frames), 0) + 1
            seen.samples += 1
        if not seen.samples:
            raise RuntimeError("austin saw nothing\n" + taken["log"][-300:])
        return seen

    def look(self, pid):
        return self.launch(self.program() + ["-w", pid])

    def version(self):
        return subprocess.run([str(w) for w in self.program()] + ["--version"], capture_output=True,
                              text=True).stdout.strip()


class Tachyon(Sampler):
    name = "profiling.sampling"

    def __init__(self):
        super().__init__()
        self.python = ["chroot", str(SID), "python3.15"]
        self.inner = SID / "tmp" / self.folder.name
        if SID.exists() and os.access(SID / "tmp", os.W_OK):
            self.inner.mkdir(exist_ok=True)
        self.output = self.inner / "out"

    def close(self):
        super().close()
        shutil.rmtree(self.inner, ignore_errors=True)

    def missing(self):
        if os.geteuid() != 0 or not (SID / "usr/bin/python3.15").exists():
            return "needs %s and root" % SID
        return None

    def command(self, pid, seconds, rate, form="--collapsed"):
        return self.python + ["-m", "profiling.sampling", "attach", "-d", seconds, "-r", rate, form, "-o",
                              "/tmp/%s/out" % self.folder.name, pid]

    def read(self, program, taken):
        seen = Seen(**taken)
        for line in self.output.read_text().splitlines():
            path, _, count = line.rpartition(" ")
            frames = []
            for frame in path.split(";")[1:]:
                file, function, number = frame.rsplit(":", 2)
                frames.append((function, int(number or 0), file.split("/")[-1] == str(program)))
            seen.stacks[tuple(frames)] = seen.stacks.get(tuple(frames), 0) + int(count)
            seen.samples += int(count)
        seen.bytes = self.output.stat().st_size
        return seen

    def binary_bytes(self, pid, seconds, rate):
        """-> bytes of its own compact format, samples in it"""
        taken = self.launch(self.command(pid, seconds, rate, "--binary"))
        return self.output.stat().st_size, int(re.search(r"Captured ([\d,]+) samples", taken["log"]).group(1)
                                               .replace(",", ""))

    def look(self, pid):
        return self.launch(self.python + ["-m", "profiling.sampling", "dump", pid])

    def version(self):
        return "profiling.sampling of " + subprocess.run(self.python + ["--version"], capture_output=True,
                                                         text=True).stdout.strip()


class Target:
    """A program of tests/truth or tests/bench that runs on CPU 0 of this machine, in one interpreter."""

    def __init__(self, interpreter, path, *arguments, settle_s=0.3, cpu=True):
        self.process = subprocess.Popen(
            interpreter.command + [interpreter.inside(path)] + [str(word) for word in arguments],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            preexec_fn=on_cpus({TARGET_CPU}) if cpu else None)
        self.pid, self.program = self.process.pid, pathlib.Path(path).name
        time.sleep(settle_s)
        if self.process.poll() is not None:
            raise RuntimeError("%s ended: %s" % (path, self.process.stdout.read()))

    def finish(self):
        """Asks a program that listens to its standard input to end, and gives its truth."""
        return truths.truth_of(self.process.communicate("\n", timeout=120)[0])

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout):
            try:
                pipe.close()
            except BrokenPipeError:
                pass
