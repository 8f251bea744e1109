"""The labels of rows: which columns hold them, how often each occurs, and one number for all of a row."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from itertools import islice
from typing import Final

from aibom.domain.dataset import ABSENT, RowBatch
from aibom.domain.dataset_signals import WORD_CHARS, LabelCounts
from aibom.domain.text import visible

LABEL_COUNT: Final = 1_024  # different labels of a column; more are values
FEW: Final = 256  # different labels at most of a column that nobody called a label
_PARTS: Final = 256  # of a label that is a list or a struct; further ones are left out
_ROWS_PER_LABEL: Final = 2  # at least, of such a column
_WELL_KNOWN: Final = frozenset({"label", "labels", "target", "class", "y", "label_text", "label_name"})


def short(text: str) -> str:
    """A word as a signal may hold it: visible, and cut, with a few digits of its digest to stay different."""
    shown = visible(text[: WORD_CHARS + 1])
    if len(shown) <= WORD_CHARS:
        return shown
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:8]
    return f"{shown[: WORD_CHARS - 10]}… {digest}"


def label_text(value: object) -> str | None:
    """A label as text, whatever it is; None where there is none."""
    if value is None or value is ABSENT:
        return None
    if isinstance(value, bytes):
        return short(value.decode("utf-8", "replace"))
    # The decimal digits of a huge integer would take quadratic time.
    if isinstance(value, int) and value.bit_length() > 1_024:
        return short(hex(value))
    return short(value if isinstance(value, str) else _nested(value))


def _nested(value: object) -> str:
    if isinstance(value, dict):
        parts = sorted(f"{name}: {label_text(inner)}" for name, inner in islice(value.items(), _PARTS))
        return "{" + ", ".join(parts) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(str(label_text(inner)) for inner in value[:_PARTS]) + "]"
    return str(value)


class Labels:
    """Counts the labels of each column, and forgets columns that hold too many different ones."""

    def __init__(self, named: frozenset[str]) -> None:
        self._named = named
        self._counts: dict[str, dict[str, int] | None] = {}  # None: too many
        self._texts: dict[int, str] | None = {}

    def columns(self, batch: RowBatch) -> frozenset[str]:
        """The columns of a batch that hold labels: those that were named, else those named as usual."""
        if self._named:
            return self._named & frozenset(batch.names)
        return frozenset(name for name in batch.names if name.lower() in _WELL_KNOWN)

    def add(self, batch: RowBatch) -> list[int | None]:
        """Takes the next rows in, and gives a number of 32 bits per row for all of its labels."""
        names = sorted(self.columns(batch))
        columns = [list(map(label_text, batch.columns[batch.names.index(name)])) for name in names]
        for name, texts in zip(names, columns, strict=True):
            self._count(name, texts)
        if not columns:
            return [None] * batch.rows
        known: dict[tuple[str | None, ...], int | None] = {}
        found = []
        for labels in zip(*columns, strict=True):
            if labels not in known:
                known[labels] = self._number(labels)
            found.append(known[labels])
        return found

    def feed(self, batch: RowBatch, rows: object = None) -> None:  # noqa: ARG002 - as `SignalPass`
        """Takes the next rows in, for their counts alone."""
        self.add(batch)

    def _count(self, name: str, texts: Sequence[str | None]) -> None:
        counts = self._counts.setdefault(name, {})
        if counts is None:
            return
        for text in texts:
            if text is not None:
                counts[text] = counts.get(text, 0) + 1
                if len(counts) > LABEL_COUNT:
                    self._counts[name] = None
                    return

    def _number(self, labels: Sequence[str | None]) -> int | None:
        told = [label for label in labels if label is not None]
        if not told:
            return None
        text = "\0".join("" if label is None else f"={label}" for label in labels)
        digest = hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=4).digest()
        number = int.from_bytes(digest, "big") or 1
        if self._texts is not None:
            self._texts[number] = short(" / ".join(told))
            if len(self._texts) > LABEL_COUNT:
                self._texts = None
        return number

    @property
    def are_known(self) -> bool:
        """Whether there are labels: named columns, or columns that are named as usual and hold few values."""
        if self._named:
            return bool(self._counts)
        kept = [counts for counts in self._counts.values() if counts != {}]
        return bool(kept) and all(map(_are_few, kept))

    @property
    def texts(self) -> dict[int, str]:
        """The labels behind the numbers; empty when there are too many."""
        return self._texts or {}

    def counted(self) -> tuple[LabelCounts, ...]:
        """How often each label occurs, for each column that holds labels."""
        return tuple(
            LabelCounts(column=short(name), counts=tuple(sorted(counts.items())))
            for name, counts in sorted(self._counts.items())
            if counts and (self._named or _are_few(counts))
        )


def _are_few(counts: dict[str, int] | None) -> bool:
    return counts is not None and len(counts) <= min(FEW, sum(counts.values()) // _ROWS_PER_LABEL)
