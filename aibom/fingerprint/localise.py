"""Where a weights file differs from what its sidecar says, without the old bytes.

The digests of tensors, of what is not indexed, and of the rest decide what differs: together they hold
every byte of the file. Leaves only say where in a tensor.
"""

from __future__ import annotations

import operator
from collections import defaultdict, deque
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import replace
from typing import TypeAlias, TypeVar

from aibom.domain.errors import Reason, UnreadableError
from aibom.domain.facts import Facts, Span, Tensor
from aibom.domain.protocols import ByteReader
from aibom.domain.weights_evidence import (
    LEAF_BYTES,
    LEAF_DIGEST_BYTES,
    Localised,
    TensorChange,
    TensorDifference,
    TensorEvidence,
    WeightsContent,
    WeightsEvidence,
    extent_of,
    leaf_count,
    sample_width,
)
from aibom.fingerprint.one_pass import fingerprint
from aibom.fingerprint.weights_sidecar import content
from aibom.readers.ranges import Window

_Key = TypeVar("_Key", bound=Hashable)
_Pair: TypeAlias = tuple[TensorEvidence | None, int | None]


def localise(
    evidence: WeightsEvidence, reader: ByteReader, facts: Facts, *, advanced: Callable[[int], object] = abs
) -> Localised:
    """What differs between the evidence and the present file, of which `facts` were just read.

    Reads the file once, and of the tensors that changed the bytes a second time. Offsets of the evidence
    are never read at. Raises `UnreadableError` when the file is shorter than listed, or changes meanwhile.
    """
    # Without leaves, which would cost as much again: few tensors need theirs.
    found = fingerprint(reader, facts, algorithms=(), header=True, advanced=advanced)
    present = content(facts, found)
    tensors = list(present.tensors)
    tracer = _Tracer(reader, facts)
    for was, at in _pairs(evidence.content.tensors, tensors):
        if at is not None and was and was.sample and _change(was, tensors[at]) is TensorChange.VALUES:
            tensors[at] = tracer.trace(facts.tensors[at], tensors[at])
    return replace(compare(evidence.content, replace(present, tensors=tuple(tensors))), defects=found.defects)


def compare(old: WeightsContent, new: WeightsContent) -> Localised:
    """What differs between two files, from their evidence alone."""
    differences = []
    for was, at in _pairs(old.tensors, new.tensors):
        becomes = None if at is None else new.tensors[at]
        change = _change(was, becomes, rest=old.header == new.header)
        if change is TensorChange.VALUES and was and becomes:
            differences.append(_changed_values(was, becomes))
        elif change is not None:
            differences.append(TensorDifference(change=change, old=was, new=becomes))
    return Localised(
        tensors=tuple(differences),
        header=(old.header, new.header) if old.header != new.header else None,
        unindexed=(old.unindexed, new.unindexed) if old.unindexed != new.unindexed else None,
    )


class _Tracer:
    """Takes leaves and samples of single tensors; storage that several share is read once."""

    def __init__(self, reader: ByteReader, facts: Facts) -> None:
        self._reader, self._facts = reader, facts
        self._known: dict[tuple[int, int, int, int, int], tuple[bytes, bytes]] = {}

    def trace(self, tensor: Tensor, entry: TensorEvidence) -> TensorEvidence:
        width = sample_width(tensor.dtype)
        key = (tensor.offset, tensor.length, tensor.skip, extent_of(tensor), width)
        if key not in self._known:
            self._known[key] = self._read(tensor, entry.blake3)
        leaves, sample = self._known[key]
        return replace(entry, leaves=leaves, sample=sample)

    def _read(self, tensor: Tensor, digest: bytes | None) -> tuple[bytes, bytes]:
        window = Window(self._reader, tensor.offset, tensor.length)
        alone = Facts(format=self._facts.format, kind=self._facts.kind, tensors=(replace(tensor, offset=0),))
        found = fingerprint(window, alone, algorithms=(), leaves=True)
        # Else leaves of other bytes would say where these ones changed.
        if found.tensor_digests != (digest,):
            raise UnreadableError(Reason.CHANGED, "the file changed while it was read", tensor.offset)
        return found.tensor_leaves[0], found.tensor_samples[0]


