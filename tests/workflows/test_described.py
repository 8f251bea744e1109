"""Headers that were read once: the same for what one registry calls the same bytes, and for nothing else."""

from __future__ import annotations

from dataclasses import replace

import pytest

from aibom.domain.digest import Digest, Grade
from aibom.domain.entry import Entry
from aibom.domain.errors import Reason
from aibom.domain.facts import Facts, FileKind, Tensor
from aibom.domain.file import File
from aibom.domain.gap import Gap, Stage
from aibom.domain.ref import Ref
from aibom.domain.target import Target
from aibom.workflows import described
from aibom.workflows.described import Described, Description, key_of

CLAIM = Digest(algorithm="sha256", value="ab" * 32, grade=Grade.CLAIMED)
ENTRY = Entry(path="a/model.safetensors", size=9, claimed=(CLAIM,), header_only=True)
HUB = Target(name="x", ref=Ref(scheme="hf", location="org/x"))


def of(scheme: str, location: str) -> Target:
    return Target(name="x", ref=Ref(scheme=scheme, location=location))


def description(tensors: int = 1) -> Description:
    found = tuple(Tensor(name=f"t{at}", dtype="U8", shape=(1,), offset=at, length=1) for at in range(tensors))
    facts = Facts(format="safetensors", kind=FileKind.WEIGHTS, tensors=found)
    gap = Gap(path=ENTRY.path, stage=Stage.READ, reason=Reason.LIMIT, detail="too long")
    return Description(file=File(entry=ENTRY, digests=(CLAIM,), facts=facts), gaps=(gap,))


def test_the_same_bytes_elsewhere_have_the_same_header_and_their_own_path() -> None:
    other = replace(ENTRY, path="b/model.safetensors")
    found = description().at(other)
    assert (found.file.path, found.file.facts) == (other.path, description().file.facts)
    assert [gap.path for gap in found.gaps] == [other.path]


def test_two_repositories_of_one_registry_share_a_key() -> None:
    assert key_of(ENTRY, HUB) == key_of(replace(ENTRY, path="b/model.safetensors"), of("hf", "other/y"))


@pytest.mark.parametrize(
    ("entry", "target"),
    [
        (ENTRY, of("oci", "registry.example/x")),
        (replace(ENTRY, path="a/other.safetensors"), HUB),
        (replace(ENTRY, claimed=(replace(CLAIM, value="cd" * 32),)), HUB),
    ],
    ids=["other-registry", "other-name", "other-digest"],
)
def test_anything_else_has_another_key(entry: Entry, target: Target) -> None:
    assert key_of(entry, target) not in (None, key_of(ENTRY, HUB))


def test_two_registries_of_one_kind_are_apart() -> None:
    """One of them could lie about the digests of the other."""
    assert key_of(ENTRY, of("oci", "one.example/x")) != key_of(ENTRY, of("oci", "two.example/x"))


@pytest.mark.parametrize(
    ("entry", "target"),
    [
        (replace(ENTRY, header_only=False), HUB),
        (replace(ENTRY, claimed=()), HUB),
        (ENTRY, Target(name="x")),
    ],
    ids=["all-bytes", "no-claim", "no-place"],
)
def test_what_nobody_names_has_no_key_and_is_not_kept(entry: Entry, target: Target) -> None:
    key = key_of(entry, target)
    assert key is None
    known = Described()
    known.put(key, description())
    assert known.get(key) is None


def test_the_oldest_headers_give_way(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(described, "TENSORS_HELD_COUNT", 400)
    known = Described()
    for name in ("a", "b", "c"):
        known.put(name, description(50))
        known.get("a")
    assert [known.get(name) is None for name in ("a", "b", "c")] == [False, True, False]


def test_long_texts_of_a_header_count_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(described, "TENSORS_HELD_COUNT", 400)
    long = description()
    facts = long.file.facts
    assert facts is not None
    known = Described()
    known.put("a", description())
    facts = replace(facts, metadata=(("k", "x" * 100_000),))
    known.put("b", replace(long, file=replace(long.file, facts=facts)))
    assert known.get("a") is None


@pytest.mark.parametrize(
    ("scheme", "one", "other"),
    [
        ("git", "https://one.example/x", "https://two.example/x"),
        ("https", "https://one.example/m.gguf", "https://two.example/m.gguf"),
        ("s3", "one/m.gguf", "two/m.gguf"),
    ],
)
def test_who_serves_bytes_under_a_claim_says_nothing_about_another_place(
    scheme: str, one: str, other: str
) -> None:
    assert key_of(ENTRY, of(scheme, one)) != key_of(ENTRY, of(scheme, other))
    assert key_of(ENTRY, of(scheme, one)) == key_of(ENTRY, of(scheme, one))
