"""What a pickle builds, as symbols: nothing is imported, nothing is called.

Atoms stand for themselves (None, bool, int, float, short str and bytes), tuples too; whatever a
stream can change after it was built is a mutable builder with the identity that the stream gives it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import ClassVar, Final, TypeAlias, TypeGuard

from aibom.domain.facts import Use
from aibom.domain.limits import TENSOR_RANK

Value: TypeAlias = (
    "bool | int | float | str | bytes | tuple[Value, ...] | "
    "Sequence | Mapping | Global | Call | Persistent | Blob | Opaque | Skipped | None"
)


@dataclass(slots=True, eq=False)
class Global:
    """An imported name, one object per name and stream. `offset` is that of its first import.

    `use` is the most that the stream does with it, `arguments` those of the first such use, or of
    the first few where each is of interest.
    """

    module: str
    qualname: str
    offset: int
    use: Use = Use.REFERENCE
    kept: bool = False  # also held as a value
    arguments: list[str] = field(default_factory=list)


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


class Sequence(list["Value"]):
    """A list; sets are of the classes below. Equal in value, one object per object of the stream."""

    __slots__ = ()
    kind: ClassVar[str] = "list"

    @property
    def items(self) -> list[Value]:
        return self


class Set(Sequence):
    """A set, in the order in which it was filled."""

    __slots__ = ()
    kind = "set"


class FrozenSet(Sequence):
    __slots__ = ()
    kind = "frozenset"


class Mapping(list["Value"]):
    """A dict as keys and values in turn, in the order they were set."""

    __slots__ = ()

    @property
    def flat(self) -> list[Value]:
        return self

    def pairs(self) -> Iterator[tuple[Value, Value]]:
        """Keys and values, doubles included."""
        return in_pairs(self)

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


@dataclass(slots=True, eq=False)
class Skipped:
    """A literal, or a container of literals, that nobody has looked at; of at most `size` values."""

    size: int


class SkippedError(Exception):
    """What was skipped matters after all."""


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
