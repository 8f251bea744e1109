"""The schemas: the verdicts of the CycloneDX library, on small documents and in batches."""

from __future__ import annotations

import orjson
import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from hypothesis import given, settings
from hypothesis import strategies as st

from aibom.outputs import cyclonedx, schema
from tests.outputs.bom_samples import rich_report


def document(**parts: object) -> dict[str, object]:
    return {"bomFormat": "CycloneDX", "specVersion": "1.7", "version": 1, **parts}


def thing(name: str = "a", **parts: object) -> dict[str, object]:
    return {"type": "file", "bom-ref": name, "name": name, **parts}


BAD = {
    "/components/0/type": document(components=[thing(type="weights")]),
    "/components/0/components/1/hashes/0/content": document(
        components=[thing(components=[thing("b"), thing("c", hashes=[{"alg": "MD5", "content": "x"}])])]
    ),
    "/components": document(components=[thing(), thing()]),
    "/components/1/components": document(
        components=[thing(), thing("b", components=[thing("c"), thing("c")])]
    ),
    "/components/0/licenses/0": document(components=[thing(licenses=[{"license": {"id": "Nope"}}])]),
    "/components/0/externalReferences/0/url": document(
        components=[thing(externalReferences=[{"type": "vcs", "url": "http://a b"}])]
    ),
    "/metadata/timestamp": document(metadata={"timestamp": "2026-13-01T00:00:00Z"}),
    "/serialNumber": document(serialNumber="urn:uuid:1"),
    "/signature": document(signature={"algorithm": 1}),
    "": document(unheard=1),
}


@pytest.mark.parametrize("pointer", BAD)
def test_a_wrong_document_is_told_where(pointer: str) -> None:
    assert [found for found, _ in schema.errors(orjson.dumps(BAD[pointer]))] == [pointer]


@pytest.mark.parametrize("pointer", BAD)
def test_in_batches_the_same_is_told(pointer: str, monkeypatch: pytest.MonkeyPatch) -> None:
    components = BAD[pointer].get("components", [])
    padded = BAD[pointer] | {"components": [*components, thing("x"), thing("y")]}
    whole = schema.errors_in(padded)
    monkeypatch.setattr(schema, "_BATCH_COUNT", 1)
    assert schema.errors_in(padded) == whole


@pytest.mark.parametrize(
    ("data", "pointer", "words"),
    [
        (b"", "", "not JSON"),
        (b"{", "", "not JSON"),
        (b'"\xff"', "", "not JSON"),
        (b"[" * 100_000, "", "not JSON"),
        (b"[]", "", "not a JSON object"),
        (b"{}", "/bomFormat", "not a CycloneDX document"),
        (b'{"bomFormat":"CycloneDX"}', "/specVersion", "not one of 1.4, 1.5, 1.6, 1.7"),
        (b'{"bomFormat":"CycloneDX","specVersion":["1.7"]}', "/specVersion", "not one of"),
    ],
)
def test_what_is_no_bom_is_one_error(data: bytes, pointer: str, words: str) -> None:
    [(where, message)] = schema.errors(data)
    assert where == pointer
    assert words in message


@pytest.mark.parametrize("version", schema.SPEC_VERSIONS)
def test_every_spec_version_has_its_schema(version: str) -> None:
    assert schema.errors_in(document(specVersion=version, components=[thing()])) == []
    assert schema.errors_in(document(specVersion=version, unheard=1)) != []


def test_messages_are_short_and_hold_nothing_invisible() -> None:
    [(_, message)] = schema.errors_in(document(components=[thing(type="\x1b[31m" * 10_000)]))
    assert len(message) < schema.MESSAGE_CHARS + 40
    assert "\x1b" not in message


def test_no_more_errors_than_the_limit_are_told() -> None:
    wrong = [thing(str(number), type="x") for number in range(schema.ERROR_COUNT + 50)]
    assert len(schema.errors_in(document(components=wrong))) == schema.ERROR_COUNT


VALUES: list[object] = [None, [], {}, [{}], [thing(), thing()], "x"]


@pytest.mark.parametrize("key", ["metadata", "components", "dependencies", "compositions", "citations"])
def test_the_verdict_is_that_of_the_library(key: str) -> None:
    library = JsonStrictValidator(SchemaVersion.V1_7)
    for value in VALUES:
        data = orjson.dumps(document(**{key: value}))
        accepted = library.validate_str(data.decode()) is None
        assert (schema.errors(data) == []) == accepted


@settings(max_examples=25, deadline=None)
@given(st.data())
def test_a_broken_document_of_ours_gets_the_same_errors_in_batches(data: st.DataObject) -> None:
    parsed = orjson.loads(cyclonedx.render(rich_report()))
    component = data.draw(st.sampled_from(parsed["components"]))
    nested = component.get("components", [])
    broken = data.draw(st.sampled_from([component, *nested]))
    broken[data.draw(st.sampled_from(["type", "name", "hashes", "properties", "bom-ref", "components"]))] = (
        data.draw(st.one_of(st.none(), st.just([{}]), st.just("x"), st.integers(0, 3)))
    )
    whole = schema.errors_in(parsed)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(schema, "_BATCH_COUNT", 2)
        assert sorted(schema.errors_in(parsed)) == sorted(whole)
