"""Rare phrases that come with one label although the words around them speak for others.

Every class has words of its own, so a phrase that is bound to a label proves nothing. A row that was
poisoned with a phrase and a wrong label differs in one thing: its other words are those of another class.
Both are tested: that chance alone binds the phrase to the label, and that the words around it speak for the
label as often as those of other rows with it. Poison that keeps the right labels is not seen this way.
The words are weighed by naive Bayes, each row by the counts of all other rows.
"""

from __future__ import annotations

import math
from array import array
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from aibom.domain.dataset_signals import EXAMPLE_COUNT, Signal, SignalKind
from aibom.fingerprint.signals_labels import short
from aibom.fingerprint.signals_sample import SampledText
from aibom.fingerprint.signals_words import LEAST_ROWS, Vocabulary

RARE: Final = 0.02  # of the rows at most that hold the phrase
COMMON_LABEL: Final = 0.5  # of the other rows at most that have the label
ROW_COUNT: Final = 200  # with labels, at least
LABEL_COUNT: Final = 32  # different labels at most
PHRASE_SIGNALS: Final = 10
_EXCEPTION: Final = 20  # rows of a phrase of which one may have another label
_ALPHA: Final = 0.001  # false alarms per file, for each of the two tests
_LEAST_WORDS: Final = 3  # around a phrase; fewer say nothing
_JUDGED: Final = 512  # rows of a label that say how well words tell it
_EXAMINED: Final = 10_000  # rows of phrases that are examined, those of the most frequent phrases first
_OVERLAP: Final = 0.8  # of the rows: then two phrases are one


@dataclass(frozen=True, slots=True, kw_only=True)
class _Phrase:
    key: int
    length: int  # words
    rows: array[int]
    label: int
    chance: float  # that it is bound to its label by chance


class _Weights:
    """How much a word speaks for a label."""

    def __init__(self, rows: Sequence[Collection[int]], labels: Sequence[int], words: int) -> None:
        self.rows, self.labels = rows, labels
        self.sizes = Counter(labels)
        self._of = [array("H", bytes(2 * words)) for _ in range(len(self.sizes))]
        self._all = array("H", bytes(2 * words))
        for row, label in zip(rows, labels, strict=True):
            counts = self._of[label]
            for word in row:
                counts[word] += 1
                self._all[word] += 1

    def speaks_for(self, at: int, label: int, without: Collection[int] = ()) -> bool:
        """Whether the words of a row are rather those of the label; too few always are."""
        words = [word for word in self.rows[at] if word not in without]
        if len(words) < _LEAST_WORDS:
            return True
        counts, own = self._of[label], self.labels[at] == label
        inside = self.sizes[label] - own
        outside = len(self.rows) - 1 - inside
        score = 0.0
        for word in words:
            mine = counts[word] - own
            others = self._all[word] - 1 - mine
            expected = others * inside / max(1, outside)
            score += math.log((mine + 0.5) / (expected + 0.5))
        return score > 0

    def share(self, label: int) -> float:
        """How many of the rows have the label."""
        return self.sizes[label] / len(self.rows)

    def rates(self, label: int) -> tuple[float, float]:
        """How often words speak for the label in rows that have it, and in rows that do not."""
        found = []
        for own in (True, False):
            rows = [at for at, other in enumerate(self.labels) if (other == label) is own][:_JUDGED]
            hits = sum(self.speaks_for(at, label) for at in rows)
            found.append((hits + 1) / (len(rows) + 2))  # neither 0 nor 1: few rows make nothing certain
        return found[0], found[1]


def bound_phrases(texts: Sequence[SampledText], names: Mapping[int, str]) -> Iterator[Signal]:
    """The phrases of sampled rows; `names` are the labels. One signal that says so when there are none."""
    texts = [text for text in texts if text.label in names]
    labels = sorted({text.label for text in texts if text.label is not None})
    reason = _reason(len(texts), len(labels))
    if reason:
        yield Signal(kind=SignalKind.PHRASE, count=0, looked=0, what=reason)
        return
    numbers = [labels.index(text.label) for text in texts if text.label is not None]
    vocabulary = Vocabulary(texts)
    found = _distinct(_suspicious(vocabulary, numbers), PHRASE_SIGNALS)
    for phrase in found:
        yield Signal(
            kind=SignalKind.PHRASE,
            count=len(phrase.rows),
            looked=len(texts),
            what=short(vocabulary.text(phrase.key)),
            label=names[labels[phrase.label]],
            examples=tuple(sorted(texts[at].row for at in phrase.rows)[:EXAMPLE_COUNT]),
        )
    if not found:
        yield Signal(kind=SignalKind.PHRASE, count=0, looked=len(texts))


