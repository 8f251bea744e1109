"""What a text names."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aibom.discovery.targets import (
    LOCATION_CHARS,
    PathText,
    Target,
    address,
    fixed,
    hub,
    image,
    is_path,
    local,
    moving,
    named,
    pinned,
)
from aibom.domain.ref import PinnedRef
from tests.discovery.python_code import SHA


def shown(target: Target) -> str:
    if target.ref is None:
        return "nothing"
    revision = f"@{target.ref.revision}" if target.ref.revision else ""
    subpath = f"#{target.ref.subpath}" if target.ref.subpath else ""
    return " ".join([f"{target.ref.scheme}:{target.ref.location}{revision}{subpath}", *sorted(target.flags)])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("org/name", "hf:org/name unpinned"),
        (" org/name\n", "hf:org/name unpinned"),
        ("org/na.me_x-1", "hf:org/na.me_x-1 unpinned"),
        ("name", "hf:name no-organisation unpinned"),
        ("org/name@v1", "hf:org/name@v1 unpinned"),
        (f"org/name@{SHA}", f"hf:org/name@{SHA}"),
        ("./name", "file:./name local-path"),
        ("/a/name", "file:/a/name local-path"),
        ("~/name", "file:~/name local-path"),
        ("..", "file:.. local-path"),
        ("C:\\models", "file:C:\\models local-path"),
        ("$HOME/name", "file:$HOME/name local-path"),
        ("models/a.safetensors", "file:models/a.safetensors local-path"),
        ("a.PT", "file:a.PT local-path"),
        ("models/", "file:models/ local-path"),
        ("a/b/c", "file:a/b/c local-path"),
        (PathText("org/name"), "file:org/name local-path"),
        ("https://huggingface.co/org/name", "hf:org/name unpinned"),
        ("huggingface.co/org/name", "hf:org/name unpinned"),
        ("two words", "nothing"),
        ("org/-name", "nothing"),
        ("-name", "nothing"),
        ("org/na\nme", "nothing"),
        ("órg/name", "hf:órg/name unpinned"),  # no such id, and a look-alike for the policy to see
        ("o" * 200 + "/name", "nothing"),
        ("", "nothing"),
        ("   ", "nothing"),
    ],
)
def test_what_a_loader_of_the_hub_is_given(text: str, expected: str) -> None:
    assert shown(hub(text)) == expected


def test_the_revision_of_the_call_counts_more_than_that_of_the_text() -> None:
    assert shown(hub("org/name@v1", SHA)) == f"hf:org/name@{SHA}"
    assert isinstance(hub("org/name", SHA).ref, PinnedRef)
    assert shown(hub("org/name", "", scheme="hf-dataset", subpath="a")) == "hf-dataset:org/name#a unpinned"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("https://huggingface.co/org/name/resolve/main/a/b.bin", "hf:org/name@main#a/b.bin unpinned"),
        (f"https://huggingface.co/org/name/blob/{SHA}/a.bin", f"hf:org/name@{SHA}#a.bin"),
        (
            "https://huggingface.co/org/name/resolve/refs%2Fpr%2F1/a.bin",
            "hf:org/name@refs/pr/1#a.bin unpinned",
        ),
        ("https://huggingface.co/org/name/tree/v1", "hf:org/name@v1 unpinned"),
        ("https://huggingface.co/datasets/org/name", "hf-dataset:org/name unpinned"),
        ("https://huggingface.co/spaces/org/name", "hf-space:org/name unpinned"),
        ("https://huggingface.co/org/name.git", "hf:org/name unpinned"),
        ("https://user:token@huggingface.co/org/name", "hf:org/name unpinned"),
        ("https://HuggingFace.co/org/name?download=true#x", "hf:org/name unpinned"),
        ("https://huggingface.co/org", "nothing"),
        ("https://huggingface.co/datasets/name", "nothing"),
        ("https://huggingface.co/", "nothing"),
        (
            "https://huggingface.co.evil.example/org/name",
            "https:https://huggingface.co.evil.example/org/name unpinned",
        ),
        ("hf://org/name", "hf:org/name unpinned"),
        (f"hf://org/name@{SHA}/a.bin", f"hf:org/name@{SHA}#a.bin"),
        ("hf://datasets/org/name/a.parquet", "hf-dataset:org/name#a.parquet unpinned"),
        ("http://host/a.bin", "http:http://host/a.bin http unpinned"),
        ("https://user:secret@host/a.bin?signature=x", "https:https://host/a.bin unpinned"),
        ("https://host:8443/a.bin", "https:https://host:8443/a.bin unpinned"),
        (
            f"https://raw.githubusercontent.com/o/r/{SHA}/a.bin",
            f"https:https://raw.githubusercontent.com/o/r/{SHA}/a.bin",
        ),
        ("s3://bucket/a", "s3:bucket/a unpinned"),
        ("gs://bucket/a", "gs:bucket/a unpinned"),
        ("oci://registry/a", "oci:registry/a"),
        ("file:///a/b", "file:/a/b local-path"),
        ("http://[bad", "nothing"),
        ("http://", "nothing"),
        ("://x", "nothing"),
        ("plain", "nothing"),
        ("", "nothing"),
        ("s3://bucket/" + "a" * LOCATION_CHARS, "nothing"),
    ],
)
def test_addresses(text: str, expected: str) -> None:
    assert shown(address(text)) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("vllm/vllm-openai:v0.5.1", "docker:vllm/vllm-openai@v0.5.1 unpinned"),
        ("vllm/vllm-openai", "docker:vllm/vllm-openai floating-tag unpinned"),
        ("vllm/vllm-openai:latest", "docker:vllm/vllm-openai@latest floating-tag unpinned"),
        ("host:5000/a/b:1", "docker:host:5000/a/b@1 unpinned"),
        ("host:5000/a/b", "docker:host:5000/a/b floating-tag unpinned"),
        ("a@sha256:" + "0" * 64, "docker:a@sha256:" + "0" * 64),
        ("a:1@sha256:" + "0" * 64, "docker:a@sha256:" + "0" * 64),
        ("${IMAGE}", "nothing"),
        ("a b", "nothing"),
        ("a/", "nothing"),
        (":tag", "nothing"),
        ("", "nothing"),
    ],
)
def test_images(text: str, expected: str) -> None:
    assert shown(image(text)) == expected


def test_names_in_catalogues() -> None:
    assert shown(named("openai", " gpt-4o ")) == "openai:gpt-4o"
    assert shown(named("spacy", "x", "1")) == "spacy:x@1"
    assert shown(moving("spacy", "x")) == "spacy:x unpinned"
    assert shown(moving("ollama", "x", "latest", floating=True)) == "ollama:x@latest floating-tag unpinned"
    assert shown(fixed("wandb", "a/b", "v1")) == "wandb:a/b@v1"
    for text in ("", "  ", "a\nb", "https://x", "a" * (LOCATION_CHARS + 1)):
        assert shown(named("openai", text)) == "nothing"
        assert shown(moving("openai", text)) == "nothing"
    assert shown(fixed("wandb", "", "v1")) == "nothing"


def test_credentials_never_leave() -> None:
    for target in (
        local("//user:secret@host/x"),
        named("x", "a//user:secret@host"),
        fixed("x", "//u:secret@h", "1"),
    ):
        assert "secret" not in shown(target)


def test_a_commit_pins() -> None:
    assert isinstance(pinned("hf", "org/name", SHA), PinnedRef)
    assert not isinstance(pinned("hf", "org/name", "v1"), PinnedRef)
    assert pinned("hf", "org/name", "").revision is None


@given(st.one_of(st.text(max_size=80), st.from_regex(r"\A[a-z0-9]*://[\x20-\x7e]{0,40}\Z")))
def test_any_text_names_something_or_nothing(text: str) -> None:
    for target in (
        hub(text), hub(text, text), address(text), image(text), local(text),
        named("x", text), moving("x", text, text),
        fixed("x", text, text), hub(PathText(text)),
    ):  # fmt: skip
        assert target.ref is None or target.ref.location
        assert not (target.ref is None and target.flags)
    is_path(text)
