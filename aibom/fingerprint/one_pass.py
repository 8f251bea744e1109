"""All digests of one file in one read."""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import Executor, Future, wait
from dataclasses import dataclass
from typing import Any, Final, Protocol

from aibom.domain.digest import Digest, Grade
from aibom.domain.errors import truncated
from aibom.domain.facts import Defect, Facts
from aibom.domain.file import Unindexed
from aibom.domain.limits import CHUNK_BYTES
from aibom.domain.protocols import ByteReader
from aibom.domain.weights_evidence import Header
from aibom.fingerprint.tensors import TensorPass
from aibom.readers.buffers import aligned

# A hand-over between two cores costs some 50 microseconds; eight chunks at a time hide it.
_SHARED_CHUNK_BYTES = 8 * CHUNK_BYTES
_SHARED_BUFFERS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Fingerprint:
    """What one pass over one file computed; see `File` and `TensorEvidence` for the fields."""

    digests: tuple[Digest, ...]
    tensor_digests: tuple[bytes | None, ...] = ()
    unindexed: Unindexed | None = None
    defects: tuple[Defect, ...] = ()
    tensor_leaves: tuple[bytes, ...] = ()  # these two are empty unless leaves were asked for
    tensor_samples: tuple[bytes, ...] = ()
    header: Header | None = None  # None unless it was asked for


class _Hash(Protocol):
    def update(self, data: memoryview, /) -> object: ...

    def hexdigest(self) -> str: ...


# Besides SHA-256: what a place may claim of a file, and what one pass over its bytes computes.
COMPUTABLE: Final = frozenset({"md5", "sha1", "sha384", "sha512", "blake2b", "git-sha1", "git-sha256"})


def _hasher(algorithm: str, size: int) -> _Hash:
    if algorithm.startswith("git-"):  # git-hash-object(1): the header is part of the digest
        whole = hashlib.new(algorithm.removeprefix("git-"), usedforsecurity=False)
        whole.update(b"blob %d\0" % size)
        return whole
    return hashlib.new(algorithm, usedforsecurity=False)


class _Whole:
    """The digests of the file as a whole."""

    def __init__(self, algorithms: Iterable[str], size: int) -> None:
        self._hashes = {name: _hasher(name, size) for name in algorithms}

    def feed(self, view: memoryview) -> None:
        for each in self._hashes.values():
            each.update(view)

    def digests(self) -> tuple[Digest, ...]:
        return tuple(
            Digest(algorithm=name, value=each.hexdigest(), grade=Grade.COMPUTED)
            for name, each in self._hashes.items()
        )


def fingerprint(
    reader: ByteReader,
    facts: Facts | None,
    *,
    algorithms: Iterable[str] = ("sha256",),
    leaves: bool = False,
    header: bool = False,
    companion: Executor | None = None,
    advanced: Callable[[int], object] = abs,
) -> Fingerprint:
    """Reads the file once, front to back, and digests it and each of its tensors.

    `algorithms` are those of `Digest` that hashlib knows, and git-sha1. `leaves` asks for the leaves
    and samples of all tensors, which hashes their bytes once more, and `header` for the digest of what is
    no tensor. With a `companion` a second thread reads and digests the tensors while this one digests the
    file. `advanced` is told how many more bytes are done. Raises `UnreadableError` when the file is
    shorter than listed.
    """
    whole = _Whole(algorithms, reader.size)
    tensors = None
    if facts is not None and (facts.tensors or facts.indexed or header):
        tensors = TensorPass(facts, reader.size, leaves=leaves, header=header)
    if tensors is None:
        _stream(reader, [whole.feed], _whole_room, advanced)
    elif companion is None:
        _stream(reader, [whole.feed, tensors.feed], tensors.room, advanced)
    else:
        _stream_shared(reader, whole, tensors, companion, advanced)
    if tensors is None:
        return Fingerprint(digests=whole.digests())
    tensors.finish()
    return Fingerprint(
        digests=whole.digests(),
        tensor_digests=tensors.digests,
        unindexed=tensors.unindexed,
        defects=tuple(tensors.defects),
        tensor_leaves=tensors.leaves,
        tensor_samples=tensors.samples,
        header=tensors.header,
    )


_Feed = Callable[[memoryview], None]
_Room = Callable[[int, int], int]  # position and buffer size to the size of the next piece


def _whole_room(position: int, most: int) -> int:  # noqa: ARG001 - a file has no cuts
    return most


def _stream(reader: ByteReader, feeds: list[_Feed], room: _Room, advanced: Callable[[int], object]) -> None:
    buffer = aligned(min(CHUNK_BYTES, max(1, reader.size)))
    position = 0
    while position < reader.size:
        view = _fill(reader, position, buffer[: room(position, len(buffer))])
        for feed in feeds:
            feed(view)
        position += len(view)
        advanced(len(view))


class _Ahead:
    """Reads the file piece by piece into buffers that take turns; runs on the companion."""

    def __init__(self, reader: ByteReader, room: _Room) -> None:
        self._reader, self._room = reader, room
        self._buffers = [aligned(_SHARED_CHUNK_BYTES) for _ in range(_SHARED_BUFFERS)]
        self._position = self._turn = 0

    def read(self) -> memoryview:
        """The next piece; empty at the end of the file."""
        if self._position == self._reader.size:
            return memoryview(b"")
        buffer = self._buffers[self._turn % _SHARED_BUFFERS]
        view = _fill(self._reader, self._position, buffer[: self._room(self._position, len(buffer))])
        self._position += len(view)
        self._turn += 1
        return view


def _stream_shared(
    reader: ByteReader,
    whole: _Whole,
    tensors: TensorPass,
    companion: Executor,
    advanced: Callable[[int], object],
) -> None:
    """The companion reads and digests tensors; this thread has nothing to do but SHA-256.

    The companion works in order: read 0, read 1, tensors of 0, read 2, tensors of 1 ... A buffer
    comes round again when this thread asks for a piece three further, and is through with it.
    """
    ahead = _Ahead(reader, tensors.room)
    pieces = deque(companion.submit(ahead.read) for _ in range(_SHARED_BUFFERS - 1))
    fed: deque[Future[None]] = deque()
    try:
        while view := pieces.popleft().result():
            fed.append(companion.submit(tensors.feed, view))
            pieces.append(companion.submit(ahead.read))
            whole.feed(view)
            advanced(len(view))
            while fed and fed[0].done():
                fed.popleft().result()
    finally:
        left: list[Future[Any]] = [*pieces, *fed]  # no buffer may go while somebody writes to it
        wait(left)
    for future in fed:
        future.result()


def _fill(reader: ByteReader, position: int, buffer: memoryview) -> memoryview:
    count = reader.read_into(position, buffer[: reader.size - position])
    if count == 0:
        raise truncated(f"the file ended, {reader.size} bytes were listed", position)
    return buffer[:count]
