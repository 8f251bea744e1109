"""One value of a policy is read as what it has to be, or refused with its place and what instead."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import pytest

from aibom.policy.setting import TEXT_CHARS, PolicyError, Setting
from aibom.readers import located_yaml

WORDS = ("allow", "forbid")


def setting(text: str) -> Setting:
    """The value behind the key."""
    root = Setting(located_yaml.parse(f"key: {text}\n".encode(), 1 << 20), "p.yaml")
    return root.members(("key",))["key"]


@pytest.mark.parametrize(
    ("read", "text", "value"),
    [
        (Setting.text, "a b", "a b"),
        (Setting.text, "'1'", "1"),
        (Setting.flag, "true", True),
        (Setting.day, "2027-03-31", date(2027, 3, 31)),
        (Setting.days, "365d", 365),
        (lambda each: each.whole(0, 4), "4", 4),
        (lambda each: each.choice(WORDS), "allow", "allow"),
        (lambda each: each.choices(WORDS), "[forbid, allow]", frozenset(WORDS)),
        (lambda each: each.each(Setting.text), "[b, a]", ("b", "a")),
        (lambda each: each.glob().text, "a/*", "a/*"),
        (lambda each: [key for key, _ in each.pairs()], "{x: 1, y: 2}", ["x", "y"]),
    ],
    ids=["text", "quoted", "flag", "day", "days", "whole", "choice", "choices", "each", "glob", "pairs"],
)
def test_a_value_is_read(read: Callable[[Setting], object], text: str, value: object) -> None:
    assert read(setting(text)) == value


@pytest.mark.parametrize(
    ("read", "text", "words"),
    [
        (Setting.text, "7", "key is a text"),
        (Setting.text, "' '", "key is a text"),
        (Setting.text, "", "key is a text"),
        (Setting.text, "a" * (TEXT_CHARS + 1), f"key is longer than {TEXT_CHARS:,} characters"),
        (Setting.flag, "'yes'", "key is true or false"),
        (Setting.day, "2027-02-30", "key is a date such as 2027-03-31"),
        (Setting.day, "2027-W13-3", "key is a date such as 2027-03-31"),
        (Setting.day, "'20270331'", "key is a date such as 2027-03-31"),
        (Setting.day, "2027-03-31T00:00:00", "key is a date"),
        (Setting.day, "20270331", "key is a text"),
        (Setting.days, "365", "key is a number of days such as 365d"),
        (Setting.days, "0d", "key is a number of days"),
        (Setting.days, "999999d", "key is a number of days"),
        (Setting.days, "[1d]", "key is a number of days"),
        (lambda each: each.whole(0, 4), "5", "key is a whole number from 0 to 4"),
        (lambda each: each.whole(0, 4), "true", "key is a whole number"),
        (lambda each: each.whole(0, 4), "1.0", "key is a whole number"),
        (lambda each: each.choice(WORDS), "alow", "'alow' is none of allow, forbid, did you mean 'allow'?"),
        (lambda each: each.choice(WORDS), "7", "key: 7 is none of allow, forbid"),
        (lambda each: each.choice(WORDS), "[allow]", "key: a list is none of allow, forbid"),
        (lambda each: each.choice(WORDS), "{a: b}", "key: a mapping is none of"),
        (Setting.items, "allow", "key is a list"),
        (Setting.items, "[]", "key is an empty list; leave it out, or name something"),
        (Setting.pairs, "{}", "key is a mapping with at least one entry"),
        (Setting.glob, "'**'", "key: a pattern that matches everything allows everything"),
        (lambda each: each.members(WORDS), "x", "key is a mapping with allow, forbid"),
        (lambda each: each.members(WORDS), "{alow: 1}", "unknown key 'alow', did you mean 'allow'?"),
        (lambda each: each.members(WORDS), "{zzz: 1}", "unknown key 'zzz'$"),
        (lambda each: each.members(WORDS, WORDS), "{allow: 1}", "key needs forbid"),
    ],
)
def test_what_is_something_else_is_refused(read: Callable[[Setting], object], text: str, words: str) -> None:
    with pytest.raises(PolicyError, match=r"^p\.yaml:1:[0-9]+: ") as caught:
        read(setting(text))
    assert words.rstrip("$") in str(caught.value)
    assert not words.endswith("$") or str(caught.value).endswith(words.rstrip("$"))


def test_the_place_of_an_unknown_key_is_that_of_the_key() -> None:
    with pytest.raises(PolicyError, match=r"^p\.yaml:1:17: unknown key 'zzz'"):
        setting("{allow: 1, zzz: 2}").members(WORDS)


def test_a_long_or_hostile_word_is_told_cut_and_escaped() -> None:
    for text in ("x" * 900_000, '"\\e[2J' + "x" * 500 + '"'):
        for read in (lambda each: each.choice(WORDS), lambda each: each.members(WORDS)):
            with pytest.raises(PolicyError) as caught:
                read(setting(text if read.__code__.co_names[0] == "choice" else f"{{? {text} : 1}}"))
            assert len(str(caught.value)) < 250
            assert "\x1b" not in str(caught.value)
