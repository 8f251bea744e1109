"""The header of a NumPy array file: magic, version, and a Python literal that is never evaluated.

Format: numpy.lib.format, versions 1.0, 2.0 and 3.0 (NEP 1). The literal is read by a parser of its
own: CPython's can be made to exhaust its stack.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Final, TypeAlias

from aibom.domain.errors import UnreadableError, malformed, over_limit, unsupported
from aibom.domain.facts import Layout
from aibom.domain.limits import KIB, TENSOR_RANK
from aibom.domain.protocols import ByteReader
from aibom.domain.text import capped
from aibom.readers.ranges import Cursor

MAGIC: Final = b"\x93NUMPY"
HEADER_BYTES: Final = 64 * KIB  # numpy itself refuses more than 10,000 characters
LITERAL_DEPTH: Final = 16

# Kind letter and bytes of an element, in safetensors' spelling.
DTYPES: Final = {
    "b1": "BOOL", "i1": "I8", "i2": "I16", "i4": "I32", "i8": "I64", "u1": "U8", "u2": "U16", "u4": "U32",
    "u8": "U64", "f2": "F16", "f4": "F32", "f8": "F64", "c8": "C64", "c16": "C128",
}  # fmt: skip

Literal: TypeAlias = "dict[str, Literal] | list[Literal] | tuple[Literal, ...] | str | int | None"

_TOKEN = re.compile(
    r"""\s*+(?:(?P<text>'(?:[^'\\]|\\.)*+'|"(?:[^"\\]|\\.)*+")|(?P<number>-?[0-9]{1,20})L?|(?P<word>[A-Z][a-z]+)"""
    r"""|(?P<mark>[][{}(),:])|(?P<end>\Z))""",
    re.DOTALL,
)
_ESCAPE = re.compile(r"\\(?:x([0-9a-f]{2})|u([0-9a-f]{4})|U([0-9a-f]{8})|(.))", re.DOTALL)
_DESCR = re.compile(r"([<>|=])(?:(O)[0-9]*|([biufcmMSUV])([0-9]{1,18})(?:\[[0-9a-zA-Z/]{1,32}\])?)\Z")
_WORDS: dict[str, bool | None] = {"True": True, "False": False, "None": None}
_CLOSING = {"(": ")", "[": "]", "{": "}"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """What the header says about the array behind it."""

    version: str
    dtype: str  # safetensors' spelling, else the descr text, capped
    shape: tuple[int, ...]  # row-major
    layout: Layout
    pickled: bool  # the data is a pickle, because an element is a Python object
    start: int  # bytes of the header, where the data starts
    length: int  # bytes of the data; of no meaning when pickled


def read_header(reader: ByteReader) -> Header:
    """The header at the start of the bytes. Raises malformed, truncated, limit or unsupported."""
    cursor = Cursor(reader)
    if cursor.take(len(MAGIC)) != MAGIC:
        raise malformed("no NumPy magic", 0)
    major, minor = cursor.u8(), cursor.u8()
    if major not in (1, 2, 3) or minor:
        raise unsupported(f"NumPy array format {major}.{minor}", len(MAGIC))
    length = cursor.u16() if major == 1 else cursor.u32()
    if length > HEADER_BYTES:
        raise over_limit(f"the header claims {length} bytes, at most {HEADER_BYTES} are read", 8)
    start = cursor.position
    try:
        text = cursor.take(length).decode("utf-8" if major == 3 else "latin-1")
    except UnicodeDecodeError as error:
        raise malformed("the header is not UTF-8", start + error.start) from None
    fields = _Parser(text, start).document()
    return _described(fields, f"{major}.{minor}", start, start + length)


def _described(fields: dict[str, Literal], version: str, at: int, start: int) -> Header:
    if fields.keys() != {"descr", "fortran_order", "shape"}:
        raise malformed("the header lacks descr, fortran_order or shape, or has more", at)
    fortran, shape = fields["fortran_order"], _shape(fields["shape"], at)
    if not isinstance(fortran, bool):
        raise malformed("fortran_order is not a boolean", at)
    element = _element(fields["descr"], at)
    layout = Layout.BIG_ENDIAN if element.swapped else Layout.RAW
    # With one long axis both orders are the same bytes.
    if fortran and sum(size != 1 for size in shape) > 1:
        layout = Layout.COLUMN_MAJOR
    return Header(
        version=version,
        dtype=element.dtype,
        shape=shape,
        layout=layout,
        pickled=element.pickled,
        start=start,
        length=math.prod(shape) * element.size,
    )


def _shape(value: Literal, at: int) -> tuple[int, ...]:
    if not isinstance(value, tuple):
        raise malformed("shape is not a tuple", at)
    sizes = tuple(size for size in value if type(size) is int and 0 <= size < 2**63)
    if len(sizes) != len(value):
        raise malformed("shape holds something else than sizes", at)
    if len(sizes) > TENSOR_RANK:
        raise over_limit(f"array of {len(sizes)} dimensions, at most {TENSOR_RANK} are read", at)
    return sizes


@dataclass(frozen=True, slots=True)
class _Element:
    dtype: str
    size: int  # bytes
    swapped: bool = False
    pickled: bool = False


def _element(descr: Literal, at: int) -> _Element:
    """The element type of a dtype descr: a string, (type, shape), or a list of fields."""
    if isinstance(descr, str):
        return _plain(descr, at)
    if isinstance(descr, tuple) and len(descr) == 2:
        parts, count = [_element(descr[0], at)], math.prod(_shape(descr[1], at))
    elif isinstance(descr, list):
        parts, count = [_field(field, at) for field in descr], 1
    else:
        raise malformed("descr is no dtype", at)
    return _Element(
        capped(repr(descr), 256),
        sum(part.size for part in parts) * count,
        any(part.swapped for part in parts),
        any(part.pickled for part in parts),
    )


def _field(field: Literal, at: int) -> _Element:
    """One field: (name, type) or (name, type, shape)."""
    if not isinstance(field, tuple) or len(field) not in (2, 3):
        raise malformed("a field of descr is not a name and a type", at)
    return _element(field[1] if len(field) == 2 else field[1:], at)


def _plain(descr: str, at: int) -> _Element:
    found = _DESCR.match(descr)
    if found is None:
        # numpy.dtype also takes 'object' or 'i4,O', which NumPy never writes, and then unpickles.
        if "O" in descr or "object" in descr:
            return _Element(capped(descr, 256), 0, pickled=True)
        raise malformed(f"unknown dtype {descr[:40]!r}", at)
    order, pickled, kind, digits = found.groups()
    if pickled:
        return _Element(descr, 0, pickled=True)
    size = int(digits) * (4 if kind == "U" else 1)
    swapped = order == ">" and kind not in "SV" and size > 1
    return _Element(DTYPES.get(kind + digits, descr), size, swapped)


class _Parser:
    """Strings, integers, True, False, None, and tuples, lists and dicts of them."""

    __slots__ = ("_at", "_text", "kind", "lexeme", "position")

    def __init__(self, text: str, at: int) -> None:
        self._text, self._at = text, at
        self.position = 0
        self.kind = self.lexeme = ""
        self._next()

    def document(self) -> dict[str, Literal]:
        value = self._value(LITERAL_DEPTH)
        if not isinstance(value, dict) or self.kind != "end":
            raise self._error("the header is not one dictionary")
        return value

    def _error(self, message: str) -> UnreadableError:
        return malformed(message, self._at + self.position)

    def _next(self) -> None:
        found = _TOKEN.match(self._text, self.position)
        if found is None:
            raise self._error("the header is not a Python literal")
        self.kind = found.lastgroup or ""
        self.lexeme, self.position = found[self.kind], found.end()

    def _value(self, depth: int) -> Literal:
        kind, lexeme = self.kind, self.lexeme
        if depth == 0:
            raise over_limit(f"the header is nested deeper than {LITERAL_DEPTH} levels", self._at)
        self._next()
        if kind == "text":
            return _ESCAPE.sub(_unescaped, lexeme[1:-1])
        if kind == "number":
            return int(lexeme)
        if kind == "word" and lexeme in _WORDS:
            return _WORDS[lexeme]
        if lexeme == "{":
            return self._members(depth)
        if lexeme in ("(", "["):
            return self._items(lexeme, depth)
        raise self._error("the header is not a Python literal")

    def _items(self, opening: str, depth: int) -> Literal:
        items: list[Literal] = []
        comma = True
        while self.lexeme != _CLOSING[opening]:
            if not comma:
                raise self._error("a comma is missing")
            items.append(self._value(depth - 1))
            comma = self._comma()
        self._next()
        if opening == "[":
            return items
        # Without a comma, parentheses only group.
        return items[0] if len(items) == 1 and not comma else tuple(items)

    def _members(self, depth: int) -> dict[str, Literal]:
        members: dict[str, Literal] = {}
        comma = True
        while self.lexeme != "}":
            key = self._value(depth - 1)
            if not comma or not isinstance(key, str) or key in members or self.lexeme != ":":
                raise self._error("a dictionary has a wrong or a double key")
            self._next()
            members[key] = self._value(depth - 1)
            comma = self._comma()
        self._next()
        return members

    def _comma(self) -> bool:
        if self.lexeme != ",":
            return False
        self._next()
        return True


def _unescaped(match: re.Match[str]) -> str:
    digits = match[1] or match[2] or match[3]
    if digits is None:
        return {"n": "\n", "t": "\t", "r": "\r"}.get(match[4], match[4])
    return chr(int(digits, 16)) if int(digits, 16) < 0x110000 else "\ufffd"
