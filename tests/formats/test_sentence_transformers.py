"""sentence-transformers: module classes and the versions that wrote the model."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aibom.domain.errors import Reason, UnreadableError
from aibom.domain.facts import Attribute, Capability
from aibom.domain.hazard import HazardKind
from aibom.domain.protocols import Match
from aibom.formats.sentence_transformers import FORMAT
from tests.hostile import outcome, probe_of, read, read_fixture


def test_a_module_from_outside_of_the_library_is_remote_code() -> None:
    facts = read_fixture(FORMAT, "cards/embedding/modules.json")
    assert facts.values(Attribute.ARCHITECTURE) == (
        "sentence_transformers.models.Transformer",
        "custom_st.FjordPooling",
    )
    code = next(s for s in facts.statements if s.attribute is Attribute.REMOTE_CODE)
    assert (code.value, code.pointer) == ("custom_st.FjordPooling", "/1/type")
    assert [(hazard.kind, hazard.found) for hazard in facts.hazards] == [
        (HazardKind.REMOTE_CODE, "custom_st.FjordPooling")
    ]
    assert facts.capabilities == {Capability.REMOTE_CODE}


def test_versions_are_dependencies() -> None:
    facts = read_fixture(FORMAT, "cards/embedding/config_sentence_transformers.json")
    assert facts.values(Attribute.RUNTIME_DEPENDENCY) == (
        "sentence-transformers==3.0.1",
        "transformers==4.45.0",
        "torch==2.4.0",
    )
    assert facts.metadata == (("similarity_fn_name", "cosine"),)
    assert facts.capabilities == frozenset()


@given(
    st.lists(st.sampled_from(["sentence_transformers.models.Dense", "sentence_transformers_evil.X", "x.Y"]))
)
def test_only_the_library_itself_is_not_remote_code(names: list[str]) -> None:
    data = json.dumps([{"idx": index, "type": name} for index, name in enumerate(names)]).encode()
    facts = read(FORMAT, data, "modules.json")
    outside = tuple(name for name in names if name != "sentence_transformers.models.Dense")
    assert facts.values(Attribute.REMOTE_CODE) == outside


@pytest.mark.parametrize("module", [None, 3, {}, {"type": 3.5e400}, {"type": ["a"]}])
def test_a_module_without_a_type_is_a_defect(module: object) -> None:
    facts = read(FORMAT, json.dumps([module]).encode(), "modules.json")
    assert [defect.message for defect in facts.defects] == ["module 0 has no type"]


@pytest.mark.parametrize("data", [b"3", b"null", b'"x"'])
def test_another_value_is_malformed(data: bytes) -> None:
    result = outcome(FORMAT, data, "modules.json")
    assert isinstance(result, UnreadableError)
    assert result.reason is Reason.MALFORMED


@pytest.mark.parametrize(
    ("name", "data", "match"),
    [
        ("modules.json", b'[{"idx": 0, "type": "a.B"}]', Match.CONTENT),
        ("modules.json", b'["lodash"]', Match.NO),
        ("modules.json", b'{"idx": 0, "type": 1}', Match.NO),
        ("config_sentence_transformers.json", b"{}", Match.CONTENT),
        ("config_sentence_transformers.json", b"", Match.NAME),
        ("config.json", b"{}", Match.NO),
    ],
)
def test_recognised_by_name_and_content(name: str, data: bytes, match: Match) -> None:
    assert FORMAT.recognise(probe_of(data, name)) is match
