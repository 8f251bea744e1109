"""Layers that are fetched as a whole, compared with their digest, and unpacked into a temporary file."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
import weakref
import zlib
from collections.abc import Iterator
from typing import Final

from aibom.domain.errors import Reason, UnreadableError, malformed, over_limit, truncated
from aibom.domain.limits import GIB, KIB, MIB
from aibom.readers.ranges import check_inside
from aibom.sources.oci_manifests import Descriptor
from aibom.sources.remote_file import Fetch

SPOOL_BYTES: Final = 64 * GIB  # on disk, of all layers of one target that are read as a whole
SMALL_SPOOL_BYTES: Final = 1 * GIB  # the same without --full
_STEP_BYTES: Final = 4 * MIB  # fetched at once
_INFLATED_BYTES: Final = 1 * MIB  # unpacked at once
_FED_BYTES: Final = 64 * KIB  # of those
_GZIP: Final = 31  # zlib: with the header and trailer of RFC 1952


class Spool:
    """A `ByteReader` over the bytes of an unpacked layer. Safe between threads; gone when nobody holds it."""

    def __init__(self) -> None:
        self._file = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as somebody reads
        weakref.finalize(self, self._file.close)
        self.size = 0

    def append(self, data: bytes) -> None:
        self._file.write(data)
        self.size += len(data)

    def close_writing(self) -> None:
        self._file.flush()

    def read_at(self, offset: int, length: int) -> bytes:
        check_inside(self.size, offset, length)
        buffer = bytearray(length)
        self.read_into(offset, memoryview(buffer))
        return bytes(buffer)

    def read_into(self, offset: int, buffer: memoryview) -> int:
        done = 0
        try:
            while done < len(buffer):
                count = os.preadv(self._file.fileno(), [buffer[done:]], offset + done)
                if not count:
                    break
                done += count
        except OSError as error:
            raise _disk(error) from None
        return done


class Store:
    """Makes spools, and keeps all of them together within a number of bytes and half of the free disk."""

    def __init__(self, most: int) -> None:
        self._left = most

    @property
    def left(self) -> int:
        """Bytes that the next layer may have when it is unpacked."""
        try:
            return min(self._left, shutil.disk_usage(tempfile.gettempdir()).free // 2)
        except OSError as error:
            raise _disk(error) from None

    def fetch(self, layer: Descriptor, fetch: Fetch, *, gzip: bool) -> Spool:
        """The unpacked layer. Raises malformed (not the digest's bytes), truncated, limit, io-error."""
        digest = hashlib.new(layer.digest.partition(":")[0])
        inflater = _Inflater() if gzip else None
        try:
            most = self.left
            if layer.size > most:
                raise _no_room(most)
            spool = Spool()
            for piece in _pieces(layer.size, fetch):
                digest.update(piece)
                for data in inflater.feed(piece) if inflater else (piece,):
                    if spool.size + len(data) > most:
                        raise _no_room(most)
                    spool.append(data)
            spool.close_writing()
        except OSError as error:
            raise _disk(error) from None
        if digest.hexdigest() != layer.hex:
            raise malformed("the bytes of the layer are not those of its digest")
        if inflater is not None:
            inflater.finish()
        self._left -= spool.size
        return spool


def _pieces(size: int, fetch: Fetch) -> Iterator[bytes]:
    for start in range(0, size, _STEP_BYTES):
        yield fetch(start, min(_STEP_BYTES, size - start))


def _no_room(most: int) -> UnreadableError:
    return over_limit(f"the layer unpacks to more than {most:,} bytes, and there is no room for more")


def _disk(error: OSError) -> UnreadableError:
    return UnreadableError(Reason.IO_ERROR, f"the temporary folder cannot hold the layer ({error.strerror})")


class _Inflater:
    """Gzip in pieces of bounded size; several members follow each other (RFC 1952, 2.2)."""

    def __init__(self) -> None:
        self._member = zlib.decompressobj(_GZIP)
        self._begun = False

    def feed(self, data: bytes) -> Iterator[bytes]:
        # What is behind a member is copied for the next one, and there may be one every 20 bytes.
        for start in range(0, len(data), _FED_BYTES):
            yield from self._fed(data[start : start + _FED_BYTES])

    def _fed(self, data: bytes) -> Iterator[bytes]:
        while data:
            if not self._begun:
                # Padding with zeros behind the last member is common.
                data = data.lstrip(b"\0")
                self._begun = bool(data)
                continue
            try:
                piece = self._member.decompress(data, _INFLATED_BYTES)
            except zlib.error:
                raise malformed("the layer is not gzip, or damaged") from None
            yield piece
            data = self._member.unconsumed_tail
            if self._member.eof:
                data = self._member.unused_data
                self._member, self._begun = zlib.decompressobj(_GZIP), False

    def finish(self) -> None:
        """Raises truncated when the end of a member is missing."""
        if self._begun:
            raise truncated("the compressed layer ends too early")
