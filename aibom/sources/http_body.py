"""Bodies of answers: bounded in bytes, in inflated bytes and in time."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from aibom.domain.errors import UnreadableError, malformed, over_limit, unsupported
from aibom.domain.limits import KIB
from aibom.sources.http_address import Address
from aibom.sources.http_connection import translated
from aibom.sources.http_pace import PACE

if TYPE_CHECKING:
    import urllib3

    from aibom.sources.http_quota import Host

_PIECE_BYTES: Final = 256 * KIB
_DRAINED_BYTES: Final = 16 * KIB  # of a body that nobody wants, so that the connection can be kept


@dataclass(frozen=True, slots=True, kw_only=True)
class Incoming:
    """An answer whose body is still to come. Names of headers are in lower case."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    address: Address
    host: Host = field(repr=False)
    response: urllib3.BaseHTTPResponse = field(repr=False)
    is_bare: bool = False  # headers only: they tell of a body that is not sent

    @property
    def length(self) -> int | None:
        """Bytes of the body as the host states them."""
        return number(self.headers.get("content-length", ""))

    def read(self, count: int) -> bytes:
        """The next bytes: at most `count` and a piece, empty at the end. Raises `LinkError`."""
        count = min(count, _PIECE_BYTES)
        PACE.grant(count)
        with translated():
            piece = self.response.read(count)
        self.host.count(received=len(piece))
        PACE.received(len(piece))
        return piece

    def take(self, count: int) -> bytes:
        """The next `count` bytes, or fewer when the body ends before. Raises `LinkError`."""
        first = self.read(count)
        if len(first) == count or not first:
            return first  # the usual case, without a copy
        taken = bytearray(first)
        while len(taken) < count and (piece := self.read(count - len(taken))):
            taken += piece
        return bytes(taken)

    def skip(self, count: int) -> None:
        while count > 0 and (piece := self.read(count)):
            count -= len(piece)

    def drain(self) -> None:
        """Reads a short body to its end; a long one costs the connection."""
        if self.is_bare or (self.length or 0) <= _DRAINED_BYTES:
            self.skip(_DRAINED_BYTES)


def whole(incoming: Incoming, most: int) -> bytes:
    """All bytes of the body, inflated. Raises `UnreadableError`: limit, malformed, unsupported."""
    coding = coding_of(incoming)
    if incoming.is_bare:
        incoming.skip(1)
        return b""
    if coding:
        return _inflated(incoming, coding, most)
    if (incoming.length or 0) > most:
        raise _too_much(most)
    body = incoming.take(most + 1)
    if len(body) > most:
        raise _too_much(most)
    return body


def coding_of(incoming: Incoming) -> str:
    """How the body is compressed, although nobody asked for it; empty when it is not."""
    coding = incoming.headers.get("content-encoding", "").strip().lower()
    return "" if coding == "identity" else coding


def _inflated(incoming: Incoming, coding: str, most: int) -> bytes:
    if coding not in ("gzip", "x-gzip", "deflate"):
        raise unsupported("a content encoding that was not asked for")
    stream = zlib.decompressobj(zlib.MAX_WBITS | 32)  # gzip or zlib
    plain, left = bytearray(), 2 * most + _PIECE_BYTES  # empty blocks take input and give nothing
    while not stream.eof:
        piece = incoming.read(left)
        if not piece:
            raise malformed("a compressed body that does not end") if left else _too_much(most)
        left -= len(piece)
        try:
            plain += stream.decompress(piece, most + 1 - len(plain))
        except zlib.error:
            raise malformed("a body that cannot be inflated") from None
        if len(plain) > most:
            raise _too_much(most)
    if stream.unused_data or incoming.read(1):
        raise malformed("bytes behind the end of a compressed body")
    return bytes(plain)


def _too_much(most: int) -> UnreadableError:
    return over_limit(f"an answer of more than {most:,} bytes")


def number(text: str) -> int | None:
    """A count of bytes in a header; None for anything that is none."""
    text = text.strip()
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= 18 else None
