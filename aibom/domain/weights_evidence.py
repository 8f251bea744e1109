"""What is kept of a weights file, so that a later look can say where it changed; and what it says then."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from aibom.domain.digest import HEX_CHARS
from aibom.domain.dtypes import BITS, byte_length
from aibom.domain.facts import Defect, Layout, Span, Tensor
from aibom.domain.file import Unindexed
from aibom.domain.limits import MIB
from aibom.domain.text import capped, visible

LEAF_BYTES: Final = 1 * MIB  # counted from the start of the tensor; the last leaf may be shorter
LEAF_DIGEST_BYTES: Final = 16  # of BLAKE3
SAMPLE_COUNT: Final = 64  # elements of one tensor
DIGEST_BYTES: Final = 32

_TOLD_SPANS: Final = 8
_HEX: Final = re.compile(r"[0-9a-f]+\Z")


def leaf_count(extent: int) -> int:
    """How many leaves a tensor of so many bytes has: none when its own digest says as much."""
    return -(-extent // LEAF_BYTES) if extent > LEAF_BYTES else 0


def extent_of(tensor: Tensor) -> int:
    """Bytes of the tensor's data, after inflating."""
    if tensor.layout is Layout.DEFLATED:
        return byte_length(tensor.dtype, tensor.elements) or 0
    return tensor.length


def sample_width(dtype: str) -> int:
    """Bytes of one sampled element; 1 where elements are packed or stand in blocks."""
    bits = BITS.get(dtype, 8)
    return 1 if bits % 8 else bits // 8


@dataclass(frozen=True, slots=True, kw_only=True)
class TensorEvidence:
    """One tensor as it was. Raises ValueError when the parts contradict each other."""

    tensor: Tensor  # `skip` is not kept
    blake3: bytes | None  # of the data; None where the layout has no single sequence of bytes
    leaves: bytes = b""  # of each leaf 16 bytes, in order; empty: none, or not taken
    sample: bytes = b""  # elements at the positions of `fingerprint.sketch`; empty: none, or not taken

    def __post_init__(self) -> None:
        extent, width = extent_of(self.tensor), sample_width(self.tensor.dtype)
        leaves, sample = leaf_count(extent) * LEAF_DIGEST_BYTES, min(extent // width, SAMPLE_COUNT) * width
        if self.blake3 is None:
            leaves = sample = 0
        elif len(self.blake3) != DIGEST_BYTES:
            raise ValueError(f"a digest of {len(self.blake3)} bytes")
        if len(self.leaves) not in (0, leaves) or len(self.sample) not in (0, sample):
            raise ValueError(f"{len(self.leaves)} bytes of leaves and {len(self.sample)} of sample")


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """The bytes that are neither digested tensors nor unindexed: headers, indexes, padding, other tensors."""

    size: int  # bytes
    blake3: bytes

    def __post_init__(self) -> None:
        if self.size < 0 or len(self.blake3) != DIGEST_BYTES:
            raise ValueError(f"a digest of {len(self.blake3)} bytes over {self.size} bytes")


@dataclass(frozen=True, slots=True, kw_only=True)
class WeightsContent:
    """Every byte of a weights file, under one digest or another."""

    tensors: tuple[TensorEvidence, ...]  # in the order of the format's index
    header: Header
    unindexed: Unindexed | None  # None when the format cannot tell


@dataclass(frozen=True, slots=True, kw_only=True)
class WeightsEvidence:
    """The content of one weights file, and which file that was. Raises ValueError for what cannot be."""

    sha256: str
    size: int
    format: str
    content: WeightsContent

    def __post_init__(self) -> None:
        if len(self.sha256) != HEX_CHARS["sha256"] or not _HEX.match(self.sha256):
            raise ValueError(f"not a sha256 digest: {self.sha256!r}")
        ends = (entry.tensor.offset + entry.tensor.length for entry in self.content.tensors)
        if max(ends, default=0) > self.size:
            raise ValueError(f"a tensor ends behind the {self.size} bytes of the file")


class TensorChange(StrEnum):
    """What became of a tensor; the first that fits."""

    ADDED = "added"
    REMOVED = "removed"
    RENAMED = "renamed"  # same dtype, shape and digest
    SHAPE = "shape"
    DTYPE = "dtype"
    VALUES = "values"
    NOT_COMPARED = "not compared"  # one side has no digest


@dataclass(frozen=True, slots=True, kw_only=True)
class TensorDifference:
    """One tensor that is not what it was."""

    change: TensorChange
    old: TensorEvidence | None
    new: TensorEvidence | None
    spans: tuple[Span, ...] = ()  # of the tensor's data: whole leaves, joined; empty: the place is not known
    sampled: int | None = None  # sampled elements that differ; None when a side has no sample

    def __str__(self) -> str:
        old, new = self.old.tensor if self.old else None, self.new.tensor if self.new else None
        told = _name(new or old)
        if old is None or new is None or self.change is TensorChange.NOT_COMPARED:
            return f"{told}: {self.change}"
        if self.change is TensorChange.RENAMED:
            return f"{told}: renamed, was {_name(old)}"
        if self.change is TensorChange.SHAPE:
            return f"{told}: shape {_shape(old)} became {_shape(new)}"
        if self.change is TensorChange.DTYPE:
            return f"{told}: dtype {_text(old.dtype)} became {_text(new.dtype)}"
        return f"{told}: {self._place(extent_of(new))}"

    def _place(self, extent: int) -> str:
        if not self.spans:
            return f"somewhere in its {extent:,} bytes"
        ranges = ", ".join(f"{span.start:,} to {span.end - 1:,}" for span in self.spans[:_TOLD_SPANS])
        more = len(self.spans) - _TOLD_SPANS
        return f"bytes {ranges}{f' and {more:,} more ranges' if more > 0 else ''} of {extent:,}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Localised:
    """Where a file differs from its evidence. The text has one line for each difference."""

    tensors: tuple[TensorDifference, ...] = ()  # in the order of the present file, removed ones last
    header: tuple[Header, Header] | None = None  # old and new; None when they are equal
    unindexed: tuple[Unindexed | None, Unindexed | None] | None = None  # the same
    defects: tuple[Defect, ...] = ()  # why a tensor of the present file has no digest

    @property
    def same(self) -> bool:
        """True when every digest is what it was."""
        return not (self.tensors or self.header or self.unindexed)

    @property
    def metadata_only(self) -> bool:
        """True when all tensors are what they were, and so are bytes that no header explains."""
        return self.header is not None and not self.tensors and self.unindexed is None

    @property
    def unindexed_only(self) -> bool:
        """True when nothing differs but bytes that no tensor and no header explains."""
        return self.unindexed is not None and not self.tensors and self.header is None

    def __str__(self) -> str:
        lines = [str(difference) for difference in self.tensors]
        if self.header is not None:
            label = "metadata only" if self.metadata_only else "metadata"
            lines.append(f"{label}: {_became(self.header[0].size, self.header[1].size)}")
        if self.unindexed is not None:
            before, after = (each.bytes if each else 0 for each in self.unindexed)
            label = "unindexed bytes only" if self.unindexed_only else "unindexed bytes"
            lines.append(f"{label}: {_became(before, after)}")
        return "\n".join(lines) or "no difference"


def _became(old: int, new: int) -> str:
    return f"other content in {new:,} bytes" if old == new else f"{old:,} bytes became {new:,}"


def _name(tensor: Tensor | None) -> str:
    return _text(tensor.name) if tensor else ""


def _text(text: str) -> str:
    return visible(capped(text, 200))


def _shape(tensor: Tensor) -> str:
    return "x".join(map(str, tensor.shape)) or "scalar"
