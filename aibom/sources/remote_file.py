"""A `ByteReader` over a remote file: few large requests instead of many small ones."""

from __future__ import annotations

import threading
import time
from bisect import bisect_right
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final, Protocol

from aibom.domain.errors import over_limit, truncated
from aibom.domain.limits import KIB, MIB
from aibom.readers.ranges import check_inside

HEADER_ONLY_BYTES: Final = 64 * MIB  # fetched of a file of which only the header is read
REQUEST_COUNT: Final = 256  # for such a file
FETCH_SECONDS: Final = 1_800.0  # of waiting for them: a host that is slow on purpose ends as a gap
FRONT_BYTES: Final = 48 * KIB
TAIL_BYTES: Final = 48 * KIB
AHEAD_BYTES: Final = 4 * MIB  # fetched at once of a header that is read piece by piece

PIECE_BYTES: Final = 8 * MIB  # of a file that is read as a whole
SMALL_BYTES: Final = 64 * KIB  # of such a file, where something other than the next piece is wanted
SMALL_COUNT: Final = 16  # of those that are kept
WHOLE_REQUEST_COUNT: Final = 20_000  # beyond one per piece

_BLOCK_BYTES: Final = 4 * KIB
# Their index is at the end; 64 KiB are looked through for it, which leaves less for the front.
_ENDED: Final = (".zip", ".bin", ".pt", ".pth", ".ckpt", ".npz", ".keras", ".parquet", ".nemo")
_ENDED_FRONT_BYTES: Final = 39 * KIB

Fetch = Callable[[int, int], bytes]  # start, length -> exactly these bytes, or `UnreadableError`


class RemoteFile:
    """Reads through `fetch`, keeps what it fetched, and gives up at its bounds (limit).

    `name` tells what to fetch first: the front, or for zip files and Parquet the front and the end. With
    `whole` all bytes are asked for in order; they are fetched in large pieces and not kept. Safe
    between threads, of which one fetches at a time.
    """

    def __init__(self, fetch: Fetch, size: int, *, name: str, whole: bool) -> None:
        self._size = size
        ended = name.lower().endswith(_ENDED)
        self._bytes: _Bytes = _Pieces(fetch, size) if whole else _Kept(fetch, size, ended=ended)
        self._lock = threading.Lock()

    @property
    def size(self) -> int:
        return self._size

    def at_hand(self, offset: int, length: int) -> bool:
        """Whether reading these bytes sends no request; see `readers.ranges.at_hand`."""
        with self._lock:
            return self._bytes.holds(offset, length)

    def read_at(self, offset: int, length: int) -> bytes:
        check_inside(self._size, offset, length)
        # Joined when all of it is there: nothing is allocated for bytes that are never fetched.
        return b"".join(self._views(offset, length))

    def read_into(self, offset: int, buffer: memoryview) -> int:
        length = max(0, min(len(buffer), self._size - offset))
        if length:
            check_inside(self._size, offset, length)
        done = 0
        for piece in self._views(offset, length):
            buffer[done : done + len(piece)] = piece
            done += len(piece)
        return length

    def _views(self, offset: int, length: int) -> Iterator[memoryview]:
        while length:
            with self._lock:
                piece = self._bytes.at(offset, length)
            yield piece
            offset, length = offset + len(piece), length - len(piece)


class _Bytes(Protocol):
    def at(self, offset: int, length: int) -> memoryview:
        """Some bytes from `offset` on: at least one, at most `length`."""
        ...

    def holds(self, offset: int, length: int) -> bool:
        """Whether these bytes need no request, or will be asked for anyway."""
        ...


@dataclass(frozen=True, slots=True)
class _Part:
    """Bytes that were fetched. `run` counts those in front of them that were read in order, too."""

    start: int
    data: bytes
    run: int

    @property
    def end(self) -> int:
        return self.start + len(self.data)

    def view(self, offset: int, length: int) -> memoryview:
        return memoryview(self.data)[offset - self.start :][:length]