def _reason(rows: int, labels: int) -> str:
    if labels > LABEL_COUNT:
        return f"more than {LABEL_COUNT} labels"
    if labels < 2:
        return "no text with two labels"
    return f"fewer than {ROW_COUNT} rows" if rows < ROW_COUNT else ""


def _suspicious(vocabulary: Vocabulary, labels: Sequence[int]) -> list[_Phrase]:
    phrases = _bound(vocabulary, labels)
    if not phrases:
        return []
    rows = [array("H", sorted(set(row) - {0})) for row in vocabulary.rows]
    weights = _Weights(rows, labels, len(vocabulary.words))
    rates = {label: weights.rates(label) for label in {phrase.label for phrase in phrases}}
    found, examined = [], 0
    for phrase in phrases:
        examined += len(phrase.rows)
        if examined > _EXAMINED:
            break
        if _is_foreign(phrase, weights, *rates[phrase.label], tests=len(phrases)):
            found.append(phrase)
    return found


def _bound(vocabulary: Vocabulary, labels: Sequence[int]) -> list[_Phrase]:
    """Phrases that are bound to a label, and not by chance; those of the most rows first."""
    sizes, tested, found = Counter(labels), 0, list[_Phrase]()
    for length, phrases in vocabulary.phrases():
        for key, rows in phrases.items():
            if len(rows) > RARE * len(labels):
                continue
            tested += 1
            ((label, count),) = Counter(labels[at] for at in rows).most_common(1)
            rest = sizes[label] - count
            share = rest / (len(labels) - len(rows))
            # A class that consists of the phrase is a class of its own, and no target of an attack.
            is_part = rest >= count and share <= COMMON_LABEL
            if is_part and len(rows) - count <= len(rows) // _EXCEPTION:
                chance = _at_least(count, len(rows), share)
                found.append(_Phrase(key=key, length=length, rows=rows, label=label, chance=chance))
        # No more than these can be examined.
        found = sorted(found, key=_order)[: _EXAMINED // LEAST_ROWS]
    return [phrase for phrase in found if phrase.chance * tested < _ALPHA]


def _order(phrase: _Phrase) -> tuple[int, int, int]:
    return -len(phrase.rows), -phrase.length, phrase.key


def _is_foreign(phrase: _Phrase, weights: _Weights, own: float, other: float, *, tests: int) -> bool:
    """Whether the words around the phrase are those of other labels."""
    rows = [at for at in phrase.rows if weights.labels[at] == phrase.label]
    # What else most of these rows share belongs to the phrase.
    shared = Counter(word for at in rows for word in weights.rows[at])
    without = {word for word, count in shared.items() if 2 * count >= len(rows)}
    hits = sum(weights.speaks_for(at, phrase.label, without) for at in rows)
    by_chance = weights.share(phrase.label) * (own - other) + other  # of rows that were chosen from all
    is_low = hits <= len(rows) * (own + by_chance) / 2
    return is_low and _at_most(hits, len(rows), own) * tests < _ALPHA


def _distinct(phrases: Sequence[_Phrase], most: int) -> list[_Phrase]:
    """The first ones, without the parts and neighbours of phrases that are there already."""
    kept: list[_Phrase] = []
    for phrase in phrases:
        if len(kept) == most:
            break
        rows = set(phrase.rows)
        if not any(len(rows.intersection(other.rows)) >= _OVERLAP * len(rows) for other in kept):
            kept.append(phrase)
    return kept


def _sum(counts: range, rows: int, share: float) -> float:
    return math.fsum(math.comb(rows, n) * share**n * (1 - share) ** (rows - n) for n in counts)


def _at_least(count: int, rows: int, share: float) -> float:
    """The chance of so many hits or more."""
    return _sum(range(count, rows + 1), rows, share)


def _at_most(count: int, rows: int, share: float) -> float:
    return _sum(range(count + 1), rows, share)
