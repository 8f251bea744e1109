"""A few elements of each tensor, at positions that follow from how many it has.

A tensor of n elements is cut into 64 parts of n / 64, and of each part one element is taken. Which one
follows from BLAKE3 over a tag and n, so tensors of one size are sampled alike, whatever their name, type
and file. The positions are public: whoever edits weights can leave these elements alone, or copy them from
another model. A sample is evidence among honest parties, and never proof.
"""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from blake3 import blake3

from aibom.domain.weights_evidence import SAMPLE_COUNT

_TAG: Final = b"aibom:sample:v1\0"
_KEPT_SIZES: Final = 256
_CODES: Final = {
    "F16": "e", "BF16": "f", "F32": "f", "F64": "d",
    "I8": "b", "I16": "h", "I32": "i", "I64": "q", "U8": "B", "U16": "H", "U32": "I", "U64": "Q",
}  # fmt: skip


@lru_cache(maxsize=_KEPT_SIZES)
def positions(elements: int) -> tuple[int, ...]:
    """The numbers of the sampled elements, ascending: all of them when there are no more than 64."""
    if elements <= SAMPLE_COUNT:
        return tuple(range(elements))
    stream = blake3(_TAG + elements.to_bytes(16, "little")).digest(8 * SAMPLE_COUNT)
    edges = [part * elements // SAMPLE_COUNT for part in range(SAMPLE_COUNT + 1)]
    drawn = struct.unpack(f"<{SAMPLE_COUNT}Q", stream)
    return tuple(
        start + number % (end - start)
        for start, end, number in zip(edges[:-1], edges[1:], drawn, strict=True)
    )


class Sampler:
    """Takes the sampled elements out of bytes that stream by."""

    __slots__ = ("_at", "_positions", "_taken", "_width")

    def __init__(self, extent: int, width: int) -> None:
        self._width, self._positions = width, positions(extent // width)
        self._taken = bytearray()
        self._at = 0

    def update(self, data: bytes | memoryview) -> None:
        """The next bytes of the tensor."""
        end = self._at + len(data)
        while len(self._taken) < len(self._positions) * self._width:
            number, done = divmod(len(self._taken), self._width)
            start = self._positions[number] * self._width - self._at
            if start + done >= len(data):
                break
            self._taken += data[start + done : start + self._width]
        self._at = end

    def sample(self) -> bytes:
        """The elements as they are stored, in order of position."""
        return bytes(self._taken)


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """Mean, standard deviation and largest magnitude of the sampled numbers that are finite."""

    count: int
    mean: float
    std: float  # of these numbers themselves, not an estimate for the tensor
    absmax: float


def summary(sample: bytes, dtype: str) -> Summary | None:
    """What the sample says in numbers; None for types that have no plain numbers, and for none finite."""
    if dtype not in _CODES:
        return None
    numbers = [number for number in _decoded(sample, dtype) if math.isfinite(number)]
    if not numbers:
        return None
    # Scaled, so that squares of the largest doubles stay finite.
    absmax = max(map(abs, numbers))
    scaled = [number / (absmax or 1) for number in numbers]
    mean = math.fsum(scaled) / len(scaled)
    spread = math.sqrt(math.fsum((number - mean) ** 2 for number in scaled) / len(scaled))
    return Summary(count=len(numbers), mean=mean * absmax, std=spread * absmax, absmax=float(absmax))


def _decoded(sample: bytes, dtype: str) -> tuple[float, ...]:
    if dtype == "BF16":  # the upper half of binary32
        sample = b"".join(b"\0\0" + sample[at : at + 2] for at in range(0, len(sample), 2))
    code = _CODES[dtype]
    return struct.unpack(f"<{len(sample) // struct.calcsize(code)}{code}", sample)
