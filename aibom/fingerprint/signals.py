"""What the rows of a data file hint at, in one pass over the batches that its fingerprint is taken of.

Memory stays below 64 MB whatever the rows are, apart from up to 20 MB for digests of benchmarks. Counts
of rows that repeat are exact up to 131,072 different rows, then of a sample; phrases are looked for in
8,192 rows, near-duplicates in half of them. Digests choose the samples, so neither the order of the rows
nor their batches change a count.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from aibom.domain.dataset import RowBatch
from aibom.domain.dataset_signals import DatasetSignals, Signal, SignalKind
from aibom.fingerprint.contamination import Benchmark, Overlap
from aibom.fingerprint.dataset import Encoded, encode
from aibom.fingerprint.signals_keys import Contradictions, Duplicates, digests_of
from aibom.fingerprint.signals_labels import Labels
from aibom.fingerprint.signals_near import near_duplicates
from aibom.fingerprint.signals_phrases import bound_phrases
from aibom.fingerprint.signals_sample import TextSample
from aibom.fingerprint.signals_text import HiddenText, text_columns
from aibom.fingerprint.signals_urls import Addresses

_ORDER: Final = {kind: at for at, kind in enumerate(SignalKind)}
_NO_LABELS: Final = "no column of labels"


class SignalPass:
    """Takes batches in and gives the signals; holds samples and counts, and no batch.

    `labels` are the columns that hold labels; without, those that are named as usual and hold few values.
    """

    def __init__(self, file: str, labels: frozenset[str], benchmarks: Sequence[Benchmark] = ()) -> None:
        self._file, self._rows = file, 0
        self._labels = Labels(labels)
        self._duplicates, self._contradictions = Duplicates(), Contradictions()
        self._hidden, self._addresses = HiddenText(), Addresses()
        self._sample, self._overlap = TextSample(), Overlap(benchmarks)

    def feed(self, batch: RowBatch, rows: Encoded | None = None) -> None:
        """The next rows; `rows` are the same ones encoded, where the fingerprint has them already."""
        rows = rows or encode(batch)
        names = self._labels.columns(batch)
        digests = digests_of(rows.rows)
        keys = digests_of(rows.without(names)) if names else digests
        labels = self._labels.add(batch)
        texts = text_columns(batch)
        first = self._rows
        self._duplicates.add(digests, first)
        self._contradictions.add(keys, labels, first)
        self._hidden.add(texts, first)
        self._addresses.add(texts, first, batch.rows)
        self._overlap.add([column for _, column in texts], first)
        self._sample.add(keys, labels, [column for name, column in sorted(texts) if name not in names], first)
        self._rows += batch.rows

    def finish(self) -> DatasetSignals:
        """The signals of all rows; nothing may be fed afterwards."""
        signals = (*self._repeated(), *self._sampled(), *self._told())
        return DatasetSignals(
            file=self._file,
            rows=self._rows,
            signals=tuple(sorted(signals, key=lambda signal: _ORDER[signal.kind])),
            labels=self._labels.counted(),
        )

    def _told(self) -> Iterator[Signal]:
        yield from self._addresses.signals(self._rows)
        yield from self._overlap.signals(self._rows)
        yield from self._hidden.signals(self._rows)

    def _repeated(self) -> Iterator[Signal]:
        count, looked, examples = self._duplicates.counts()
        yield Signal(kind=SignalKind.DUPLICATE, count=count, looked=looked, examples=examples)
        if self._labels.are_known:
            count, looked, examples = self._contradictions.counts()
            yield Signal(kind=SignalKind.CONTRADICTION, count=count, looked=looked, examples=examples)
        else:
            yield Signal(kind=SignalKind.CONTRADICTION, count=0, looked=0, what=_NO_LABELS)

    def _sampled(self) -> Iterator[Signal]:
        texts = self._sample.texts()
        yield near_duplicates(texts)
        if self._labels.are_known:
            yield from bound_phrases(texts, self._labels.texts)
        else:
            yield Signal(kind=SignalKind.PHRASE, count=0, looked=0, what=_NO_LABELS)
