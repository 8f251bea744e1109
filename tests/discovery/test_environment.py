"""Environment variables: only names that speak of models, only values that can be nothing else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aibom.discovery.environment import environment, model_named
from aibom.readers.marks import UNKNOWN

COMMIT = "0123456789abcdef0123456789abcdef01234567"


def told(server: bool = False, **variables: str) -> list[str]:
    found = []
    for name, one in environment(variables, server=server):
        ref = one.target.ref
        where = f"{ref.scheme}:{ref.location}@{ref.revision}" if ref is not None else "?"
        flags = " ".join(sorted(flag.value for flag in one.flags | one.target.flags))
        found.append(f"{name} {one.kind.value} {where.removesuffix('@None')} {flags}".rstrip())
    return found


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("MODEL_ID", "org/m", "model hf:org/m unpinned"),
        ("MODEL_NAME", f"org/m@{COMMIT}", f"model hf:org/m@{COMMIT}"),
        ("model", "org/m", "model hf:org/m unpinned"),
        ("EMBEDDING_MODEL_NAME", "BAAI/bge-m3", "model hf:BAAI/bge-m3 unpinned"),
        ("RERANKER", "BAAI/bge-reranker", "model hf:BAAI/bge-reranker unpinned"),
        ("HF_REPO_ID", "org/m", "model hf:org/m unpinned"),
        ("BASE_MODEL", "bert-base-uncased", "model hf:bert-base-uncased no-organisation unpinned"),
        ("SPACY_MODEL", "en_core_web_sm", "model spacy:en_core_web_sm unpinned"),
        ("OLLAMA_MODEL", "hf.co/org/m-GGUF:Q8_0", "model hf:org/m-GGUF@Q8_0 unpinned"),
        ("HF_MODEL_ID", "gpt2", "model hf:gpt2 no-organisation unpinned"),
        ("DATASET_ID", "org/d", "dataset hf-dataset:org/d unpinned"),
        ("TOKENIZER", "org/t", "tokenizer hf:org/t unpinned"),
        ("LORA_ADAPTER", "org/l", "adapter hf:org/l unpinned"),
        ("OLLAMA_MODEL", "llama3", "model ollama:llama3 floating-tag unpinned"),
        ("CHAT_MODEL", "qwen2.5:7b", "model ollama:qwen2.5@7b unpinned"),
        ("MODEL", "hf.co/org/m", "model hf:org/m unpinned"),
        ("OPENAI_MODEL", "gpt-4o", "service openai:gpt-4o unpinned"),
        ("LLM", "claude-sonnet-4-20250514", "service anthropic:claude-sonnet-4-20250514"),
        ("MODEL", "anthropic/claude-3-haiku-20240307", "service anthropic:claude-3-haiku-20240307"),
        ("MODEL", "openai/gpt-4o", "service openai:gpt-4o unpinned"),
        ("MODEL", "openai/gpt-oss-20b", "model hf:openai/gpt-oss-20b unpinned"),
        ("MODEL", "openai/whisper-large-v3", "model hf:openai/whisper-large-v3 unpinned"),
        ("MODEL", "google/gemma-2-9b", "model hf:google/gemma-2-9b unpinned"),
        ("MODEL", "mistralai/Mistral-7B-v0.1", "model hf:mistralai/Mistral-7B-v0.1 unpinned"),
        ("MODEL", "ollama/llama3:8b", "model ollama:llama3@8b unpinned"),
        ("MODEL_URI", "models:/m/3", "model mlflow:m@3"),
        ("STORAGE_URI", "s3://b/m", "model s3:b/m unpinned"),
        ("MODEL_URL", "https://example.com/m.gguf", "model https:https://example.com/m.gguf unpinned"),
    ],
)
def test_variables_that_name_something(name: str, value: str, expected: str) -> None:
    assert told(**{name: value}) == [f"{name} {expected}"]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("MODEL", "production"),
        ("MODEL_ID", "resnet50"),
        ("MODEL", "v1.2"),
        ("MODEL", "/models/m"),
        ("MODEL", "./a/b"),
        ("MODEL", "a/b.gguf"),
        ("MODEL", "a/b/c"),
        ("MODEL", ""),
        ("MODEL", UNKNOWN),
        ("MODEL", f"org/{UNKNOWN}"),
        ("MODEL", "org/a b"),
        ("MODEL_DIR", "org/m"),
        ("MODEL_PATH", "org/m"),
        ("REMODELED", "org/m"),
        ("MODELS_ENABLED", "org/m"),
        ("IMAGE", "org/m"),
        ("HF_TOKEN", "org/m"),
        ("DATASET", "rows"),
        ("MODEL_URL", "http://localhost:8000/v1"),
        ("MODEL_URL", "https://["),
        ("OLLAMA_HOST", "http://x"),
        ("STORAGE_URI", "plain"),
        ("MODEL_URI", f"s3://{UNKNOWN}/m"),
        ("OLLAMA_MODEL", UNKNOWN),
    ],
)
def test_other_variables_and_values_are_silent(name: str, value: str) -> None:
    assert told(**{name: value}) == []


def test_the_revision_stands_in_a_variable_of_its_own() -> None:
    assert told(MODEL_ID="org/m", REVISION=COMMIT) == [f"MODEL_ID model hf:org/m@{COMMIT}"]
    assert told(EMBED_MODEL="org/m", REVISION=COMMIT) == ["EMBED_MODEL model hf:org/m unpinned"]
    assert told(EMBED_MODEL_ID="org/m", EMBED_MODEL_REVISION="v1") == [
        "EMBED_MODEL_ID model hf:org/m@v1 unpinned"
    ]


def test_trust_in_remote_code_is_a_flag_of_the_model() -> None:
    assert told(MODEL_ID="org/m", TRUST_REMOTE_CODE="true") == [
        "MODEL_ID model hf:org/m remote-code unpinned"
    ]
    assert told(MODEL_ID="org/m", TRUST_REMOTE_CODE="false") == ["MODEL_ID model hf:org/m unpinned"]


def test_a_server_reads_a_name_without_organisation_and_one_that_is_not_known() -> None:
    assert told(server=True, MODEL_ID="gpt2") == ["MODEL_ID model hf:gpt2 no-organisation unpinned"]
    assert told(server=True, MODEL_ID=UNKNOWN) == ["MODEL_ID model ?"]


@given(st.text(max_size=40) | st.text("ab/:@.-_0b", max_size=30))
def test_any_value_is_named_or_not(value: str) -> None:
    for name in ("MODEL", "MODEL_URL", "OLLAMA_MODEL", "DATASET", "HF_MODEL_ID"):
        assert len(told(server=True, **{name: value})) <= 1
    found = model_named(value)
    assert found is None or found[1].ref is not None
