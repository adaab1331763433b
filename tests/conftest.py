"""The ground that every test stands on: which interpreters there are, how a target program is started in one of
them, and how hasten is run and its answers are read.

Environment: HASTEN_BINARY (default build/hasten), HASTEN_TEST_INTERPRETERS (all, system, or beginnings of
versions such as 3.8,3.15).
"""
import fcntl
import functools
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

import pytest

ROOT = pathlib.Path(__file__).resolve().parent.parent
BINARY = pathlib.Path(os.environ.get("HASTEN_BINARY", ROOT / "build" / "hasten")).resolve()
TARGETS = ROOT / "tests" / "targets"
OLDEST = (3, 8)
NOBODY = 65534
AS_NOBODY = ["setpriv", "--reuid=%d" % NOBODY, "--regid=%d" % NOBODY, "--clear-groups"]
# Whoever started the tests in the background may have it ignored, and programs take that over.
signal.signal(signal.SIGINT, signal.default_int_handler)
# What a sanitizer prints when it found something; no test may pass with this on standard error.
SANITIZER = re.compile(r"AddressSanitizer|LeakSanitizer|ThreadSanitizer|runtime error:")


# --- interpreters ----------------------------------------------------------------------------------------------
class Interpreter:
    """One Python: its version, the command that starts it, and the folder that it takes for its root."""

    def __init__(self, text, command):
        self.id = text
        self.command = command
        numbers = re.match(r"(?:pypy)?(\d+)\.(\d+)", text)
        self.version = (int(numbers.group(1)), int(numbers.group(2)))
        self.pypy = text.startswith("pypy")
        self.free_threaded = "t" in text.split("@")[0] and not self.pypy
        self.debug_build = "d" in text.split("@")[0] and not self.pypy
        self.root = pathlib.Path(command[1]) if command[0] == "chroot" else None

    @property
    def supported(self):
        return not self.pypy and self.version >= OLDEST

    @property
    def stated_version(self):
        """As hasten names it."""
        return "CPython " + self.full_version + (" free-threaded" if self.free_threaded else "")

    @property
    def full_version(self):
        return self.id.split("@")[0].rstrip("td")

    def inside(self, path):
        """The name under which this interpreter sees a file of the host; copies it below another root."""
        path = pathlib.Path(path).resolve()
        if self.root is None:
            return str(path)
        if path.parent == TARGETS:
            return str(shared_targets(self.root) / path.name)
        place = self.root / "tmp" / ("hasten-tests-%d" % os.getpid())
        place.mkdir(exist_ok=True)
        shutil.copy(path, place / path.name)
        return "/" + str((place / path.name).relative_to(self.root))

    def run_target(self, name, *arguments):
        """The whole command line for a program of tests/targets."""
        return self.command + [self.inside(TARGETS / name)] + [str(a) for a in arguments]

    def traceable(self):
        """Skips the test where an agent cannot be seen from inside this interpreter's root."""
        if self.root is not None and not open_for_agent(self.root):
            pytest.skip("%s: /dev/shm cannot be mounted there" % self)
        return self

    def __repr__(self):
        return self.id


@functools.lru_cache(maxsize=None)
def shared_targets(root):
    place = root / "tmp" / ("hasten-targets-%d" % os.getpid())
    shutil.rmtree(place, ignore_errors=True)
    shutil.copytree(TARGETS, place, ignore=shutil.ignore_patterns("__pycache__"))
    return pathlib.Path("/") / place.relative_to(root)


