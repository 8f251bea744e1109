"""dataset_info.json: columns, splits and the digests of what was downloaded."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aibom.domain.facts import Attribute, Column, Facts
from aibom.domain.limits import COLUMN_COUNT
from aibom.domain.protocols import Match
from aibom.formats.dataset_info import FORMAT
from tests.hostile import probe_of, read, read_fixture

SINGLE = "cards/dataset/dataset_info.json"


def info(**document: object) -> Facts:
    return read(FORMAT, json.dumps(document).encode(), "dataset_info.json")


def test_names_licence_and_texts_are_told() -> None:
    facts = read_fixture(FORMAT, SINGLE)
    for attribute, value in (
        (Attribute.NAME, "facts"),
        (Attribute.CONFIGURATION, "plain"),
        (Attribute.LICENCE, "cc-by-4.0"),
        (Attribute.DESCRIPTION, "Facts about fjords."),
        (Attribute.CITATION, "@misc{fjord}"),
        (Attribute.SOURCE_URL, "https://fjord.example"),
        (Attribute.VERSION, "1.0.0"),
    ):
        assert facts.values(attribute) == (value,)
    assert facts.metadata == (("builder_name", "csv"),)


def test_splits_and_sources_carry_their_sizes() -> None:
    facts = read_fixture(FORMAT, SINGLE)
    split = next(s for s in facts.statements if s.attribute is Attribute.SPLIT)
    assert (split.value, split.pointer) == ("train", "/splits/train")
    assert dict(split.details) == {"configuration": "plain", "rows": "40", "bytes": "1200"}
    source = next(s for s in facts.statements if s.attribute is Attribute.DATA_FILE)
    assert source.value == "https://fjord.example/a.csv"
    assert source.pointer == "/download_checksums/https:~1~1fjord.example~1a.csv"
    assert dict(source.details) == {"sha256": "ab" * 32, "size": "600"}


def test_columns_have_the_type_of_the_library() -> None:
    assert read_fixture(FORMAT, SINGLE).columns == (
        Column(name="text", type="string"),
        Column(name="label", type="ClassLabel"),
        Column(name="rows", type="list"),
    )


def test_several_configurations_are_told_apart() -> None:
    facts = read_fixture(FORMAT, "cards/dataset/dataset_infos.json")
    assert facts.values(Attribute.CONFIGURATION) == ("plain", "rest")
    assert facts.columns == ()
    assert (
        next(s for s in facts.statements if s.attribute is Attribute.SPLIT).pointer == "/plain/splits/train"
    )


@given(
    st.dictionaries(
        st.text(min_size=1).filter(str.strip), st.tuples(st.integers(0), st.integers(0)), max_size=4
    )
)
def test_every_split_is_told(splits: dict[str, tuple[int, int]]) -> None:
    facts = info(splits={n: {"num_examples": rows, "num_bytes": size} for n, (rows, size) in splits.items()})
    found = [(s.value, s.detail("rows"), s.detail("bytes")) for s in facts.statements]
    assert found == [(name, str(rows), str(size)) for name, (rows, size) in splits.items()]


@pytest.mark.parametrize("checksum", ["ab" * 16, "AB" * 32, "x" * 64, "ab" * 33])
def test_what_is_no_sha256_is_a_defect_and_no_digest(checksum: str) -> None:
    facts = info(download_checksums={"u": {"checksum": checksum, "num_bytes": 3}})
    assert facts.statements[0].detail("sha256") is None
    assert facts.statements[0].detail("malformed") == f"sha256:{checksum}"
    assert facts.defects[0].message == "the checksum of u is not a SHA-256 digest"


@pytest.mark.parametrize(
    ("document", "words"),
    [
        ({"splits": [1]}, "/splits is a list, an object is expected"),
        ({"license": {}}, "/license is an object"),
        ({"version": {"version_str": []}}, "/version/version_str is a list"),
        ({"download_checksums": 1}, "/download_checksums is a number"),
    ],
)
def test_a_mistyped_value_is_a_defect(document: dict[str, object], words: str) -> None:
    facts = info(dataset_name="kept", **document)
    assert words in facts.defects[0].message
    assert facts.first(Attribute.NAME) == "kept"


def test_negative_and_odd_sizes_are_left_out() -> None:
    facts = info(splits={"train": {"num_examples": -1, "num_bytes": "many"}, "test": None})
    assert [s.details for s in facts.statements] == [(), ()]


def test_columns_and_texts_are_bounded() -> None:
    features = {str(index): {} for index in range(COLUMN_COUNT + 5)}
    facts = info(features=features, description="x" * 50_000)
    assert len(facts.columns) == COLUMN_COUNT
    assert len(facts.first(Attribute.DESCRIPTION) or "") < 2_100


def test_recognised_by_name() -> None:
    assert FORMAT.recognise(probe_of(b"{}", "dataset_infos.json")) is Match.CONTENT
    assert FORMAT.recognise(probe_of(b"{}", "infos.json")) is Match.NO
