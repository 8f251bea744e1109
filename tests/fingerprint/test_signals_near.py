"""Texts that say almost the same, compared with their exact similarity."""

from __future__ import annotations

import random

import pytest

from aibom.domain.dataset_signals import Signal
from aibom.fingerprint.signals_near import near_duplicates
from aibom.fingerprint.signals_sample import HEAD_CHARS, TAIL_CHARS, SampledText, TextSample


def signal(*texts: str) -> Signal:
    return near_duplicates(
        [SampledText(row=at, label=None, head=text.encode()) for at, text in enumerate(texts)]
    )


def words(seed: int, count: int = 60) -> list[str]:
    rng = random.Random(seed)
    return [f"w{rng.randrange(5_000)}" for _ in range(count)]


def similarity(one: list[str], other: list[str]) -> float:
    shingles = [set(zip(text, text[1:], text[2:], strict=False)) for text in (one, other)]
    return len(shingles[0] & shingles[1]) / len(shingles[0] | shingles[1])


@pytest.mark.parametrize("changed", [1, 2, 3])
def test_a_text_with_a_few_other_words_is_a_near_duplicate(changed: int) -> None:
    for seed in range(20):
        text = words(seed)
        other = [*text[: 60 - changed], *words(seed + 1_000, changed)]
        assert similarity(text, other) > 0.85
        found = signal(" ".join(text), " ".join(words(seed + 500)), " ".join(other))
        assert (found.count, found.looked, found.examples) == (1, 3, (2,))


def test_texts_that_share_half_of_their_words_are_none() -> None:
    for seed in range(20):
        text = words(seed)
        other = [*text[:40], *words(seed + 1_000, 20)]
        assert 0.4 < similarity(text, other) < 0.6
        assert signal(" ".join(text), " ".join(other)).count == 0


def test_case_and_space_do_not_count_and_each_copy_does() -> None:
    text = " ".join(words(1))
    assert signal(text, text.upper(), text.replace(" ", "\n"), " ".join(words(2))).count == 2


def test_short_texts_are_not_looked_at() -> None:
    found = signal("yes it is", "yes it is not", "")
    assert (found.looked, found.what) == (0, "no text of ten words")


def test_many_texts_of_one_kind_cost_no_more_than_others() -> None:
    text = words(5)
    texts = [" ".join([*text[:30], *words(seed, 30)]) for seed in range(500)]
    assert signal(*texts).count == 0


def test_both_ends_of_a_long_text_are_kept_and_rows_without_text_are_not() -> None:
    sample = TextSample(8)
    text = "a" * HEAD_CHARS + "b" * 1_000 + "c" * TAIL_CHARS
    sample.add([5, 4], [None, 3], [[text, ""], ["", ""]], 10)
    (found,) = sample.texts()
    assert (found.row, found.head, found.tail) == (10, b"a" * HEAD_CHARS, b"c" * TAIL_CHARS)
    assert found.words == (["a" * HEAD_CHARS], ["c" * TAIL_CHARS])


def test_texts_of_single_letters_have_no_more_words_than_others() -> None:
    text = SampledText(row=0, label=None, head=b"a " * 192, tail=b"b " * 64)
    assert text.words == (["a"] * 96, ["b"] * 32)
