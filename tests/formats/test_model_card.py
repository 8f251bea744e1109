"""Cards: front matter as huggingface_hub and PyYAML read it, and a few sections of the body."""

from __future__ import annotations

import re

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from aibom.domain.errors import Reason, UnreadableError
from aibom.domain.facts import Attribute, Column, Facts, Statement
from aibom.domain.protocols import Match
from aibom.formats.model_card import CARD_BYTES, FORMAT
from tests.hostile import FIXTURES, outcome, probe_of, read, read_fixture

MODEL = "cards/model/README.md"
DATASET = "cards/dataset/README.md"


def card(front: str, body: str = "") -> Facts:
    return read(FORMAT, f"---\n{front}\n---\n{body}".encode(), "README.md")


def first(facts: Facts, attribute: Attribute) -> Statement:
    return next(statement for statement in facts.statements if statement.attribute is attribute)


def test_the_front_matter_of_a_model_card_is_told_with_its_places() -> None:
    facts = read_fixture(FORMAT, MODEL)
    assert facts.values(Attribute.LANGUAGE) == ("no", "en")
    assert facts.values(Attribute.LICENCE) == ("other",)
    assert facts.values(Attribute.LICENCE_NAME) == ("fjord-1.0",)
    assert facts.values(Attribute.LICENCE_LINK) == ("LICENSE",)
    assert facts.values(Attribute.LIBRARY) == ("transformers",)
    assert facts.values(Attribute.TASK) == ("text-generation",)
    assert facts.values(Attribute.TAG) == ("fjord", "2024")
    assert facts.values(Attribute.DATASET) == ("fjord/facts",)
    assert facts.values(Attribute.BASE_MODEL) == ("meta-llama/Llama-3.2-1B",)
    assert facts.values(Attribute.BASE_MODEL_RELATION) == ("finetune",)
    assert [s.pointer for s in facts.statements if s.attribute is Attribute.LANGUAGE] == [
        "/language/0",
        "/language/1",
    ]
    assert ("card", "model") in facts.metadata


def test_metrics_and_emissions_carry_their_details() -> None:
    facts = read_fixture(FORMAT, MODEL)
    metric = first(facts, Attribute.METRIC)
    assert metric.value == "0.75"
    assert metric.pointer == "/model-index/0/results/0/metrics/0/value"
    assert dict(metric.details) == {
        "task": "text-generation",
        "dataset": "fjord/facts",
        "split": "test",
        "config": "plain",
        "metric": "accuracy",
        "verified": "true",
    }
    grams = first(facts, Attribute.CO2_GRAMS)
    assert (grams.value, grams.detail("source"), grams.detail("hardware_used")) == (
        "12.5",
        "codecarbon",
        "1 x L4",
    )


def test_headings_and_sections_point_to_their_line() -> None:
    facts = read_fixture(FORMAT, MODEL)
    lines = (FIXTURES / MODEL).read_text().splitlines()
    for attribute, heading, text in (
        (Attribute.NAME, "# Small Norwegian Llama", "Small Norwegian Llama"),
        (Attribute.INTENDED_USE, "## Intended uses & limitations", "Answering questions about fjords."),
        (Attribute.LIMITATION, "## Bias, Risks, and Limitations", "It knows only fjords."),
    ):
        statement = first(facts, attribute)
        assert lines[int(statement.pointer[1:]) - 1] == heading
        assert text in statement.value
    assert len(facts.values(Attribute.LIMITATION)) == 1  # the unfilled template section is none


def test_a_dataset_card_tells_origins_files_splits_and_columns() -> None:
    facts = read_fixture(FORMAT, DATASET)
    assert ("card", "dataset") in facts.metadata
    assert ("size_categories", "n<1K") in facts.metadata
    assert first(facts, Attribute.NAME).value == "Fjord facts"
    assert facts.values(Attribute.LICENCE) == ("cc-by-4.0", "mit")
    assert facts.values(Attribute.TASK) == ("question-answering", "extractive-qa")
    source = first(facts, Attribute.DATASET)
    assert (source.value, source.details, source.pointer) == (
        "squad",
        (("relation", "source"),),
        "/source_datasets/1",
    )
    assert facts.values(Attribute.CONFIGURATION) == ("plain", "rest")
    files = [(s.value, dict(s.details)) for s in facts.statements if s.attribute is Attribute.DATA_FILE]
    assert files == [
        ("a.csv", {"configuration": "plain", "split": "train"}),
        ("b.csv", {"configuration": "plain", "split": "train"}),
        ("rest/*.csv", {"configuration": "rest"}),
    ]
    assert dict(first(facts, Attribute.SPLIT).details) == {"rows": "40", "bytes": "1200"}
    assert facts.columns == (
        Column(name="text", type="string"),
        Column(name="label", type="class_label"),
        Column(name="tokens", type="sequence<string>"),
        Column(name="place", type="struct"),
    )
    assert facts.values(Attribute.SENSITIVE_DATA) == ("Names of farmers.",)


@pytest.mark.integration
@pytest.mark.parametrize("path", [MODEL, DATASET])
def test_the_front_matter_equals_what_huggingface_hub_reads(path: str) -> None:
    hub = pytest.importorskip("huggingface_hub")
    expected = hub.RepoCard((FIXTURES / path).read_text()).data.to_dict()
    facts = read_fixture(FORMAT, path)
    for key, attribute in (
        ("license", Attribute.LICENCE),
        ("language", Attribute.LANGUAGE),
        ("tags", Attribute.TAG),
        ("base_model", Attribute.BASE_MODEL),
        ("pipeline_tag", Attribute.TASK),
    ):
        if key in expected:
            value = expected[key]
            assert facts.values(attribute) == (tuple(value) if isinstance(value, list) else (value,))


