"""XGBoost: both containers of one booster say the same, and what the library says."""

from __future__ import annotations

import struct
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aibom.domain.errors import Reason, UnreadableError
from aibom.domain.facts import Attribute, Facts, Span
from aibom.domain.limits import DOCUMENT_BYTES, MIB
from aibom.domain.protocols import Match
from aibom.formats.xgboost import FORMAT
from aibom.readers.ubjson import KEPT_COUNT, VALUE_COUNT
from tests.hostile import FIXTURES, flips, outcome, probe_of, read, read_fixture, truncations

xgboost = pytest.importorskip("xgboost")  # large: comes with the extra `integration`
pytestmark = pytest.mark.integration

ALL = ("xgboost.json", "xgboost.ubj", "dart.ubj")


def settings_of(facts: Facts) -> dict[str | None, str]:
    return {s.detail("name"): s.value for s in facts.statements if s.attribute is Attribute.HYPERPARAMETER}


def length(number: int) -> bytes:
    return b"L" + struct.pack(">q", number)


def text(value: str) -> bytes:
    return length(len(value.encode())) + value.encode()


def learner(*members: bytes) -> bytes:
    return b"{" + text("learner") + b"{" + b"".join(members) + b"}}"


def ubj(data: bytes) -> Facts:
    return read(FORMAT, data, "m.ubj")


@pytest.mark.parametrize("name", ALL)
def test_the_facts_are_those_of_the_library(name: str) -> None:
    facts = read_fixture(FORMAT, f"boosters/{name}")
    booster = xgboost.Booster(model_file=FIXTURES / "boosters" / name)
    found = settings_of(facts)
    assert found["num_feature"] == str(booster.num_features())
    assert found["num_trees"] == str(booster.num_boosted_rounds())
    assert found["feature_names"] == str(len(booster.feature_names or ()))
    assert found["objective"] == "binary:logistic"
    assert dict(facts.metadata) == booster.attributes()
    assert facts.values(Attribute.MODEL_TYPE) == ("dart" if name == "dart.ubj" else "gbtree",)
    assert facts.values(Attribute.TRAINING_FRAMEWORK) == (f"xgboost {facts.version}",)
    assert facts.version == xgboost.__version__
    assert facts.defects == ()


def test_both_containers_say_the_same() -> None:
    one, other = (read_fixture(FORMAT, f"boosters/{name}") for name in ALL[:2])
    assert (one.statements, one.metadata) == (other.statements, other.metadata)


@settings(max_examples=20)
@given(
    st.sampled_from(["gbtree", "dart", "gblinear"]),
    st.sampled_from(["reg:squarederror", "multi:softprob", "count:poisson"]),
    st.integers(1, 4),
    st.dictionaries(st.text(min_size=1, max_size=4), st.text(max_size=9), max_size=2),
)
def test_any_booster_of_the_library_is_read(
    tmp_path_factory: pytest.TempPathFactory, kind: str, objective: str, features: int, notes: dict[str, str]
) -> None:
    notes = {key: note for key, note in notes.items() if (key + note).isprintable()}
    classes = {"num_class": 3} if objective.startswith("multi") else {}
    matrix = xgboost.DMatrix(np.arange(6.0 * features).reshape(6, features), np.arange(6) % 3)
    booster = xgboost.train({"booster": kind, "objective": objective, "nthread": 1, **classes}, matrix, 2)
    booster.set_attr(**notes)
    for suffix in ("ubj", "json"):
        path: Path = tmp_path_factory.getbasetemp() / f"any.{suffix}"
        booster.save_model(path)
        assert FORMAT.recognise(probe_of(path.read_bytes(), "model.bin")) is Match.CONTENT
        facts = read(FORMAT, path.read_bytes(), path.name)
        assert facts.values(Attribute.MODEL_TYPE) == (kind,)
        assert settings_of(facts)["objective"] == objective
        assert settings_of(facts)["num_feature"] == str(features)
        assert dict(facts.metadata) == notes


def test_bytes_behind_the_document_are_not_covered() -> None:
    data = (FIXTURES / "boosters/xgboost.ubj").read_bytes()
    facts = ubj(data + b"payload")
    assert facts.covered == (Span(start=0, end=len(data)),)
    assert facts.indexed


