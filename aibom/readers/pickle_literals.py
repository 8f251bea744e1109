"""The pickle opcodes that push one literal: numbers, text, bytes."""

from __future__ import annotations

import re
import struct
from collections.abc import Callable
from typing import Final

from aibom.domain.errors import Reason, malformed
from aibom.domain.facts import Nested
from aibom.domain.hazard import HazardKind
from aibom.domain.limits import MIB
from aibom.domain.protocols import ByteReader
from aibom.readers.pickle_input import Input
from aibom.readers.pickle_nested import BASE64, FIRST_BYTES, HEAD_BYTES, begins_file, encoding_of, is_base64
from aibom.readers.pickle_values import OPAQUE, Blob, Value

KEPT_BYTES: Final = 26 * MIB  # what may be spent on values, counted when they are made
NESTED_COUNT: Final = 1_000  # literals of one file that may be files of their own
_TEXT_BYTES: Final = 256  # longest str kept as such
_TIGHT_TEXT_BYTES: Final = 64  # the same once the budget is spent
_BYTES_BYTES: Final = 8  # the same of bytes: anything longer may be handed to a loader
# Bytes that CPython takes for each.
_NUMBER_COST: Final = 32
_TEXT_COST: Final = 56
_BLOB_COST: Final = 120
_LONG_BYTES: Final = 255
_HUGE_BYTES: Final = 1 * MIB  # the time that CPython takes for a number grows with the square
_PIECE_BYTES: Final = 64 * 1024
_INT: Final = struct.Struct("<i").unpack_from
_SHORT: Final = struct.Struct("<H").unpack_from
_WORD: Final = struct.Struct("<I").unpack_from
_LONG: Final = struct.Struct("<Q").unpack_from
_FLOAT: Final = struct.Struct(">d").unpack_from
_ESCAPED: Final = "string-escape"  # quotes and backslashes, as in Python 2 source
_RAW: Final = "raw-unicode-escape"
_SIMPLE_ESCAPES: Final = {
    b"\\": b"\\", b"'": b"'", b'"': b'"', b"b": b"\b", b"f": b"\f", b"t": b"\t",
    b"n": b"\n", b"r": b"\r", b"v": b"\v", b"a": b"\a",
}  # fmt: skip
_ESCAPE: Final = re.compile(rb"\\(x[0-9a-fA-F]{2}|[0-7]{1,3}|.)", re.DOTALL)


