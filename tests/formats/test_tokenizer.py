"""Tokenizer files: sizes without building the vocabulary, digests of templates, remote code."""

from __future__ import annotations

import hashlib
import json
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aibom.domain.errors import Reason, UnreadableError
from aibom.domain.facts import Attribute, Capability, Facts
from aibom.domain.protocols import Format, Match
from aibom.formats.tokenizer import (
    CHAT_TEMPLATE,
    SENTENCEPIECE,
    TOKENIZER,
    TOKENIZER_BYTES,
    TOKENIZER_CONFIG,
    VOCABULARY,
)
from tests.hostile import FIXTURES, outcome, probe_of, read, read_fixture

TEMPLATE = (FIXTURES / "cards/model/chat_template.jinja").read_text()


def sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def config(**document: object) -> Facts:
    return read(TOKENIZER_CONFIG, json.dumps(document).encode(), "tokenizer_config.json")


def named(facts: Facts) -> dict[str | None, str]:
    return {s.detail("name"): s.value for s in facts.statements if s.attribute is Attribute.HYPERPARAMETER}


def test_the_configuration_tells_class_templates_and_remote_code() -> None:
    facts = read_fixture(TOKENIZER_CONFIG, "cards/model/tokenizer_config.json")
    assert facts.first(Attribute.TOKENIZER_CLASS) == "FjordTokenizer"
    assert named(facts) == {"model_max_length": "1000000000000000019884624838656"}
    templates = [s for s in facts.statements if s.attribute is Attribute.CHAT_TEMPLATE_SHA256]
    assert [(s.value, s.pointer, s.detail("name")) for s in templates] == [
        (sha256(TEMPLATE), "/chat_template/0/template", "default"),
        (sha256("{{ x }}"), "/chat_template/1/template", "rag"),
    ]
    code = next(s for s in facts.statements if s.attribute is Attribute.REMOTE_CODE)
    assert (code.value, code.detail("auto_class"), code.pointer) == (
        "tokenization_fjord.FjordTokenizer",
        "AutoTokenizer",
        "/auto_map/AutoTokenizer",
    )
    assert facts.capabilities == {Capability.CHAT_TEMPLATE, Capability.REMOTE_CODE}


@given(st.text())
def test_one_template_has_one_digest_wherever_it_stands(template: str) -> None:
    expected = hashlib.sha256(template.encode("utf-8", "surrogatepass")).hexdigest()
    assert config(chat_template=template).first(Attribute.CHAT_TEMPLATE_SHA256) == expected
    assert config(chat_template={"default": template}).first(Attribute.CHAT_TEMPLATE_SHA256) == expected
    both = json.dumps({"chat_template": template}).encode()
    assert read(CHAT_TEMPLATE, both, "chat_template.json").first(Attribute.CHAT_TEMPLATE_SHA256) == expected


def test_a_template_in_a_file_of_its_own_has_the_same_digest() -> None:
    facts = read_fixture(CHAT_TEMPLATE, "cards/model/chat_template.jinja")
    assert facts.values(Attribute.CHAT_TEMPLATE_SHA256) == (sha256(TEMPLATE),)
    assert facts.statements[0].detail("name") == "default"
    assert Capability.CHAT_TEMPLATE in facts.capabilities


def test_a_lone_surrogate_in_a_template_is_digested() -> None:
    facts = read(TOKENIZER_CONFIG, b'{"chat_template": "\\ud800"}', "tokenizer_config.json")
    expected = hashlib.sha256(b"\xed\xa0\x80").hexdigest()
    assert facts.values(Attribute.CHAT_TEMPLATE_SHA256) == (expected,)


@pytest.mark.parametrize(
    ("document", "words"),
    [
        ({"chat_template": 3}, "/chat_template is a number, an object is expected"),
        ({"chat_template": [3]}, "/chat_template/0 is a number"),
        ({"chat_template": [{"name": "a"}]}, "/chat_template/0/template is null"),
        ({"chat_template": {"a": []}}, "/chat_template/a is a list"),
        ({"auto_map": "x"}, "/auto_map is a text"),
        ({"auto_map": {"AutoTokenizer": 3}}, "/auto_map/AutoTokenizer is a number"),
    ],
)
def test_a_mistyped_part_is_a_defect(document: dict[str, object], words: str) -> None:
    facts = config(tokenizer_class="kept", **document)
    assert words in facts.defects[0].message
    assert facts.first(Attribute.TOKENIZER_CLASS) == "kept"


def test_the_tokenizer_tells_its_parts_and_sizes() -> None:
    facts = read_fixture(TOKENIZER, "cards/model/tokenizer.json")
    assert facts.values(Attribute.VOCABULARY_SIZE) == ("4",)
    assert named(facts) == {
        "model.type": "BPE",
        "normalizer.type": "Sequence",
        "pre_tokenizer.type": "ByteLevel",
        "added_tokens": "1",
    }


@given(
    st.dictionaries(st.text(), st.integers(0, 99), max_size=6)
    | st.lists(st.tuples(st.text(), st.floats(allow_nan=False, allow_infinity=False)), max_size=6)
)
def test_the_size_is_that_of_the_vocabulary(vocabulary: dict[str, int] | list[tuple[str, float]]) -> None:
    data = json.dumps({"model": {"vocab": vocabulary}, "normalizer": None}).encode()
    facts = read(TOKENIZER, data, "tokenizer.json")
    assert facts.values(Attribute.VOCABULARY_SIZE) == (str(len(vocabulary)),)


