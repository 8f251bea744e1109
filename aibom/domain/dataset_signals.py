"""What the rows of a data file hint at: poisoning, poor quality, data that can be changed from outside.

Rows are told by their numbers, from 0, and by nothing of what stands in them, with three exceptions,
each cut to `WORD_CHARS`: labels, phrases that are bound to a label, and names of columns.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

EXAMPLE_COUNT: Final = 5  # rows that a signal names
WORD_CHARS: Final = 80  # of a label, a phrase or the name of a column


class SignalKind(StrEnum):
    """What was looked for; the rules that tell it are named the same."""

    SPLIT_VIEW = "split-view"  # addresses of media, and no digest of what they lead to
    CONTRADICTION = "contradicting-labels"  # rows that differ in their labels only
    DUPLICATE = "duplicate-rows"
    NEAR_DUPLICATE = "near-duplicate-rows"
    PHRASE = "trigger-phrase"  # a rare phrase that comes with one label
    CONTAMINATION = "benchmark-contamination"  # text of a benchmark
    HIDDEN_TEXT = "hidden-text"  # text that models read and people do not see
    DECEPTIVE_TEXT = "deceptive-text"  # text that people see in another order or as other words


@dataclass(frozen=True, slots=True, kw_only=True)
class Signal:
    """How many of the rows that were looked at have a trait. Raises ValueError for counts that contradict.

    A count of 0 says that none was found. With `looked` 0 nothing was looked at, and `what` says why.
    """

    kind: SignalKind
    count: int  # rows; of duplicates those that could be left out
    looked: int  # rows
    column: str = ""  # "" is all of them together
    what: str = ""  # the kind of character, the phrase, the benchmark
    label: str = ""  # that a phrase is bound to
    parts: int = 0  # of a benchmark: how many of its n-grams were found
    examples: tuple[int, ...] = ()  # numbers of rows, from 0

    def __post_init__(self) -> None:
        if not 0 <= self.count <= self.looked or self.parts < 0:
            raise ValueError(f"{self.count} of {self.looked} rows")
        if len(self.examples) > min(EXAMPLE_COUNT, self.count):
            raise ValueError(f"{len(self.examples)} examples of {self.count} rows")
        if max(map(len, (self.column, self.what, self.label))) > WORD_CHARS:
            raise ValueError(f"a word of more than {WORD_CHARS} characters")

    @property
    def rate(self) -> float:
        """The share of the rows that were looked at."""
        return self.count / self.looked if self.looked else 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelCounts:
    """How often each label of a column occurs, by label. Raises ValueError for counts that are no counts."""

    column: str
    counts: tuple[tuple[str, int], ...]

    def __post_init__(self) -> None:
        labels = [label for label, _ in self.counts]
        if labels != sorted(set(labels)) or any(count < 1 for _, count in self.counts):
            raise ValueError("labels that are not sorted, occur twice or never")

    @property
    def by_label(self) -> Mapping[str, int]:
        return dict(self.counts)

    @property
    def rows(self) -> int:
        return sum(count for _, count in self.counts)


@dataclass(frozen=True, slots=True, kw_only=True)
class DatasetSignals:
    """All signals of one file, in the order of `SignalKind`, and the labels of its rows."""

    file: str
    rows: int
    signals: tuple[Signal, ...]
    labels: tuple[LabelCounts, ...] = ()  # by the name of the column

    def of(self, kind: SignalKind) -> tuple[Signal, ...]:
        return tuple(signal for signal in self.signals if signal.kind is kind)
