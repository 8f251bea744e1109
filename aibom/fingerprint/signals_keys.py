"""Rows that occur again: counted exactly as long as all fit, then on a sample that digests choose.

A sample holds every row whose digest is below a bound. When it gets too large, the bound is halved and
what lies above is dropped. The last bound depends on the set of digests only, so neither the order of
rows nor their batches change a count, and what is counted of a row that stayed is exact.
Source: adaptive sampling (Flajolet 1990, "On adaptive sampling").
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from typing import Final

from aibom.domain.dataset_signals import EXAMPLE_COUNT

KEY_COUNT: Final = 131_072  # different rows that are counted at a time
_BITS: Final = 64
_LABEL_BITS: Final = 32
_LABEL_MASK: Final = (1 << _LABEL_BITS) - 1
_NO_LABEL: Final = 0


def digests_of(rows: Iterable[bytes | memoryview]) -> list[int]:
    """64 bits of BLAKE2b of each row: enough to tell rows apart, too few to prove anything."""
    blake2b, number = hashlib.blake2b, int.from_bytes
    return [number(blake2b(row, digest_size=8).digest(), "big") for row in rows]


class Bound:
    """Below which digests are in the sample."""

    __slots__ = ("cap", "limit")

    def __init__(self, cap: int) -> None:
        self.cap, self.limit = cap, 1 << _BITS

    def shrink(self, kept: dict[int, object]) -> None:
        """Drops what no longer belongs to the sample, until the rest fits."""
        while len(kept) > self.cap and self.limit > 1:
            self.limit >>= 1
            for key in [key for key in kept if key >= self.limit]:
                del kept[key]


class Duplicates:
    """How many rows repeat another one."""

    def __init__(self, cap: int = KEY_COUNT) -> None:
        self._bound, self._kept = Bound(cap), dict[int, int]()
        self._again: list[tuple[int, int]] = []  # digest and number of the first rows that repeat

    def add(self, digests: Sequence[int], first: int) -> None:
        """The next rows, of which the first has this number."""
        kept, bound = self._kept, self._bound
        for at, digest in enumerate(digests):
            if digest < bound.limit:
                seen = kept.get(digest, 0)
                kept[digest] = seen + 1
                if seen and len(self._again) < EXAMPLE_COUNT:
                    self._again.append((digest, first + at))
                elif len(kept) > bound.cap:
                    bound.shrink(kept)  # type: ignore[arg-type]

    def counts(self) -> tuple[int, int, tuple[int, ...]]:
        """Rows that could be left out, rows in the sample, and examples of the former."""
        rows = sum(self._kept.values())
        examples = tuple(number for digest, number in self._again if digest in self._kept)
        return rows - len(self._kept), rows, examples


class Contradictions:
    """How many rows equal another one in all but the label."""

    def __init__(self, cap: int = KEY_COUNT) -> None:
        self._bound = Bound(cap)
        self._kept: dict[int, int] = {}  # number of rows, then 32 bits of the label, or none for several
        self._mixed: list[tuple[int, int]] = []

    def add(self, keys: Sequence[int], labels: Sequence[int | None], first: int) -> None:
        """The next rows by key and label (from 1, of 32 bits; None for a row without one)."""
        kept, bound = self._kept, self._bound
        for at, (key, label) in enumerate(zip(keys, labels, strict=True)):
            if label is None or key >= bound.limit:
                continue
            seen = kept.get(key)
            if seen is None:
                kept[key] = 1 << _LABEL_BITS | label
                if len(kept) > bound.cap:
                    bound.shrink(kept)  # type: ignore[arg-type]
            elif seen & _LABEL_MASK in (label, _NO_LABEL):
                kept[key] = seen + (1 << _LABEL_BITS)
            else:
                kept[key] = ((seen >> _LABEL_BITS) + 1) << _LABEL_BITS | _NO_LABEL
                if len(self._mixed) < EXAMPLE_COUNT:
                    self._mixed.append((key, first + at))

    def counts(self) -> tuple[int, int, tuple[int, ...]]:
        """Rows whose key has several labels, rows in the sample, and examples of the former."""
        rows = [(seen >> _LABEL_BITS, seen & _LABEL_MASK) for seen in self._kept.values()]
        mixed = sum(count for count, label in rows if label == _NO_LABEL)
        examples = tuple(number for key, number in self._mixed if key in self._kept)
        return mixed, sum(count for count, _ in rows), examples
