"""What a dataset of rows is made of, and the fingerprint that says which rows it holds."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from aibom.domain.digest import HEX_CHARS

_HEX: Final = re.compile(r"[0-9a-f]+\Z")


class Kind(StrEnum):
    """The types of a value. Integers have no width: 5 is 5 in one byte and in eight."""

    NULL = "null"
    BOOL = "bool"
    INT = "int"
    FLOAT16 = "float16"
    FLOAT32 = "float32"
    FLOAT64 = "float64"
    DECIMAL = "decimal"  # an integer of the scale's fractions
    STRING = "string"
    BYTES = "bytes"
    DATE = "date"  # days since 1970-01-01
    TIME = "time"  # units since midnight
    TIMESTAMP = "timestamp"  # units since 1970-01-01, of the zone when there is none
    DURATION = "duration"  # units
    LIST = "list"
    STRUCT = "struct"
    MAP = "map"


class Unit(StrEnum):
    """What times count."""

    SECOND = "s"
    MILLISECOND = "ms"
    MICROSECOND = "us"
    NANOSECOND = "ns"

    @property
    def digits(self) -> int:
        """Decimal places of a second."""
        return {"s": 0, "ms": 3, "us": 6, "ns": 9}[self.value]


@dataclass(frozen=True, slots=True, kw_only=True)
class Type:
    """The type of a column, or of what a nested value holds. Raises ValueError when parts are missing."""

    kind: Kind
    unit: Unit | None = None  # of times
    zone: str | None = None  # of timestamps; None is a clock on the wall, "" is not allowed
    scale: int = 0  # of decimals: digits behind the point, may be negative
    fields: tuple[Field, ...] = ()  # of a struct; of a list its items, of a map its keys and values

    def __post_init__(self) -> None:
        if (self.unit is not None) is not (self.kind in _TIMED):
            raise ValueError(f"{self.kind} and the unit {self.unit}")
        if self.zone is not None and (self.kind is not Kind.TIMESTAMP or not self.zone):
            raise ValueError(f"{self.kind} and the zone {self.zone!r}")
        expected = {Kind.LIST: 1, Kind.MAP: 2}.get(self.kind, 0)
        if self.kind is not Kind.STRUCT and len(self.fields) != expected:
            raise ValueError(f"{self.kind} of {len(self.fields)} types")
        if len({field.name for field in self.fields}) != len(self.fields):
            raise ValueError("two fields of one name")


_TIMED: Final = frozenset({Kind.TIME, Kind.TIMESTAMP, Kind.DURATION})


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """A named type: a column, or a part of a nested type."""

    name: str
    type: Type


def list_of(item: Type) -> Type:
    """The type of lists of `item`."""
    return Type(kind=Kind.LIST, fields=(Field(name="item", type=item),))


def map_of(key: Type, value: Type) -> Type:
    """The type of sequences of pairs."""
    return Type(kind=Kind.MAP, fields=(Field(name="key", type=key), Field(name="value", type=value)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Schema:
    """The columns of a dataset, in the order of the file. Raises ValueError when a name occurs twice."""

    fields: tuple[Field, ...]

    def __post_init__(self) -> None:
        if len({field.name for field in self.fields}) != len(self.fields):
            raise ValueError("two columns of one name")

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(field.name for field in self.fields)


class Absent:
    """The type of `ABSENT`: an object of JSON does not have this member."""

    __slots__ = ()


ABSENT: Final = Absent()


@dataclass(frozen=True, slots=True, kw_only=True)
class RowBatch:
    """Some rows, column by column, that stand behind each other in the file.

    Values are None, bool, int, float, str, bytes, list, dict (structs), and tuples of pairs (maps);
    decimals and times are ints. `types` holds None for a column whose values say their type (JSON).
    """

    names: tuple[str, ...]
    types: tuple[Type | None, ...]
    columns: tuple[Sequence[object], ...]
    rows: int
    first: int = 0  # number of the first row, from 0


@dataclass(frozen=True, slots=True, kw_only=True)
class LineBatch:
    """Some rows as the bytes that stand in the file, line ends left out."""

    lines: Sequence[bytes]
    first: int = 0

    @property
    def rows(self) -> int:
        return len(self.lines)


class RowForm(StrEnum):
    """What a row digest is taken of; digests of different forms are never compared."""

    TYPED = "typed"  # the canonical encoding of the values
    LINES = "lines"  # the bytes of the line


@dataclass(frozen=True, slots=True, kw_only=True)
class RowBlock:
    """Rows that stand behind each other, cut where a row digest says so."""

    rows: int
    digest: bytes  # SHA-256 over a tag and the row digests


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnDigest:
    """The digest of all values of one column, in the order of the rows."""

    name: str
    digest: str  # SHA-256, hexadecimal


@dataclass(frozen=True, slots=True, kw_only=True)
class DatasetFingerprint:
    """Which rows a dataset holds, and in which order. Digests are lower-case hexadecimal SHA-256.

    Equal `multiset` and `form` mean the same rows in any order, equal `root` also the same order. With a salt
    the digests of rows are keyed (`keyed`), and only those under the same salt can be compared.
    """

    form: RowForm
    keyed: bool
    rows: int
    bytes: int  # of the canonical encodings, or of the lines
    blocks: int
    root: str
    multiset: str | None  # None when it was not asked for
    schema: str | None  # None for lines, and for JSON without a declared schema
    key: str | None  # over the rows without their label columns, in order
    columns: tuple[ColumnDigest, ...] = ()  # sorted by name

    def __post_init__(self) -> None:
        digests = (self.root, self.multiset, self.schema, self.key, *(c.digest for c in self.columns))
        for value in digests:
            if value is not None and (len(value) != HEX_CHARS["sha256"] or not _HEX.match(value)):
                raise ValueError(f"not a sha256 digest: {value!r}")
        if min(self.rows, self.bytes, self.blocks) < 0 or self.blocks > self.rows:
            raise ValueError(f"{self.rows} rows of {self.bytes} bytes in {self.blocks} blocks")
