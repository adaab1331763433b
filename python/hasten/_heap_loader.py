"""A stored snapshot in the words of meliae's loader: objects by address, with children and parents.

Kept as columns of numbers (20 bytes an object, 8 a reference, as much again when parents are asked for), and
read when they are first needed. Names for objects are made when one is looked at.
"""
import array
import ast
import bisect
import contextlib
from typing import TYPE_CHECKING, Any, Dict, Iterable, Iterator, List, Mapping, NamedTuple, Optional

if TYPE_CHECKING:
    from hasten.heap import Snapshot


class Row(NamedTuple):
    """A line of a summary."""

    kind: str
    objects: int
    size: int
    max: int


class Summary:
    """Objects by type, the most bytes first. Its text is meliae's table."""

    def __init__(self, rows: Iterable[Row], limit: int = 20) -> None:
        self.summaries = sorted(rows, key=lambda row: (-row.size, row.kind))
        self.limit = limit  # of lines in the text; 0: all
        self.total_count = sum(row.objects for row in self.summaries)
        self.total_size = sum(row.size for row in self.summaries)

    def __repr__(self) -> str:
        size, unit = float(self.total_size), "B"
        for larger in ("KiB", "MiB", "GiB", "TiB"):
            if size < 1024:
                break
            size, unit = size / 1024, larger
        lines = ["Total %d objects, %d types, Total size = %.1f%s (%d bytes)" % (
            self.total_count, len(self.summaries), size, unit, self.total_size),
            " Index   Count   %      Size   % Cum     Max Kind"]
        so_far = 0
        for index, row in enumerate(self.summaries[:self.limit or None]):
            so_far += row.size
            lines.append("%6d%8d%4d%10d%4d%4d%8d %s" % (
                index, row.objects, 100 * row.objects // (self.total_count or 1), row.size,
                100 * row.size // (self.total_size or 1), 100 * so_far // (self.total_size or 1), row.max, row.kind))
        return "\n".join(lines)


class HeapObject:
    """An object of a snapshot: address, type_str, size (its own, with its tables), children, parents, value."""

    __slots__ = ("_om", "_id")

    def __init__(self, om: "ObjectManager", number: int) -> None:
        self._om, self._id = om, number

    def __repr__(self) -> str:
        return "%s(0x%x %dB %drefs %dpar)" % (self.type_str, self.address, self.size, len(self), self.num_parents)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, HeapObject) and other._om is self._om and other._id == self._id

    def __hash__(self) -> int:
        return hash(self._id)

    def __len__(self) -> int:
        return len(self._om._children(self._id))

    def __bool__(self) -> bool:
        return True

    def __getitem__(self, index: int) -> "HeapObject":
        return HeapObject(self._om, self._om._children(self._id)[index])

    @property
    def address(self) -> int:
        return self._om._addresses[self._id]

    @property
    def type_str(self) -> str:
        return self._om._names[self._om._types[self._id]]

    @property
    def size(self) -> int:
        return self._om._sizes[self._id]

    @property
    def value(self) -> Any:
        """Of a string, bytes or a number; its text where it was cut at 64 bytes; else None. Asks the store."""
        text = self._om._ask("value", self.address)
        with contextlib.suppress(ValueError, SyntaxError, TypeError):
            return ast.literal_eval(text)
        return text

    @property
    def retained(self) -> int:
        """What would be freed with it. Asks the store."""
        return int(self._om._ask("retained", self.address))

    @property
    def children(self) -> List["HeapObject"]:
        """The objects that it refers to, once for each reference."""
        return [HeapObject(self._om, number) for number in self._om._children(self._id)]

    @property
    def parents(self) -> List["HeapObject"]:
        """The objects that refer to it, once for each reference."""
        return [HeapObject(self._om, number) for number in self._om._parents(self._id)]

    c, p = children, parents

    @property
    def num_refs(self) -> int:
        return len(self)

    @property
    def num_parents(self) -> int:
        return len(self._om._parents(self._id))

    def iter_recursive_refs(self, excluding: Iterable[int] = ()) -> Iterator["HeapObject"]:
        """It and all that is reached from it, each once. excluding: addresses at which the walk ends."""
        seen = {self._om._find(address) for address in excluding}
        todo = [self._id]
        while todo:
            number = todo.pop()
            if number not in seen:
                seen.add(number)
                todo.extend(self._om._children(number))
                yield HeapObject(self._om, number)


class _Edges:
    """A list of objects for each object: those of i are targets[first[i]:first[i + 1]]."""

    def __init__(self, first: "array.array[int]", targets: "array.array[int]") -> None:
        self.first, self.targets = first, targets

    def of(self, number: int) -> "array.array[int]":
        return self.targets[self.first[number]:self.first[number + 1]]

    def turned(self) -> "_Edges":
        """The same references, seen from the other end."""
        count = len(self.first) - 1
        at = array.array("Q", bytes(8 * (count + 2)))
        for target in self.targets:
            at[target + 2] += 1
        for number in range(2, count + 2):
            at[number] += at[number - 1]
        sources = array.array("I", bytes(4 * len(self.targets)))
        for source in range(count):
            for target in self.of(source):  # at[target + 1] goes from the begin of a list to its end
                sources[at[target + 1]] = source
                at[target + 1] += 1
        return _Edges(at[:count + 1], sources)


class ObjectManager(Mapping[int, HeapObject]):
    """All objects of a snapshot, by address."""

    def __init__(self, snapshot: "Snapshot") -> None:
        self.snapshot = snapshot
        self._addresses = array.array("Q")  # ascending; an object's number is its place here, as in the store
        self._types = array.array("I")
        self._sizes = array.array("Q")
        self._names: List[str] = []
        self._forward: Optional[_Edges] = None
        self._backward: Optional[_Edges] = None

    def __repr__(self) -> str:
        return "<hasten.heap.ObjectManager of run %d>" % self.snapshot.run.number

    def _load(self) -> None:
        if self._names:
            return
        for line in self.snapshot._rows("select address, type_id, bytes from object"):
            address, kind, size = line.split(",")
            self._addresses.append(int(address))
            self._types.append(int(kind))
            self._sizes.append(int(size))
        self._names = [row["name"] for row in self.snapshot.query("select name from type")]

    def _find(self, address: int) -> Optional[int]:
        self._load()
        number = bisect.bisect_left(self._addresses, address)
        return number if number < len(self._addresses) and self._addresses[number] == address else None

    def _children(self, number: int) -> "array.array[int]":
        if self._forward is None:
            first = array.array("Q", [0])
            targets = array.array("I")
            for line in self.snapshot._rows("select source, target from reference"):  # in order of source
                source, target = line.split(",")
                while len(first) <= int(source):
                    first.append(len(targets))
                targets.append(int(target))
            first.extend([len(targets)] * (len(self._addresses) + 1 - len(first)))
            self._forward = _Edges(first, targets)
        return self._forward.of(number)

    def _parents(self, number: int) -> "array.array[int]":
        if self._backward is None:
            self._children(number)
            assert self._forward is not None
            self._backward = self._forward.turned()
        return self._backward.of(number)

    def _ask(self, column: str, address: int) -> Any:
        return self.snapshot.query("select %s from object where address = %d" % (column, address))[0][column]

    def __getitem__(self, address: int) -> HeapObject:
        number = self._find(address)
        if number is None:
            raise KeyError(address)
        return HeapObject(self, number)

    def __iter__(self) -> Iterator[int]:
        self._load()
        return iter(self._addresses)

    def __len__(self) -> int:
        self._load()
        return len(self._addresses)

    @property
    def objs(self) -> "ObjectManager":
        """As meliae calls the objects by address."""
        return self

    def get_all(self, type_str: str) -> List[HeapObject]:
        """All objects of a type, the largest first."""
        self._load()
        found = [HeapObject(self, number) for number, kind in enumerate(self._types) if self._names[kind] == type_str]
        return sorted(found, key=lambda one: -one.size)

    def summarize(self, obj: Optional[HeapObject] = None, excluding: Iterable[int] = ()) -> Summary:
        """The types by what they take: of all objects, or of what is reached from one (excluding: not past these
        addresses). Print it."""
        if obj is None and not excluding:
            return Summary(Row(**row) for row in self.snapshot.query(
                "select type as kind, count(*) as objects, sum(bytes) as size, max(bytes) as max from object group by type"))
        self._load()
        left_out = set(excluding)
        objects = self.values() if obj is None else obj.iter_recursive_refs(left_out)
        rows: Dict[str, Row] = {}
        for one in objects:
            if one.address not in left_out:
                row = rows.get(one.type_str, Row(one.type_str, 0, 0, 0))
                rows[row.kind] = Row(row.kind, row.objects + 1, row.size + one.size, max(row.max, one.size))
        return Summary(rows.values())
