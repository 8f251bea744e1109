"""Shard indexes: the distinct files, the claimed totals, and no way out of the folder."""

from __future__ import annotations

import json
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aibom.domain.errors import Reason, UnreadableError
from aibom.domain.facts import Attribute, Facts
from aibom.domain.limits import TENSOR_COUNT
from aibom.domain.protocols import Match
from aibom.formats.shard_index import FORMAT, SHARD_COUNT
from tests.hostile import outcome, probe_of, read, read_fixture

NAME = "model.safetensors.index.json"


def packed(weight_map: object, **more: object) -> bytes:
    return json.dumps({"weight_map": weight_map, **more}).encode()


def index(weight_map: object, **more: object) -> Facts:
    return read(FORMAT, packed(weight_map, **more), NAME)


def test_shards_and_totals_are_told() -> None:
    facts = read_fixture(FORMAT, f"cards/model/{NAME}")
    assert facts.shards == ("model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors")
    assert facts.first(Attribute.PARAMETER_COUNT) == "1024"
    assert dict(facts.metadata) == {"tensors": "3", "total_size": "4096", "total_parameters": "1024"}


@given(st.dictionaries(st.text(), st.text("abc.é-0", min_size=1), max_size=8))
def test_shards_are_the_distinct_values_in_order(weight_map: dict[str, str]) -> None:
    facts = index(weight_map)
    assert facts.shards == tuple(sorted(set(weight_map.values()) - {".."}))
    assert ("tensors", str(len(weight_map))) in facts.metadata


@pytest.mark.parametrize(
    "name",
    [
        "../x",
        "..",
        "/etc/passwd",
        "a/../../x",
        "a/..",
        "",
        "..\\x",
        "\\\\host\\share",
        "a\0b",
        "C:\\x",
        "c:x",
    ],
)
def test_a_shard_outside_of_the_folder_is_a_defect_and_no_shard(name: str) -> None:
    facts = index({"a": name, "b": "ok.safetensors"})
    assert facts.shards == ("ok.safetensors",)
    assert [defect.reason for defect in facts.defects] == [Reason.OUTSIDE_TARGET]


@pytest.mark.parametrize(
    ("data", "reason", "words"),
    [
        (b"{}", Reason.MALFORMED, "no weight_map"),
        (packed(["a"]), Reason.MALFORMED, "does not map tensors"),
        (packed("x"), Reason.MALFORMED, "a JSON object or list"),
        (packed({"a": 1}), Reason.MALFORMED, "does not map tensors"),
        (packed({"a": ["b"]}), Reason.MALFORMED, "does not map tensors"),
        (b'{"weight_map":{"a":"b","a":"c"}}', Reason.MALFORMED, "'a' is mapped twice"),
        (packed({str(i): "x" for i in range(TENSOR_COUNT + 1)}), Reason.LIMIT, "names more than"),
        (packed({str(i): str(i) for i in range(SHARD_COUNT + 1)}), Reason.LIMIT, "names more than"),
        (b"{" + b" " * (24 * 2**20), Reason.LIMIT, "at most"),
    ],
)
def test_hostile_indexes_are_named(data: bytes, reason: Reason, words: str) -> None:
    result = outcome(FORMAT, data, NAME)
    assert isinstance(result, UnreadableError)
    assert result.reason is reason
    assert words in str(result)


@pytest.mark.parametrize(
    "metadata", [None, [], "x", {"total_size": "much", "total_parameters": -1}, {"a": {}}]
)
def test_odd_totals_do_not_hide_the_shards(metadata: object) -> None:
    facts = index({"a": "b"}, metadata=metadata)
    assert facts.shards == ("b",)
    assert facts.first(Attribute.PARAMETER_COUNT) is None


def test_a_hundred_thousand_tensors_are_read_in_little_memory() -> None:
    names = {f"model.layers.{i}.mlp.experts.{i % 128}.down_proj.weight": i % 163 for i in range(TENSOR_COUNT)}
    data = packed({name: f"model-{shard:05}-of-00163.safetensors" for name, shard in names.items()})
    tracemalloc.start()
    try:
        facts = read(FORMAT, data, NAME)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert len(data) > 8_000_000
    assert len(facts.shards) == 163
    assert peak < 64 * 2**20


@pytest.mark.parametrize(
    ("name", "data", "match"),
    [
        ("pytorch_model.bin.index.json", b'{"metadata": {}, "weight_map": {}}', Match.CONTENT),
        ("index.fp16.json", b'{"weight_map": {}}', Match.CONTENT),
        ("model.safetensors.index.fp16.json", b'{"metadata": {}', Match.NAME),
        ("model.safetensors.index.json", b"oops", Match.NAME),
        ("other.json", b"{}", Match.NO),
        ("weight_map.txt", b'{"weight_map": {}}', Match.NO),
    ],
)
def test_an_index_has_a_weight_map_or_the_usual_name(name: str, data: bytes, match: Match) -> None:
    assert FORMAT.recognise(probe_of(data, name)) is match
