"""Strategies of typed values, and a decoder of the canonical encoding: what can be decoded is injective."""

from __future__ import annotations

import struct
from typing import Any

from hypothesis import strategies as st

from aibom.domain.dataset import Field, Kind, Type, Unit, list_of, map_of

NAMES = st.text(max_size=6)
_I64 = st.integers(-(2**63), 2**63 - 1)
_FLOATS = {Kind.FLOAT16: 16, Kind.FLOAT32: 32, Kind.FLOAT64: 64}


def simple_types() -> st.SearchStrategy[Type]:
    """All types but the nested ones."""
    plain = (Kind.BOOL, Kind.INT, Kind.STRING, Kind.BYTES, Kind.DATE, *_FLOATS)
    units = st.sampled_from(Unit)
    return st.one_of(
        st.sampled_from([Type(kind=kind) for kind in plain]),
        st.builds(lambda scale: Type(kind=Kind.DECIMAL, scale=scale), st.integers(0, 10)),
        st.builds(lambda unit: Type(kind=Kind.DURATION, unit=unit), units),
        st.builds(
            lambda unit, zone: Type(kind=Kind.TIMESTAMP, unit=unit, zone=zone),
            units,
            st.sampled_from([None, "UTC", "Europe/Berlin"]),
        ),
    )


def structs(inner: st.SearchStrategy[Type]) -> st.SearchStrategy[Type]:
    return st.lists(st.tuples(NAMES, inner), min_size=1, max_size=3, unique_by=lambda pair: pair[0]).map(
        lambda pairs: Type(kind=Kind.STRUCT, fields=tuple(Field(name=n, type=t) for n, t in pairs))
    )


TYPES = st.recursive(
    simple_types(),
    lambda inner: st.one_of(
        inner.map(list_of),
        structs(inner),
        inner.map(lambda value: map_of(Type(kind=Kind.STRING), value)),
    ),
    max_leaves=4,
)


def values(kind: Type) -> st.SearchStrategy[Any]:
    """Values of a type, null among them."""
    return st.none() | _values(kind)


def _values(kind: Type) -> st.SearchStrategy[Any]:
    if kind.kind in _FLOATS:
        return st.floats(width=_FLOATS[kind.kind])  # type: ignore[arg-type]
    if kind.kind is Kind.LIST:
        return st.lists(values(kind.fields[0].type), max_size=3)
    if kind.kind is Kind.MAP:
        pair = st.tuples(_values(kind.fields[0].type), values(kind.fields[1].type))
        return st.lists(pair, max_size=3).map(tuple)
    if kind.kind is Kind.STRUCT:
        return st.fixed_dictionaries({field.name: values(field.type) for field in kind.fields})
    return {
        Kind.BOOL: st.booleans(),
        Kind.INT: st.integers(-(2**63), 2**63 - 1),
        Kind.STRING: st.text(max_size=8),
        Kind.BYTES: st.binary(max_size=8),
        Kind.DATE: st.integers(-(2**31), 2**31 - 1),
        Kind.DECIMAL: st.integers(-(10**30), 10**30),
    }.get(kind.kind, _I64)


class Decoder:
    """Reads an encoding back, with the tag of each value."""

    def __init__(self, data: bytes) -> None:
        self._data, self.at = data, 0

    def take(self, length: int) -> bytes:
        assert self.at + length <= len(self._data)
        self.at += length
        return self._data[self.at - length : self.at]

    def size(self) -> int:
        return int.from_bytes(self.take(4), "little")

    def row(self) -> list[tuple[bytes, Any]]:
        assert self.take(13) == b"aibom:row:v1\0"
        found = []
        while self.at < len(self._data):
            found.append((self.take(self.size()), self.value()))
        return found

    def value(self) -> Any:
        tag = self.take(1)
        if tag in b"NTF":
            return tag
        if tag in b"efd":
            return tag, self.take({b"e": 2, b"f": 4, b"d": 8}[tag])
        if tag in b"iD":
            return tag, struct.unpack("<q", self.take(8))[0]
        if tag == b"I":
            data = self.take(self.size())
            return b"i", int.from_bytes(data, "little", signed=True)
        if tag == b"m":
            return tag, self.take(4), self.value()
        if tag in b"tuh":
            return tag, self.take(1), self.take(8)
        if tag == b"z":
            return tag, self.take(1), self.take(self.size()), self.take(8)
        if tag in b"sb":
            return tag, self.take(self.size())
        return self.nested(tag)

    def nested(self, tag: bytes) -> Any:
        count = self.size()
        if tag == b"l":
            return tag, [self.value() for _ in range(count)]
        if tag == b"p":
            return tag, [(self.value(), self.value()) for _ in range(count)]
        assert tag == b"r"
        return tag, [(self.take(self.size()), self.value()) for _ in range(count)]
