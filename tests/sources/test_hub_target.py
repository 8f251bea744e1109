"""What a user may type for the Hub, and what is said about everything else."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aibom.domain.errors import Reason, UnreadableError
from aibom.sources.hub_target import Many, Repo, parsed


@pytest.mark.parametrize(
    ("target", "found"),
    [
        ("hf://org/name", Repo(kind="models", name="org/name")),
        ("HF://org/name", Repo(kind="models", name="org/name")),
        ("hf://models/org/name", Repo(kind="models", name="org/name")),
        ("hf://gpt2", Repo(kind="models", name="gpt2")),
        ("hf://org/na.me_1-b@v1.0", Repo(kind="models", name="org/na.me_1-b", revision="v1.0")),
        ("hf://datasets/org/name@main", Repo(kind="datasets", name="org/name", revision="main")),
        ("hf://spaces/org/name", Repo(kind="spaces", name="org/name")),
        ("hf://org/name@refs/pr/3", Repo(kind="models", name="org/name", revision="refs/pr/3")),
        ("hf://org/name@refs%2Fpr%2F3", Repo(kind="models", name="org/name", revision="refs/pr/3")),
        ("hf://org/*", Many(kind="models", name="org")),
        ("hf://datasets/org/*", Many(kind="datasets", name="org")),
        ("hf://spaces/org/*", Many(kind="spaces", name="org")),
        ("hf://collections/org/good-64f9", Many(kind="collections", name="org/good-64f9")),
    ],
)
def test_a_target_is_a_repository_or_many(target: str, found: Repo | Many) -> None:
    assert parsed(target) == found


@pytest.mark.parametrize(
    ("target", "words"),
    [
        ("hf://", "not the name of a repository"),
        ("hf://org/", "not the name of a repository"),
        ("hf:///name", "not the name of a repository"),
        ("hf://../../etc", "not the name of a repository"),
        ("hf://org/..", "not the name of a repository"),
        ("hf://org/a--b", "not the name of a repository"),
        ("hf://org/name.git", "not the name of a repository"),
        ("hf://org/-name", "not the name of a repository"),
        ("hf://org/café", "not the name of a repository"),
        ("hf://org/na me", "not the name of a repository"),
        ("hf://org/name?x=1", "not the name of a repository"),
        ("hf://org/name#main", "not the name of a repository"),
        (f"hf://org/{'a' * 97}", "not the name of a repository"),
        ("hf://org/name/model.safetensors", "as a whole, not a folder or file of it"),
        ("hf://datasets/org/name/data/a.csv", "as a whole, not a folder or file of it"),
        ("hf://org/bert-*", "`*` stands for all names"),
        ("hf://*", "`*` stands for all names"),
        ("hf://org/*@main", "`*` stands for all names"),
        ("hf://org/name@", "a revision is a branch"),
        ("hf://org/name@a b", "a revision is a branch"),
        ("hf://org/name@../../x", "a revision is a branch"),
        ("hf://org/name@%2e%2e%2fx", "a revision is a branch"),
        ("hf://org/name@main?expand=1", "a revision is a branch"),
        ("hf://org/name@a\r\nX: y", "a revision is a branch"),
        ("hf://collections/org", "named by its owner and slug"),
        ("hf://collections/org/a/b", "named by its owner and slug"),
        ("hf://collections/org/slug@main", "named by its owner and slug"),
    ],
)
def test_anything_else_is_refused_with_what_to_type(target: str, words: str) -> None:
    with pytest.raises(UnreadableError) as caught:
        parsed(target)
    assert caught.value.reason is Reason.MALFORMED
    assert words in caught.value.message
    assert "type hf://org/name" in caught.value.message
    assert caught.value.message.isprintable()


@pytest.mark.parametrize(
    ("target", "words"),
    [
        ("hf://buckets/org/name", "no versions that could be pinned"),
        ("hf://kernels/org/name", "not read in this version"),
        ("hf://papers/2307.09288", "has no files"),
    ],
)
def test_what_the_hub_also_has_is_named_as_unsupported(target: str, words: str) -> None:
    with pytest.raises(UnreadableError, match=words) as caught:
        parsed(target)
    assert caught.value.reason is Reason.UNSUPPORTED


def test_a_password_in_a_pasted_address_is_not_repeated() -> None:
    with pytest.raises(UnreadableError) as caught:
        parsed("hf://user:hf_secret@org/name/x/y")
    assert "hf_secret" not in str(caught.value)


@given(st.text())
def test_arbitrary_text_is_a_sound_name_or_refused(text: str) -> None:
    with suppress(UnreadableError):
        found = parsed(f"hf://{text}")
        assert ".." not in found.name
        assert found.name.isascii()
        assert found.name.isprintable()
