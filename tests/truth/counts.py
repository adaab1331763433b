"""What the programs trace_*.py say about their own calls, and how a trace compares with it.

A program is a function whose docstring, below its first line, states its truth, one function a line:

    NAME CALLS[/PRIMITIVE] [~RESUMES] [!RAISES] [< CALLER CALLS[~RESUMES], CALLER CALLS[~RESUMES] ...]

in which PRIMITIVE is CALLS when left out, and no callers means: all by the program itself.  Callers are complete and
exact; "< ..." leaves them open.  A ? is the number that the program prints behind TRUTH.  Every function of the file that ran has to be there, but for bodies of modules and
of classes at the top level.  Before it may stand:

    [3.12+] [-3.11] [3.9-3.10]   the line is for these versions only
    [monitoring] [hook]          for the interpreters that tell of calls so
    *                            a function from elsewhere, such as of C: calls by the file's functions count, no other

A line of "all" asks for every function that the program calls outside its file, "exit N" for an exit code,
"since 3.12" for a version, "needs X" for a module, "taken N" for the times that the hook was taken away, "start WAY"
for another way to start it (-c, -m, stdin), "free" for functions that nobody is asked about.  Of two lines for one
function either is right: where an interpreter's third number decides it.
"""
import ast
import pathlib
import re

PROGRAMS = pathlib.Path(__file__).resolve().parent / "programs"
RANGE = re.compile(r"\[(?:(\d+)\.(\d+))?([-+])(?:(\d+)\.(\d+))?\]$")
COUNTS = re.compile(r"(\d+)(?:/(\d+))?(?:~(\d+))?(?:!(\d+))?$")
SPELLINGS = (
    (re.compile(r"^<built-in method (?:_abc\.)?(.*)>$"), r"\1"),
    (re.compile(r"^<(?:method|slot wrapper|class method) '(.*)' of '(.*)' objects>$"), r"\2.\1"),
    (re.compile(r"^<class '(.*)'>$"), r"\1"),
)


def plain_name(row, file):
    """Functions of the file by their last name (older versions know no other), those of C as one writes them."""
    name = row["function"]
    if row["file"] == "~":
        for pattern, by in SPELLINGS:
            name = pattern.sub(by, name)
        return name
    return name.rsplit(".", 1)[-1]


def holds(word, version, monitoring):
    if word in ("[monitoring]", "[hook]"):
        return monitoring == (word == "[monitoring]")
    match = RANGE.match(word)
    if match is None:
        raise ValueError("no condition: " + word)
    low = (int(match.group(1)), int(match.group(2))) if match.group(1) else (0, 0)
    high = (int(match.group(4)), int(match.group(5))) if match.group(4) else (99, 0)
    return low <= version <= high


class Counts:
    def __init__(self, text):
        match = COUNTS.match(text)
        if match is None:
            raise ValueError("no counts: " + text)
        calls, primitive, resumes, raises = match.groups()
        self.calls = int(calls)
        self.primitive_calls = int(primitive or calls)
        self.resumes = int(resumes or 0)
        self.raises = int(raises or 0)


class Program:
    """One program of a file, and its truth for one interpreter."""

    def __init__(self, file, name, docstring):
        self.file, self.name = file, name
        self.id = "%s-%s" % (file.stem.replace("trace_", ""), name)
        self.lines = [line.strip() for line in (docstring or "").splitlines()[1:] if line.strip()]

    def _word(self, key, default=None):
        for line in self.lines:
            if line.split()[0] == key:
                return line.split(None, 1)[1] if " " in line else True
        return default

    since = property(lambda self: tuple(map(int, self._word("since", "3.0").split("."))))
    needs = property(lambda self: self._word("needs"))
    exit_code = property(lambda self: int(self._word("exit", "0")))
    taken = property(lambda self: int(self._word("taken", "0")))
    start = property(lambda self: self._word("start", "script"))
    free = property(lambda self: (self._word("free") or "").split())
    complete = property(lambda self: "all" in self.lines)

    def truth(self, version, monitoring, told=""):
        """{(name, whether it is from elsewhere): [(counts, {caller: counts} or None)], each of them right}"""
        rows = {(self.name, False): [(Counts("1"), {"<module>": Counts("1")})]}
        for line in self.lines:
            if line.split()[0] in ("all", "exit", "since", "needs", "taken", "start", "free"):
                continue
            head, _, tail = line.partition(" < ")
            words = head.replace("?", told).split()
            if not all([holds(words.pop(0), version, monitoring) for _ in words[:3] if words[0][0] == "["]):
                continue
            elsewhere = words[0] == "*"
            words = words[elsewhere:]
            counts = Counts("".join(words[1:]))
            if tail == "...":
                callers = None
            elif tail:
                callers = {part.rsplit(None, 1)[0].strip(): Counts(part.rsplit(None, 1)[1])
                           for part in tail.split(",")}
            else:
                callers = {self.name: counts}
            rows.setdefault((words[0], elsewhere), []).append((counts, callers))
        return rows


