"""Tensor digests and unindexed bytes, from a file that streams by once.

The digest of a tensor is BLAKE3-256 over its raw row-major little-endian bytes, whatever file
holds them. Tensors that share storage are digested side by side.
"""

from __future__ import annotations

import hashlib
import zlib
from bisect import bisect_right
from collections.abc import Iterable
from typing import Protocol

from blake3 import blake3

from aibom.domain.dtypes import byte_length
from aibom.domain.errors import Reason
from aibom.domain.facts import Defect, Facts, Layout, Tensor
from aibom.domain.file import Unindexed
from aibom.domain.limits import CHUNK_BYTES, INFLATE_RATIO, KIB, OVERLAP_RATIO

_INFLATE_STEP_BYTES = 256 * KIB


class _Sink(Protocol):
    def update(self, data: memoryview, /) -> object: ...

    def digest(self) -> bytes: ...


class _Inflating:
    """Digests what a raw deflate stream holds behind an inner header of `skip` bytes."""

    __slots__ = ("_hash", "_left", "_skip", "_stream")

    def __init__(self, skip: int, length: int) -> None:
        self._hash = blake3()
        self._stream = zlib.decompressobj(-zlib.MAX_WBITS)
        self._skip, self._left = skip, length

    def update(self, data: memoryview) -> None:
        pending: bytes | memoryview = data
        while pending and not self._stream.eof and self._left >= 0:
            self._take(self._stream.decompress(pending, _INFLATE_STEP_BYTES))
            pending = self._stream.unconsumed_tail

    def _take(self, piece: bytes) -> None:
        body = piece[self._skip :]
        self._skip -= len(piece) - len(body)
        self._left -= len(body)
        self._hash.update(body)

    def digest(self) -> bytes:
        """Raises ValueError when the stream did not hold exactly what the header promised."""
        while not self._stream.eof and self._left >= 0:
            piece = self._stream.decompress(self._stream.unconsumed_tail, _INFLATE_STEP_BYTES)
            if not piece:
                break
            self._take(piece)
        if self._left or not self._stream.eof:
            raise ValueError("the compressed data is not as long as its header says")
        return self._hash.digest()


class _Run:
    """One byte range and who is waiting for its digest."""

    __slots__ = ("end", "owners", "sink", "start", "tensor")

    def __init__(self, tensor: Tensor) -> None:
        self.start, self.end = tensor.offset, tensor.offset + tensor.length
        self.tensor = tensor
        self.owners: list[int] = []
        self.sink: _Sink | None = None

    def open(self) -> _Sink:
        if self.tensor.layout is Layout.DEFLATED:
            length = byte_length(self.tensor.dtype, self.tensor.elements)
            return _Inflating(self.tensor.skip, -1 if length is None else length)
        return blake3()


class TensorPass:
    """Feed it the whole file in order, then ask for the digests.

    `digests` runs parallel to `facts.tensors`. `defects` says why a digest is missing where the
    layout alone does not.
    """

    def __init__(self, facts: Facts, size: int) -> None:
        self._position = 0
        self._digests: list[bytes | None] = [None] * len(facts.tensors)
        self.defects: list[Defect] = []
        self._runs = self._plan(facts.tensors, size)
        self._cuts = [run.start for run in self._runs if run.end - run.start >= CHUNK_BYTES]
        self._next = 0
        self._active: list[_Run] = []
        self._holes = _holes(facts, size) if facts.indexed else []
        self._hole = 0
        self._unindexed = hashlib.sha256() if facts.indexed else None

    def _plan(self, tensors: tuple[Tensor, ...], size: int) -> list[_Run]:
        runs: dict[tuple[int, int, Layout, int], _Run] = {}
        for index, tensor in enumerate(tensors):
            inside = tensor.offset + tensor.length <= size
            if inside and (tensor.layout is Layout.RAW or _is_plausible(tensor)):
                key = (tensor.offset, tensor.length, tensor.layout, tensor.skip)
                runs.setdefault(key, _Run(tensor)).owners.append(index)
        if sum(run.end - run.start for run in runs.values()) > OVERLAP_RATIO * size:
            message = f"the tensors overlap: together they are over {OVERLAP_RATIO} times the file"
            self.defects.append(Defect(reason=Reason.LIMIT, message=message))
            return []
        return sorted(runs.values(), key=lambda run: (run.start, run.end))

    @property
    def digests(self) -> tuple[bytes | None, ...]:
        return tuple(self._digests)

    @property
    def unindexed(self) -> Unindexed | None:
        """How many bytes no tensor and no header explains; None when the format cannot tell."""
        if self._unindexed is None:
            return None
        count = sum(end - start for start, end in self._holes)
        return Unindexed(bytes=count, sha256=self._unindexed.hexdigest())

    def room(self, position: int, most: int) -> int:
        """How many bytes to feed next: up to `most`, but not across the start of a large tensor.

        BLAKE3 is a tree over 1 KiB leaves; pieces that start where the tensor starts keep whole
        subtrees together, which is a fifth faster than any other cut.
        """
        at = bisect_right(self._cuts, position)
        return min(most, self._cuts[at] - position) if at < len(self._cuts) else most

    def feed(self, view: memoryview) -> None:
        """The next bytes of the file."""
        begin, end = self._position, self._position + len(view)
        self._feed_holes(view, begin, end)
        self._open_runs(end)
        still = []
        for run in self._active:
            sink = run.sink = run.sink or run.open()
            sink.update(view[max(run.start, begin) - begin : min(run.end, end) - begin])
            if run.end <= end:
                self._finish(run, sink)
            else:
                still.append(run)
        self._active = still
        self._position = end

    def finish(self) -> None:
        """Closes empty tensors at the very end of the file."""
        self._open_runs(self._position + 1)
        for run in self._active:
            self._finish(run, run.sink or run.open())
        self._active = []

    def _open_runs(self, end: int) -> None:
        while self._next < len(self._runs) and self._runs[self._next].start < end:
            self._active.append(self._runs[self._next])
            self._next += 1

    def _finish(self, run: _Run, sink: _Sink) -> None:
        try:
            digest = sink.digest()
        except (ValueError, zlib.error) as error:
            message = f"tensor {run.tensor.name[:80]!r} has no digest: {error}"
            self.defects.append(Defect(reason=Reason.MALFORMED, message=message, offset=run.start))
            return
        for owner in run.owners:
            self._digests[owner] = digest

    def _feed_holes(self, view: memoryview, begin: int, end: int) -> None:
        while self._unindexed is not None and self._hole < len(self._holes):
            start, stop = self._holes[self._hole]
            if start >= end:
                return
            self._unindexed.update(view[max(start, begin) - begin : min(stop, end) - begin])
            if stop > end:
                return
            self._hole += 1


def _is_plausible(tensor: Tensor) -> bool:
    """True for a deflated tensor whose promised size deflate can reach at all."""
    length = byte_length(tensor.dtype, tensor.elements)
    possible = tensor.length * INFLATE_RATIO
    return tensor.layout is Layout.DEFLATED and length is not None and tensor.skip + length <= possible


def _holes(facts: Facts, size: int) -> list[tuple[int, int]]:
    """The byte ranges that neither a tensor nor the format explains, in order."""
    spans: Iterable[tuple[int, int]] = sorted(
        [(span.start, span.end) for span in facts.covered]
        + [(tensor.offset, tensor.offset + tensor.length) for tensor in facts.tensors]
    )
    holes = []
    position = 0
    for start, end in spans:
        if start > position:
            holes.append((position, min(start, size)))
        position = max(position, end)
    if position < size:
        holes.append((position, size))
    return holes
