"""Digests of files and of ranges of them in one read, as signatures of models name them (OMS v1.0)."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Callable, Sequence
from typing import Final, NamedTuple, Protocol

from aibom.domain.limits import CHUNK_BYTES
from aibom.domain.protocols import ByteReader
from aibom.readers.buffers import aligned

ALGORITHMS: Final = ("sha256", "blake2b", "blake3")


class Range(NamedTuple):
    """Bytes of one file by one algorithm. `end` is not included; None is the end of the file."""

    algorithm: str
    start: int = 0
    end: int | None = None


class _Hash(Protocol):
    def update(self, data: memoryview, /) -> object: ...

    def hexdigest(self) -> str: ...


def _new(algorithm: str) -> _Hash:
    if algorithm == "blake3":
        from blake3 import blake3  # noqa: PLC0415 - 2 ms, and hardly ever asked for

        return blake3()
    if algorithm not in ALGORITHMS:
        raise ValueError(f"no digest algorithm {algorithm!r}")
    # blake2b is that of 64 bytes, as hashlib makes it.
    return hashlib.blake2b() if algorithm == "blake2b" else hashlib.sha256()


def digest_ranges(
    reader: ByteReader, ranges: Sequence[Range], advanced: Callable[[int], object] = abs
) -> tuple[str | None, ...]:
    """Lower-case hex for each range, each byte read once; None for one that goes beyond the file.

    `advanced` is told how many bytes were read. Raises `UnreadableError` when the file cannot be
    read, ValueError for an algorithm that is not of `ALGORITHMS`.
    """
    spans = [(each.start, reader.size if each.end is None else each.end) for each in ranges]
    inside = [0 <= start <= end <= reader.size for start, end in spans]
    hashes = [_new(each.algorithm) for each in ranges]
    starting: dict[int, list[int]] = {}  # which ranges, by where they start
    ending: dict[int, list[int]] = {}
    for index, (start, end) in enumerate(spans):
        if inside[index] and start < end:
            starting.setdefault(start, []).append(index)
            ending.setdefault(end, []).append(index)
    active: dict[int, _Hash] = {}
    for start, end in itertools.pairwise(sorted(starting.keys() | ending.keys())):
        for index in ending.get(start, ()):
            del active[index]
        active.update((index, hashes[index]) for index in starting.get(start, ()))
        if active:
            _read(reader, start, end, tuple(active.values()), advanced)
    return tuple(found.hexdigest() if here else None for found, here in zip(hashes, inside, strict=True))


def _read(
    reader: ByteReader, start: int, end: int, hashes: Sequence[_Hash], advanced: Callable[[int], object]
) -> None:
    buffer = aligned(min(CHUNK_BYTES, end - start))
    while start < end:
        count = reader.read_into(start, buffer[: min(len(buffer), end - start)])
        if count == 0:
            # Raises: the file ends before its listed size.
            reader.read_at(start, end - start)
        for each in hashes:
            each.update(buffer[:count])
        start += count
        advanced(count)
