"""What undoes a compressed stream, in pieces and in bounded memory.

Formats: RFC 1950, 1951, 1952; bzip2 and xz file formats; APPNOTE 5.8 for LZMA in zip archives;
joblib/numpy_pickle_utils.py for `ZF0x`.
"""

from __future__ import annotations

import bz2
import lzma
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final, Protocol

from aibom.domain.errors import UnreadableError, malformed, over_limit, truncated, unsupported
from aibom.domain.limits import KIB, MIB
from aibom.domain.protocols import ByteReader
from aibom.readers.zip import DEFLATED, Member

LZMA_BYTES: Final = 70 * MIB  # of memory; `xz -9` needs 65 MiB
_PIECE_BYTES: Final = 64 * KIB
_FED_BYTES: Final = 16 * KIB
_ZFILE_BYTES: Final = 21  # "ZF", and a length in hexadecimal padded to the longest there can be
_BROKEN: Final = (zlib.error, lzma.LZMAError, OSError, EOFError, ValueError)


class Decompressor(Protocol):
    """What `bz2` and `lzma` have in common."""

    @property
    def eof(self) -> bool: ...
    @property
    def needs_input(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: bytes, max_length: int) -> bytes: ...


class _Inflate:
    """zlib's decompressor in the shape of the others."""

    def __init__(self, window_bits: int) -> None:
        self._stream = zlib.decompressobj(window_bits)
        self._full = False

    @property
    def eof(self) -> bool:
        return self._stream.eof

    @property
    def needs_input(self) -> bool:
        # A full piece may leave output inside of zlib although all input is taken.
        return not self._stream.unconsumed_tail and not self._full

    @property
    def unused_data(self) -> bytes:
        return self._stream.unused_data

    def decompress(self, data: bytes, max_length: int) -> bytes:
        piece = self._stream.decompress(self._stream.unconsumed_tail + data, max_length)
        self._full = len(piece) == max_length
        return piece


@dataclass(frozen=True, slots=True)
class Codec:
    """One compressed format: how a stream begins, and what undoes it."""

    name: str
    start: Callable[[], Decompressor]
    magic: bytes = b""  # of a further stream behind the first; empty when there can be none
    weak: bool = False  # begins with bytes that other content begins with as well
    skip: int = 0  # bytes in front of the stream


GZIP: Final = Codec("gzip", lambda: _Inflate(31), b"\x1f\x8b\x08")
ZLIB: Final = Codec("zlib", lambda: _Inflate(15), b"x", weak=True)
ZFILE: Final = Codec("zfile", lambda: _Inflate(15), weak=True, skip=_ZFILE_BYTES)
BZIP2: Final = Codec("bzip2", bz2.BZ2Decompressor, b"BZh")
XZ: Final = Codec("xz", lambda: lzma.LZMADecompressor(lzma.FORMAT_XZ, LZMA_BYTES), b"\xfd7zXZ\0")
LZMA: Final = Codec("lzma", lambda: lzma.LZMADecompressor(lzma.FORMAT_ALONE, LZMA_BYTES), b"]\0", weak=True)
_RAW_DEFLATE: Final = Codec("deflate", lambda: _Inflate(-15))
_RAW_BZIP2: Final = Codec("bzip2", bz2.BZ2Decompressor)


class Unpacking:
    """The plain bytes of a range, in pieces. `fed` counts the bytes of the range taken so far."""

    def __init__(
        self, reader: ByteReader, codec: Codec, start: int, end: int, name: str, most: int = _PIECE_BYTES
    ) -> None:
        self._reader = reader
        self._codec = codec
        self._name = name[:80]
        self._most = most  # bytes of a piece
        self._start = start
        self._end = end
        self._position = start + codec.skip
        self.unused = b""  # read behind the last stream
        self.done = False  # the last stream came to its end

    @property
    def fed(self) -> int:
        return self._position - self._start

    @property
    def stop(self) -> int:
        """Where the last stream ended, in the reader."""
        return self._position - len(self.unused)

    def __iter__(self) -> Iterator[bytes]:
        """Raises malformed, truncated, or limit (memory that the stream claims)."""
        pending = b""
        while True:
            yield from self._stream(pending)
            pending = self._following()
            if not pending:
                self.done = True
                return

    def _stream(self, pending: bytes) -> Iterator[bytes]:
        stream = self._codec.start()
        self.unused = b""
        while not stream.eof:
            if not pending and stream.needs_input:
                pending = self._fetch()
                if not pending:
                    raise truncated(f"the compressed data of {self._name!r} does not end", self._end)
            try:
                piece = stream.decompress(pending, self._most)
            except MemoryError:
                raise over_limit(f"{self._name!r} needs too much memory to inflate", self._start) from None
            except _BROKEN as error:
                raise _failure(self._name, self._start, error) from None
            pending = b""
            if piece:
                yield piece
        self.unused = stream.unused_data

    def _fetch(self) -> bytes:
        data = self._reader.read_at(
            self._position, min(_FED_BYTES, 2 * self._most, self._end - self._position)
        )
        self._position += len(data)
        return data

    def _following(self) -> bytes:
        """The front of a further stream, empty when there is none."""
        magic = self._codec.magic
        if not magic:
            return b""
        if len(self.unused) < len(magic):
            self.unused += self._fetch()
        return self.unused if self.unused.startswith(magic) else b""

    def head(self, count: int) -> bytes:
        """The first `count` bytes, fewer when there are no more. Raises when there is not one."""
        head = bytearray()
        try:
            for piece in self:
                head += piece
                if len(head) >= count:
                    break
        except UnreadableError:
            if not head:
                raise
        return bytes(head[:count])


def _failure(name: str, offset: int, error: Exception) -> UnreadableError:
    if "memory" in str(error).lower():
        return over_limit(f"{name!r} needs too much memory to inflate", offset)
    return malformed(f"{name!r} cannot be inflated: {error}", offset)


def zip_codec(reader: ByteReader, member: Member) -> Codec:
    """What undoes the method of a member of a zip archive. Raises unsupported."""
    if member.method == DEFLATED:
        return _RAW_DEFLATE
    if member.method == 12:
        return _RAW_BZIP2
    if member.method == 95:
        return XZ
    if member.method == 14:
        return _lzma_codec(reader, member)
    message = f"member {member.name[:80]!r} has compression method {member.method}"
    raise unsupported(message, member.header_offset)


def _lzma_codec(reader: ByteReader, member: Member) -> Codec:
    """Version, length of the properties (5), then the properties: lc, lp, pb in one, and the dictionary."""
    if member.compressed < 9:
        raise truncated(f"member {member.name[:80]!r} is too short for LZMA", member.offset)
    header = reader.read_at(member.offset, 9)
    packed, dictionary = header[4], int.from_bytes(header[5:9], "little")
    if header[2:4] != b"\x05\0" or packed >= 225:
        raise malformed(f"member {member.name[:80]!r} has no LZMA header", member.offset)
    if dictionary > LZMA_BYTES:
        raise over_limit(f"member {member.name[:80]!r} needs {dictionary} bytes to inflate", member.offset)
    chosen = {
        "id": lzma.FILTER_LZMA1,
        "dict_size": max(dictionary, 4 * KIB),
        "lc": packed % 9,
        "lp": packed // 9 % 5,
        "pb": packed // 45,
    }
    return Codec("lzma", lambda: lzma.LZMADecompressor(lzma.FORMAT_RAW, None, [chosen]), skip=9)
