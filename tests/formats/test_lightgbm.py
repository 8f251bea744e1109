"""LightGBM: the settings are those of the library, the trees are where their sizes say."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aibom.domain.errors import Reason, UnreadableError
from aibom.domain.facts import Attribute, Facts
from aibom.domain.protocols import Match
from aibom.formats.lightgbm import FORMAT, HEADER_BYTES
from tests.hostile import FIXTURES, flips, outcome, probe_of, read, read_fixture, truncations

lightgbm = pytest.importorskip("lightgbm")  # large: comes with the extra `integration`
pytestmark = pytest.mark.integration

MODEL = "boosters/lightgbm.txt"
START = b"tree\nversion=v4\n"


def settings_of(facts: Facts) -> dict[str | None, str]:
    return {s.detail("name"): s.value for s in facts.statements if s.attribute is Attribute.HYPERPARAMETER}


def messages(data: bytes) -> list[tuple[Reason, str]]:
    return [(defect.reason, defect.message) for defect in read(FORMAT, data, "m.txt").defects]


def test_the_facts_are_those_of_the_library() -> None:
    facts = read_fixture(FORMAT, MODEL)
    booster = lightgbm.Booster(model_file=FIXTURES / MODEL)
    found = settings_of(facts)
    assert found["num_trees"] == str(booster.num_trees())
    assert found["feature_names"] == str(booster.num_feature())
    assert found["objective"].startswith("binary")
    assert facts.version == "v4"
    assert facts.values(Attribute.TRAINING_FRAMEWORK) == ("lightgbm v4",)
    assert facts.defects == ()


@settings(max_examples=20)
@given(
    st.sampled_from(["gbdt", "rf", "dart"]),
    st.sampled_from(["regression", "multiclass", "poisson"]),
    st.integers(1, 3),
)
def test_any_booster_of_the_library_is_read(
    tmp_path_factory: pytest.TempPathFactory, kind: str, objective: str, features: int
) -> None:
    path: Path = tmp_path_factory.getbasetemp() / "any.txt"
    chosen = {
        "boosting": kind, "objective": objective, "num_class": 3 if objective == "multiclass" else 1,
        "verbose": -1, "min_data_in_leaf": 1, "num_leaves": 3, "bagging_fraction": 0.5, "bagging_freq": 1,
        "num_threads": 1,
    }  # fmt: skip
    table = np.random.default_rng(1).standard_normal((20, features))
    booster = lightgbm.train(chosen, lightgbm.Dataset(table, np.arange(20) % 3), 2)
    booster.save_model(path)
    facts = read(FORMAT, path.read_bytes(), path.name)
    assert settings_of(facts)["num_trees"] == str(booster.num_trees())
    assert settings_of(facts)["feature_names"] == str(features)
    assert facts.defects == ()


@pytest.mark.parametrize(
    ("data", "reason", "words"),
    [
        (START, Reason.TRUNCATED, "the settings do not end"),
        (START + b"x" * HEADER_BYTES, Reason.LIMIT, "the settings do not end"),
        (START + b"a=1\na=2\n\n", Reason.MALFORMED, "'a' is given twice"),
        (START + b"tree_sizes=5\n\nTree=0", Reason.MALFORMED, "do not lead to their end"),
        (START + b"tree_sizes=999999999999999999\n\n", Reason.MALFORMED, "do not lead to their end"),
        (START + b"tree_sizes=-5\n\n", Reason.MALFORMED, "are no sizes"),
        (START + b"tree_sizes=" + b"9" * 5000 + b"\n\n", Reason.MALFORMED, "are no sizes"),
        (START + "tree_sizes=٣\n\n".encode(), Reason.MALFORMED, "are no sizes"),
    ],
    ids=range(8),
)
def test_what_is_wrong_is_a_defect(data: bytes, reason: Reason, words: str) -> None:
    ((found, message),) = messages(data)
    assert found is reason
    assert words in message


def test_line_ends_of_windows_are_read() -> None:
    data = (FIXTURES / MODEL).read_bytes().replace(b"\n", b"\r\n")
    assert FORMAT.recognise(probe_of(data, "m.txt")) is Match.CONTENT
    assert settings_of(read(FORMAT, data, "m.txt")) == settings_of(read_fixture(FORMAT, MODEL))


def test_truncated_and_flipped_files_never_escape() -> None:
    data = (FIXTURES / MODEL).read_bytes()
    end = data.index(b"end of trees") + len(b"end of trees")
    for cut in truncations(data):
        result = outcome(FORMAT, cut, "m.txt")
        assert isinstance(result, UnreadableError) or result.defects or len(cut) >= end
    for copy in flips(data, 300):
        outcome(FORMAT, copy, "m.txt")


def test_recognised_by_the_first_lines() -> None:
    assert FORMAT.recognise(probe_of(START, "model.bin")) is Match.CONTENT
    assert FORMAT.recognise(probe_of(b"tree of life\n", "model.txt")) is Match.NO
    with pytest.raises(UnreadableError, match="does not start"):
        read(FORMAT, b"tree of life\n", "model.txt")
