"""What a pickle builds, as symbols: nothing is imported, nothing is called.

Atoms stand for themselves (None, bool, int, float, short str and bytes), tuples too; whatever a
stream can change after it was built is a mutable builder with the identity that the stream gives it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final, TypeAlias, TypeGuard

from aibom.domain.errors import malformed, over_limit
from aibom.domain.limits import PICKLE_MEMO_COUNT, TENSOR_RANK

_SPARSE_COUNT: Final = 200_000  # memo entries out of order; no pickler writes many

Value: TypeAlias = (
    "bool | int | float | str | bytes | tuple[Value, ...] | "
    "Sequence | Mapping | Global | Call | Persistent | Blob | Opaque | None"
)


@dataclass(frozen=True, slots=True, eq=False)
class Global:
    """An imported name, one object per name and stream. `offset` is that of its first import."""

    module: str
    qualname: str
    offset: int


@dataclass(slots=True, eq=False)
class Call:
    """What a call would return: REDUCE, NEWOBJ, NEWOBJ_EX, INST or OBJ at `offset`.

    `state` is what BUILD sets; `items` and `pairs` are what APPENDS and SETITEMS add.
    """

    function: Value
    args: Value
    offset: int
    kwargs: Value = None
    state: Value = None
    items: list[Value] | None = None
    pairs: list[Value] | None = None


@dataclass(slots=True, eq=False)
class Sequence:
    """A list, set or frozenset. `cut` is True when it has more items than are kept."""

    kind: str
    items: list[Value] = field(default_factory=list)
    cut: bool = False


@dataclass(slots=True, eq=False)
class Mapping:
    """A dict as keys and values in turn, in the order they were set. `cut` as in `Sequence`."""

    flat: list[Value] = field(default_factory=list)
    cut: bool = False

    def pairs(self) -> Iterator[tuple[Value, Value]]:
        """Keys and values, doubles included."""
        return in_pairs(self.flat)

    def get(self, key: str) -> Value:
        """The last value set under a key, else None."""
        found: Value = None
        for name, value in self.pairs():
            if name == key:
                found = value
        return found


@dataclass(slots=True, eq=False)
class Persistent:
    """An object that the loading program finds by an id of its own."""

    id: Value


@dataclass(slots=True, eq=False)
class Blob:
    """Bytes, or text of an `encoding`, too long to keep: where they stand in the reader."""

    offset: int
    length: int
    encoding: str | None = None


class Opaque:
    """A value that is not kept: out-of-band, beyond the budget, or unreadable."""

    __slots__ = ()


OPAQUE: Final = Opaque()


def in_pairs(flat: list[Value]) -> Iterator[tuple[Value, Value]]:
    """Neighbours two by two."""
    return zip(flat[::2], flat[1::2], strict=True)


def is_global(value: Value, module: str, qualname: str) -> bool:
    """True for exactly this imported name."""
    return isinstance(value, Global) and (value.module, value.qualname) == (module, qualname)


def is_natural(value: Value) -> TypeGuard[int]:
    """True for an integer from 0 to 2^63 - 1, and not for a boolean."""
    return type(value) is int and 0 <= value < 2**63


def is_shape(value: Value) -> TypeGuard[tuple[int, ...]]:
    """True for a tuple of at most `TENSOR_RANK` naturals."""
    # The length first: a hostile stream may name one endless tuple a hundred thousand times.
    return isinstance(value, tuple) and len(value) <= TENSOR_RANK and all(map(is_natural, value))


class Memo:
    """Values by index as CPython keeps them; entries that come in order take little room."""

    __slots__ = ("dense", "sparse")

    def __init__(self) -> None:
        self.dense: list[Value] = []
        self.sparse: dict[int, Value] = {}

    def __len__(self) -> int:
        return len(self.dense) + len(self.sparse)

    def put(self, index: int, value: Value) -> None:
        """PUT and its binary forms; an index that exists is overwritten."""
        if 0 <= index < len(self.dense):
            self.dense[index] = value
        elif index == len(self.dense) and index not in self.sparse:
            self.dense.append(value)
        else:
            self.sparse[index] = value

    def get(self, index: int, offset: int) -> Value:
        """GET and its binary forms; raises malformed when nothing was put there."""
        if 0 <= index < len(self.dense):
            return self.dense[index]
        if index not in self.sparse:
            raise malformed(f"memo entry {index} was never put", offset)
        return self.sparse[index]

    def check(self, offset: int) -> None:
        """Raises limit when there are too many entries."""
        if len(self) > PICKLE_MEMO_COUNT or len(self.sparse) > _SPARSE_COUNT:
            raise over_limit(f"the memo holds {len(self)} entries", offset)
