"""Documents, key by key."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aibom.domain.difference import ChangeClass
from aibom.inventory.document_difference import KEY_COUNT, VALUE_CHARS, document_changes
from aibom.readers.json import Json

CONFIGURATION = ChangeClass.CONFIGURATION


def told(old: Json, new: Json) -> list[tuple[str, str, str, str]]:
    changes = document_changes("c.json", CONFIGURATION, old, new)
    return [(str(change.kind), change.subject, change.old, change.new) for change in changes]


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ({"a": 1}, {"a": 2}, ("configuration", "c.json: /a", "1", "2")),
        ({"a": 1}, {"a": True}, ("configuration", "c.json: /a", "1", "true")),
        ({"a": 1}, {"a": 1.0}, ("configuration", "c.json: /a", "1", "1.0")),
        ({}, {"a": None}, ("configuration", "c.json: /a", "", "null")),
        ({"a": ""}, {}, ("configuration", "c.json: /a", '""', "")),
        ({"a": {"b/c": [1, 2]}}, {"a": {"b/c": [1, 3]}}, ("configuration", "c.json: /a/b~1c/1", "2", "3")),
        ({"a": [1]}, {"a": 1}, ("configuration", "c.json: /a", "[1]", "1")),
        ([1], {"a": 1}, ("configuration", "c.json", "[1]", '{"a": 1}')),
        ({"license": "mit"}, {"license": "gpl"}, ("licence", "c.json: /license", "mit", "gpl")),
        ({"base_model": "a"}, {"base_model": "b"}, ("base-model", "c.json: /base_model", "a", "b")),
        ({"base_model": ["a"]}, {"base_model": ["b"]}, ("base-model", "c.json: /base_model/0", "a", "b")),
        ({"datasets": ["a"]}, {"datasets": ["b"]}, ("dataset", "c.json: /datasets/0", "a", "b")),
    ],
    ids=[
        "number", "true-is-not-1", "float", "null-is-there", "empty-text-goes", "escaped", "list-or-not",
        "whole", "licence", "base-model", "base-models", "datasets",
    ],
)  # fmt: skip
def test_a_place_that_differs_is_told_with_both_values(
    old: Json, new: Json, expected: tuple[str, ...]
) -> None:
    assert told(old, new) == [expected]


def test_a_template_and_a_longer_list_are_told_by_digest() -> None:
    (template,) = told({"chat_template": "{{ a }}"}, {"chat_template": "{{ b }}"})
    assert template[0] == "chat-template"
    assert len(template[2]) == len(template[3]) == 12
    (entries,) = told({"a": [1, 2]}, {"a": [1, 2, 3]})
    assert entries[2].startswith("2 entries, ")
    assert entries[3].startswith("3 entries, ")


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=2), inner, max_size=3),
    max_leaves=8,
)


@given(_JSON, _JSON)
def test_documents_differ_when_their_canonical_text_does(old: Json, new: Json) -> None:
    differ = json.dumps(old, sort_keys=True) != json.dumps(new, sort_keys=True)
    assert bool(told(old, new)) == differ
    assert len(told(old, new)) == len(told(new, old))


def test_many_differences_are_counted() -> None:
    old: Json = {str(number): 0 for number in range(1_000)}
    found = document_changes("c.json", CONFIGURATION, old, {})
    assert len(found) == KEY_COUNT + 1
    assert found[-1].detail == f"{1_000 - KEY_COUNT} more keys differ"


def test_long_values_and_keys_are_cut() -> None:
    ((_, subject, old, _),) = told({"k" * 5_000: "v" * 5_000}, {})
    assert max(len(subject), len(old)) < 2 * VALUE_CHARS


def test_one_value_in_many_places_costs_no_more_than_once() -> None:
    def bomb(leaf: str) -> Json:
        value: Json = [leaf, leaf]
        for _ in range(20):
            value = [value] * 9
        return {"a": value}

    assert len(told(bomb("x"), bomb("y"))) == 2
    assert told({"a": bomb("x")}, {})[0][2] == "(more than 100,000 values)"