@pytest.mark.parametrize(
    ("data", "reason", "words"),
    [
        (b"{" + text("learner")[:-1], Reason.MALFORMED, "JSON"),
        (b"{" + text("learner"), Reason.TRUNCATED, "1 bytes expected"),
        (b"{" + text("learner") + b"Z}", Reason.MALFORMED, "no learner"),
        (b"{" + text("version") + b"Z}", Reason.MALFORMED, "no learner"),
        (learner(length(2**62)), Reason.TRUNCATED, "bytes"),
        (learner(length(-1)), Reason.MALFORMED, "length is expected"),
        (learner(text("a"), b"x"), Reason.MALFORMED, "no UBJSON type"),
        (learner(text("a"), b"[$", b"d]"), Reason.MALFORMED, "no count"),
        (learner(text("a"), b"[$d#", length(2**60)), Reason.TRUNCATED, "to skip"),
        (learner(text("a"), b"[$x#", length(1)), Reason.MALFORMED, "no UBJSON type"),
        (learner(text("a"), b"[#", length(2**60), b"T"), Reason.MALFORMED, "no UBJSON type b'}'"),
        (learner(text("a"), b"[" * 100), Reason.LIMIT, "nested deeper"),
        (learner(text("a"), b"[" + b"T" * (VALUE_COUNT + 1)), Reason.LIMIT, "more than"),
        (b'{"learner":{}', Reason.TRUNCATED, "JSON ends"),
        (b'{"learner":{"objective":{"a":1,"a":2}}}', Reason.MALFORMED, "duplicate key"),
        (b'{"learner":{},"learner":{}}', Reason.MALFORMED, "duplicate key"),
        (b'{"learner":{}}' + b" " * DOCUMENT_BYTES, Reason.LIMIT, "at most"),
        (b"[]", Reason.MALFORMED, "object is expected"),
    ],
    ids=range(18),
)  # fmt: skip
def test_hostile_documents_are_named(data: bytes, reason: Reason, words: str) -> None:
    with pytest.raises(UnreadableError, match=words) as caught:
        ubj(data)
    assert caught.value.reason is reason


@pytest.mark.parametrize(
    "member",
    [b"Z", b"T", b"NN" + b"i\x01", b"U\xff", b"I\0\1", b"l" + bytes(4), b"D" + bytes(8), b"C" + b"x",
     b"H" + text("1.5"), b"[]", b"[ii\1]".replace(b"ii", b"i"), b"[#" + length(2) + b"TF", b"{}",
     b"{#" + length(1) + text("k") + b"Z", b"{$U#" + length(1) + text("k") + b"\1",
     b"[$Z#" + length(2**62), b"[$U#U\3abc"],
)  # fmt: skip
def test_every_type_and_container_is_walked(member: bytes) -> None:
    data = learner(text("x"), member, text("objective"), b"{" + text("name"), b"S" + text("o") + b"}")
    assert settings_of(ubj(data)) == {"objective": "o"}


def test_what_follows_many_trees_is_still_kept() -> None:
    trees = text("booster") + b"[#" + length(KEPT_COUNT + 1) + (b"{" + text("n") + b"T}") * (KEPT_COUNT + 1)
    objective = text("objective") + b"{" + text("name") + b"S" + text("o") + b"}"
    assert settings_of(ubj(learner(trees, objective))) == {"objective": "o"}


def test_many_long_names_stay_within_bounded_memory() -> None:
    names = b"".join(b"S" + text("n" * 1_500) for _ in range(KEPT_COUNT // 4))
    data = learner(text("feature_names"), b"[", names, b"]")
    tracemalloc.start()
    ubj(data)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 16 * MIB


@pytest.mark.parametrize("name", ALL)
def test_truncated_and_flipped_files_never_escape(name: str) -> None:
    data = (FIXTURES / f"boosters/{name}").read_bytes()
    for cut in truncations(data):
        assert isinstance(outcome(FORMAT, cut, "m.ubj"), UnreadableError)
    for copy in flips(data, 300):
        outcome(FORMAT, copy, "m.ubj")


@given(st.binary(max_size=200))
def test_arbitrary_bytes_give_facts_or_a_named_error(data: bytes) -> None:
    outcome(FORMAT, b"{" + text("learner") + data, "m.ubj")
    outcome(FORMAT, b'{"learner":' + data, "m.json")


@pytest.mark.parametrize(
    ("head", "name", "match"),
    [
        (b'{ "learner": {', "m.json", Match.CONTENT),
        (b'{"version": [3, 2, 0],\n "learner"', "m.json", Match.CONTENT),
        (b'{"version":[1,2],"models":', "m.json", Match.NO),
        (b"{U\x07learner", "m.bin", Match.CONTENT),
        (b"{U\x08learners", "m.bin", Match.NO),
        (b"hello", "m.ubj", Match.NAME),
        (b"hello", "m.json", Match.NO),
    ],
)
def test_recognised_by_the_first_key(head: bytes, name: str, match: Match) -> None:
    assert FORMAT.recognise(probe_of(head, name)) is match
