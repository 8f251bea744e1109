"""Which component and which file is which."""

from __future__ import annotations

import pytest

from aibom.domain.component import Component, ComponentKind, IdentityBasis
from aibom.domain.digest import Digest, Grade
from aibom.domain.entry import Entry
from aibom.domain.facts import Facts, FileKind
from aibom.domain.file import File
from aibom.domain.report import Coverage, PolicyUse, Report
from aibom.domain.target import Target, Tool
from aibom.inventory.pairing import Pair, common, components, family, files, own_name, same_bytes


def component(name: str, **more: object) -> Component:
    given = {"id": name, "kind": ComponentKind.MODEL, "basis": IdentityBasis.DECLARED, **more}
    return Component(name=name, **given)  # type: ignore[arg-type]


def file(path: str, content: str = "a", algorithm: str = "sha256", size: int = 1) -> File:
    digest = Digest(algorithm=algorithm, value=content * (64 // len(content)), grade=Grade.CLAIMED)
    facts = Facts(format="safetensors", kind=FileKind.WEIGHTS)
    return File(entry=Entry(path=path, size=size), digests=(digest,), facts=facts)


def report(*found: Component, place: str = "place", files: tuple[File, ...] = ()) -> Report:
    return Report(
        targets=(Target(name=place),),
        tool=Tool(name="aibom", version="1"),
        policy=PolicyUse(name="none", sha256=""),
        files=files,
        components=found,
        coverage=Coverage(listed=0, read=0, partial=0, unread=0, excluded=0, bytes=0),
    )


def paired(old: Report, new: Report) -> list[tuple[str, str]]:
    return [(pair.old.id, pair.new.id) for pair in components(old, new).both]


@pytest.mark.parametrize(
    ("purl", "expected"),
    [
        ("pkg:pypi/torch@2.1", "pkg:pypi/torch"),
        ("pkg:pypi/Torch", "pkg:pypi/torch"),
        ("pkg:npm/%40hf/inference@2.0", "pkg:npm/%40hf/inference"),
        ("pkg:npm/@hf/inference@2.0", "pkg:npm/@hf/inference"),
        ("pkg:npm/@hf/inference", "pkg:npm/@hf/inference"),
        ("pkg:huggingface/a/b@main?repo_type=dataset", "pkg:huggingface/a/b?repo_type=dataset"),
        ("pkg:pypi/a@1?x=b@c", "pkg:pypi/a?x=b@c"),
        ("pkg:generic/a@1#dir@2/f", "pkg:generic/a#dir@2/f"),
        (None, None),
    ],
)
def test_a_family_is_the_package_url_without_its_version(purl: str | None, expected: str | None) -> None:
    assert family(component("a", stated_purl=purl)) == expected


def test_a_package_url_counts_before_the_name() -> None:
    old = report(component("a", id="1", stated_purl="pkg:pypi/x@1"), component("b", id="2"))
    new = report(component("b", id="3", stated_purl="pkg:pypi/x@2"), component("a", id="4"))
    assert ("1", "3") in paired(old, new)


def test_of_several_versions_the_same_ones_belong_together() -> None:
    def package(version: str, number: str) -> Component:
        return component("x", id=number, stated_purl=f"pkg:pypi/x@{version}", version=version)

    old, new = report(package("1", "1"), package("2", "2")), report(package("2", "3"), package("3", "4"))
    assert sorted(paired(old, new)) == [("1", "4"), ("2", "3")]


def test_tensors_tell_who_is_who_under_other_names() -> None:
    old = report(component("a", model_digest="v1:x"), component("b", model_digest="v1:y"))
    new = report(component("c", model_digest="v1:y"), component("d", model_digest="v1:x"))
    assert sorted(paired(old, new)) == [("a", "d"), ("b", "c")]


def test_models_of_different_kinds_of_names_stay_apart() -> None:
    old, new = report(component("a")), report(component("b"))
    found = components(old, new)
    assert (found.both, [one.id for one in found.removed], [one.id for one in found.added]) == (
        [],
        ["a"],
        ["b"],
    )


def test_the_only_model_of_a_folder_is_that_of_the_other_folder() -> None:
    inferred = IdentityBasis.INFERRED
    old = report(component("a", basis=inferred))
    assert paired(old, report(component("b", basis=inferred))) == [("a", "b")]
    assert paired(old, report(component("b", basis=inferred), component("c", basis=inferred))) == []


@pytest.mark.parametrize(
    ("name", "basis", "expected"),
    [
        ("place", IdentityBasis.INFERRED, ""),
        ("place tokenizer", IdentityBasis.INFERRED, "tokenizer"),
        ("places", IdentityBasis.INFERRED, "places"),
        ("place", IdentityBasis.DECLARED, "place"),
    ],
    ids=["place", "below-it", "other", "declared"],
)
def test_the_name_of_the_place_is_not_that_of_the_component(
    name: str, basis: IdentityBasis, expected: str
) -> None:
    assert own_name(component(name, basis=basis), report()) == expected


def test_files_belong_together_by_path_then_content_then_place_in_a_component() -> None:
    old = (file("same", "a"), file("x/moved", "b"), file("m/edited", "c"), file("gone", "d"))
    new = (file("same", "e"), file("y/moved", "b"), file("n/edited", "f"), file("come", "0"))
    owners = [Pair(component("m", files=("m/edited",)), component("n", files=("n/edited",)))]
    found = files(report(files=old), report(files=new), owners)
    assert sorted((pair.old.path, pair.new.path) for pair in found.both) == [
        ("m/edited", "n/edited"), ("same", "same"), ("x/moved", "y/moved"),
    ]  # fmt: skip
    assert ([one.path for one in found.removed], [one.path for one in found.added]) == (["gone"], ["come"])


def test_empty_files_are_no_sign_of_a_move() -> None:
    found = files(report(files=(file("a", size=0),)), report(files=(file("b", size=0),)), [])
    assert found.both == []


def test_only_digests_of_one_algorithm_are_compared() -> None:
    assert same_bytes(file("a", "a"), file("b", "a")) is True
    assert same_bytes(file("a", "a"), file("b", "b")) is False
    assert same_bytes(file("a", "a"), file("b", "a", "blake3")) is None
    assert list(common(file("a"), file("b", "a", "xet"))) == []
