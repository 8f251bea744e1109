"""Patterns of paths, against the file system library that dataset cards are resolved with."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aibom.inventory.patterns import PATTERN_CHARS, Pattern, is_pattern

translate = pytest.importorskip("fsspec.utils").glob_translate
_PARTS = st.sampled_from(["**", "*", "a", "b", "a*", "*b", "?", "[ab]", "[!a]", "*a*b*", "a.b"])
_NAMES = st.text("ab.", min_size=1, max_size=4)


@given(parts=st.lists(_PARTS, min_size=1, max_size=5), names=st.lists(_NAMES, min_size=1, max_size=5))
def test_a_pattern_stands_for_the_paths_that_fsspec_finds(parts: list[str], names: list[str]) -> None:
    pattern, path = "/".join(parts), "/".join(names)
    assert Pattern(pattern).matches(path) is (re.match(translate(pattern), path) is not None)


@pytest.mark.parametrize(
    ("pattern", "path", "matches"),
    [
        ("data/*.csv", "data/x.csv", True),
        ("data/*.csv", "data/deep/x.csv", False),
        ("./data//x.csv", "data/x.csv", True),
        ("**", "x", True),
        ("**/x.csv", "x.csv", True),
        ("data/**", "data", False),
        ("data/**", "data/a/b", True),
        ("*[-._ 0-9]train[-._ 0-9]*", "my-train-1.csv", True),
        ("train-[0-9].csv", "train-a.csv", False),
        ("[", "[", True),
        ("", "x", False),
        ("x\n", "x", False),
        ("x", "x\n", False),
    ],
)
def test_signs_of_a_pattern(pattern: str, path: str, matches: bool) -> None:
    assert Pattern(pattern).matches(path) is matches


def test_a_pattern_is_told_from_a_name() -> None:
    assert [is_pattern(text) for text in ("a*", "a?", "[a", "a.csv", "")] == [True, True, True, False, False]


def test_a_pattern_that_is_too_long_is_refused() -> None:
    with pytest.raises(ValueError, match="1,024"):
        Pattern("a" * (PATTERN_CHARS + 1))


@pytest.mark.parametrize(
    ("pattern", "path"),
    [
        ("*a" * 500, "a" * 4_000 + "b"),
        ("**/a/" * 200 + "b", "a/" * 2_000 + "c"),
        ("[" * 1_000, "[" * 4_000),
    ],
    ids=["stars", "parts", "brackets"],
)
def test_no_pattern_is_slow(pattern: str, path: str) -> None:
    begun = time.process_time()
    Pattern(pattern).matches(path)
    assert time.process_time() - begun < 1
