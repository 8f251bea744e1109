"""Croissant: files with their claimed digests, fields, and what the RAI vocabulary says."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aibom.domain.facts import Attribute, Column, Facts, Statement
from aibom.domain.protocols import Match
from aibom.formats.croissant import FORMAT
from tests.hostile import FIXTURES, probe_of, read, read_fixture

CARD = "cards/dataset/croissant.json"


def card(**document: object) -> Facts:
    return read(FORMAT, json.dumps(document).encode(), "croissant.json")


def of(facts: Facts, attribute: Attribute) -> list[Statement]:
    return [statement for statement in facts.statements if statement.attribute is attribute]


def test_what_the_card_says_is_told() -> None:
    facts = read_fixture(FORMAT, CARD)
    for attribute, values in (
        (Attribute.NAME, ("facts",)),
        (Attribute.VERSION, ("1.0.0",)),
        (Attribute.LICENCE, ("https://creativecommons.org/licenses/by/4.0/",)),
        (Attribute.SOURCE_URL, ("https://fjord.example",)),
        (Attribute.CREATED, ("2024-09-01",)),
        (Attribute.ORGANISATION, ("Fjord Team",)),
        (Attribute.AUTHOR, ("Kari",)),
        (Attribute.TAG, ("fjord",)),
        (Attribute.LIMITATION, ("Only fjords.",)),
        (Attribute.SENSITIVE_DATA, ("Names of farmers.",)),
    ):
        assert facts.values(attribute) == values
    assert facts.version == "1.1"
    assert dict(facts.metadata) == {"isLiveDataset": "false", "rai:dataCollection": "By boat."}
    assert of(facts, Attribute.LIMITATION)[0].detail("field") == "rai:dataLimitations"
    (source,) = of(facts, Attribute.DATASET)
    assert (source.value, source.details) == ("https://fjord.example/older", (("relation", "source"),))


def test_files_carry_only_digests_of_the_right_length() -> None:
    facts = read_fixture(FORMAT, CARD)
    assert [(s.value, dict(s.details)) for s in of(facts, Attribute.DATA_FILE)] == [
        ("https://fjord.example/a.csv", {"sha256": "ab" * 32, "size": "600", "encoding_format": "text/csv"}),
        ("b.csv", {"md5": "cd" * 16, "malformed": f"sha256:{'ab' * 16}"}),
        ("rest/*.csv", {"encoding_format": "text/csv"}),
    ]
    assert [defect.message for defect in facts.defects] == [
        "/distribution/1/sha256 has 32 characters, 64 hexadecimal ones are expected"
    ]


def test_fields_are_columns() -> None:
    assert read_fixture(FORMAT, CARD).columns == (
        Column(name="facts/text", type="sc:Text"),
        Column(name="facts/label", type="sc:Integer, sc:Enumeration"),
    )


@given(st.text("0123456789abcdefABCDEFxyz", max_size=70))
def test_a_digest_is_kept_when_it_is_one(value: str) -> None:
    facts = card(distribution={"name": "a", "sha256": value})
    is_digest = len(value) == 64 and set(value.lower()) <= set("0123456789abcdef")
    assert facts.statements[0].detail("sha256") == (value.lower() if is_digest else None)
    assert len(facts.defects) == (not is_digest and bool(value))


@pytest.mark.parametrize(
    ("size", "details"),
    [
        ("600 B", {"size": "600"}),
        (600, {"size": "600"}),
        ("5.5 KB", {"content_size": "5.5 KB"}),
        ("9" * 30, {"content_size": "9" * 30}),
    ],
)
def test_only_a_size_in_bytes_is_a_size(size: object, details: dict[str, str]) -> None:
    assert dict(card(distribution=[{"name": "a", "contentSize": size}]).statements[0].details) == details


@pytest.mark.parametrize(
    ("licence", "values"),
    [
        ("MIT", ("MIT",)),
        (["MIT", {"@id": "https://x.example"}], ("MIT", "https://x.example")),
        ({"@type": "CreativeWork", "name": "Own", "url": "https://y.example"}, ("https://y.example",)),
        ({"@type": "CreativeWork", "name": "Own"}, ("Own",)),
    ],
)
def test_a_licence_is_a_text_an_address_or_a_name(licence: object, values: tuple[str, ...]) -> None:
    assert card(license=licence).values(Attribute.LICENCE) == values


@pytest.mark.parametrize(
    ("document", "words"),
    [
        ({"license": {"a": 1}}, "/license is an object, a text or a named object"),
        ({"creator": 3}, "/creator is a number"),
        ({"distribution": ["x"]}, "/distribution/0 is a text"),
        ({"recordSet": {"field": 7}}, "/recordSet/field is a number"),
        ({"rai:dataBiases": {}}, "/rai:dataBiases is an object"),
        ({"url": []}, "/url is a list"),
    ],
)
def test_a_mistyped_value_is_a_defect(document: dict[str, object], words: str) -> None:
    facts = card(name="kept", **document)
    assert words in facts.defects[0].message
    assert facts.first(Attribute.NAME) == "kept"


def test_too_many_fields_are_a_defect() -> None:
    facts = card(recordSet={"field": [{"name": str(i)} for i in range(10_050)]})
    assert len(facts.columns) == 10_000
    assert facts.defects[0].message == "10000 fields are told, there may be more"


def test_recognised_by_its_vocabulary_under_any_json_name() -> None:
    data = (FIXTURES / CARD).read_bytes()
    assert FORMAT.recognise(probe_of(data, "metadata.json")) is Match.CONTENT
    assert FORMAT.recognise(probe_of(data, "facts.jsonld")) is Match.CONTENT
    assert FORMAT.recognise(probe_of(data, "facts.txt")) is Match.NO
    assert FORMAT.recognise(probe_of(b'{"a": 1}', "croissant.json")) is Match.NAME
    other = b'{"@context": {"cr": "https://cr.example/"}}'
    assert FORMAT.recognise(probe_of(other, "page.json")) is Match.NO
