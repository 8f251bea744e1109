from __future__ import annotations

import re
import time
import warnings

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aibom.domain.errors import Reason, UnreadableError
from aibom.trust.identity import STRANGERS, check_expected, matches
from aibom.trust.pattern import TEXT_CHARS, Pattern
from aibom.trust.pattern_syntax import PATTERN_CHARS

WORKFLOW = "https://github.com/org/model/.github/workflows/release.yml@refs/tags/v1.2"


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        ("a@example.com", "A@example.com"),
        ("a@example.com", "a@example.com "),
        ("a@example.com\0.evil.org", "a@example.com"),
        ("a@example.com.evil.org", "a@example.com"),
        ("xa@example.com", "a@example.com"),
        ("a@example.com\n", "a@example.com"),
        ("e\u0301@example.com", "\u00e9@example.com"),
        ("\u0430@example.com", "a@example.com"),  # Cyrillic
        ("", "a@example.com"),
        (WORKFLOW, WORKFLOW.replace(".", r"\.")),
    ],
)
def test_an_exact_expectation_is_the_same_code_points(found: str, expected: str) -> None:
    assert not matches(found, expected, pattern=False)
    assert matches(expected, expected, pattern=False)


@pytest.mark.parametrize(
    ("found", "pattern", "yes"),
    [
        (WORKFLOW, r"https://github\.com/org/model/\.github/workflows/.+@refs/tags/v.*", True),
        (WORKFLOW, r"^https://github\.com/org/.*$", True),
        (WORKFLOW, r"https://github\.com/org", False),  # the beginning is not enough
        (WORKFLOW, r"github\.com/org/.*", False),  # nor the middle
        ("https://evil.org/https://github.com/org/x", r"https://github\.com/org/.*", False),
        ("https://github.com/org/x\nhttps://evil.org", r"https://github\.com/org/.*", False),
        ("https://github.com/org/x\n", r"^https://github\.com/org/x$", False),
        ("https://githubXcom/org/x", r"https://github\.com/org/x", False),
        ("a@example.com", r"(?:a|b)@example\.com", True),
        ("evil", r"^good|evil$", True),  # as a whole, not `^good` or `evil$`
        ("goodish", r"^good|evil$", False),
        ("ci-7@example.com", r"ci-\d{1,3}@example\.com", True),
        ("ci-7777@example.com", r"ci-\d{1,3}@example\.com", False),
        ("ci-\u0667@example.com", r"ci-\d@example\.com", False),  # an Arabic digit
        ("a]b", r"a[]]b", True),
        ("a-b", r"a[x-]b", True),
        ("a+b", r"a[\w+]b", True),
        ("a/b", r"a[^a-z]b", True),
        ("acb", r"a[^a-z]b", False),
        ("aab" + "c" * TEXT_CHARS, r"aab.*", False),  # too long to be a name
    ],
)
def test_a_pattern_matches_the_whole_text(found: str, pattern: str, yes: bool) -> None:
    assert matches(found, pattern, pattern=True) is yes


@pytest.mark.parametrize(
    "pattern",
    [
        ".*", ".+", "^.*$", "(.*)", "(a|.*)", ".*|a@example\\.com", "[^!]*", "[^!]+", "x?.*", ".{1,90}", "a*",
        "(a@example\\.com)?", ".*@.*", ".*@.*\\..*", "https://.*", "https?://[^ ]+", "[\\w./:@-]*", "|a",
        "()", "\\w+", ".*://.*", ".*\\.yml@refs/heads/.*", "",
    ],
)  # fmt: skip
def test_a_pattern_that_lets_anybody_in_is_refused(pattern: str) -> None:
    with pytest.raises(UnreadableError) as caught:
        matches("a@example.com", pattern, pattern=True)
    assert caught.value.reason is Reason.MALFORMED