class Literals(Input):
    """The stack, the budget of kept values, and every opcode that pushes a literal."""

    __slots__ = ("longest", "nested", "room", "stack")

    def __init__(self, reader: ByteReader, start: int, end: int | None, room: int) -> None:
        super().__init__(reader, start, end)
        self.stack: list[Value] = []
        self.room = room
        self.longest = _TEXT_BYTES
        self.nested: dict[int, Nested] = {}  # by offset

    def keep(self, cost: int) -> bool:
        """Spends `cost` bytes of the budget; False when it is used up."""
        self.room -= cost
        return self.room >= 0

    def slid(self, position: int) -> None:  # noqa: ARG002
        if self.room < 0:
            self.longest = _TIGHT_TEXT_BYTES

    # Text and bytes

    def string(self, at: int, length: int, encoding: str | None) -> int:
        """Pushes str, or bytes without an encoding; the place instead when it is long."""
        if length < 0:
            raise malformed("a negative length", self.base + at)
        self.check(at, length)
        if length > (self.longest if encoding else _BYTES_BYTES):
            self.room -= _BLOB_COST
            self.stack.append(Blob(self.base + at, length, encoding))
        else:
            self.room -= _TEXT_COST + length
            data = self.taken(at, length)
            self.stack.append(self.decoded(data, encoding, at) if encoding else data)
        if length > 3 and self.taken(at, 1)[0] in FIRST_BYTES:
            self.consider(at, length)
        return at + length

    def decoded(self, data: bytes, encoding: str, at: int) -> str:
        """The text as CPython decodes it; raises malformed where CPython raises."""
        if encoding == _ESCAPED:
            return self._unescaped(data, at)
        try:
            return data.decode(encoding, "surrogatepass" if encoding == "utf-8" else "strict")
        except UnicodeDecodeError:
            raise malformed(f"text that is not {encoding}", self.base + at) from None

    def short_binunicode(self, at: int) -> int:
        # The road of nearly every string, without the five calls of the other one.
        length = self.window[at]
        at += 1
        stop = at + length
        if stop > self.filled or length > self.longest:
            return self.string(at, length, "utf-8")
        self.room -= _TEXT_COST + length
        if self.window[at] in FIRST_BYTES and length > 3:
            self.consider(at, length)
        try:
            return self.pushed(self.window[at:stop].decode(), stop)
        except UnicodeDecodeError:
            return self.pushed(self.decoded(self.window[at:stop], "utf-8", at), stop)

    def pushed(self, value: Value, at: int) -> int:
        """Pushes what nearly always is memoized next."""
        self.stack.append(value)
        return at

    def binunicode(self, at: int) -> int:
        return self.string(at + 4, _WORD(self.window, at)[0], "utf-8")

    def binunicode8(self, at: int) -> int:
        return self.string(at + 8, _LONG(self.window, at)[0], "utf-8")

    def short_binbytes(self, at: int) -> int:
        return self.string(at + 1, self.window[at], None)

    def binbytes(self, at: int) -> int:
        return self.string(at + 4, _WORD(self.window, at)[0], None)

    def binbytes8(self, at: int) -> int:
        return self.string(at + 8, _LONG(self.window, at)[0], None)

    # Text of Python 2 is read as Latin-1: the same for ASCII, and no loader's choice is lost.
    def binstring(self, at: int) -> int:
        return self.string(at + 4, _INT(self.window, at)[0], "latin-1")

    def short_binstring(self, at: int) -> int:
        return self.string(at + 1, self.window[at], "latin-1")

    def unicode_line(self, at: int) -> int:
        stop = self.line_end(at)
        self._escaped(at, stop, _raw_plain)
        return self.string(at, stop - at, _RAW) + 1

    def string_line(self, at: int) -> int:
        stop = self.line_end(at)
        if stop - at > 4:
            self._escaped(at + 1, stop - 1, _plain)
            if self.taken(at + 1, 1)[0] in FIRST_BYTES:
                self.consider(at + 1, stop - at - 2)
        return self.string(at, stop - at, _ESCAPED) + 1

    def _unescaped(self, data: bytes, at: int) -> str:
        if len(data) < 2 or data[0] != data[-1] or data[:1] not in (b"'", b'"'):
            raise malformed("STRING without quotes", self.base + at)
        return _plain(data[1:-1]).decode("latin-1")

    # Literals that may be files of their own

    def consider(self, at: int, length: int) -> None:
        """Notes the literal when it begins like a file, as it stands or encoded."""
        head = self.taken(at, min(length, HEAD_BYTES))
        encoding = None if begins_file(head) else encoding_of(head)
        if encoding == BASE64 and not self._is_base64(at, length):
            return
        if encoding or begins_file(head):
            self.nest(Nested(offset=self.base + at, length=length, encoding=encoding))

    def nest(self, nested: Nested) -> None:
        """Notes a literal that may be a file, once."""
        if len(self.nested) < NESTED_COUNT:
            self.nested.setdefault(nested.offset, nested)
        elif nested.offset not in self.nested:
            message = f"more than {NESTED_COUNT} literals that may be files"
            self.note(Reason.LIMIT, message, nested.offset - self.base)

    def _is_base64(self, at: int, length: int) -> bool:
        pieces = range(at, at + length, _PIECE_BYTES)
        return all(is_base64(self.taken(each, min(_PIECE_BYTES, at + length - each))) for each in pieces)

    def _escaped(self, at: int, stop: int, plain: Callable[[bytes], bytes]) -> None:
        """A literal written with escapes has no place in the file where it stands as it is."""
        head = self.taken(at, min(stop - at, HEAD_BYTES))
        if b"\\" not in head:
            return
        written = plain(head)
        if begins_file(written) or encoding_of(written):
            self.note(Reason.NOT_READ, "a literal written with escapes may be a file of its own", at)

    # Numbers

    def _number_line(self, at: int, parse: Callable[[str], int | float]) -> int:
        line, stop = self.line(at)
        self.room -= _NUMBER_COST
        if line is None:
            self._huge(at, stop - at)
            self.stack.append(OPAQUE)
            return stop
        try:
            self.stack.append(parse(line.decode("ascii")))
        except ValueError:
            # CPython's two unpicklers disagree on odd spellings such as 007: go on, but say so.
            self.differ("a number that cannot be read", at)
            self.stack.append(OPAQUE)
        return stop

    def _huge(self, at: int, length: int) -> None:
        if length > _HUGE_BYTES:
            message = f"a number of {length} bytes takes its loader a very long time"
            self.hazards.add(HazardKind.DECOMPRESSION_BOMB, "huge-integer", message, self.base + at)

    def int_line(self, at: int) -> int:
        return self._number_line(at, _parse_int)

    def long_line(self, at: int) -> int:
        return self._number_line(at, lambda text: int(text.removesuffix("L"), 0))

    def float_line(self, at: int) -> int:
        return self._number_line(at, float)

    def binint(self, at: int) -> int:
        self.room -= _NUMBER_COST
        self.stack.append(_INT(self.window, at)[0])
        return at + 4

    def binint1(self, at: int) -> int:
        self.stack.append(self.window[at])
        return at + 1

    def binint2(self, at: int) -> int:
        self.room -= _NUMBER_COST
        self.stack.append(_SHORT(self.window, at)[0])
        return at + 2

    def binfloat(self, at: int) -> int:
        self.room -= _NUMBER_COST
        self.stack.append(_FLOAT(self.window, at)[0])
        return at + 8

    def long1(self, at: int) -> int:
        return self._long(at + 1, self.window[at])

    def long4(self, at: int) -> int:
        return self._long(at + 4, _INT(self.window, at)[0])

    def _long(self, at: int, length: int) -> int:
        if length < 0:
            raise malformed("a negative length", self.base + at)
        self.check(at, length)
        self.room -= _NUMBER_COST + length
        if length > _LONG_BYTES:
            self._huge(at, length)
            self.stack.append(OPAQUE)
        else:
            self.stack.append(int.from_bytes(self.taken(at, length), "little", signed=True))
        return at + length


def _parse_int(text: str) -> int:
    # The historical spelling of booleans in protocol 0 and 1.
    return {"00": False, "01": True}[text] if text in ("00", "01") else int(text, 0)


def _plain(text: bytes) -> bytes:
    return _ESCAPE.sub(_unescape, text)


def _raw_plain(text: bytes) -> bytes:
    return text.decode(_RAW, "ignore").encode("latin-1", "ignore")


def _unescape(match: re.Match[bytes]) -> bytes:
    code = match[1]
    if code[:1] == b"x" and len(code) == 3:
        return bytes((int(code[1:], 16),))
    if code.isdigit() and code[:1] < b"8":
        return bytes((int(code, 8) & 0xFF,))
    # A backslash before a newline disappears, before anything unknown it stays.
    return b"" if code == b"\n" else _SIMPLE_ESCAPES.get(code, b"\\" + code)
