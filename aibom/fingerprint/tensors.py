"""Tensor digests and unindexed bytes, from a file that streams by once.

The digest of a tensor is BLAKE3-256 over its raw row-major little-endian bytes, whatever file
holds them. Tensors that share storage are digested side by side.
"""

from __future__ import annotations

import hashlib
import zlib
from bisect import bisect_right
from typing import Protocol

from blake3 import blake3

from aibom.domain.dtypes import byte_length
from aibom.domain.errors import Reason
from aibom.domain.facts import Defect, Facts, Layout, Tensor
from aibom.domain.file import Unindexed
from aibom.domain.limits import CHUNK_BYTES, INFLATE_RATIO, KIB, OVERLAP_RATIO
from aibom.domain.weights_evidence import Header, extent_of, sample_width
from aibom.fingerprint.leaves import LeafHash
from aibom.fingerprint.sketch import Sampler

_INFLATE_STEP_BYTES = 256 * KIB


class _Sink(Protocol):
    def update(self, data: bytes | memoryview, /) -> object: ...

    def digest(self) -> bytes: ...


class _Traced:
    """Digests a tensor, its leaves and its sampled elements."""

    __slots__ = ("_hash", "_sampler")

    def __init__(self, tensor: Tensor) -> None:
        self._hash = LeafHash()
        self._sampler = Sampler(extent_of(tensor), sample_width(tensor.dtype))

    def update(self, data: bytes | memoryview) -> None:
        self._hash.update(data)
        self._sampler.update(data)

    def digest(self) -> bytes:
        return self._hash.digest()

    def trace(self) -> tuple[bytes, bytes]:
        return self._hash.leaves(), self._sampler.sample()


class _Inflating:
    """Digests what a raw deflate stream holds behind an inner header of `skip` bytes."""

    __slots__ = ("_hash", "_left", "_skip", "_stream")

    def __init__(self, sink: _Sink, skip: int, length: int) -> None:
        self._hash = sink
        self._stream = zlib.decompressobj(-zlib.MAX_WBITS)
        self._skip, self._left = skip, length

    def update(self, data: bytes | memoryview) -> None:
        pending = data
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

    __slots__ = ("end", "owners", "sink", "start", "tensor", "traced")

    def __init__(self, tensor: Tensor) -> None:
        self.start, self.end = tensor.offset, tensor.offset + tensor.length
        self.tensor = tensor
        self.owners: list[int] = []
        self.sink: _Sink | None = None
        self.traced: _Traced | None = None

    def open(self, *, leaves: bool) -> _Sink:
        self.traced = _Traced(self.tensor) if leaves else None
        sink: _Sink = self.traced or blake3()
        if self.tensor.layout is Layout.DEFLATED:
            length = byte_length(self.tensor.dtype, self.tensor.elements)
            return _Inflating(sink, self.tensor.skip, -1 if length is None else length)
        return sink


class _Spans:
    """One digest over several ranges of the file, in order."""

    __slots__ = ("_next", "_spans", "bytes", "state")

    def __init__(self, spans: list[tuple[int, int]], state: _Sink) -> None:
        self._spans, self.state = spans, state
        self.bytes = sum(end - start for start, end in spans)
        self._next = 0

    def feed(self, view: memoryview, begin: int, end: int) -> None:
        while self._next < len(self._spans):
            start, stop = self._spans[self._next]
            if start >= end:
                return
            self.state.update(view[max(start, begin) - begin : min(stop, end) - begin])
            if stop > end:
                return
            self._next += 1


