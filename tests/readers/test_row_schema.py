"""A declared schema names every type there is, and says what is wrong with it."""

from __future__ import annotations

import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aibom.domain.dataset import Field, Kind, Schema, Type, Unit, list_of, map_of
from aibom.domain.errors import UnreadableError
from aibom.readers.row_schema import parse_schema


def test_every_kind_of_type_can_be_declared() -> None:
    document = {
        "id": "int",
        "price": {"kind": "decimal", "scale": 2},
        "at": {"kind": "timestamp", "unit": "ms", "zone": "UTC"},
        "clock": {"kind": "time", "unit": "us"},
        "tags": {"kind": "list", "item": "string"},
        "by": {"kind": "map", "key": "string", "value": {"kind": "list", "item": "float32"}},
        "who": {"kind": "struct", "fields": {"name": "string", "age": "int"}},
    }
    assert parse_schema(json.dumps(document).encode()) == Schema(
        fields=(
            Field(name="id", type=Type(kind=Kind.INT)),
            Field(name="price", type=Type(kind=Kind.DECIMAL, scale=2)),
            Field(name="at", type=Type(kind=Kind.TIMESTAMP, unit=Unit.MILLISECOND, zone="UTC")),
            Field(name="clock", type=Type(kind=Kind.TIME, unit=Unit.MICROSECOND)),
            Field(name="tags", type=list_of(Type(kind=Kind.STRING))),
            Field(name="by", type=map_of(Type(kind=Kind.STRING), list_of(Type(kind=Kind.FLOAT32)))),
            Field(
                name="who",
                type=Type(
                    kind=Kind.STRUCT,
                    fields=(
                        Field(name="name", type=Type(kind=Kind.STRING)),
                        Field(name="age", type=Type(kind=Kind.INT)),
                    ),
                ),
            ),
        )
    )


@pytest.mark.parametrize(
    ("document", "words"),
    [
        ("[]", "a JSON object"),
        ("{}", "a JSON object"),
        ('{"a": "number"}', "'a': the type has to be one of null, bool, int"),
        ('{"a": 5}', "has to be one of"),
        ('{"a": {"kind": "list"}}', "the kind list needs 'item'"),
        ('{"a": {"kind": "int", "scale": 2}}', "the kind int has no 'scale'"),
        ('{"a": {"kind": "time", "unit": "min"}}', "unit has to be one of s, ms, us, ns"),
        ('{"a": {"kind": "timestamp", "unit": "s", "zone": ""}}', "zone has to be a name"),
        ('{"a": {"kind": "decimal", "scale": "2"}}', "scale has to be a number"),
        ('{"a": {"kind": "decimal", "scale": 1e9}}', "scale has to be a number"),
        ('{"a": "int", "a": "bool"}', "twice|duplicate"),
    ],
)
def test_what_is_wrong_with_a_schema_is_said(document: str, words: str) -> None:
    with pytest.raises(UnreadableError, match=words):
        parse_schema(document.encode())


def test_types_nested_too_deeply_are_refused() -> None:
    document = '{"a": ' + '{"kind": "list", "item": ' * 70 + '"int"' + "}" * 71
    with pytest.raises(UnreadableError):
        parse_schema(document.encode())


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(st.sampled_from(["kind", "item", "fields", "unit", "a"]), inner, max_size=4)
        ),
        max_leaves=12,
    )
)
def test_any_document_is_a_schema_or_an_error(document: object) -> None:
    with contextlib.suppress(UnreadableError):
        parse_schema(json.dumps(document).encode())
