"""The schema of Arrow's messages: fields that become columns, types in pyarrow's spelling.

Format: github.com/apache/arrow, format/Schema.fbs (slots below are positions in its tables).
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Final

from aibom.domain.errors import over_limit
from aibom.domain.facts import Column, Defect
from aibom.domain.limits import COLUMN_COUNT, DOCUMENT_DEPTH
from aibom.domain.text import capped
from aibom.formats import _tabular
from aibom.readers.flatbuffers import Table

# Schema
_FIELDS, _PAIRS = 1, 2
# Field; the type is a union, whose value is in the slot behind
_NAME, _NULLABLE, _TYPE, _DICTIONARY, _CHILDREN, _FIELD_PAIRS = 0, 1, 2, 4, 5, 6

_TYPE_CODE: Final = struct.Struct("<i")
_SECONDS: Final = ("s", "ms", "us", "ns")
_INTERVALS: Final = ("month_interval", "day_time_interval", "month_day_nano_interval")
_SIMPLE: Final = {
    1: "null", 4: "binary", 5: "string", 6: "bool", 19: "large_binary", 20: "large_string",
    23: "binary_view", 24: "string_view",
}  # fmt: skip
_NESTED: Final = {
    12: "list", 13: "struct", 21: "large_list", 22: "run_end_encoded", 25: "list_view", 26: "large_list_view",
}  # fmt: skip


def columns(schema: Table) -> tuple[tuple[Column, ...], tuple[Defect, ...]]:
    """The columns, and defects for what is wrong with their names or number."""
    found: list[Column] = []
    count = 0
    for field in schema.tables(_FIELDS):
        count += 1
        if count <= COLUMN_COUNT:
            found.append(Column(name=_name(field), type=_field_type(field, 0), nullable=_nullable(field)))
    return tuple(found), (*_tabular.too_many_columns(count), *_tabular.name_defects(found))


def metadata(schema: Table) -> tuple[tuple[tuple[str, str], ...], tuple[Defect, ...]]:
    """The key-value pairs of the schema, and a defect when they are too many."""
    return _tabular.key_values((p.binary(0) or b"", p.binary(1) or b"") for p in schema.tables(_PAIRS))


def _name(field: Table) -> str:
    return _tabular.text(field.binary(_NAME) or b"")


def _nullable(field: Table) -> bool:
    return field.integer(_NULLABLE, "B") != 0


def _field_type(field: Table, depth: int) -> str:
    if depth > DOCUMENT_DEPTH:
        raise over_limit(f"the schema is nested deeper than {DOCUMENT_DEPTH} levels")
    number, value = field.union(_TYPE)
    text = _type(number, value, field, depth) if value is not None else "?"
    dictionary = field.table(_DICTIONARY)
    if dictionary is not None:
        index = dictionary.table(1)
        text = (
            f"dictionary<values={text}, indices={'int32' if index is None else _int(index)}, "
            f"ordered={dictionary.integer(2, 'B')}>"
        )
    extension = _extension(field)
    return capped(f"{text} ({extension})" if extension else text, _tabular.NAME_CHARS)


def _extension(field: Table) -> str:
    """The name of a type that a library laid over the stored one, e.g. arrow.uuid."""
    for pair in field.tables(_FIELD_PAIRS):
        if _tabular.text(pair.binary(0) or b"") == "ARROW:extension:name":
            return _tabular.text(pair.binary(1) or b"", 128)
    return ""


def _type(number: int, value: Table, field: Table, depth: int) -> str:
    if number in _SIMPLE:
        return _SIMPLE[number]
    if number in _NESTED:
        return f"{_NESTED[number]}<{_children(field, depth)}>"
    if number in _WITH_PARAMETERS:
        return _WITH_PARAMETERS[number](value)
    if number == 14:
        return _union(value, field, depth)
    if number == 16:
        return f"fixed_size_list<{_children(field, depth)}>[{value.integer(0)}]"
    return _map(value, field, depth) if number == 17 else f"type {number}"


def _children(field: Table, depth: int) -> str:
    return ", ".join(_child(child, depth) for child in field.tables(_CHILDREN))


def _child(field: Table, depth: int) -> str:
    return f"{_name(field)}: {_field_type(field, depth + 1)}{'' if _nullable(field) else ' not null'}"


def _union(value: Table, field: Table, depth: int) -> str:
    children = [_child(child, depth) for child in field.tables(_CHILDREN)]
    codes = (code for (code,) in value.structs(1, _TYPE_CODE))  # not all of them: there may be millions
    members = ", ".join(f"{child}={next(codes, position)}" for position, child in enumerate(children))
    return f"{'dense' if value.integer(0, 'h') else 'sparse'}_union<{members}>"


def _map(value: Table, field: Table, depth: int) -> str:
    """A map holds one struct of key and value."""
    entries = next(field.tables(_CHILDREN), None)
    types = [_field_type(pair, depth + 1) for pair in entries.tables(_CHILDREN)] if entries else []
    return f"map<{', '.join(types)}{', keys_sorted' if value.integer(0, 'B') else ''}>"


def _of(names: tuple[str, ...], index: int) -> str:
    return names[index] if 0 <= index < len(names) else "?"


def _int(value: Table) -> str:
    return f"{'' if value.integer(1, 'B') else 'u'}int{value.integer(0)}"


def _timestamp(value: Table) -> str:
    zone = value.binary(1)
    unit = _of(_SECONDS, value.integer(0, "h"))
    return f"timestamp[{unit}]" if zone is None else f"timestamp[{unit}, tz={_tabular.text(zone, 64)}]"


_WITH_PARAMETERS: Final[dict[int, Callable[[Table], str]]] = {
    2: _int,
    3: lambda value: _of(("halffloat", "float", "double"), value.integer(0, "h")),
    7: lambda value: f"decimal{value.integer(2, 'i', 128)}({value.integer(0)}, {value.integer(1)})",
    8: lambda value: _of(("date32[day]", "date64[ms]"), value.integer(0, "h", 1)),
    9: lambda value: f"time{value.integer(1, 'i', 32)}[{_of(_SECONDS, value.integer(0, 'h', 1))}]",
    10: _timestamp,
    11: lambda value: _of(_INTERVALS, value.integer(0, "h")),
    15: lambda value: f"fixed_size_binary[{value.integer(0)}]",
    18: lambda value: f"duration[{_of(_SECONDS, value.integer(0, 'h', 1))}]",
}