def _pairs(old: Sequence[TensorEvidence], new: Sequence[TensorEvidence]) -> list[_Pair]:
    """Each tensor with what it was: the same name, else the same content; then those that are gone."""
    by_name = _queues(range(len(old)), [entry.tensor.name for entry in old])
    partners = [_first(by_name, entry.tensor.name) for entry in new]
    gone = sorted(at for queue in by_name.values() for at in queue)
    by_content = _queues((at for at in gone if old[at].blake3), [_identity(entry) for entry in old])
    for at, entry in enumerate(new):
        if partners[at] is None and entry.blake3:
            partners[at] = _first(by_content, _identity(entry))
    taken = set(partners)
    pairs: list[_Pair] = [(None if one is None else old[one], at) for at, one in enumerate(partners)]
    return pairs + [(old[at], None) for at in gone if at not in taken]


def _queues(numbers: Iterable[int], keys: Sequence[_Key]) -> dict[_Key, deque[int]]:
    queues: dict[_Key, deque[int]] = defaultdict(deque)
    for at in numbers:
        queues[keys[at]].append(at)
    return queues


def _first(queues: dict[_Key, deque[int]], key: _Key) -> int | None:
    queue = queues.get(key)
    return queue.popleft() if queue else None


def _identity(entry: TensorEvidence) -> tuple[bytes | None, str, tuple[int, ...]]:
    return entry.blake3, entry.tensor.dtype, entry.tensor.shape


def _change(
    was: TensorEvidence | None, becomes: TensorEvidence | None, *, rest: bool = False
) -> TensorChange | None:
    """What became of a tensor, None for nothing. `rest`: what belongs to no digested tensor is as it was."""
    if was is None or becomes is None:
        return TensorChange.ADDED if was is None else TensorChange.REMOVED
    old, new = was.tensor, becomes.tensor
    if old.name != new.name:
        return TensorChange.RENAMED
    if old.shape != new.shape:
        return TensorChange.SHAPE
    if old.dtype != new.dtype:
        return TensorChange.DTYPE
    if was.blake3 is None or becomes.blake3 is None:
        # Its bytes belong to the rest of the file, which has a digest of its own.
        return None if rest and was.blake3 == becomes.blake3 else TensorChange.NOT_COMPARED
    return None if was.blake3 == becomes.blake3 else TensorChange.VALUES


def _changed_values(was: TensorEvidence, becomes: TensorEvidence) -> TensorDifference:
    width, sampled = sample_width(becomes.tensor.dtype), None
    if was.sample and len(was.sample) == len(becomes.sample):
        sampled = sum(map(operator.ne, _parts(was.sample, width), _parts(becomes.sample, width)))
    return TensorDifference(
        change=TensorChange.VALUES, old=was, new=becomes, spans=_spans(was, becomes), sampled=sampled
    )


def _spans(was: TensorEvidence, becomes: TensorEvidence) -> tuple[Span, ...]:
    """The bytes of all leaves that differ, neighbours joined."""
    extent = extent_of(becomes.tensor)
    if extent_of(was.tensor) != extent:
        return ()
    if not leaf_count(extent):
        return (Span(start=0, end=extent),)
    if not (was.leaves and becomes.leaves):
        return ()
    ends: list[list[int]] = []
    pairs = zip(_parts(was.leaves, LEAF_DIGEST_BYTES), _parts(becomes.leaves, LEAF_DIGEST_BYTES), strict=True)
    for number, (old, new) in enumerate(pairs):
        if old != new and ends and ends[-1][1] == number:
            ends[-1][1] += 1
        elif old != new:
            ends.append([number, number + 1])
    return tuple(Span(start=a * LEAF_BYTES, end=min(b * LEAF_BYTES, extent)) for a, b in ends)


def _parts(data: bytes, size: int) -> list[bytes]:
    return [data[at : at + size] for at in range(0, len(data), size)]