WORD = st.text("abcdefgh-/.0 :#'\"é", min_size=1, max_size=12).map(str.strip).filter(bool)


@given(
    st.fixed_dictionaries(
        {},
        optional={
            "license": WORD | st.lists(WORD, max_size=3),
            "tags": st.lists(WORD, max_size=3),
            "base_model": WORD | st.lists(WORD, min_size=1, max_size=3),
            "datasets": st.lists(WORD, max_size=3),
        },
    )
)
def test_whatever_pyyaml_writes_is_read_back(front: dict[str, str | list[str]]) -> None:
    facts = card(yaml.safe_dump(front))
    for key, attribute in (
        ("license", Attribute.LICENCE),
        ("tags", Attribute.TAG),
        ("base_model", Attribute.BASE_MODEL),
        ("datasets", Attribute.DATASET),
    ):
        value = front.get(key, [])
        assert facts.values(attribute) == tuple([value] if isinstance(value, str) else value)
    assert facts.defects == ()


# huggingface_hub's own pattern (repocard.REGEX_YAML_BLOCK).
HUB = re.compile(r"^(\s*---(?:\r\n|\r|\n))([\S\s]*?)((?:\r\n|\r|\n)---[ \t]*(\r\n|\n|$))")


@given(st.text("-\n\r a:", max_size=30))
def test_front_matter_is_found_wherever_the_hub_finds_it(text: str) -> None:
    if HUB.search(text):
        result = outcome(FORMAT, text.encode(), "README.md")
        assert not isinstance(result, UnreadableError) or "front matter has no" not in str(result)
        assert FORMAT.recognise(probe_of(text.encode(), "README.md")) is Match.CONTENT


@pytest.mark.parametrize(
    ("name", "data", "match"),
    [
        ("README.md", b"---\nlicense: mit\n---\n", Match.CONTENT),
        ("README_zh.md", b"\n---\r\nlicense: mit\r\n---\r\n", Match.CONTENT),
        ("MODEL_CARD.md", b"\xef\xbb\xbf---\n---\n", Match.CONTENT),
        ("README.md", b"# Just a readme\n---\n", Match.NO),
        ("README.md", b"", Match.NO),
        ("README", b"---\nlicense: mit\n---\n", Match.NO),
        ("notes.md", b"---\nlicense: mit\n---\n", Match.NO),
    ],
)
def test_a_card_has_a_card_name_and_front_matter(name: str, data: bytes, match: Match) -> None:
    assert FORMAT.recognise(probe_of(data, name)) is match


@pytest.mark.parametrize(
    ("data", "reason", "words"),
    [
        (b"# no", Reason.MALFORMED, "no front matter"),
        (b"---\nlicense: mit\n", Reason.MALFORMED, "no closing ---"),
        (b"---\na: 1\nb: [\n---\n", Reason.MALFORMED, "line 4"),
        (b"---\na: 1\na: 2\n---\n", Reason.MALFORMED, "duplicate key 'a' in line 3"),
        (b"---\n- a\n---\n", Reason.MALFORMED, "is a list, not a mapping"),
        (b"---\na: &x [*x]\n---\n", Reason.UNSUPPORTED, "alias in line 2"),
        (b"---\na: \xff\n---\n", Reason.MALFORMED, "not UTF-8"),
        (b"---\n" + b"a: b\n" * 250_000 + b"---\n", Reason.LIMIT, "at most 1048576"),
        (b"---\na: " + b"[" * 70 + b"\n---\n", Reason.LIMIT, "nested deeper"),
    ],
)
def test_hostile_front_matter_is_named(data: bytes, reason: Reason, words: str) -> None:
    result = outcome(FORMAT, data, "README.md")
    assert isinstance(result, UnreadableError)
    assert result.reason is reason
    assert words in str(result)


@pytest.mark.parametrize(
    ("front", "words"),
    [
        ("license: {a: b}", "/license is an object"),
        ("license: true", "/license is a boolean"),
        ("co2_eq_emissions: much", "not a number of grams"),
        ("co2_eq_emissions: -1", "not a number of grams"),
        ("model-index: x", "/model-index is a text, an object is expected"),
        ("configs: [x]", "/configs/0 is a text"),
        ("model-index: [{results: [{metrics: [{value: [1]}]}]}]", "/metrics/0/value is a list"),
    ],
)
def test_a_mistyped_value_is_a_defect(front: str, words: str) -> None:
    facts = card(front + "\nlibrary_name: kept")
    assert words in facts.defects[0].message
    assert facts.first(Attribute.LIBRARY) == "kept"


def test_an_empty_front_matter_states_nothing() -> None:
    facts = read(FORMAT, b"---\n---\n", "README.md")
    assert facts.statements == ()
    assert facts.metadata == (("card", "unknown"),)


def test_a_number_of_emissions_is_grams() -> None:
    assert card("co2_eq_emissions: 3").first(Attribute.CO2_GRAMS) == "3"


def test_columns_of_several_configurations_are_not_mixed() -> None:
    info = "{config_name: %s, features: [{name: x, dtype: int8}], splits: []}"
    assert card(f"dataset_info: [{info % 'a'}, {info % 'b'}]").columns == ()


def test_a_card_beyond_the_bound_is_read_up_to_it_and_says_so() -> None:
    facts = card("license: mit", "x" * CARD_BYTES)
    assert facts.first(Attribute.LICENCE) == "mit"
    assert facts.defects[0].reason is Reason.LIMIT