class TensorPass:
    """Feed it the whole file in order, then ask for the digests.

    `digests`, `leaves` and `samples` run parallel to `facts.tensors`; the latter two are empty unless
    leaves are asked for. `defects` says why a digest is missing where the layout alone does not.
    """

    def __init__(self, facts: Facts, size: int, *, leaves: bool = False, header: bool = False) -> None:
        self._position = 0
        self._tensors = facts.tensors
        self._digests: list[bytes | None] = [None] * len(facts.tensors)
        self._traces: list[tuple[bytes, bytes]] = [(b"", b"")] * len(facts.tensors) if leaves else []
        self._wants_leaves = leaves
        self.defects: list[Defect] = []
        self._runs = self._plan(facts.tensors, size)
        self._cuts = [run.start for run in self._runs if run.end - run.start >= CHUNK_BYTES]
        self._next = 0
        self._active: list[_Run] = []
        holes = _holes(facts, size) if facts.indexed else []
        self._holes = _Spans(holes, hashlib.sha256()) if facts.indexed else None
        self._header = _Spans(self._rest(holes, size), blake3()) if header else None

    def _plan(self, tensors: tuple[Tensor, ...], size: int) -> list[_Run]:
        runs: dict[tuple[int, int, Layout, int, int], _Run] = {}
        for index, tensor in enumerate(tensors):
            inside = tensor.offset + tensor.length <= size
            if inside and (tensor.layout is Layout.RAW or _is_plausible(tensor)):
                key = (tensor.offset, tensor.length, tensor.layout, tensor.skip, extent_of(tensor))
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
    def leaves(self) -> tuple[bytes, ...]:
        return tuple(leaves for leaves, _ in self._traces)

    @property
    def samples(self) -> tuple[bytes, ...]:
        return tuple(sample for _, sample in self._traces)

    @property
    def unindexed(self) -> Unindexed | None:
        """How many bytes no tensor and no header explains; None when the format cannot tell."""
        if self._holes is None:
            return None
        return Unindexed(bytes=self._holes.bytes, sha256=self._holes.state.digest().hex())

    @property
    def header(self) -> Header | None:
        """All that is neither unindexed nor a tensor digested as it stands; None when not asked for."""
        if self._header is None:
            return None
        return Header(size=self._header.bytes, blake3=self._header.state.digest())

    def _rest(self, holes: list[tuple[int, int]], size: int) -> list[tuple[int, int]]:
        # Deflated bytes stay in: one stream can be written in many ways.
        raw = [(run.start, run.end) for run in self._runs if run.tensor.layout is Layout.RAW]
        return _between(holes + raw, size)

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
        for spans in (self._holes, self._header):
            if spans is not None:
                spans.feed(view, begin, end)
        self._open_runs(end)
        still = []
        for run in self._active:
            sink = run.sink = run.sink or run.open(leaves=self._wants_leaves)
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
            self._finish(run, run.sink or run.open(leaves=self._wants_leaves))
        self._active = []

    def _open_runs(self, end: int) -> None:
        while self._next < len(self._runs) and self._runs[self._next].start < end:
            self._active.append(self._runs[self._next])
            self._next += 1

    def _finish(self, run: _Run, sink: _Sink) -> None:
        traced, run.traced, run.sink = run.traced, None, None  # kilobytes for each of 100,000 tensors
        try:
            digest = sink.digest()
        except (ValueError, zlib.error) as error:
            message = f"tensor {run.tensor.name[:80]!r} has no digest: {error}"
            self.defects.append(Defect(reason=Reason.MALFORMED, message=message, offset=run.start))
            return
        for owner in run.owners:
            self._digests[owner] = digest
        if traced is not None:
            self._keep(run, *traced.trace())

    def _keep(self, run: _Run, leaves: bytes, sample: bytes) -> None:
        width = sample_width(run.tensor.dtype)
        for owner in run.owners:  # which may read the same storage as other types
            fits = sample_width(self._tensors[owner].dtype) == width
            self._traces[owner] = leaves, sample if fits else b""


def _is_plausible(tensor: Tensor) -> bool:
    """True for a deflated tensor whose promised size deflate can reach at all."""
    length = byte_length(tensor.dtype, tensor.elements)
    possible = tensor.length * INFLATE_RATIO
    return tensor.layout is Layout.DEFLATED and length is not None and tensor.skip + length <= possible


def _holes(facts: Facts, size: int) -> list[tuple[int, int]]:
    """The byte ranges that neither a tensor nor the format explains, in order."""
    tensors = [(tensor.offset, tensor.offset + tensor.length) for tensor in facts.tensors]
    return _between([(span.start, span.end) for span in facts.covered] + tensors, size)


def _between(spans: list[tuple[int, int]], size: int) -> list[tuple[int, int]]:
    """The byte ranges of a file that none of the spans holds, in order."""
    rest = []
    position = 0
    for start, end in sorted(spans):
        if min(start, size) > position:
            rest.append((position, min(start, size)))
        position = max(position, min(end, size))
    if position < size:
        rest.append((position, size))
    return rest
