"""Whether the programs of programs/leaks leak, or do not, as they say: by their own count of all their objects and of
the allocator's blocks, on every interpreter, with no part of hasten in it.  That what they name as holder is what
holds is shown by letting go of it: then all that piled up goes."""
import pytest

from stepped import HEALTHY_NAMES, LEAK_NAMES, LOOKS, Stepped, is_proof, names, said_by, truth_of

LATE = LOOKS[-1] + 12
NOISE = 40  # objects of a built-in type that printing, counting and looking things up may leave
BLOCKS = 300  # of the allocator, likewise
GARBAGE = 16000  # objects of one type: what may wait for the collector at a time


def noise_of(kind):
    return 0 if kind.startswith("__main__.") else NOISE


def objects(counts, kind):
    return counts.get(kind, [0, 0])[0]


def look(program, steps):
    program.step_until(steps)
    program.do("collect")
    return program.count()


def test_all_are_here():
    assert len(LEAK_NAMES) == 24 and len(HEALTHY_NAMES) == 12
    for name in LEAK_NAMES:
        truth = truth_of(name)
        assert truth["type"] and truth["holder"] and ("objects_each_step" in truth) != ("bytes_each_step" in truth)
    assert all(truth_of(name) is None for name in HEALTHY_NAMES)


@pytest.fixture(autouse=True)
def proved_here(request):
    interpreter = request.getfixturevalue("interpreter") if "interpreter" in request.fixturenames else None
    if interpreter is not None and not is_proof(interpreter):
        pytest.skip("%s: proved on the oldest and the newest" % interpreter)


@pytest.mark.parametrize("name", LEAK_NAMES)
def test_leak(start, interpreter, name):
    truth = truth_of(name)
    program = Stepped(start, interpreter, name)
    before, _ = look(program, 0)
    looks = [look(program, steps) for steps in LOOKS]
    program.do("forget")
    freed, blocks_freed = look(program, LOOKS[-1])
    program.end()
    if "objects_each_step" in truth:
        check_objects(truth, before, looks, freed, blocks_freed)
    else:
        sizes = [counts[truth["type"]][1] - before[truth["type"]][1] for counts, _ in looks]
        for steps, size in zip(LOOKS, sizes):
            assert 1 <= size / (steps * truth["bytes_each_step"]) < 1.3, sizes  # it has room for more
        assert freed[truth["type"]][1] < before[truth["type"]][1] + 1000
        assert [objects(counts, truth["type"]) for counts, _ in looks] == [objects(before, truth["type"])] * 3


def check_objects(truth, before, looks, freed, blocks_freed):
    kind, each = truth["type"], truth["objects_each_step"]
    for steps, (counts, _) in zip(LOOKS, looks):
        grown = objects(counts, kind) - objects(before, kind)
        assert abs(grown - steps * each) <= noise_of(kind), (steps, grown)
    assert abs(objects(freed, kind) - objects(before, kind)) <= noise_of(kind)
    for other, _ in truth.get("or", []):
        first, second, third = (objects(counts, other) for counts, _ in looks)
        assert second > first + noise_of(other) and third > second + noise_of(other), (other, first, second, third)
    # The allocator agrees, which knows nothing of types.
    blocks = [blocks for _, blocks in looks]
    for steps, earlier, later in zip((LOOKS[1] - LOOKS[0], LOOKS[2] - LOOKS[1]), blocks, blocks[1:]):
        assert later - earlier > steps * each - BLOCKS, blocks
    assert blocks[-1] - blocks_freed > LOOKS[-1] * each - BLOCKS, (blocks, blocks_freed)


@pytest.mark.parametrize("name", HEALTHY_NAMES)
def test_healthy(start, interpreter, name):
    program = Stepped(start, interpreter, name)
    looks = []
    for steps in LOOKS + (LATE,):
        program.step_until(steps)
        with_garbage, _ = program.count()
        looks.append(look(program, steps))
        waiting = {kind: row[0] - objects(looks[-1][0], kind) for kind, row in with_garbage.items()}
        assert max(waiting.values()) < GARBAGE, (steps, waiting)
    program.end()
    for kind, kept in said_by(name).get("KEPT", {}).items():
        assert tuple(objects(counts, kind) for counts, _ in looks[:3]) == kept
    for (earlier, blocks_earlier), (later, blocks_later) in zip(looks[1:], looks[2:]):
        grown = {kind: row[0] - objects(earlier, kind) for kind, row in later.items()
                 if row[0] - objects(earlier, kind) > NOISE}
        assert not grown
        assert blocks_later - blocks_earlier < BLOCKS


def test_what_counts_as_named():
    truth = {"type": "__main__.Row", "path": "Table rows", "or": [("method", "bus")]}
    assert names(truth, {"type": "__main__.Row", "path": "__main__ > Table > rows > [17]"})
    assert names(truth, {"type": "method", "path": "bus"})
    assert not names(truth, {"type": "__main__.Row", "path": "__main__ > Table"})
    assert not names(truth, {"type": "list", "path": "__main__ > Table > rows"})
    assert not names(truth, {"type": "method", "path": "Table rows"})
