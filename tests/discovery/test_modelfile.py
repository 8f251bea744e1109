"""Modelfiles: the model or weights they build from, and adapters."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aibom.discovery.modelfile import DISCOVERER, MODELFILE_BYTES
from aibom.domain.errors import Reason, UnreadableError
from tests.discovery.references import found_in, told

DIGEST = "sha256:" + "a" * 64


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("FROM llama3.2:3b", ["1 model ollama:llama3.2@3b unpinned"]),
        ("from llama3", ["1 model ollama:llama3 floating-tag unpinned"]),
        (f"FROM llama3@{DIGEST}", [f"1 model ollama:llama3@{DIGEST}"]),
        ("FROM user/model:tag", ["1 model ollama:user/model@tag unpinned"]),
        ("FROM hf.co/org/m-GGUF:Q4_K_M", ["1 model hf:org/m-GGUF@Q4_K_M unpinned"]),
        ("FROM ./m.gguf", ["1 model file:./m.gguf local-path"]),
        ("FROM m.Q4.gguf", ["1 model file:m.Q4.gguf local-path"]),
        ("FROM https://example.com/m.gguf", ["1 model https:https://example.com/m.gguf unpinned"]),
        ("# c\n\n FROM a:1\nADAPTER lora", ["3 model ollama:a@1 unpinned", "4 adapter file:lora local-path"]),
        ("FROM http://[\nFROM :x\nFROM @x\nFROM b:1", ["4 model ollama:b@1 unpinned"]),
    ],
)
def test_what_a_model_is_built_from(text: str, expected: list[str]) -> None:
    assert told(DISCOVERER, "Modelfile", text) == expected


def test_texts_are_passed_over() -> None:
    text = (
        'FROM a:1\nSYSTEM """\nFROM b\n"""\nTEMPLATE """FROM c"""\nMESSAGE user FROM d\n# FROM e\n'
        'LICENSE """x\nADAPTER f"""\nADAPTER g'
    )
    assert told(DISCOVERER, "x.Modelfile", text) == [
        "1 model ollama:a@1 unpinned",
        "10 adapter file:g local-path",
    ]


def test_the_column_is_that_of_the_value() -> None:
    (reference,) = found_in(DISCOVERER, "Modelfile.dev", "  FROM   a").references
    assert (reference.location.column, reference.loader) == (10, "FROM")


def test_a_file_that_is_too_large_is_refused() -> None:
    with pytest.raises(UnreadableError) as caught:
        told(DISCOVERER, "Modelfile", "FROM a\n" + "#" * MODELFILE_BYTES)
    assert caught.value.reason is Reason.LIMIT


@given(st.text("FROMADPTERfrom \n\"':/@.~#[", max_size=60))
def test_any_text_is_read(text: str) -> None:
    found = found_in(DISCOVERER, "Modelfile", f"FROM a:1\n{text}")
    assert found.references[0].location.line == 1
