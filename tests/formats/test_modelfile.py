"""Modelfile: instructions over one or more lines, digests instead of prompts."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aibom.domain.errors import Reason, UnreadableError
from aibom.domain.facts import Attribute, Capability, Facts, Statement
from aibom.domain.protocols import Match
from aibom.formats.modelfile import FORMAT
from tests.hostile import outcome, probe_of, read, read_fixture


def modelfile(text: str) -> Facts:
    return read(FORMAT, text.encode(), "Modelfile")


def of(facts: Facts, attribute: Attribute) -> list[Statement]:
    return [statement for statement in facts.statements if statement.attribute is attribute]


def sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def test_every_instruction_is_told_with_its_line() -> None:
    facts = read_fixture(FORMAT, "cards/ollama/Modelfile")
    assert [(s.attribute, s.value, s.pointer, dict(s.details)) for s in facts.statements] == [
        (Attribute.BASE_MODEL, "llama3.2:1b", "L2", {"relation": "from"}),
        (Attribute.DATA_FILE, "./lora.gguf", "L3", {"role": "adapter"}),
        (Attribute.HYPERPARAMETER, "0.7", "L4", {"name": "temperature"}),
        (Attribute.HYPERPARAMETER, "<|eot_id|>", "L5", {"name": "stop"}),
        (Attribute.CHAT_TEMPLATE_SHA256, sha256("{{ .System }}\n{{ .Prompt }}"), "L6", {}),
        (Attribute.SYSTEM_PROMPT_SHA256, sha256("You know fjords."), "L8", {}),
        (Attribute.LICENCE, "MIT", "L10", {}),
    ]
    assert facts.capabilities == {Capability.CHAT_TEMPLATE}
    assert facts.metadata == (("messages", "1"),)


@pytest.mark.parametrize(
    ("value", "attribute"),
    [
        ("llama3.2", Attribute.BASE_MODEL),
        ("hf.co/org/name-GGUF:Q4_K_M", Attribute.BASE_MODEL),
        ("./model", Attribute.DATA_FILE),
        ("../model", Attribute.DATA_FILE),
        ("/models/a", Attribute.DATA_FILE),
        ("~/a", Attribute.DATA_FILE),
        ("C:\\a", Attribute.DATA_FILE),
        ("weights/a.GGUF", Attribute.DATA_FILE),
    ],
)
def test_a_path_is_a_file_and_a_name_is_a_base_model(value: str, attribute: Attribute) -> None:
    (statement,) = modelfile(f"FROM {value}").statements
    assert (statement.attribute, statement.value) == (attribute, value)


@given(st.text("ab {}.\n\t", max_size=30))
def test_a_quoted_text_is_digested_as_written(text: str) -> None:
    for quote in ('"', '"""'):
        facts = modelfile(f"from a\nsystem {quote}{text}{quote}\nparameter top_k 3")
        assert facts.values(Attribute.SYSTEM_PROMPT_SHA256) == (sha256(text),)
        assert facts.values(Attribute.HYPERPARAMETER) == ("3",)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("plain text", "plain text"),
        ('"say "hi" now"', 'say "hi" now'),
        ('"""a " b"""  ', 'a " b'),
        ('"""first  \r\n second """', "first  \n second "),
        ('""', ""),
        ('""""""', ""),
        ("# no comment", "# no comment"),
    ],
)
def test_quotes_close_at_the_end_of_a_line_only(value: str, text: str) -> None:
    facts = modelfile(f"FROM a\nSYSTEM {value}\n")
    assert facts.values(Attribute.SYSTEM_PROMPT_SHA256) == (sha256(text),)


def test_instructions_inside_of_a_text_are_text() -> None:
    facts = modelfile('FROM a\nSYSTEM """\nFROM b\nADAPTER ./c\n"""\n')
    assert facts.values(Attribute.BASE_MODEL) == ("a",)
    assert facts.values(Attribute.DATA_FILE) == ()


def test_a_licence_text_is_told_by_its_title() -> None:
    facts = modelfile('FROM a\nLICENSE """\nFjord Licence 1.0\nUse it well.\n"""')
    assert facts.values(Attribute.LICENCE_NAME) == ("Fjord Licence 1.0",)
    assert facts.values(Attribute.LICENCE) == ()


def test_a_required_version_is_a_dependency() -> None:
    assert modelfile("FROM a\nREQUIRES 0.14.0").values(Attribute.RUNTIME_DEPENDENCY) == ("ollama>=0.14.0",)


@pytest.mark.parametrize(
    ("data", "reason", "words"),
    [
        (b"", Reason.MALFORMED, "no FROM"),
        (b"PARAMETER a 1\n# FROM a", Reason.MALFORMED, "no FROM"),
        (b'FROM a\nSYSTEM """open\n', Reason.TRUNCATED, "opens in line 2"),
        (b'FROM a\nSYSTEM "', Reason.TRUNCATED, "opens in line 2"),
        (b"FROM \xff", Reason.MALFORMED, "not UTF-8"),
        (b"FROM a\n" * 200_000, Reason.LIMIT, "at most"),
    ],
)
def test_hostile_files_are_named(data: bytes, reason: Reason, words: str) -> None:
    result = outcome(FORMAT, data, "Modelfile")
    assert isinstance(result, UnreadableError)
    assert result.reason is reason
    assert words in str(result)


def test_an_unknown_instruction_is_a_defect_with_its_line() -> None:
    facts = modelfile("FROM a\nRUN id\nPARAMETER top_k 3\n")
    assert facts.defects[0].message == "line 2 is no instruction of a Modelfile: 'RUN id'"
    assert facts.values(Attribute.HYPERPARAMETER) == ("3",)


@pytest.mark.parametrize(
    ("name", "data", "match"),
    [
        ("Modelfile", b"# c\r\n  from a", Match.CONTENT),
        ("fjord.Modelfile", b"FROM a", Match.CONTENT),
        ("Modelfile.gpu", b"FROM a", Match.CONTENT),
        ("Modelfile", b"name: x", Match.NO),
        ("Modelfile", b"# c\n" * 2_000, Match.NAME),
        ("Dockerfile", b"FROM a", Match.NO),
        ("modelfiles.txt", b"FROM a", Match.NO),
        ("modelfile.py", b"from a import b", Match.NO),
    ],
)
def test_recognised_by_name_and_a_from_line(name: str, data: bytes, match: Match) -> None:
    assert FORMAT.recognise(probe_of(data, name)) is match
