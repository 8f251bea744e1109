"""What all formats of cards and configurations share: bounds, mistyped values, no foreign exception."""

from __future__ import annotations

import json
import tracemalloc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aibom.domain.errors import Reason, UnreadableError
from aibom.domain.facts import Attribute, Facts
from aibom.domain.limits import STATEMENT_COUNT
from aibom.domain.protocols import Format, Match
from aibom.formats import (
    adapter_config,
    croissant,
    dataset_info,
    generation_config,
    licence_file,
    mlmodel,
    model_card,
    modelfile,
    sentence_transformers,
    shard_index,
    tokenizer,
    transformers_config,
)
from aibom.formats._document import CONFIG_BYTES, CONFIG_VALUE_COUNT, Collector, place, plain, setting
from tests.hostile import FIXTURES, flips, outcome, probe_of, read, read_fixture, truncations

FILES: dict[str, Format] = {
    "model/README.md": model_card.FORMAT,
    "dataset/README.md": model_card.FORMAT,
    "model/config.json": transformers_config.FORMAT,
    "diffusers/model_index.json": transformers_config.FORMAT,
    "adapter/adapter_config.json": adapter_config.FORMAT,
    "model/model.safetensors.index.json": shard_index.FORMAT,
    "model/tokenizer_config.json": tokenizer.TOKENIZER_CONFIG,
    "model/tokenizer.json": tokenizer.TOKENIZER,
    "model/tokenizer.model": tokenizer.SENTENCEPIECE,
    "model/vocab.json": tokenizer.VOCABULARY,
    "model/vocab.txt": tokenizer.VOCABULARY,
    "model/merges.txt": tokenizer.VOCABULARY,
    "model/added_tokens.json": tokenizer.VOCABULARY,
    "model/special_tokens_map.json": tokenizer.VOCABULARY,
    "model/chat_template.jinja": tokenizer.CHAT_TEMPLATE,
    "model/chat_template.json": tokenizer.CHAT_TEMPLATE,
    "model/generation_config.json": generation_config.FORMAT,
    "dataset/dataset_info.json": dataset_info.FORMAT,
    "dataset/dataset_infos.json": dataset_info.FORMAT,
    "dataset/croissant.json": croissant.FORMAT,
    "mlflow/MLmodel": mlmodel.FORMAT,
    "ollama/Modelfile": modelfile.FORMAT,
    "embedding/modules.json": sentence_transformers.FORMAT,
    "embedding/config_sentence_transformers.json": sentence_transformers.FORMAT,
    "model/LICENSE": licence_file.FORMAT,
}
JSON_FILES = [path for path in FILES if path.endswith(".json")]

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


def base(path: str) -> str:
    return path.rpartition("/")[2]


@pytest.mark.parametrize("path", FILES)
def test_every_fixture_is_recognised_and_read_without_a_doubt(path: str) -> None:
    facts = read_fixture(FILES[path], f"cards/{path}")
    assert facts.format == FILES[path].name
    assert facts.kind is FILES[path].kind
    # The Croissant card has the 32-character "sha256" of the specification's examples.
    assert len(facts.defects) == (path == "dataset/croissant.json")


@pytest.mark.parametrize("path", FILES)
def test_only_one_of_these_formats_is_sure_of_a_fixture(path: str) -> None:
    probe = probe_of((FIXTURES / "cards" / path).read_bytes(), base(path))
    sure = {fmt.name for fmt in FILES.values() if fmt.recognise(probe) is Match.CONTENT}
    assert sure <= {FILES[path].name}


@pytest.mark.parametrize("path", FILES)
def test_truncated_and_changed_files_are_read_or_named(path: str) -> None:
    data = (FIXTURES / "cards" / path).read_bytes()
    for broken in (*truncations(data), *flips(data, 60)):
        outcome(FILES[path], broken, base(path))


@pytest.mark.parametrize("path", JSON_FILES)
def test_a_truncated_json_file_is_never_read_as_a_whole_one(path: str) -> None:
    data = (FIXTURES / "cards" / path).read_bytes().rstrip()
    for length in range(len(data)):
        assert isinstance(outcome(FILES[path], data[:length], base(path)), UnreadableError), length


@pytest.mark.parametrize("path", JSON_FILES)
@settings(max_examples=25)
@given(data=st.data())
def test_mistyped_members_never_raise_anything_else(path: str, data: st.DataObject) -> None:
    document = json.loads((FIXTURES / "cards" / path).read_bytes())
    keys = list(document) if isinstance(document, dict) else list(range(len(document)))
    document[data.draw(st.sampled_from(keys))] = data.draw(JSON)
    outcome(FILES[path], json.dumps(document).encode(), base(path))