def programs(pattern="trace_*.py"):
    found = []
    for file in sorted(PROGRAMS.glob(pattern)):
        for node in ast.parse(file.read_text()).body:
            text = ast.get_docstring(node) if isinstance(node, ast.FunctionDef) else None
            if text and "\n" in text:
                found.append(Program(file, node.name, text))
    return found


class Seen:
    """What a trace says of the functions of one file: rows and edges as `hasten show --json` has them."""

    def __init__(self, functions, edges, file, complete=True):
        def ours(row):
            return row is not None and row["file"].endswith(file)

        self.functions, self.edges = {}, {}
        self.resumes_known = complete
        for row in functions:
            if ours(row):
                self._add(self.functions, (plain_name(row, file), False), row)
        for edge in edges:
            caller = "(none)" if edge["caller"] is None else plain_name(edge["caller"], file)
            callee = (plain_name(edge["callee"], file), not ours(edge["callee"]))
            if ours(edge["callee"]) or ours(edge["caller"]) and caller != "<module>":
                self._add(self.edges, (caller, callee), edge)
            if callee[1] and ours(edge["caller"]) and caller != "<module>":
                self._add(self.functions, callee, edge)

    @staticmethod
    def _add(table, key, row):
        old = table.setdefault(key, {"calls": 0, "primitive_calls": 0, "resumes": 0, "raises": 0})
        for name in old:
            old[name] += row[name]

    def callers(self, callee):
        return {caller: row for (caller, to), row in self.edges.items() if to == callee}


def tell(row):
    text = "%d" % row["calls"]
    if row["primitive_calls"] != row["calls"]:
        text += "/%d" % row["primitive_calls"]
    return text + ("~%d" % row["resumes"] if row["resumes"] else "") + \
        ("!%d" % row["raises"] if row["raises"] else "")


def numbers(row):
    return row["calls"], row["primitive_calls"], row["resumes"], row["raises"]


def not_asked(seen, key, program):
    """Bodies of the module and of its classes, and what was closed before it began."""
    return key[0] == "<module>" or key[0] in program.free or numbers(seen.functions[key]) == (0, 0, 0, 0) or \
        not key[1] and set(seen.callers(key)) == {"builtins.__build_class__"} or \
        key[1] and not program.complete


def compare(key, seen, counts, callers):
    """What is wrong with one function."""
    row = seen.functions.get(key, {"calls": 0, "primitive_calls": 0, "resumes": 0, "raises": 0})
    wrong = []
    if numbers(row) != numbers(vars(counts)):
        wrong.append("%s: %s, says %s" % (key[0], tell(vars(counts)), tell(row)))
    if callers is not None and counts.calls + counts.resumes > 0:
        found = {name: "%d~%d" % (row["calls"], row["resumes"]) for name, row in seen.callers(key).items()
                 if row["calls"] + row["resumes"] > 0}
        true = {name: "%d~%d" % (row.calls, row.resumes) for name, row in callers.items()}
        if found != true:
            wrong.append("%s < %s, says %s" % (key[0], true, found))
    return wrong


def mistakes(program, seen, version, monitoring, output=""):
    """Sentences; none when every number is right."""
    told = re.search(r"TRUTH (\d+)", output)
    truth = program.truth(version, monitoring, told.group(1) if told else "")
    wrong = []
    for key in seen.functions:
        if key not in truth and not not_asked(seen, key, program):
            wrong.append("%s was not called, says %s %s" % (key[0], tell(seen.functions[key]), {
                caller: tell(row) for caller, row in seen.callers(key).items()}))
    for key, either in truth.items():
        wrong.extend(min((compare(key, seen, counts, callers) for counts, callers in either), key=len))
    return wrong
