"""The other tools, each asked in its own words what it reads in a file of ours. absent() skips with the reason."""
import collections
import fcntl
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys

import pytest

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
SPEEDSCOPE = "1.25.0"


def absent(what, why):
    pytest.skip("CONSUMER ABSENT: %s was not asked: %s" % (what, why))


def package(name):
    return pytest.importorskip(name, reason="CONSUMER ABSENT: the package %s is not installed" % name)


def run(command, timeout=110, **more):
    done = subprocess.run([str(word) for word in command], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          universal_newlines=True, timeout=timeout, **more)
    assert done.returncode == 0, "%s\n%s\n%s" % (command, done.stdout, done.stderr)
    return done.stdout


# --- speedscope ------------------------------------------------------------------------------------------------
def speedscope_package():
    """The folder of the npm package, fetched once, also when several test processes want it at once."""
    if not shutil.which("node"):
        absent("speedscope's importer", "node is not installed")
    place = pathlib.Path(os.environ.get("HASTEN_NPM", ROOT / ".cache" / "npm"))
    place.mkdir(parents=True, exist_ok=True)
    with open(str(place / ".lock"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        return fetch_speedscope(place)


def fetch_speedscope(place):
    package = place / "node_modules" / "speedscope"
    manifest = package / "package.json"
    if manifest.exists() and json.loads(manifest.read_text())["version"] == SPEEDSCOPE:
        return package
    if not shutil.which("npm"):
        absent("speedscope's importer", "npm is not installed, and the package is not in %s" % place)
    done = subprocess.run(["npm", "install", "--prefix", str(place), "--ignore-scripts", "--no-audit", "--no-fund",
                           "speedscope@" + SPEEDSCOPE], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          universal_newlines=True, timeout=110)
    if done.returncode != 0:
        absent("speedscope's importer", "npm could not fetch it: " + done.stdout[-300:])
    return package


def speedscope_schema():
    return json.loads((speedscope_package() / "dist" / "release" / "file-format-schema.json").read_text())


def speedscope_profiles(path):
    return json.loads(run(["node", HERE / "speedscope_import.js", speedscope_package(), path]))


# --- callgrind -------------------------------------------------------------------------------------------------
def callgrind_annotate(path, inclusive):
    """{(file, function): ns}, and the total, as callgrind_annotate prints them."""
    if not shutil.which("callgrind_annotate"):
        absent("callgrind_annotate", "Debian's valgrind is not installed")
    out = run(["callgrind_annotate", "--threshold=100", "--auto=no",
               "--inclusive=" + ("yes" if inclusive else "no"), path])
    number = r"^ *([\d,]+) \([^)]*\)  "
    costs = {}
    for ns, place in re.findall(number + r"(.*:.*)$", out, re.M):
        file, _, function = re.sub(r" \[[^]]*\]$", "", place).partition(":")
        assert (file, function) not in costs, "callgrind_annotate sees %s:%s twice" % (file, function)
        costs[file, function] = int(ns.replace(",", ""))
    total = re.search(number + "PROGRAM TOTALS", out, re.M)
    return costs, int(total.group(1).replace(",", ""))


# --- pprof -----------------------------------------------------------------------------------------------------
# The messages of google's profile.proto: {message: {field number: (name, type, repeated)}}.
PROFILE_PROTO = {
    "ValueType": {1: ("type", "int64", 0), 2: ("unit", "int64", 0)},
    "Label": {1: ("key", "int64", 0), 2: ("str", "int64", 0), 3: ("num", "int64", 0), 4: ("num_unit", "int64", 0)},
    "Sample": {1: ("location_id", "uint64", 1), 2: ("value", "int64", 1), 3: ("label", "Label", 1)},
    "Mapping": {1: ("id", "uint64", 0), 2: ("memory_start", "uint64", 0), 3: ("memory_limit", "uint64", 0),
                4: ("file_offset", "uint64", 0), 5: ("filename", "int64", 0), 6: ("build_id", "int64", 0),
                7: ("has_functions", "bool", 0), 8: ("has_filenames", "bool", 0), 9: ("has_line_numbers", "bool", 0)},
    "Line": {1: ("function_id", "uint64", 0), 2: ("line", "int64", 0), 3: ("column", "int64", 0)},
    "Location": {1: ("id", "uint64", 0), 2: ("mapping_id", "uint64", 0), 3: ("address", "uint64", 0),
                 4: ("line", "Line", 1), 5: ("is_folded", "bool", 0)},
    "Function": {1: ("id", "uint64", 0), 2: ("name", "int64", 0), 3: ("system_name", "int64", 0),
                 4: ("filename", "int64", 0), 5: ("start_line", "int64", 0)},
    "Profile": {1: ("sample_type", "ValueType", 1), 2: ("sample", "Sample", 1), 3: ("mapping", "Mapping", 1),
                4: ("location", "Location", 1), 5: ("function", "Function", 1), 6: ("string_table", "string", 1),
                7: ("drop_frames", "int64", 0), 8: ("keep_frames", "int64", 0), 9: ("time_nanos", "int64", 0),
                10: ("duration_nanos", "int64", 0), 11: ("period_type", "ValueType", 0), 12: ("period", "int64", 0),
                13: ("comment", "int64", 1), 14: ("default_sample_type", "int64", 0)},
}


def pprof_message(data):
    """The profile as google's own protobuf library decodes it."""
    protobuf = pytest.importorskip("google.protobuf", reason="CONSUMER ABSENT: the package protobuf is not installed")
    from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
    assert protobuf.__version__
    file = descriptor_pb2.FileDescriptorProto(name="profile.proto", package="perftools.profiles", syntax="proto3")
    for message, fields in PROFILE_PROTO.items():
        row = file.message_type.add(name=message)
        for number, (name, kind, repeated) in fields.items():
            field = row.field.add(name=name, number=number, label=3 if repeated else 1)
            if kind in PROFILE_PROTO:
                field.type, field.type_name = 11, ".perftools.profiles." + kind
            else:
                field.type = {"int64": 3, "uint64": 4, "bool": 8, "string": 9}[kind]
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    profile = message_factory.GetMessageClass(pool.FindMessageTypeByName("perftools.profiles.Profile"))()
    profile.ParseFromString(data)
    return profile


def go_pprof_top(path, *more):
    """{function: (flat ns, cum ns)} as `go tool pprof` prints them."""
    if not shutil.which("go"):
        absent("go tool pprof", "Go is not installed (Debian's golang-go is half a gigabyte, so ./dev does not bring it)")
    out = run(["go", "tool", "pprof", "-top", "-unit=ns", "-nodefraction=0", "-nodecount=100000", *more, path])
    number = r"([\d.]+)(?:ns)? +[\d.e-]+%"
    rows = re.findall(r"^ *%s +[\d.e-]+%% +%s  (.*)$" % (number, number), out, re.M)
    return {name: (round(float(flat)), round(float(cum))) for flat, cum, name in rows}


# --- pstats and gprof2dot --------------------------------------------------------------------------------------
def pstats_stats(path):
    import pstats
    return pstats.Stats(str(path))


def gprof2dot_functions(path, kind):
    """{name: share of the total that gprof2dot draws as inclusive} and the sum of self costs it read."""
    gprof2dot = pytest.importorskip("gprof2dot", reason="CONSUMER ABSENT: the package gprof2dot is not installed")
    if kind == "pstats":
        profile = gprof2dot.PstatsParser(str(path)).parse()
    else:
        with open(str(path), encoding="utf-8") as file:
            profile = gprof2dot.CallgrindParser(file).parse()
    selfs = collections.Counter()
    for function in profile.functions.values():
        event = gprof2dot.TIME if kind == "pstats" else gprof2dot.SAMPLES
        if event in function.events:
            selfs[function.name] += function.events[event]
    return selfs


# --- what every run says ---------------------------------------------------------------------------------------
def versions():
    found = ["python %d.%d" % sys.version_info[:2]]
    found += [tool for tool in ("node", "npm", "callgrind_annotate", "go") if shutil.which(tool)]
    return ", ".join(found)