@functools.lru_cache(maxsize=None)
def open_for_agent(root):
    """Lets programs below another root see what `hasten trace` puts into them: the agent, and the folder that it
    fills. False: this machine does not let us."""
    agent = BINARY.parent / "src" / "agent" / "hasten_agent.so"
    copy = root / agent.relative_to("/")
    copy.parent.mkdir(parents=True, exist_ok=True)
    fresh = copy.with_name("%s.%d" % (copy.name, os.getpid()))
    shutil.copy(str(agent), str(fresh))
    fresh.rename(copy)
    shared = root / "dev" / "shm"
    shared.mkdir(parents=True, exist_ok=True)
    with open(str(root / "dev" / ".lock"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        return os.path.ismount(str(shared)) or subprocess.call(["mount", "--bind", "/dev/shm", str(shared)]) == 0


def find_interpreters():
    lines = subprocess.run([ROOT / "tools" / "interpreters", "list"], stdout=subprocess.PIPE, check=True,
                           universal_newlines=True).stdout.splitlines()
    present, absent = [], []
    for line in lines:
        words = line.split("\t")
        if words[0] == "# absent":
            absent.append((words[1], words[2]))
        else:
            present.append(Interpreter(words[0], words[1].split()))
    return present, absent


def select_interpreters(present, wish):
    if wish == "all":
        return present
    if wish == "system":
        return [i for i in present if i.supported][:1]
    return [i for i in present if any(i.id.startswith(w) for w in wish.split(","))]


PRESENT, ABSENT = find_interpreters()
SELECTED = select_interpreters(PRESENT, os.environ.get("HASTEN_TEST_INTERPRETERS", "all"))
SUPPORTED = [i for i in SELECTED if i.supported and not i.debug_build]
DEBUG_BUILDS = [i for i in SELECTED if i.supported and i.debug_build]
REFUSED = [i for i in SELECTED if not i.supported]
# The oldest, the newest and the system's: for what hangs on the system that runs them, not on them.
WITNESSES = [i for i in SUPPORTED if i in (SUPPORTED[0], min(SUPPORTED, key=lambda i: i.version),
                                           max(SUPPORTED, key=lambda i: i.version))]


def pytest_report_header(config):
    lines = ["hasten: %s" % BINARY,
             "interpreters: " + " ".join(i.id for i in SUPPORTED),
             "debug builds, for what looks at objects: " + (" ".join(i.id for i in DEBUG_BUILDS) or "none"),
             "to be refused: " + (" ".join(i.id for i in REFUSED) or "none")]
    left_out = [i.id for i in PRESENT if i not in SELECTED]
    if left_out:
        lines.append("left out on request: " + " ".join(left_out))
    return lines + ["absent: %s: %s" % pair for pair in ABSENT]


def pytest_configure(config):
    if not SUPPORTED:
        raise pytest.UsageError("no CPython of at least 3.8 was found; a run without one proves nothing")


def pytest_sessionfinish(session):
    for interpreter in PRESENT:
        if interpreter.root is not None:
            for kind in ("hasten-targets", "hasten-tests"):
                shutil.rmtree(interpreter.root / "tmp" / ("%s-%d" % (kind, os.getpid())), ignore_errors=True)


def pytest_generate_tests(metafunc):
    if "interpreter" in metafunc.fixturenames:
        among = SUPPORTED + (DEBUG_BUILDS if getattr(metafunc.module, "WITH_DEBUG_BUILDS", False) else [])
        metafunc.parametrize("interpreter", among, ids=[i.id for i in among])
    if "witness" in metafunc.fixturenames:
        metafunc.parametrize("witness", WITNESSES, ids=[i.id for i in WITNESSES])
    if "refused" in metafunc.fixturenames:
        metafunc.parametrize("refused", REFUSED, ids=[i.id for i in REFUSED])


@pytest.fixture(scope="session")
def system():
    """One interpreter, for tests of what does not depend on its version."""
    return SUPPORTED[0]


# --- programs --------------------------------------------------------------------------------------------------
class Started:
    """A running program that has said ready."""

    def __init__(self, process, ready):
        self.process = process
        self.pid = process.pid
        self.ready = ready

    def alive(self):
        return self.process.poll() is None


@pytest.fixture
def start():
    """start(command) -> Started; whatever is still running at the end is killed, with its process group."""
    processes = []

    def run(command, wait_ready=True, **more):
        process = subprocess.Popen(command, stdout=subprocess.PIPE, start_new_session=True, **more)
        processes.append(process)
        line = process.stdout.readline().decode() if wait_ready else ""
        if wait_ready and not line.startswith("ready"):
            pytest.fail("%s did not get ready: %r, exit code %s" % (command, line, process.poll()))
        return Started(process, line)

    yield run
    for process in processes:
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        process.wait()
        process.stdout.close()


def wait_until(condition, what, limit_s=20.0):
    """Polls; a test never sleeps for luck."""
    end = time.monotonic() + limit_s
    while time.monotonic() < end:
        result = condition()
        if result:
            return result
        time.sleep(0.01)
    pytest.fail("waited %g s for: %s" % (limit_s, what))


# --- hasten ----------------------------------------------------------------------------------------------------
class Result:
    def __init__(self, code, out, err):
        self.code, self.out, self.err = code, out, err

    @property
    def json(self):
        return json.loads(self.out)

    def __repr__(self):
        return "exit code %s\n--- stdout\n%s\n--- stderr\n%s" % (self.code, self.out, self.err)


class Hasten:
    """The command, with a store of its own for each test."""

    def __init__(self, folder, command=(str(BINARY),)):
        self.folder = pathlib.Path(folder)
        self.command = list(command)
        self.store = self.folder / "store"
        self.environment = {k: v for k, v in os.environ.items() if not k.startswith("HASTEN_")}
        self.environment.update(HASTEN_STORE="%s/" % self.store, NO_COLOR="1", COLUMNS="100",
                                ASAN_OPTIONS="detect_leaks=1", UBSAN_OPTIONS="print_stacktrace=1")

    @property
    def database(self):
        return self.store / "runs.db"

    def popen(self, *arguments, **more):
        more.setdefault("stdin", subprocess.DEVNULL)
        more.setdefault("env", self.environment)
        more.setdefault("cwd", self.folder)
        return subprocess.Popen(self.command + [str(a) for a in arguments], stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, universal_newlines=True, errors="backslashreplace", **more)

    def finish(self, process, text=None, timeout=60):
        try:
            out, err = process.communicate(text, timeout=timeout)
        except subprocess.TimeoutExpired:
            process.kill()
            out, err = process.communicate()
            pytest.fail("hasten did not end within %s s\n%r" % (timeout, Result(None, out, err)))
        result = Result(process.returncode, out, err)
        assert not SANITIZER.search(err), err
        return result

    def __call__(self, *arguments, input=None, timeout=60, **more):
        if input is not None:
            more["stdin"] = subprocess.PIPE
        return self.finish(self.popen(*arguments, **more), input, timeout)

    def ok(self, *arguments, **more):
        result = self(*arguments, **more)
        assert result.code == 0, result
        return result

    # What a run holds, for tests.
    def runs(self):
        return self.ok("runs", "--json").json

    def stored(self, run="last", *options):
        return StoredRun(self.ok("export", run, "-f", "jsonl", "--mode", "all", *options).out)


class StoredRun:
    """A run as its jsonl export tells it: tables by id, and the samples with their stacks spelled out."""

    def __init__(self, text):
        self.tables = {kind: {} for kind in ("process", "thread", "function", "location", "stack")}
        self.samples = []
        for line in text.splitlines():
            row = json.loads(line)
            kind = row.pop("type")
            if kind in self.tables:
                self.tables[kind][row["id"]] = row
            elif kind == "sample":
                self.samples.append(row)
            else:
                setattr(self, {"run": "info"}.get(kind, kind), row)
        assert self.end["samples"] == len(self.samples)
        self._frames = {}

    def functions_of(self, stack):
        """Rows of the table of functions, from the root to the leaf."""
        rows, at = [], stack
        while at:
            row = self.tables["stack"][at]
            rows.append(self.tables["function"][self.tables["location"][row["location"]]["function"]])
            at = row["parent"]
        return rows[::-1]

    def frames(self, stack):
        """Names of functions from the root to the leaf."""
        if stack not in self._frames:
            self._frames[stack] = [row["name"] for row in self.functions_of(stack)]
        return self._frames[stack]

    def counts(self):
        """{stack: number of samples}"""
        counts = {}
        for sample in self.samples:
            counts[sample["stack"]] = counts.get(sample["stack"], 0) + 1
        return counts

    def stacks(self):
        """[(names from the root to the leaf, number of samples)]"""
        return [(self.frames(stack), count) for stack, count in self.counts().items()]

    def functions(self):
        return {name for frames, _ in self.stacks() for name in frames}

    def share(self, function):
        """The share of time that is below function, from the first sample below it on: how long an interpreter takes
        to start is not the test's (one without the lock waits for seconds on a busy machine, measured or not)."""
        inside = [function in self.frames(sample["stack"]) for sample in self.samples]
        if not any(inside):
            return 0
        begun = list(zip(self.samples, inside))[inside.index(True):]
        return sum(s["weight_ns"] for s, below in begun if below) / sum(s["weight_ns"] for s, _ in begun)

    def threads_with(self, function):
        """Names of the threads that have a sample in function."""
        return {self.tables["thread"][s["thread"]]["name"] for s in self.samples
                if function in self.frames(s["stack"])}


@pytest.fixture
def hasten(tmp_path):
    if not BINARY.exists():
        pytest.fail("%s is not there; ./dev build makes it" % BINARY)
    return Hasten(tmp_path)


@pytest.fixture
def as_nobody():
    """The command as a plain user runs it, in a folder of that user's, where tests/targets lies too."""
    if os.getuid() != 0 or shutil.which("setpriv") is None:
        pytest.skip("only root with setpriv can become another user")
    folder = pathlib.Path(tempfile.mkdtemp(prefix="hasten-nobody-", dir="/tmp"))
    try:
        shutil.copy(str(BINARY), str(folder / "hasten"))
        shutil.copytree(str(TARGETS), str(folder / "targets"))
        for path in [folder, *folder.rglob("*")]:
            os.chown(str(path), NOBODY, NOBODY)
        yield Hasten(folder, AS_NOBODY + [str(folder / "hasten")])
    finally:
        shutil.rmtree(str(folder), ignore_errors=True)
