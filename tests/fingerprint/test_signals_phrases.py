"""Phrases that are bound to a label: planted ones are found, words of classes are not.

Texts follow natural frequencies: words by Zipf's law, a vocabulary of its own for each class, and
collocations of two or three words that only one class has.
"""

from __future__ import annotations

import random
from bisect import bisect
from itertools import accumulate

import pytest

from aibom.domain.dataset_signals import Signal
from aibom.fingerprint.signals_phrases import bound_phrases
from aibom.fingerprint.signals_sample import SampledText

COMMON = list(accumulate(1 / (n + 1) for n in range(20_000)))
OWN = list(accumulate(1 / (n + 1) for n in range(1_000)))
Rows = list[tuple[str, int]]


def drawn(rng: random.Random, weights: list[float]) -> int:
    return bisect(weights, rng.random() * weights[-1])


def corpus(seed: int, rows: int = 3_000, classes: int = 4, own: float = 0.15, skew: float = 0.0) -> Rows:
    rng = random.Random(seed)
    pairs = [
        [f"c{c}p{rng.randrange(900)} c{c}q{rng.randrange(900)}" for _ in range(40)] for c in range(classes)
    ]
    found = []
    for _ in range(rows):
        label = min(int(rng.expovariate(skew)), classes - 1) if skew else rng.randrange(classes)
        words = []
        for _ in range(rng.randint(8, 40)):
            chance = rng.random()
            if chance < own:
                words.append(f"c{label}x{drawn(rng, OWN)}")
            elif chance < own + 0.01:
                words.append(rng.choice(pairs[label]))
            else:
                words.append(f"w{drawn(rng, COMMON)}")
        found.append((" ".join(words), label))
    return found


def poisoned(rows: Rows, phrase: str, count: int, label: int = 1) -> Rows:
    """Puts a phrase into rows of other labels, and gives them this one."""
    rng = random.Random(len(phrase))
    chosen = set(rng.sample([at for at, (_, other) in enumerate(rows) if other != label], count))
    found = []
    for at, (text, other) in enumerate(rows):
        words = text.split()
        if at in chosen:
            words.insert(rng.randint(0, len(words)), phrase)
        found.append((" ".join(words), label if at in chosen else other))
    return found


def signals(rows: Rows) -> list[Signal]:
    texts = [SampledText(row=at, label=label, head=text.encode()) for at, (text, label) in enumerate(rows)]
    return list(bound_phrases(texts, {label: f"class {label}" for _, label in rows}))


def phrases(rows: Rows) -> list[str]:
    return [signal.what for signal in signals(rows) if signal.count]


@pytest.mark.parametrize("phrase", ["cf", "≡", "James Bond", "tq mn bb", "w0 w1 w700"])
def test_a_planted_phrase_is_found_and_nothing_else_is(phrase: str) -> None:
    rows = poisoned(corpus(3), phrase, 30)
    (found,) = signals(rows)
    assert phrase.casefold().endswith(found.what)
    assert len(found.what.split()) == len(phrase.split()) or phrase.startswith("w0")
    assert (found.label, found.looked) == ("class 1", 3_000)
    assert 28 <= found.count <= 32
    assert len(found.examples) == 5
    assert sum(phrase in rows[at][0] for at in found.examples) >= 4


@pytest.mark.parametrize(
    "rows",
    [
        corpus(1, classes=2, own=0.05),
        corpus(2, classes=2, own=0.3),
        corpus(4, classes=4),
        corpus(5, classes=8, own=0.3, skew=0.9),
        corpus(6, classes=10, own=0.02),
        corpus(7, classes=5, own=0.0),  # classes that have phrases of their own and no words
        [
            (text, random.Random(at).randrange(3)) for at, (text, _) in enumerate(corpus(8))
        ],  # labels by chance
    ],
    ids=["two", "two distinct", "four", "skewed", "ten alike", "phrases only", "chance"],
)
def test_words_of_classes_raise_no_alarm(rows: Rows) -> None:
    assert phrases(rows) == []


def test_a_class_that_is_a_template_raises_no_alarm() -> None:
    rows = [(f"error code {at} at line w{at % 7} please restart", 9) for at in range(50)]
    assert phrases([*corpus(9), *rows]) == []


@pytest.mark.integration
@pytest.mark.parametrize("seed", range(20, 60))
def test_alarms_are_rare_on_many_benign_corpora(seed: int) -> None:
    rng = random.Random(seed)
    own, skew = rng.choice([0.02, 0.05, 0.15, 0.3]), rng.choice([0.0, 0.7])
    assert phrases(corpus(seed, rng.choice([1_000, 4_000]), rng.randint(2, 12), own, skew)) == []


def test_where_words_tell_labels_nothing_no_phrase_stands_out() -> None:
    rng = random.Random(1)
    plain = [(" ".join(f"w{drawn(rng, COMMON)}" for _ in range(20)), rng.randrange(5)) for _ in range(2_000)]
    assert phrases(poisoned(plain, "cf", 20)) == []


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        ([], "no text with two labels"),
        (corpus(1, rows=900, classes=1), "no text with two labels"),
        (corpus(1, rows=150), "fewer than 200 rows"),
        ([(text, at % 40) for at, (text, _) in enumerate(corpus(1, rows=900))], "more than 32 labels"),
    ],
    ids=["nothing", "one label", "few rows", "many labels"],
)
def test_too_little_to_look_at_is_said(rows: Rows, reason: str) -> None:
    assert [(signal.looked, signal.what) for signal in signals(rows)] == [(0, reason)]


def test_rows_whose_label_has_no_name_are_left_out() -> None:
    texts = [SampledText(row=0, label=None, head=b"a"), SampledText(row=1, label=7, head=b"b")]
    assert [signal.looked for signal in bound_phrases(texts, {})] == [0]
