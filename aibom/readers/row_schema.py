"""A declared schema: the types of the columns of CSV and JSON Lines, which name none.

A JSON object of names and types. A type is the name of a kind (`"int"`), or an object with `kind` and what
it needs: `unit` and `zone` of times, `scale` of decimals, `item` of lists, `key` and `value` of maps,
`fields` of structs.
"""

from __future__ import annotations

from typing import Final

from aibom.domain.dataset import Field, Kind, Schema, Type, Unit, list_of, map_of
from aibom.domain.errors import malformed, over_limit
from aibom.domain.limits import COLUMN_COUNT, DOCUMENT_DEPTH
from aibom.readers.json import Json, members, parse

_KINDS: Final = {kind.value: kind for kind in Kind}
_UNITS: Final = {unit.value: unit for unit in Unit}
_MEMBERS: Final = {
    Kind.TIME: {"unit"}, Kind.DURATION: {"unit"}, Kind.TIMESTAMP: {"unit", "zone"}, Kind.DECIMAL: {"scale"},
    Kind.LIST: {"item"}, Kind.MAP: {"key", "value"}, Kind.STRUCT: {"fields"},
}  # fmt: skip
_SCALE: Final = 1_000


def parse_schema(data: bytes) -> Schema:
    """The schema that a JSON document declares. Raises `UnreadableError` (malformed, limit)."""
    document = parse(data)
    if not isinstance(document, dict) or not document:
        raise malformed("a schema is a JSON object of column names and types")
    if len(document) > COLUMN_COUNT:
        raise over_limit(f"more than {COLUMN_COUNT} columns")
    return Schema(fields=tuple(_field(name, given, 0) for name, given in document.items()))


def _field(name: str, given: Json, depth: int) -> Field:
    return Field(name=name, type=_type(given, repr(name[:80]), depth))


def _type(given: Json, place: str, depth: int) -> Type:
    if depth > DOCUMENT_DEPTH:
        raise over_limit(f"{place}: types nested deeper than {DOCUMENT_DEPTH}")
    told: dict[str, Json] = {"kind": given} if isinstance(given, str) else members(given)
    kind = _KINDS.get(str(told.get("kind")))
    if kind is None:
        raise malformed(f"{place}: the type has to be one of {', '.join(_KINDS)}")
    strange = told.keys() - {"kind"} - _MEMBERS.get(kind, set())
    missing = _MEMBERS.get(kind, set()) - {"zone"} - told.keys()
    if strange or missing:
        word = f"has no {min(strange)[:80]!r}" if strange else f"needs {min(missing)!r}"
        raise malformed(f"{place}: the kind {kind} {word}")
    if kind is Kind.LIST:
        return list_of(_type(told["item"], place, depth + 1))
    if kind is Kind.MAP:
        return map_of(_type(told["key"], place, depth + 1), _type(told["value"], place, depth + 1))
    if kind is Kind.STRUCT:
        fields = members(told["fields"])
        return Type(kind=kind, fields=tuple(_field(name, inner, depth + 1) for name, inner in fields.items()))
    return _simple(kind, told, place)


def _simple(kind: Kind, told: dict[str, Json], place: str) -> Type:
    zone, scale = told.get("zone"), told.get("scale", 0)
    if "unit" in told and told["unit"] not in _UNITS:
        raise malformed(f"{place}: the unit has to be one of {', '.join(_UNITS)}")
    if zone is not None and (not isinstance(zone, str) or not zone):
        raise malformed(f"{place}: the zone has to be a name such as UTC")
    if type(scale) is not int or abs(scale) > _SCALE:
        raise malformed(f"{place}: the scale has to be a number of digits")
    return Type(kind=kind, unit=_UNITS.get(str(told.get("unit"))), zone=zone, scale=scale)
