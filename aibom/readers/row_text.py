"""Files of rows as text: pieces that end where a line does, and where in them something stands."""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from typing import Final

from aibom.domain.errors import Reason, UnreadableError, malformed, over_limit
from aibom.domain.limits import MIB
from aibom.domain.protocols import ByteReader

PIECE_BYTES: Final = MIB
LINE_BYTES: Final = 8 * MIB  # of one line; as text it may take four times as much, more than once
_UTF16: Final = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def pieces(reader: ByteReader) -> Iterator[tuple[int, bytes]]:
    """The whole file in pieces of whole lines, each with its offset; only the last may lack its end.

    Raises limit for a line of more than LINE_BYTES.
    """
    held: list[bytes] = []
    offset = size = 0
    for at in range(0, reader.size, PIECE_BYTES):
        piece = reader.read_at(at, min(PIECE_BYTES, reader.size - at))
        end = piece.rfind(b"\n") + 1
        if size + (piece.find(b"\n") + 1 or len(piece)) > LINE_BYTES:
            raise over_limit(f"a line is longer than {LINE_BYTES} bytes", offset)
        if not end:
            held.append(piece)
            size += len(piece)
            continue
        whole = b"".join((*held, piece[:end]))
        yield offset, whole
        offset += len(whole)
        held, size = [piece[end:]], len(piece) - end
    if size:
        yield offset, b"".join(held)


def decoded(offset: int, piece: bytes, before: int, unit: str = "row") -> str:
    """A piece as text, without a mark of UTF-8 at the front of the file.

    Raises malformed for what is not UTF-8, with the number of its line: `before` are in front.
    """
    if offset == 0:
        if piece.startswith(_UTF16):
            raise UnreadableError(Reason.UNSUPPORTED, "UTF-16 text", 0)
        piece = piece.removeprefix(codecs.BOM_UTF8)
    try:
        return piece.decode()
    except UnicodeDecodeError as error:
        number = before + piece.count(b"\n", 0, error.start) + 1
        raise malformed(f"{unit} {number}: not UTF-8", offset + error.start) from None


def at_row(row: int, error: UnreadableError, offset: int | None = None) -> UnreadableError:
    """The error with the number of the row, counted from 1 for whoever reads it."""
    place = error.offset if offset is None else offset
    return UnreadableError(error.reason, f"row {row + 1}: {error.message}", place)
