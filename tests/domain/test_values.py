"""The values refuse to exist when they make no sense."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aibom.domain.check import Check, CheckKind, Outcome
from aibom.domain.component import Relation, RelationKind
from aibom.domain.digest import HEX_CHARS, Digest, Grade
from aibom.domain.dtypes import byte_length
from aibom.domain.entry import Entry
from aibom.domain.errors import UnreadableError, malformed
from aibom.domain.facts import Span, Tensor
from aibom.domain.file import File
from aibom.domain.ref import PinnedRef, Ref, is_commit
from aibom.domain.report import Coverage
from aibom.domain.text import capped, visible
from tests.builders import file, sha256, weights


@pytest.mark.parametrize(("algorithm", "length"), HEX_CHARS.items())
def test_a_digest_has_the_length_of_its_algorithm(algorithm: str, length: int) -> None:
    Digest(algorithm=algorithm, value="a" * length, grade=Grade.CLAIMED)
    for value in (
        "a" * (length - 1),
        "a" * (length + 1),
        "A" * length,
        "g" * length,
        "a" * (length - 1) + "\n",
    ):
        with pytest.raises(ValueError, match="not a"):
            Digest(algorithm=algorithm, value=value, grade=Grade.CLAIMED)


def test_an_unknown_algorithm_is_no_digest() -> None:
    with pytest.raises(ValueError, match="unknown digest algorithm"):
        Digest(algorithm="crc32", value="aa", grade=Grade.CLAIMED)


def test_grades_are_ordered() -> None:
    assert Grade.CLAIMED < Grade.CHAINED < Grade.COMPUTED


@pytest.mark.parametrize("path", ["", "/etc/passwd", "../x", "a/../b", "a/..", "..", "a\0b"])
def test_an_entry_stays_below_its_place(path: str) -> None:
    with pytest.raises(ValueError, match="path"):
        Entry(path=path, size=0)


@pytest.mark.parametrize("path", ["a", "a/b", "..a", "a..", "...", "a/..b/c"])
def test_dots_in_names_are_fine(path: str) -> None:
    assert Entry(path=path, size=0).path == path


def test_negative_extents_are_refused() -> None:
    with pytest.raises(ValueError, match="negative"):
        Entry(path="a", size=-1)
    with pytest.raises(ValueError, match="negative"):
        Tensor(name="t", dtype="F32", shape=(-1,), offset=0, length=0)
    with pytest.raises(ValueError, match="not a range"):
        Span(start=2, end=1)


def test_a_file_without_a_digest_is_none() -> None:
    with pytest.raises(ValueError, match="needs a digest"):
        File(entry=Entry(path="a", size=0), digests=())


def test_tensor_digests_run_parallel_to_the_tensors() -> None:
    seen = weights("m")
    with pytest.raises(ValueError, match="2 digests for 1 tensors"):
        File(entry=seen.entry, digests=seen.digests, facts=seen.facts, tensor_digests=(None, None))


def test_a_claimed_digest_is_not_ours() -> None:
    claimed = File(entry=Entry(path="a", size=0), digests=(sha256("x", Grade.CLAIMED),))
    assert claimed.sha256 is None
    assert claimed.digest("sha256") is not None
    assert file("a").sha256 is not None


@pytest.mark.parametrize(
    ("ref", "purl"),
    [
        (Ref(scheme="hf", location="org/Name", revision="AB"), "pkg:huggingface/org/Name@ab"),
        (Ref(scheme="hf-dataset", location="org/d"), "pkg:huggingface/org/d?repo_type=dataset"),
        (Ref(scheme="hf", location="o/n", subpath="q 4.gguf"), "pkg:huggingface/o/n#q%204.gguf"),
        (Ref(scheme="hf", location="bert-base"), None),
        (
            Ref(scheme="git", location="https://github.com/Org/Repo.git", revision="a"),
            "pkg:github/org/repo@a",
        ),
        (Ref(scheme="git", location="https://example.org/x"), None),
    ],
)
def test_package_urls(ref: Ref, purl: str | None) -> None:
    assert ref.purl == purl


def test_a_reference_carries_no_credentials_and_a_pin_has_a_revision() -> None:
    with pytest.raises(ValueError, match="credentials"):
        Ref(scheme="git", location="https://user:secret@example.org/x")
    with pytest.raises(ValueError, match="needs a revision"):
        PinnedRef(scheme="hf", location="o/n")
    with pytest.raises(ValueError, match="scheme and a location"):
        Ref(scheme="", location="x")
    assert is_commit("a" * 40)
    assert is_commit("a" * 64)
    assert not is_commit("main")
    assert not is_commit(None)


def test_a_relation_points_to_one_thing() -> None:
    for wrong in ({}, {"target_id": "a", "target": Ref(scheme="hf", location="b")}):
        with pytest.raises(ValueError, match="not both"):
            Relation(kind=RelationKind.USES, **wrong)  # type: ignore[arg-type]


def test_verified_needs_somebody_who_vouches() -> None:
    with pytest.raises(ValueError, match="who or what vouches"):
        Check(subject="a", kind=CheckKind.DIGEST, outcome=Outcome.VERIFIED, identity="")


def test_coverage_that_does_not_add_up_is_refused() -> None:
    with pytest.raises(ValueError, match="does not add up"):
        Coverage(listed=3, read=1, partial=0, unread=1, excluded=0, bytes=0)


def test_an_error_tells_its_place() -> None:
    assert str(malformed("bad", 7)) == "bad (byte 7)"
    assert str(malformed("bad")) == "bad"
    assert isinstance(malformed("bad"), UnreadableError)


@given(st.text())
def test_visible_text_is_printable_and_stays_itself_when_it_was(text: str) -> None:
    shown = visible(text)
    assert not any(
        ord(char) < 32 or 0x7F <= ord(char) < 0xA0 or 0xD800 <= ord(char) < 0xE000 for char in shown
    )
    shown.encode("utf-8")
    if text.isalnum():
        assert shown == text


@given(st.text(alphabet="a\\\n\x1b\u202e"), st.text(alphabet="a\\\n\x1b\u202e"))
def test_different_texts_stay_different(one: str, other: str) -> None:
    plain = {t for t in (one, other) if visible(t) == t}
    if one != other and len(plain) != 1:
        assert visible(one) != visible(other)


def test_bytes_that_are_no_text_show_as_bytes() -> None:
    assert visible("a\udcff\n") == "a\\xff\\x0a"


@given(st.text(max_size=40), st.integers(0, 50))
def test_capped_text_says_what_is_missing(text: str, limit: int) -> None:
    short = capped(text, limit)
    assert (
        short == text
        if len(text) <= limit
        else short == f"{text[:limit]}… [{len(text) - limit} more characters]"
    )


def test_bytes_of_elements() -> None:
    assert (byte_length("F32", 3), byte_length("F4", 3), byte_length("Q4_0", 3)) == (12, 2, None)
