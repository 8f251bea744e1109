"""base-models: every declared base has to be allowed, and an undeclared one is not known."""

from __future__ import annotations

import pytest

from aibom.domain.component import Relation, RelationKind
from aibom.domain.facts import Attribute
from aibom.domain.ref import Ref
from tests.policy.rules.demands import (
    ADAPTER,
    DATASET,
    MET,
    Unmet,
    arrow,
    claim,
    estate,
    findings,
    model,
    refused,
    unmet,
)

ALLOW = "allow: ['pkg:huggingface/meta-llama/*', 'pkg:mlflow/base', bert-base-uncased, 'https://acme.com/**']"
SECTION = f"base-models: {{{ALLOW}}}"
OPEN = f"base-models: {{{ALLOW}, undeclared: allow}}"
UNKNOWN = [("", False)]


def base(target: str, revision: str | None = None) -> Relation:
    return arrow(RelationKind.ANCESTOR, target, revision)


@pytest.mark.parametrize("kind", [None, ADAPTER])
@pytest.mark.parametrize(
    "target",
    ["hf meta-llama/Llama-3.2-1B", "purl mlflow/base", "hf bert-base-uncased", "https https://acme.com/a/b"],
)
def test_an_allowed_base_passes(target: str, kind: object) -> None:
    one = model(relations=(base(target, "main"),), **({"kind": kind} if kind else {}))
    assert unmet(SECTION, estate(one)) == MET


@pytest.mark.parametrize(
    ("target", "found"),
    [
        ("hf evil/Llama", "pkg:huggingface/evil/Llama@main"),
        ("hf-dataset evil/d", "pkg:huggingface/evil/d@main?repo_type=dataset"),
        ("purl mlflow/other", "pkg:mlflow/other@main"),
        ("hf gpt2", "gpt2"),
        ("name meta-llama/Llama-3.2-1B", "meta-llama/Llama-3.2-1B"),
        ("https https://acme.com.evil.example/b", "https://acme.com.evil.example/b"),
    ],
)
def test_every_other_base_fails(target: str, found: str) -> None:
    assert unmet(SECTION, estate(model(relations=(base(target, "main"),)))) == [(found, True)]
    assert unmet(OPEN, estate(model(relations=(base(target, "main"),)))) == [(found, True)]


def test_all_bases_of_a_merge_are_asked() -> None:
    both = base("hf meta-llama/Llama-3.2-1B"), base("hf evil/m")
    assert unmet(SECTION, estate(model(relations=both))) == [("pkg:huggingface/evil/m", True)]


@pytest.mark.parametrize(
    ("purl", "name", "met"),
    [
        ("pkg:huggingface/meta-llama/L", "x", MET),
        ("pkg:huggingface/evil/L", "bert-base-uncased", [("pkg:huggingface/evil/L", True)]),
        (None, "bert-base-uncased", MET),
        (None, "x", [("x", True)]),
    ],
)
def test_a_base_of_the_same_inventory_is_known_by_its_place(purl: str | None, name: str, met: Unmet) -> None:
    parent = model(id="model-2", name=name, stated_purl=purl, files=(), relations=(base("hf meta-llama/L"),))
    assert unmet(SECTION, estate(model(relations=(base("model-2"),)), parent)) == met


def test_an_arrow_to_nowhere_is_not_decided() -> None:
    assert unmet(OPEN, estate(model(relations=(base("model-9"),)))) == UNKNOWN


def test_without_a_declared_base_nobody_can_tell_unless_that_is_allowed() -> None:
    assert unmet(SECTION, estate(model())) == UNKNOWN
    assert unmet(f"base-models: {{{ALLOW}, undeclared: unknown}}", estate(model())) == UNKNOWN
    assert unmet(OPEN, estate(model())) == MET


def test_other_arrows_declare_no_base() -> None:
    used = arrow(RelationKind.USES, "hf meta-llama/L"), arrow(RelationKind.TRAINED_ON, "hf-dataset a/b")
    assert unmet(SECTION, estate(model(relations=used))) == UNKNOWN


@pytest.mark.parametrize(
    ("value", "relation", "met"),
    [
        ("(local folder) secret", "finetune", UNKNOWN),
        ("(local folder) secret", "name_or_path", MET),
        ("acme/m", "finetune", MET),
        ("https://huggingface.co/Acme/M/", "finetune", MET),
        ("not-acme/m", "finetune", UNKNOWN),
    ],
)
def test_a_declared_base_that_names_no_place_is_not_passed_over(
    value: str, relation: str, met: Unmet
) -> None:
    one = claim(Attribute.BASE_MODEL, value, relation=relation)
    ref = Ref(scheme="hf", location="acme/m")
    assert unmet(OPEN, estate(model(claims=(one,), ref=ref, name="another"))) == met
    assert unmet(OPEN, estate(model(claims=(one,)))) == met


def test_a_base_without_a_place_is_told_by_its_name() -> None:
    one = claim(Attribute.BASE_MODEL, "(local folder) secret")
    (found,) = findings(SECTION, estate(model(claims=(one,))))
    assert found.message == "its base (local folder) secret names no place"


def test_a_claim_beside_an_arrow_within_the_inventory_is_still_asked() -> None:
    one = claim(Attribute.BASE_MODEL, "(local folder) secret")
    parent = model(id="model-2", stated_purl="pkg:huggingface/meta-llama/L", files=())
    child = model(claims=(one,), relations=(base("model-2"),))
    assert unmet(OPEN, estate(child, parent)) == UNKNOWN


def test_a_claim_with_an_arrow_is_not_told_twice() -> None:
    one = claim(Attribute.BASE_MODEL, "https://huggingface.co/meta-llama/L")
    assert unmet(OPEN, estate(model(claims=(one,), relations=(base("hf meta-llama/L"),)))) == MET


def test_a_finding_says_what_is_expected() -> None:
    (found,) = findings("base-models: {allow: [bert]}", estate(model(relations=(base("hf evil/m"),))))
    assert found.message == "it was made from pkg:huggingface/evil/m, which is not allowed"
    assert found.expected == "bert"


def test_datasets_have_no_base() -> None:
    assert unmet(SECTION, estate(model(kind=DATASET))) == MET


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ("undeclared: allow", "needs allow"),
        ("allow: []", "empty list"),
        ("allow: ['pkg:*']", "begins with its type"),
        ("allow: ['*']", "matches everything"),
        ("allow: [x], undeclared: fail", "is none of allow, unknown"),
        ("allow: [x], undeclard: allow", "did you mean 'undeclared'"),
    ],
)
def test_bad_settings_are_refused(settings: str, words: str) -> None:
    refused(f"base-models: {{{settings}}}", words)
