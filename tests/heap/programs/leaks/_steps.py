"""What the programs of this folder share: work in steps, one for each line of standard input, so that somebody can
look at the process between two of them; and a count of all objects from inside, to compare with.

A program prints "ready" once it is set up, and "done" after each step.  Other lines that it understands: "count"
(prints {"blocks": of the allocator, "types": {type: [objects, bytes]}}), "collect" (has the collector run, unless the
program turned it off), "forget" (a leaking program lets go of what it is said to keep).  It ends at the end of its
input.

What each is by construction stands in TRUTH: None for a healthy program, which may say in KEPT how many objects of a
type are there after 2, 5 and 8 steps, once the garbage is collected.  For one that leaks:
    type    what piles up, and how many a step: objects_each_step, or bytes_each_step where it is one object that grows
    holder  what keeps it, in words for people
    path    words that stand in the way from the root to it; empty where no object holds it, or the way has no names
    or      pairs of type and path that name the same leak as well
"""
import gc
import json
import os
import sys
import types


def say(text):
    print(text)
    sys.stdout.flush()


def reached():
    """Objects that the collector tracks, and all that they lead to; the keys of dicts too, which it may not visit."""
    found = gc.get_objects()
    seen = set(map(id, found))
    seen.update((id(found), id(seen)))
    for thing in found:  # grows meanwhile
        if type(thing) is types.ModuleType:
            continue  # its dict is tracked; _asyncio of 3.12 shows dead objects as well (CPython's issue 122695)
        more = gc.get_referents(thing)
        if issubclass(type(thing), dict):
            more.extend(dict.keys(thing))
        for one in more:
            if id(one) not in seen:
                seen.add(id(one))
                found.append(one)
    return found


def size_of(thing):
    try:
        return sys.getsizeof(thing)
    except (AttributeError, TypeError, ValueError):
        return 0


def census():
    blocks, counts = sys.getallocatedblocks(), {}
    for thing in reached():
        kind = type(thing)
        name = kind.__qualname__
        if kind.__module__ != "builtins":
            name = "%s.%s" % (kind.__module__, name)
        row = counts.setdefault(name, [0, 0])
        row[0] += 1
        row[1] += size_of(thing)
    return {"blocks": blocks, "types": counts}


def collect():
    if gc.isenabled():
        gc.collect()


def serve(step, forget=None):
    """step(number) does the work of one line; forget() lets go of what leaked."""
    number = 0
    say("ready")
    for line in iter(sys.stdin.readline, ""):
        word = line.strip()
        if word == "count":
            say(json.dumps(census()))
            continue
        if word == "collect":
            collect()
        elif word == "forget":
            forget()
        else:
            step(number)
            number += 1
        say("done")
    os._exit(0)  # tasks, threads and files that are left have nothing more to say