class _Kept:
    """Everything that was fetched, in order of place."""

    def __init__(self, fetch: Fetch, size: int, *, ended: bool) -> None:
        self._fetch, self._size = fetch, size
        self._front = min(size, _ENDED_FRONT_BYTES if ended else FRONT_BYTES)
        self._tail = max(self._front, size - TAIL_BYTES) if ended else size
        self._starts: list[int] = []
        self._parts: list[_Part] = []
        self._left, self._requests, self._seconds = HEADER_ONLY_BYTES, REQUEST_COUNT, FETCH_SECONDS

    def at(self, offset: int, length: int) -> memoryview:
        index = bisect_right(self._starts, offset)
        before = self._parts[index - 1] if index else _Part(0, b"", 0)
        if offset < before.end:
            return before.view(offset, length)
        ceiling = self._starts[index] if index < len(self._starts) else self._size
        start, end = self._range(offset, offset + length, before)
        run = before.run if start == before.end else 0
        part = self._fetched(start, min(end, ceiling), run)
        self._starts.insert(index, part.start)
        self._parts.insert(index, part)
        return part.view(offset, length)

    def holds(self, offset: int, length: int) -> bool:
        index = bisect_right(self._starts, offset)
        return index > 0 and offset + length <= self._parts[index - 1].end

    def _range(self, start: int, end: int, before: _Part) -> tuple[int, int]:
        """What to fetch where bytes are missing."""
        if start < self._front:
            return before.end, max(end, self._front)
        if start >= self._tail:
            return max(before.end, self._tail), self._size
        if start == before.end and end - start < FRONT_BYTES:
            # Read piece by piece: nobody knows yet how long the header is.
            return start, max(end, start + min(before.run, AHEAD_BYTES))
        floor = start // _BLOCK_BYTES * _BLOCK_BYTES
        return max(before.end, floor), -(-end // _BLOCK_BYTES) * _BLOCK_BYTES

    def _fetched(self, start: int, end: int, run: int) -> _Part:
        self._left -= end - start
        self._requests -= 1
        if self._left < 0:
            raise over_limit(f"more than {HEADER_ONLY_BYTES} bytes of a remote file for its header", start)
        if self._requests < 0:
            raise over_limit(f"more than {REQUEST_COUNT} requests for the header of a remote file", start)
        if self._seconds < 0:
            raise over_limit(f"more than {FETCH_SECONDS:,.0f} s for the header of a remote file", start)
        started = time.monotonic()
        part = _fetched(self._fetch, start, end, run)
        self._seconds -= time.monotonic() - started
        return part


class _Pieces:
    """One large piece, which moves on with whoever reads in order, and some small ones.

    The small ones are for a header that is read meanwhile; one that is continued grows, and becomes the
    large one.
    """

    def __init__(self, fetch: Fetch, size: int) -> None:
        self._fetch, self._size = fetch, size
        self._large = _Part(0, b"", 0)
        self._small: list[_Part] = []  # the one used last at the end
        self._requests = WHOLE_REQUEST_COUNT + size // PIECE_BYTES

    def at(self, offset: int, length: int) -> memoryview:
        if self._large.start <= offset < self._large.end:
            return self._large.view(offset, length)
        for index, part in enumerate(self._small):
            if part.start <= offset < part.end:
                self._small.append(self._small.pop(index))
                return part.view(offset, length)
        return self._next(offset, length).view(offset, length)

    def holds(self, offset: int, length: int) -> bool:  # noqa: ARG002 - all bytes are asked for
        return True

    def _next(self, offset: int, length: int) -> _Part:
        self._requests -= 1
        if self._requests < 0:
            raise over_limit(f"more than {WHOLE_REQUEST_COUNT} requests out of order", offset)
        if offset == self._large.end:
            self._large = _Part(0, b"", 0)  # before the next one comes: never two in memory
            self._large = self._fetched(offset, PIECE_BYTES, 0)
            return self._large
        continued = next((part for part in self._small if part.end == offset), None)
        if continued is not None:
            self._small.remove(continued)
        run = continued.run if continued else 0
        part = self._fetched(offset, min(max(length, SMALL_BYTES, 4 * run), PIECE_BYTES), run)
        if len(part.data) > MIB:
            self._large = part
        else:
            self._small = [*self._small[1 - SMALL_COUNT :], part]
        return part

    def _fetched(self, start: int, length: int, run: int) -> _Part:
        return _fetched(self._fetch, start, min(start + length, self._size), run)


def _fetched(fetch: Fetch, start: int, end: int, run: int) -> _Part:
    data = fetch(start, end - start)
    if len(data) != end - start:
        raise truncated(f"{end - start} bytes expected, {len(data)} came", start)
    return _Part(start, data, run + len(data))
