"""Patterns stand for whole texts; what they mean is told twice more, by a naive matcher and by `Pattern`."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aibom.policy.glob import PATTERN_CHARS, STAR_COUNT, Glob
from aibom.trust.pattern import Pattern

SMALL = st.text("ab/*", min_size=1, max_size=9)
TEXTS = st.text("ab/\n", max_size=12)
ANY = st.text(st.characters(exclude_categories=("Cs",)), min_size=1, max_size=20)


def usable(text: str) -> bool:
    return bool(text.strip("*")) and text.replace("**", "*").count("*") <= STAR_COUNT


def naive(pattern: str, text: str) -> bool:
    """By definition: try every length that a star can have."""
    if not pattern:
        return not text
    if pattern[0] != "*":
        return text[:1] == pattern[0] and naive(pattern[1:], text[1:])
    rest = pattern.lstrip("*")
    crosses = len(pattern) - len(rest) > 1
    within = len(text) if crosses or "/" not in text else text.index("/")
    return any(naive(rest, text[length:]) for length in range(within + 1))


@given(SMALL.filter(usable), TEXTS)
def test_it_matches_what_a_naive_matcher_matches(pattern: str, text: str) -> None:
    assert Glob.of(pattern).matches(text) is naive(pattern, text)


@given(SMALL.filter(usable), TEXTS)
def test_its_regular_expression_means_the_same(pattern: str, text: str) -> None:
    glob = Glob.of(pattern)
    assert Pattern(glob.regular_expression()).matches(text) is glob.matches(text)


@given(ANY.filter(usable), ANY)
def test_no_character_but_the_star_is_a_sign(literal: str, other: str) -> None:
    plain = literal.replace("*", "")
    glob = Glob.of(plain)
    pattern = Pattern(glob.regular_expression())
    for text in (plain, other, f"{plain}x", f"x{plain}"):
        assert glob.matches(text) is pattern.matches(text) is (text == plain)


@pytest.mark.parametrize(
    ("pattern", "text", "met"),
    [
        ("https://github.com/acme/*", "https://github.com/acme/models", True),
        ("https://github.com/acme/*", "https://github.com/acme-evil/models", False),
        ("https://github.com/acme/*", "https://github.com/acme/a/b", False),
        ("https://github.com/acme/**", "https://github.com/acme/a/b", True),
        ("https://github.com/acme", "https://github.com/acme/models", False),
        ("acme/*", "x/acme/m", False),
        ("acme/*", "ACME/m", False),
        ("a/*", "a/", True),
        ("a**z", "az", True),
        ("a***z", "a/b/z", True),
        ("a.c", "abc", False),
        ("[ab]?", "a", False),
        ("a\n*", "a\nb", True),
    ],
)
def test_the_whole_text_has_to_match(pattern: str, text: str, met: bool) -> None:
    assert Glob.of(pattern).matches(text) is met


@pytest.mark.parametrize(
    ("pattern", "words"),
    [
        ("*", "allows everything"),
        ("**", "allows everything"),
        ("", "allows everything"),
        ("a" * (PATTERN_CHARS + 1), "more than 1,024 characters"),
        ("a*" * (STAR_COUNT + 1), "more than 16 stars"),
    ],
    ids=["star", "stars", "empty", "long", "many stars"],
)
def test_what_is_no_pattern_is_refused(pattern: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        Glob.of(pattern)


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        ("a*" * 16 + "b", "a" * 4_096),
        ("**".join(["a" * 58] * 17), "a" * 4_096),
        ("*".join(["a" * 58] * 17) + "b", "a" * 4_096),
        ("**".join(["a"] * 17), "a" * 4_095 + "b"),
        ("a" + "*" * 1_023, "a" * 4_096),
        ("a/" + "*/" * 15 + "**x", "a/" * 2_048),
    ],
    ids=["stars", "long parts", "long parts in one part", "one letter", "one star", "slashes"],
)
def test_hostile_patterns_take_linear_time(pattern: str, text: str) -> None:
    glob = Glob.of(pattern)
    started = time.process_time()
    glob.matches(text)
    assert time.process_time() - started < 0.05
