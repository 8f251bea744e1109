"""generation_config.json: the sampling defaults."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from aibom.domain.facts import Attribute
from aibom.domain.protocols import Match
from aibom.formats.generation_config import FORMAT, HYPERPARAMETERS
from tests.hostile import probe_of, read, read_fixture


def test_sampling_defaults_are_told_with_their_places() -> None:
    facts = read_fixture(FORMAT, "cards/model/generation_config.json")
    found = {s.pointer: s.value for s in facts.statements if s.attribute is Attribute.HYPERPARAMETER}
    assert found == {"/do_sample": "true", "/temperature": "0.6", "/eos_token_id": "1, 2"}
    assert facts.values(Attribute.RUNTIME_DEPENDENCY) == ("transformers==4.45.0",)


@given(st.dictionaries(st.sampled_from(HYPERPARAMETERS), st.integers() | st.none(), max_size=5))
def test_what_is_null_is_not_told(values: dict[str, int | None]) -> None:
    facts = read(FORMAT, json.dumps(values).encode(), "generation_config.json")
    assert {s.detail("name") for s in facts.statements} == {k for k, v in values.items() if v is not None}
    assert facts.defects == ()


def test_a_mistyped_default_is_a_defect() -> None:
    facts = read(FORMAT, b'{"temperature": {}, "top_k": 5}', "generation_config.json")
    assert [s.value for s in facts.statements] == ["5"]
    assert facts.defects[0].message == "/temperature is an object, a plain value is expected"


def test_recognised_by_name() -> None:
    assert FORMAT.recognise(probe_of(b"{}", "generation_config.json")) is Match.CONTENT
    assert FORMAT.recognise(probe_of(b"{}", "config.json")) is Match.NO
