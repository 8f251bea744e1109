"""The schema of a Parquet footer: a tree, depth first, that becomes one line per column.

Format: github.com/apache/parquet-format, LogicalTypes.md and src/main/thrift/parquet.thrift (the
field numbers are those of `SchemaElement` and `LogicalType` there).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from aibom.domain.errors import malformed, over_limit
from aibom.domain.facts import Column
from aibom.domain.limits import DOCUMENT_DEPTH
from aibom.domain.text import capped
from aibom.formats import _tabular
from aibom.readers.thrift import Shape, Struct

SCHEMA_COUNT: Final = 100_000  # groups and columns

_UNIT: Final[Shape] = {1: {}, 2: {}, 3: {}}
_LOGICAL_TYPE: Final[Shape] = {
    **{number: {} for number in (1, 2, 3, 4, 6, 11, 12, 13, 14, 15, 16, 17, 18)},
    5: {1: None, 2: None},
    7: {1: None, 2: _UNIT},
    8: {1: None, 2: _UNIT},
    10: {1: None, 2: None},
}
ELEMENT: Final[Shape] = {**dict.fromkeys((1, 2, 3, 4, 5, 6, 7, 8)), 10: _LOGICAL_TYPE}

_PHYSICAL: Final = (
    "BOOLEAN", "INT32", "INT64", "INT96", "FLOAT", "DOUBLE", "BYTE_ARRAY", "FIXED_LEN_BYTE_ARRAY",
)  # fmt: skip
_UNITS: Final = {1: "MILLIS", 2: "MICROS", 3: "NANOS"}
_LOGICAL: Final = {
    1: "STRING", 2: "MAP", 3: "LIST", 4: "ENUM", 6: "DATE", 11: "UNKNOWN", 12: "JSON", 13: "BSON",
    14: "UUID", 15: "FLOAT16", 16: "VARIANT", 17: "GEOMETRY", 18: "GEOGRAPHY",
}  # fmt: skip
# What writers before logical types stated, in the words of today (LogicalTypes.md gives the pairs).
_CONVERTED: Final = (
    "STRING", "MAP", "MAP_KEY_VALUE", "LIST", "ENUM", "DECIMAL", "DATE", "TIME(MILLIS,true)",
    "TIME(MICROS,true)", "TIMESTAMP(MILLIS,true)", "TIMESTAMP(MICROS,true)", "INTEGER(8,false)",
    "INTEGER(16,false)", "INTEGER(32,false)", "INTEGER(64,false)", "INTEGER(8,true)",
    "INTEGER(16,true)", "INTEGER(32,true)", "INTEGER(64,true)", "JSON", "BSON", "INTERVAL",
)  # fmt: skip


@dataclass(slots=True)
class _Group:
    """An element of the tree; a column is one without children."""

    path: tuple[str, ...]
    children: int  # that are still to come
    nullable: bool


def columns(elements: Iterable[Struct]) -> Iterator[Column]:
    """The columns, named by their dotted path below the root, nullable when anything on the path is.

    Raises malformed when the numbers of children do not add up, limit for too many or too deep elements.
    """
    stack: list[_Group] = []
    for index, element in enumerate(elements):
        if index >= SCHEMA_COUNT or len(stack) > DOCUMENT_DEPTH:
            raise over_limit("the schema is too large or nested too deeply")
        if index and not stack:
            raise malformed("the schema has more elements than its groups claim")
        group = _child(stack[-1], element) if stack else _Group((), element.integer(5) or 0, nullable=False)
        if stack and group.children == 0 and 1 in element:
            yield Column(
                name=capped(".".join(group.path), _tabular.NAME_CHARS),
                type=_type(element),
                nullable=group.nullable,
            )
        stack.append(group)
        while stack and stack[-1].children <= 0:
            stack.pop()
    if stack:
        raise malformed("the schema ends before its groups do")


def _child(parent: _Group, element: Struct) -> _Group:
    parent.children -= 1
    return _Group(
        path=(*parent.path, _tabular.text(element.binary(4) or b"", 256)),
        children=element.integer(5) or 0,
        nullable=parent.nullable or element.integer(3) == 1,
    )


def _type(element: Struct) -> str:
    number = element.integer(1) or 0
    physical = _PHYSICAL[number] if 0 <= number < len(_PHYSICAL) else f"type {number}"
    if physical == "FIXED_LEN_BYTE_ARRAY":
        physical += f"({element.integer(2) or 0})"
    union = element.struct(10)
    logical = _converted(element) if union is None else _logical(union)
    return f"{physical} ({logical})" if logical else physical


def _logical(union: Struct) -> str:
    number = next(iter(union), 0)
    value = union.struct(number) or Struct({})
    if number == 5:
        return f"DECIMAL({value.integer(2) or 0},{value.integer(1) or 0})"
    if number in (7, 8):
        unit = _UNITS.get(next(iter(value.struct(2) or Struct({})), 0), "?")
        return f"{'TIME' if number == 7 else 'TIMESTAMP'}({unit},{_truth(value.integer(1))})"
    if number == 10:
        return f"INTEGER({value.integer(1) or 0},{_truth(value.integer(2))})"
    return _LOGICAL.get(number, "")


def _truth(value: int | None) -> str:
    return "true" if value else "false"


def _converted(element: Struct) -> str:
    number = element.integer(6)
    if number is None or not 0 <= number < len(_CONVERTED):
        return ""
    if _CONVERTED[number] == "DECIMAL":
        return f"DECIMAL({element.integer(8) or 0},{element.integer(7) or 0})"
    return _CONVERTED[number]
