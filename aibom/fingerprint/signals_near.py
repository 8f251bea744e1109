"""Rows that say almost the same, on the sample of texts.

A text is the set of its three-word sequences. Of their hashes the smallest are kept; among the smallest of
two texts together, the share that both have estimates their Jaccard similarity (bottom-k sketch).
Source: Broder 1997, "On the resemblance and containment of documents"; Cohen and Kaplan 2007.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from itertools import chain
from typing import Final

from aibom.domain.dataset_signals import EXAMPLE_COUNT, Signal, SignalKind
from aibom.fingerprint.signals_sample import SampledText

SIMILARITY: Final = 0.8  # from which on two texts are almost the same
TEXT_COUNT: Final = 4_096  # that are compared, those with the smallest keys
SKETCH: Final = 64  # hashes of a text: the estimate is off by 0.05 (one sigma) at 0.8
_SHINGLE: Final = 3  # words
_LEAST: Final = 8  # sequences of a text; shorter ones resemble each other by chance
_BUCKETS: Final = 4  # of the smallest hashes, one of which two similar texts share with p > 0.99
_BUCKET_TEXTS: Final = 8  # that are compared with each other, so that a hostile bucket costs little


def near_duplicates(texts: Sequence[SampledText]) -> Signal:
    """How many of the sampled rows, which come sorted by their keys, resemble an earlier one."""
    buckets: dict[int, list[tuple[int, ...]]] = {}
    found, looked = [], 0
    for text in texts[:TEXT_COUNT]:
        sketch = _sketch(text)
        if sketch is None:
            continue
        looked += 1
        others = [buckets.setdefault(small, []) for small in sketch[:_BUCKETS]]
        if any(_are_similar(sketch, other) for other in chain.from_iterable(others)):
            found.append(text.row)
        for bucket in others:
            if len(bucket) < _BUCKET_TEXTS:
                bucket.append(sketch)
    return Signal(
        kind=SignalKind.NEAR_DUPLICATE,
        count=len(found),
        looked=looked,
        what="" if looked else "no text of ten words",
        examples=tuple(sorted(found)[:EXAMPLE_COUNT]),
    )


def _sketch(text: SampledText) -> tuple[int, ...] | None:
    hashes: set[int] = set()
    blake2b = hashlib.blake2b
    for words in text.words:
        for parts in zip(*(words[at:] for at in range(_SHINGLE)), strict=False):
            digest = blake2b(" ".join(parts).encode(), digest_size=6).digest()
            hashes.add(int.from_bytes(digest, "big"))
    return tuple(sorted(hashes)[:SKETCH]) if len(hashes) >= _LEAST else None


def _are_similar(one: Sequence[int], other: Sequence[int]) -> bool:
    both = set(one).intersection(other)
    if len(both) < SIMILARITY * max(len(one), len(other)):
        return False  # the most that they can have in common, without a look at which are smallest
    smallest = sorted({*one, *other})[:SKETCH]
    return sum(each in both for each in smallest) >= SIMILARITY * len(smallest)
