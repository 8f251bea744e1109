"""CatBoost: what the core table says is what the library says, and every byte is accounted for."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aibom.domain.errors import Reason, UnreadableError
from aibom.domain.facts import Attribute, Facts, Span
from aibom.domain.limits import DOCUMENT_BYTES
from aibom.domain.protocols import Match
from aibom.formats.catboost import FORMAT
from tests.hostile import FIXTURES, flips, outcome, probe_of, read, read_fixture, truncations

catboost = pytest.importorskip("catboost")  # large: comes with the extra `integration`
pytestmark = pytest.mark.integration

MODEL = "boosters/catboost.cbm"


def settings_of(facts: Facts) -> dict[str | None, str]:
    return {s.detail("name"): s.value for s in facts.statements if s.attribute is Attribute.HYPERPARAMETER}


def test_the_facts_are_those_of_the_library() -> None:
    facts = read_fixture(FORMAT, MODEL)
    model = catboost.CatBoost().load_model(str(FIXTURES / MODEL))
    expected = model.get_all_params()
    found = settings_of(facts)
    assert found["loss_function"] == expected["loss_function"]
    assert found["iterations"] == str(model.tree_count_)
    assert found["depth"] == str(expected["depth"])
    assert float(found["learning_rate"]) == pytest.approx(expected["learning_rate"])
    metadata = dict(model.get_metadata())
    assert {key: text for key, text in facts.metadata if len(text) < 4096} == {
        key: metadata[key] for key in metadata if len(metadata[key]) < 4096
    }
    assert facts.defects == ()


def test_the_core_covers_the_file_and_nothing_behind_it() -> None:
    data = (FIXTURES / MODEL).read_bytes()
    facts = read(FORMAT, data + b"payload", "m.cbm")
    assert facts.indexed
    assert facts.covered == (Span(start=0, end=len(data)),)


def test_parts_behind_the_core_are_not_called_unexplained(tmp_path: Path) -> None:
    table = np.array([["a"], ["b"], ["a"], ["c"]] * 6, dtype=object)
    model = catboost.CatBoostClassifier(
        iterations=1, depth=1, verbose=0, one_hot_max_size=1, allow_writing_files=False, thread_count=1
    )
    model.fit(table, np.arange(24) % 2, cat_features=[0]).save_model(tmp_path / "m.cbm")
    data = (tmp_path / "m.cbm").read_bytes()
    facts = read(FORMAT, data, "m.cbm")
    assert facts.covered[0].end < len(data)
    assert not facts.indexed
    assert facts.defects == ()


@pytest.mark.parametrize(
    ("data", "reason", "words"),
    [
        (b"", Reason.TRUNCATED, "4 bytes"),
        (b"CBM2" + bytes(9), Reason.MALFORMED, "CBM1"),
        (b"CBM1\xff\xff\xff\xff", Reason.TRUNCATED, "claims 4294967295 bytes"),
        (b"CBM1" + struct.pack("<I", 4) + b"\xff" * 4, Reason.MALFORMED, "leaves its message"),
    ],
)
def test_hostile_files_are_named(data: bytes, reason: Reason, words: str) -> None:
    with pytest.raises(UnreadableError, match=words) as caught:
        read(FORMAT, data, "m.cbm")
    assert caught.value.reason is reason


def test_a_model_too_large_for_memory_is_told_with_its_bounds() -> None:
    length = DOCUMENT_BYTES + 1
    facts = read(FORMAT, b"CBM1" + struct.pack("<I", length) + bytes(length), "m.cbm")
    assert [defect.reason for defect in facts.defects] == [Reason.LIMIT]
    assert facts.covered == (Span(start=0, end=length + 8),)


def test_parameters_that_are_no_json_are_a_defect() -> None:
    data = (FIXTURES / MODEL).read_bytes().replace(b'{"detailed_profile"', b'["detailed_profile"')
    facts = read(FORMAT, data, "m.cbm")
    assert [defect.message[:7] for defect in facts.defects] == ["params:"]


def test_truncated_and_flipped_files_never_escape() -> None:
    data = (FIXTURES / MODEL).read_bytes()
    for cut in list(truncations(data))[::7]:
        assert isinstance(outcome(FORMAT, cut, "m.cbm"), UnreadableError)
    for copy in flips(data, 300):
        outcome(FORMAT, copy, "m.cbm")


@given(st.binary(max_size=200))
def test_arbitrary_bytes_give_facts_or_a_named_error(data: bytes) -> None:
    outcome(FORMAT, b"CBM1" + struct.pack("<I", len(data)) + data, "m.cbm")


def test_recognised_by_content_under_any_name() -> None:
    assert FORMAT.recognise(probe_of(b"CBM1", "model.bin")) is Match.CONTENT
    assert FORMAT.recognise(probe_of(b"hello", "model.cbm")) is Match.NAME
    assert FORMAT.recognise(probe_of(b"hello", "notes.txt")) is Match.NO