def test_a_large_tokenizer_is_read_without_building_it() -> None:
    vocabulary = ",".join(f'"token {i}": {i}' for i in range(30_000))
    merges = ",".join(f'["token {i}", "b"]' for i in range(30_000))
    data = b'{"model": {"vocab": {' + vocabulary.encode() + b'}, "merges": [' + merges.encode() + b"]}}"
    tracemalloc.start()
    try:
        facts = read(TOKENIZER, data, "tokenizer.json")
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert facts.values(Attribute.VOCABULARY_SIZE) == ("30000",)
    assert peak < len(data) + 2**18


@pytest.mark.parametrize("model", [None, 1, [], {}, {"vocab": None}, {"vocab": 7}])
def test_a_tokenizer_without_vocabulary_is_a_defect(model: object) -> None:
    data = json.dumps({"model": model, "added_tokens": []}).encode()
    facts = read(TOKENIZER, data, "tokenizer.json")
    assert [defect.message for defect in facts.defects] == ["the tokenizer has no vocabulary"]


@pytest.mark.parametrize(
    ("fmt", "name", "data", "reason", "words"),
    [
        (TOKENIZER, "tokenizer.json", b"[]", Reason.MALFORMED, "not a list"),
        (TOKENIZER, "tokenizer.json", b'{"model":1,"model":2}', Reason.MALFORMED, "duplicate key 'model'"),
        (TOKENIZER, "tokenizer.json", b'{"model":{"vocab":{"a":', Reason.TRUNCATED, "inside a value"),
        (TOKENIZER, "tokenizer.json", b'{"model":{"vocab":{"a"}}}', Reason.MALFORMED, "a key"),
        (TOKENIZER, "tokenizer.json", b" " * (TOKENIZER_BYTES + 1), Reason.LIMIT, "at most"),
        (CHAT_TEMPLATE, "chat_template.jinja", b"\xff", Reason.MALFORMED, "not UTF-8"),
        (CHAT_TEMPLATE, "chat_template.jinja", b"a" * (2**20 + 1), Reason.LIMIT, "at most"),
        (CHAT_TEMPLATE, "chat_template.json", b"[]", Reason.MALFORMED, "object is expected"),
        (VOCABULARY, "special_tokens_map.json", b"{", Reason.MALFORMED, "not JSON"),
        (VOCABULARY, "vocab.json", b"{", Reason.TRUNCATED, "a key"),
        (SENTENCEPIECE, "tokenizer.model", b"\x0a\xff\xff\x7f", Reason.TRUNCATED, ""),
        (SENTENCEPIECE, "tokenizer.model", b"\x0a\x00" * 700_000, Reason.LIMIT, ""),
    ],
)
def test_hostile_files_are_named(fmt: Format, name: str, data: bytes, reason: Reason, words: str) -> None:
    result = outcome(fmt, data, name)
    assert isinstance(result, UnreadableError)
    assert result.reason is reason
    assert words in str(result)


@pytest.mark.parametrize(
    ("path", "attribute", "value"),
    [
        ("vocab.json", Attribute.VOCABULARY_SIZE, "4"),
        ("vocab.txt", Attribute.VOCABULARY_SIZE, "3"),
        ("tokenizer.model", Attribute.VOCABULARY_SIZE, "3"),
        ("merges.txt", Attribute.HYPERPARAMETER, "2"),
        ("added_tokens.json", Attribute.HYPERPARAMETER, "1"),
    ],
)
def test_vocabularies_are_counted(path: str, attribute: Attribute, value: str) -> None:
    fmt = SENTENCEPIECE if path == "tokenizer.model" else VOCABULARY
    assert read_fixture(fmt, f"cards/model/{path}").values(attribute) == (value,)


@given(st.lists(st.sampled_from(["a", "", "bc"]), max_size=9), st.booleans())
def test_lines_are_counted_as_python_reads_them(lines: list[str], ends: bool) -> None:
    text = "\n".join(lines) + ("\n" if ends and lines else "")
    facts = read(VOCABULARY, text.encode(), "vocab.txt")
    assert facts.values(Attribute.VOCABULARY_SIZE) == (str(len(text.splitlines())),)


@pytest.mark.parametrize(
    ("name", "data", "expected"),
    [
        ("tokenizer.model", b"\x0a\x05\x0a\x03abc", {"sentencepiece": Match.CONTENT}),
        ("sentencepiece.bpe.model", b"\x0a\x05\x0a\x03abc", {"sentencepiece": Match.CONTENT}),
        ("tokenizer.model", b"IQ== 0\nIg== 1\n", {"vocab": Match.CONTENT}),
        ("cl100k.tiktoken", b"IQ== 0\nIg== 1\n", {"vocab": Match.CONTENT}),
        ("tokenizer.model", b"something else", {}),
        ("vocab.txt", b"a\0b", {}),
        ("vocab.txt", b"a\nb", {"vocab": Match.NAME}),
        ("rag.jinja", b"{% for m in messages %}", {"chat-template": Match.CONTENT}),
        ("page.jinja", b"{% for m in rows %}", {}),
        ("tokenizer.json", b"{}", {"tokenizer": Match.CONTENT}),
        ("tokenizer.json", b"version https://git-lfs", {"tokenizer": Match.NAME}),
        ("my_tokenizer.json", b"{}", {}),
    ],
)
def test_each_file_belongs_to_one_format(name: str, data: bytes, expected: dict[str, Match]) -> None:
    formats = (TOKENIZER_CONFIG, TOKENIZER, SENTENCEPIECE, VOCABULARY, CHAT_TEMPLATE)
    found = {fmt.name: fmt.recognise(probe_of(data, name)) for fmt in formats}
    assert {key: match for key, match in found.items() if match is not Match.NO} == expected
