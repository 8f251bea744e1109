"""The pickle opcodes that push one literal: numbers, text, bytes."""

from __future__ import annotations

import re
import struct
from collections.abc import Callable
from typing import Final

from aibom.domain.errors import Reason, malformed
from aibom.domain.limits import MIB
from aibom.domain.protocols import ByteReader
from aibom.readers.pickle_input import Input
from aibom.readers.pickle_values import OPAQUE, Blob, Value

KEPT_BYTES: Final = 26 * MIB  # what may be spent on values, counted when they are made
_TEXT_BYTES: Final = 256  # longest str or bytes kept as such
_TIGHT_TEXT_BYTES: Final = 64  # the same once the budget is spent
# Bytes that CPython takes for each.
_NUMBER_COST: Final = 32
_TEXT_COST: Final = 56
_BLOB_COST: Final = 120
_LONG_BYTES: Final = 255
_ESCAPED: Final = "string-escape"  # quotes and backslashes, as in Python 2 source
_FLOAT: Final = struct.Struct(">d")
_SIMPLE_ESCAPES: Final = {
    b"\\": b"\\", b"'": b"'", b'"': b'"', b"b": b"\b", b"f": b"\f", b"t": b"\t",
    b"n": b"\n", b"r": b"\r", b"v": b"\v", b"a": b"\a",
}  # fmt: skip
_ESCAPE: Final = re.compile(rb"\\(x[0-9a-fA-F]{2}|[0-7]{1,3}|.)", re.DOTALL)


class Literals(Input):
    """The stack, the budget of kept values, and every opcode that pushes a literal."""

    __slots__ = ("longest", "room", "stack")

    def __init__(self, reader: ByteReader, start: int, end: int | None) -> None:
        super().__init__(reader, start, end)
        self.stack: list[Value] = []
        self.room = KEPT_BYTES
        self.longest = _TEXT_BYTES

    def keep(self, cost: int) -> bool:
        """Spends `cost` bytes of the budget; False when it is used up."""
        self.room -= cost
        return self.room >= 0

    def refilled(self) -> None:
        if self.room < 0:
            self.longest = _TIGHT_TEXT_BYTES

    def push(self, number: float) -> None:
        """Pushes a number."""
        self.room -= _NUMBER_COST
        self.stack.append(number)

    def number(self, length: int, *, signed: bool = False) -> int:
        """A little-endian integer of `length` bytes."""
        return int.from_bytes(self.take(length), "little", signed=signed)

    def string(self, length: int, encoding: str | None, newline: int = 0) -> None:
        """Pushes str, or bytes without an encoding; the place instead when it is long."""
        if length < 0:
            raise malformed("a negative length", self.op)
        if length > self.longest:
            self.room -= _BLOB_COST
            self.stack.append(Blob(self.position, length, encoding))
            self.skip(length + newline)
            return
        self.room -= _TEXT_COST + length
        data = self.take(length + newline)[:length]
        self.stack.append(data if encoding is None else self.decoded(data, encoding))

    def decoded(self, data: bytes, encoding: str) -> str:
        """The text as CPython decodes it; raises malformed where CPython raises."""
        if encoding == _ESCAPED:
            return self._unescaped(data)
        try:
            return data.decode(encoding, "surrogatepass" if encoding == "utf-8" else "strict")
        except UnicodeDecodeError:
            raise malformed(f"text that is not {encoding}", self.op) from None

    def text_number(self, parse: Callable[[str], int | float]) -> None:
        # CPython's two unpicklers disagree on odd spellings such as 007: go on, but say so.
        line = self.line()
        try:
            self.push(parse((line or b"").decode("ascii")))
        except ValueError:
            self.note(Reason.MALFORMED, "a number that cannot be read")
            self.stack.append(OPAQUE)

    def int_line(self) -> None:
        self.text_number(_parse_int)

    def long_line(self) -> None:
        self.text_number(lambda text: int(text.removesuffix("L"), 0))

    def float_line(self) -> None:
        self.text_number(float)

    def binint(self) -> None:
        self.push(int.from_bytes(self.take(4), "little", signed=True))

    def binint1(self) -> None:
        self.stack.append(self.byte())

    def binint2(self) -> None:
        self.push(int.from_bytes(self.take(2), "little"))

    def long1(self) -> None:
        self.push(self.number(self.byte(), signed=True))

    def long4(self) -> None:
        length = self.number(4, signed=True)
        if length < 0:
            raise malformed("a negative length", self.op)
        if length > _LONG_BYTES:
            self.skip(length)
            self.stack.append(OPAQUE)
        else:
            self.push(self.number(length, signed=True))

    def binfloat(self) -> None:
        self.push(_FLOAT.unpack(self.take(8))[0])

    def string_line(self) -> None:
        self.string(self.line_length(), _ESCAPED, newline=1)

    def _unescaped(self, data: bytes) -> str:
        if len(data) < 2 or data[0] != data[-1] or data[:1] not in (b"'", b'"'):
            raise malformed("STRING without quotes", self.op)
        return _ESCAPE.sub(_unescape, data[1:-1]).decode("latin-1")

    def unicode_line(self) -> None:
        self.string(self.line_length(), "raw-unicode-escape", newline=1)

    # Text of Python 2 is read as Latin-1: the same for ASCII, and no loader's choice is lost.
    def binstring(self) -> None:
        self.string(self.number(4, signed=True), "latin-1")

    def short_binstring(self) -> None:
        self.string(self.byte(), "latin-1")

    def binunicode(self) -> None:
        self.string(self.number(4), "utf-8")

    def short_binunicode(self) -> None:
        # The road of nearly every string, without the five calls of the other one.
        at = self.at
        if at < self.filled:
            length = self.window[at]
            stop = at + 1 + length
            if stop <= self.filled and length <= self.longest:
                self.at = stop
                self.room -= _TEXT_COST + length
                self.stack.append(self.decoded(self.window[at + 1 : stop], "utf-8"))
                return
        self.string(self.byte(), "utf-8")

    def binunicode8(self) -> None:
        self.string(self.number(8), "utf-8")

    def binbytes(self) -> None:
        self.string(self.number(4), None)

    def short_binbytes(self) -> None:
        self.string(self.byte(), None)

    def binbytes8(self) -> None:
        self.string(self.number(8), None)


def _parse_int(text: str) -> int:
    # The historical spelling of booleans in protocol 0 and 1.
    return {"00": False, "01": True}[text] if text in ("00", "01") else int(text, 0)


def _unescape(match: re.Match[bytes]) -> bytes:
    code = match[1]
    if code[:1] == b"x" and len(code) == 3:
        return bytes((int(code[1:], 16),))
    if code.isdigit() and code[:1] < b"8":
        return bytes((int(code, 8) & 0xFF,))
    # A backslash before a newline disappears, before anything unknown it stays.
    return b"" if code == b"\n" else _SIMPLE_ESCAPES.get(code, b"\\" + code)
