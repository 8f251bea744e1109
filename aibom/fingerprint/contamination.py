"""Texts of benchmarks in a dataset, found by digests of their word sequences.

Version 1. A text is put into lower case by Unicode case folding and cut into its runs of letters, digits
and underscores. Each 13 of these words that stand behind each other are joined by single spaces; their
digest is the first 8 bytes of SHA-256 of the UTF-8. Shorter texts have none. A digest set is

    "AIBOMNGM" | version, words of a sequence, number of benchmarks (4 bytes each)
    for each benchmark, sorted by name: length of the name (4) | name, UTF-8 | number of digests (8) | digests

with little-endian numbers, and digests sorted as big-endian numbers, each once. So a set says nothing about a
benchmark that one who does not have its texts could read. Source for 13 words: Brown et al. 2020, appendix C.
"""

from __future__ import annotations

import hashlib
import re
import struct
import sys
from array import array
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Final

from aibom.domain.dataset import RowBatch
from aibom.domain.dataset_signals import EXAMPLE_COUNT, WORD_CHARS, Signal, SignalKind
from aibom.domain.errors import malformed, over_limit, truncated, unsupported
from aibom.fingerprint.signals_text import text_columns

NGRAM_WORDS: Final = 13
NGRAM_COUNT: Final = 2_000_000  # digests of a set: 16 MB
BENCHMARK_COUNT: Final = 1_000
_MAGIC: Final = b"AIBOMNGM"
_HEAD: Final = struct.Struct("<8sIII")
_SIZE: Final = struct.Struct("<I")
_COUNT: Final = struct.Struct("<Q")
_VERSION: Final = 1
_DIGEST_BYTES: Final = 8
_PART_WORDS: Final = 10_000
_FILTER_BITS: Final = 24
_WORD: Final = re.compile(r"\w+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Benchmark:
    """The sequences of one benchmark."""

    name: str
    digests: array[int]  # sorted, each once


def ngrams(text: str) -> Iterator[int]:
    """The digests of a text, in its order."""
    found = (match[0] for match in _WORD.finditer(text.casefold()))
    sha256, number = hashlib.sha256, int.from_bytes
    words: list[str] = []
    # The words of a long text would take many times its memory.
    while part := list(islice(found, _PART_WORDS)):
        words = [*words[1 - NGRAM_WORDS :], *part]
        for at in range(len(words) - NGRAM_WORDS + 1):
            joined = " ".join(words[at : at + NGRAM_WORDS])
            yield number(sha256(joined.encode("utf-8", "surrogatepass")).digest()[:_DIGEST_BYTES], "big")


def write_ngrams(benchmarks: Mapping[str, Iterable[str]]) -> bytes:
    """The digest set of benchmarks, by name, from their texts. Raises ValueError for what no reader takes."""
    return _rendered({
        name: {digest for text in texts for digest in ngrams(text)} for name, texts in benchmarks.items()
    })  # fmt: skip


def _rendered(benchmarks: Mapping[str, set[int]]) -> bytes:
    parts, total = [_HEAD.pack(_MAGIC, _VERSION, NGRAM_WORDS, len(benchmarks))], 0
    for name in sorted(benchmarks):
        digests = sorted(benchmarks[name])
        label = name.encode()
        total += len(digests)
        if not 0 < len(name) <= WORD_CHARS:
            raise ValueError(f"a name of {len(name)} characters")
        parts += [_SIZE.pack(len(label)), label, _COUNT.pack(len(digests))]
        parts += [digest.to_bytes(_DIGEST_BYTES, "big") for digest in digests]
    if total > NGRAM_COUNT or len(benchmarks) > BENCHMARK_COUNT:
        raise ValueError(f"{total} digests of {len(benchmarks)} benchmarks")
    return b"".join(parts)


class NgramSet:
    """Collects the sequences of all text of the rows that it sees, for a digest set."""

    def __init__(self) -> None:
        self._digests: set[int] = set()

    def feed(self, batch: RowBatch, rows: object = None) -> None:  # noqa: ARG002 - as `SignalPass`
        """The next rows. Raises `UnreadableError` for more sequences than a set holds."""
        for _, texts in text_columns(batch):
            for text in texts:
                self._digests.update(ngrams(text))
        if len(self._digests) > NGRAM_COUNT:
            raise over_limit(f"more than {NGRAM_COUNT} sequences of {NGRAM_WORDS} words")

    def render(self, name: str) -> bytes:
        """The set of one benchmark. Raises ValueError for a name that no reader takes."""
        return _rendered({name: self._digests})


class _Cursor:
    def __init__(self, data: bytes) -> None:
        self.data, self.at = data, 0

    def take(self, count: int) -> bytes:
        if count > len(self.data) - self.at:
            raise truncated(f"{count} bytes are claimed, {len(self.data) - self.at} are there", self.at)
        self.at += count
        return self.data[self.at - count : self.at]


def read_ngrams(data: bytes) -> tuple[Benchmark, ...]:
    """The benchmarks of a digest set, by name. Raises `UnreadableError`."""
    cursor = _Cursor(data)
    magic, version, words, count = _HEAD.unpack(cursor.take(_HEAD.size))
    if magic != _MAGIC:
        raise malformed("not a set of digests of benchmarks", 0)
    if version != _VERSION or words != NGRAM_WORDS:
        raise unsupported(f"version {version} with sequences of {words} words", len(_MAGIC))
    if count > BENCHMARK_COUNT:
        raise over_limit(f"{count} benchmarks, at most {BENCHMARK_COUNT} are read", len(_MAGIC))
    found: list[Benchmark] = []
    for _ in range(count):
        found.append(_benchmark(cursor, left=NGRAM_COUNT - sum(len(each.digests) for each in found)))
        if len(found) > 1 and found[-2].name >= found[-1].name:
            raise malformed("the names of the benchmarks are not sorted", cursor.at)
    if cursor.at != len(data):
        raise malformed(f"{len(data) - cursor.at} bytes follow the last benchmark", cursor.at)
    return tuple(found)


def _benchmark(cursor: _Cursor, *, left: int) -> Benchmark:
    start = cursor.at
    (length,) = _SIZE.unpack(cursor.take(_SIZE.size))
    try:
        name = cursor.take(length).decode()
    except UnicodeDecodeError:
        raise malformed("the name of a benchmark is not UTF-8", start) from None
    if not 0 < len(name) <= WORD_CHARS:
        raise malformed(f"a name of {len(name)} characters", start)
    (count,) = _COUNT.unpack(cursor.take(_COUNT.size))
    if count > left:
        raise over_limit(f"more than {NGRAM_COUNT} digests", cursor.at)
    digests = array("Q", cursor.take(count * _DIGEST_BYTES))
    if sys.byteorder == "little":
        digests.byteswap()
    if any(one >= other for one, other in zip(digests, memoryview(digests)[1:], strict=False)):
        raise malformed("the digests are not sorted", cursor.at - count * _DIGEST_BYTES)
    return Benchmark(name=name, digests=digests)


class Overlap:
    """Counts rows that hold a sequence of a benchmark, and sequences that were found."""

    def __init__(self, benchmarks: Sequence[Benchmark]) -> None:
        self._benchmarks = benchmarks
        # One bit per digest says for nearly all of the others that no benchmark has them.
        self._filter = bytearray(1 << (_FILTER_BITS - 3) if benchmarks else 0)
        for benchmark in benchmarks:
            for digest in benchmark.digests:
                slot = digest >> (64 - _FILTER_BITS)
                self._filter[slot >> 3] |= 1 << (slot & 7)
        self._seen = [bytearray(len(benchmark.digests)) for benchmark in benchmarks]
        self._rows = [0] * len(benchmarks)
        self._examples: list[list[int]] = [[] for _ in benchmarks]

    def add(self, columns: Sequence[Sequence[str]], first: int) -> None:
        """The text of the next rows."""
        if not self._benchmarks:
            return
        for at, texts in enumerate(zip(*columns, strict=True)):
            for number in {each for text in texts for each in self._found(text)}:
                self._rows[number] += 1
                if len(self._examples[number]) < EXAMPLE_COUNT:
                    self._examples[number].append(first + at)

    def _found(self, text: str) -> Iterator[int]:
        for digest in ngrams(text):
            slot = digest >> (64 - _FILTER_BITS)
            if self._filter[slot >> 3] >> (slot & 7) & 1:
                for number, benchmark in enumerate(self._benchmarks):
                    at = bisect_left(benchmark.digests, digest)
                    if at < len(benchmark.digests) and benchmark.digests[at] == digest:
                        self._seen[number][at] = 1
                        yield number

    def signals(self, rows: int) -> Iterator[Signal]:
        """One for each benchmark."""
        if not self._benchmarks:
            reason = "no digests of benchmarks"
            yield Signal(kind=SignalKind.CONTAMINATION, count=0, looked=0, what=reason)
        for number, benchmark in enumerate(self._benchmarks):
            yield Signal(
                kind=SignalKind.CONTAMINATION,
                count=self._rows[number],
                looked=rows,
                what=benchmark.name,
                parts=sum(self._seen[number]),
                examples=tuple(self._examples[number]),
            )
