"""datasets: digest, licence and source, of datasets that are here and of those that are only named."""

from __future__ import annotations

from dataclasses import replace

import pytest

from aibom.domain.component import Component, Relation, RelationKind
from aibom.domain.digest import Digest, Grade
from aibom.domain.facts import Attribute
from aibom.domain.ref import Ref
from tests.builders import weights
from tests.policy.rules.demands import (
    DATASET,
    MET,
    PATH,
    Unmet,
    arrow,
    claim,
    estate,
    findings,
    gap,
    model,
    refused,
    unmet,
)

ALL = "datasets: {require: [digest, licence, source]}"
LICENSED = claim(Attribute.LICENCE, "mit")


def dataset(**parts: object) -> Component:
    given = {"id": "data-1", "kind": DATASET, "name": "d", "claims": (LICENSED,)}
    return model(**(given | {"stated_purl": "pkg:huggingface/acme/d"} | parts))


def trained_on(target: str, revision: str | None = None) -> Relation:
    return arrow(RelationKind.TRAINED_ON, target, revision)


def weak() -> object:
    return (replace(weights(PATH), digests=(Digest(algorithm="md5", value="0" * 32, grade=Grade.COMPUTED),)),)


def test_a_dataset_of_which_all_is_known_passes() -> None:
    assert unmet(ALL, estate(dataset())) == MET
    assert unmet(ALL, estate(dataset(claims=(claim(Attribute.LICENCE_NAME, "ours"),)))) == MET


@pytest.mark.parametrize(
    ("parts", "missing"),
    [
        ({"claims": ()}, "licence"),
        ({"claims": (claim(Attribute.LICENCE, "unknown"),)}, "licence"),
        ({"stated_purl": None}, "source"),
        ({"files": ()}, "digest"),
        ({"files": (), "claims": (LICENSED, claim(Attribute.DATA_FILE, "a.csv", size="3"))}, "digest"),
    ],
)
def test_what_is_not_there_is_absent(parts: dict[str, object], missing: str) -> None:
    (found,) = findings(ALL, estate(dataset(**parts)))
    assert (found.found, found.expected, found.decided) == ("absent", missing, True)
    assert found.message == f"the dataset has no {missing}"


def test_a_weak_digest_is_none() -> None:
    assert unmet(ALL, estate(dataset(), files=weak())) == [("absent", True)]


def test_an_address_is_a_source_and_a_listed_digest_is_a_digest() -> None:
    url = claim(Attribute.SOURCE_URL, "https://acme.com/d")
    listed = claim(Attribute.DATA_FILE, "a.csv", sha256="0" * 64)
    assert unmet(ALL, estate(dataset(stated_purl=None, claims=(LICENSED, url)))) == MET
    assert unmet(ALL, estate(dataset(files=(), claims=(LICENSED, listed)))) == MET
    unlisted = claim(Attribute.DATA_FILE, "b.csv")
    assert unmet(ALL, estate(dataset(files=(), claims=(LICENSED, listed, unlisted)))) == [("absent", True)]


def test_nobody_can_tell_while_a_part_is_unread() -> None:
    bare = dataset(claims=(), stated_purl=None, complete=False)
    assert unmet(ALL, estate(bare, files=weak())) == [("unread", False)] * 3
    assert unmet(ALL, estate(dataset(claims=()), gaps=(gap(PATH),))) == [("unread", False)]
    assert unmet(ALL, estate(dataset(), files=())) == [("unread", False)]


@pytest.mark.parametrize("word", ["digest", "licence", "source"])
def test_only_what_is_demanded_is_asked_for(word: str) -> None:
    bare = dataset(claims=(), stated_purl=None, files=())
    (found,) = findings(f"datasets: {{require: [{word}]}}", estate(bare))
    assert found.expected == word


@pytest.mark.parametrize(
    ("target", "require", "met"),
    [
        ("hf-dataset acme/d", "digest, licence, source", [("acme/d", False)]),
        ("hf-dataset acme/d", "source", MET),
        ("https https://acme.com/d", "source", MET),
        ("purl generic/d", "source", MET),
        ("name d", "source", [("d", False)]),
        ("data-9", "source", [("data-9", False)]),
    ],
)
def test_the_data_of_a_model_that_lies_outside_cannot_be_told(target: str, require: str, met: Unmet) -> None:
    one = model(relations=(trained_on(target),))
    assert unmet(f"datasets: {{require: [{require}]}}", estate(one)) == met


def test_a_finding_says_what_is_missing() -> None:
    (found,) = findings(ALL, estate(model(relations=(trained_on("hf-dataset acme/d"),))))
    assert found.expected == "digest, licence"
    assert found.message == (
        "it was trained on acme/d, which is not in the inventory: its digest, licence cannot be told"
    )


def test_data_that_is_in_the_inventory_is_judged_there() -> None:
    here = dataset(ref=Ref(scheme="hf-dataset", location="Acme/D"))
    for target in ("hf-dataset acme/d", "data-1"):
        assert unmet(ALL, estate(model(relations=(trained_on(target),)), here)) == MET
    assert unmet(ALL, estate(model(relations=(trained_on("hf-dataset acme/d"),)), dataset())) == [
        ("acme/d", False)
    ]
    other = model(id="model-2", ref=Ref(scheme="hf", location="acme/d"))
    assert unmet(ALL, estate(model(relations=(trained_on("hf-dataset acme/d"),)), other)) == [
        ("acme/d", False)
    ]


def test_data_that_is_only_described_is_not_passed_over() -> None:
    described = claim(Attribute.DATASET, "our own texts")
    assert unmet(ALL, estate(model(claims=(described,)))) == [("our own texts", False)]
    source = "datasets: {require: [source]}"
    url = claim(Attribute.DATASET, "https://huggingface.co/datasets/Acme/d/")
    arrows = (trained_on("hf-dataset acme/d"),)
    plain = claim(Attribute.DATASET, "Acme/d")
    assert unmet(source, estate(model(claims=(plain,), relations=arrows))) == MET
    assert unmet(source, estate(model(claims=(url,), relations=arrows))) == MET
    both = model(claims=(url, described), relations=arrows)
    assert unmet(source, estate(both)) == [("our own texts", False)]
    assert unmet(source, estate(replace(both, pointer="/components/0"))) == MET
    alone = model(claims=(described,), pointer="/components/0")
    assert unmet(source, estate(alone)) == [("our own texts", False)]


def test_a_model_that_names_no_data_is_no_matter_of_this_rule() -> None:
    assert unmet(ALL, estate(model(relations=(arrow(RelationKind.ANCESTOR, "hf acme/b"),)))) == MET


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ("", "needs require"),
        ("require: []", "empty list"),
        ("require: [hash]", "'hash' is none of digest, licence, source"),
        ("require: [license]", "did you mean 'licence'"),
        ("allow: [x]", "unknown key 'allow'"),
    ],
)
def test_bad_settings_are_refused(settings: str, words: str) -> None:
    refused(f"datasets: {{{settings}}}", words)