@pytest.mark.parametrize("path", FILES)
@settings(max_examples=20)
@given(body=st.binary(max_size=80))
def test_arbitrary_bytes_never_raise_anything_else(path: str, body: bytes) -> None:
    outcome(FILES[path], body, base(path))


def config(document: object) -> Facts:
    return read(transformers_config.FORMAT, json.dumps(document).encode(), "config.json")


def test_a_mistyped_value_is_a_defect_and_the_rest_is_told() -> None:
    facts = config({"model_type": {"a": 1}, "architectures": ["A", 3, None, True], "hidden_size": {}})
    assert facts.values(Attribute.ARCHITECTURE) == ("A", "3")
    assert [defect.message for defect in facts.defects] == [
        "/architectures/2 is null, a text is expected",
        "/architectures/3 is a boolean, a text is expected",
        "/model_type is an object, a text is expected",
        "/hidden_size is an object, a plain value is expected",
    ]


def test_too_many_statements_end_with_one_defect() -> None:
    facts = config({"architectures": ["A"] * (STATEMENT_COUNT + 50), "model_type": "t"})
    assert len(facts.statements) == STATEMENT_COUNT
    assert [defect.reason for defect in facts.defects] == [Reason.LIMIT]


def test_many_defects_are_bounded() -> None:
    facts = config({"architectures": [{}] * 5_000})
    assert 100 <= len(facts.defects) <= 101
    assert "more than" in facts.defects[-1].message


def test_long_values_and_pointers_are_capped() -> None:
    facts = config({"model_type": "x" * 100_000, "auto_map": {"k" * 100_000: "m.C"}})
    assert len(facts.first(Attribute.MODEL_TYPE) or "") < 4_200
    code = next(s for s in facts.statements if s.attribute is Attribute.REMOTE_CODE)
    assert len(code.pointer) < 600
    assert len(code.detail("auto_class") or "") < 600


@pytest.mark.parametrize(
    ("data", "reason", "words"),
    [
        (b"", Reason.MALFORMED, "not JSON"),
        (b"[]", Reason.MALFORMED, "a JSON object is expected, not a list"),
        (b'{"model_type": 1, "model_type": 2}', Reason.MALFORMED, "duplicate key 'model_type'"),
        (b'{"a":' * 100 + b"1" + b"}" * 100, Reason.LIMIT, "nested deeper"),
        (b"[" + b"1," * (CONFIG_VALUE_COUNT + 1) + b"1]", Reason.LIMIT, "more than 150000 values"),
        (b" " * (CONFIG_BYTES + 1), Reason.LIMIT, "6291457 bytes, at most"),
        (b'{"model_type": "\xff"}', Reason.MALFORMED, "not UTF-8"),
    ],
)
def test_hostile_configurations_are_named(data: bytes, reason: Reason, words: str) -> None:
    result = outcome(transformers_config.FORMAT, data, "config.json")
    assert isinstance(result, UnreadableError)
    assert result.reason is reason
    assert words in str(result)


@pytest.mark.parametrize(
    "document",
    [
        b'{"a":[' + b'{"b":1},' * 74_000 + b"1]}",
        b'{"model_type":"\xf0\x9f\x98\x80' + b"x" * (CONFIG_BYTES - 40) + b'"}',
        b'{"model_type":["' + b'x","' * 149_000 + b'"]}',
    ],
    ids=["many objects", "one astral character", "many texts"],
)
def test_the_largest_configurations_fit_the_memory(document: bytes) -> None:
    tracemalloc.start()
    try:
        outcome(transformers_config.FORMAT, document, "config.json")
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 64 * 2**20


def test_pointers_escape_as_rfc_6901_says() -> None:
    assert place("a/b", "m~n", 0) == "/a~1b/m~0n/0"


@pytest.mark.parametrize(
    ("value", "as_text", "as_setting"),
    [
        (" a ", "a", "a"),
        (7, "7", "7"),
        (0.5, "0.5", "0.5"),
        (True, None, "true"),
        (float("nan"), None, None),
        (None, None, None),
        ([1, "b"], None, "1, b"),
        ([{}], None, None),
    ],
)
def test_only_plain_values_become_text(value: object, as_text: str | None, as_setting: str | None) -> None:
    assert plain(value) == as_text  # type: ignore[arg-type]
    assert setting(value) == as_setting  # type: ignore[arg-type]


def test_an_empty_value_states_nothing() -> None:
    found = Collector()
    found.one(Attribute.NAME, {"name": "  "}, "name")
    assert found.statements == []
    assert found.defects.found == []