MALFORMED = (
    "(a", "a)", "[a", "a\\", "*a", "a{", "a{2,1}", "a{0}", "a{x}", "a{,3}", "a{٣}", "[b-a]",
    "[a-\\d]", "[\\d-a]", "a^b", "a$b", "(a$)",
)  # fmt: skip
UNSUPPORTED = (
    "(?i)abc", "(?=a)b", "(?P<n>a)", "(a)\\1", "\\babc", "a**", "a.*?b", "a++b", "[[:alpha:]]",
)  # fmt: skip
LIMIT = (
    "a" * (PATTERN_CHARS + 1), "(" * 17 + "a" + ")" * 17, "a{9999}", "((((a{64}){64}){64}){64}){64}",
    "(((){9999}){9999}){9999}",
)  # fmt: skip


@pytest.mark.parametrize(
    ("pattern", "reason"),
    [
        *((pattern, Reason.MALFORMED) for pattern in MALFORMED),
        *((pattern, Reason.UNSUPPORTED) for pattern in UNSUPPORTED),
        *((pattern, Reason.LIMIT) for pattern in LIMIT),
    ],
)
def test_what_is_not_understood_is_refused(pattern: str, reason: Reason) -> None:
    with pytest.raises(UnreadableError) as caught:
        matches("a", pattern, pattern=True)
    assert caught.value.reason is reason


@pytest.mark.parametrize("expected", ["", "x" * 2_049])
def test_an_exact_expectation_has_to_name_somebody(expected: str) -> None:
    with pytest.raises(UnreadableError):
        check_expected(expected, pattern=False)


def test_no_stranger_gets_in_by_an_accepted_pattern() -> None:
    check_expected(r"https://github\.com/org/.*", pattern=True)
    assert not any(matches(stranger, r"https://github\.com/org/.*", pattern=True) for stranger in STRANGERS)


@pytest.mark.parametrize(
    "pattern",
    [r"(a*)*b", r"(a|a)*b", r"(a|a?)+b", r"(.*a){20}b", r"((a?){22}){22}b", r"(a+a+)+b", r"(.?){500}b"],
)
def test_catastrophic_patterns_take_time_in_proportion_to_the_text(pattern: str) -> None:
    started = time.perf_counter()
    assert not Pattern(pattern).matches("a" * TEXT_CHARS)
    assert time.perf_counter() - started < 5  # `re` would need longer than the universe is old


_ATOMS = st.sampled_from(["a", "b", ".", "[ab]", "[^a]", "[a-c]", r"\.", r"\d", "-", "1", ""])


def _grown(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    group = inner.map(lambda part: f"({part})")
    return st.one_of(
        st.lists(inner, min_size=1, max_size=3).map("".join),
        st.lists(inner, min_size=1, max_size=3).map(lambda parts: f"({'|'.join(parts)})"),
        st.tuples(group, st.sampled_from(["*", "+", "?", "{2}", "{1,3}", "{2,}", "{0,2}"])).map("".join),
    )


@given(st.recursive(_ATOMS, _grown, max_leaves=8), st.lists(st.text("abc.-1\n", max_size=9), max_size=8))
def test_patterns_mean_what_they_mean_to_the_standard_library(pattern: str, texts: list[str]) -> None:
    ours, theirs = Pattern(pattern), re.compile(pattern)
    for text in texts:
        assert ours.matches(text) is bool(theirs.fullmatch(text)), (pattern, text)


@given(st.text("ab[](){}|*+?^$.\\\\-,12:dsw", max_size=14), st.text("ab-.1 ", max_size=6))
def test_any_text_is_a_pattern_that_means_the_same_or_is_refused(pattern: str, text: str) -> None:
    try:
        ours = Pattern(pattern)
    except UnreadableError:
        return
    with warnings.catch_warnings(action="ignore"):  # of `[a--b]`, which may change one day
        theirs = re.compile(pattern, re.ASCII)
    assert ours.matches(text) is bool(theirs.fullmatch(text))
