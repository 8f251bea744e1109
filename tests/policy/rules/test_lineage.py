"""lineage: every declared ancestor was compared, and what the weights deny fails."""

from __future__ import annotations

import pytest

from aibom.domain.check import Check, CheckKind, Outcome
from aibom.domain.component import RelationKind
from aibom.domain.report import Report
from tests.policy.rules.demands import DATASET, MET, arrow, check, estate, findings, model, refused, unmet

SECTION = "lineage: {require: [verified]}"
BASE = "pkg:huggingface/meta-llama/L"
CHILD = model(relations=(arrow(RelationKind.ANCESTOR, "hf meta-llama/L"),))


def compared(outcome: Outcome = Outcome.VERIFIED, expected: str = BASE) -> Check:
    return check(CheckKind.LINEAGE, outcome, "weights", expected=expected)


def of(*checks: Check) -> Report:
    return estate(CHILD, checks=checks)


@pytest.mark.parametrize("name", [BASE, "meta-llama/L"])
def test_a_confirmed_ancestor_passes(name: str) -> None:
    assert unmet(SECTION, of(compared(expected=name))) == MET


@pytest.mark.parametrize("name", ["model-2", "acme/base", BASE])
def test_one_of_the_same_inventory_is_known_by_id_name_and_place(name: str) -> None:
    parent = model(id="model-2", name="acme/base", stated_purl=BASE, files=())
    child = model(relations=(arrow(RelationKind.ANCESTOR, "model-2"),))
    assert unmet(SECTION, estate(child, parent, checks=(compared(expected=name),))) == MET


@pytest.mark.parametrize(
    ("outcome", "decided"),
    [(outcome, outcome not in (Outcome.UNSUPPORTED, Outcome.COULD_NOT_CHECK)) for outcome in Outcome][1:],
)
def test_every_other_outcome_does_not(outcome: Outcome, decided: bool) -> None:
    (found,) = findings(SECTION, of(compared(outcome)))
    assert (found.found, found.decided) == (outcome, decided)
    assert found.message == f"that it was made from {BASE} is {outcome}"
    assert found.expected == f"verified: {BASE}"


def test_without_a_comparison_nobody_can_tell() -> None:
    assert unmet(SECTION, of()) == [(BASE, False)]
    assert unmet(SECTION, of(compared(expected="other/base"))) == [(BASE, False)]
    other = check(CheckKind.DIGEST, Outcome.VERIFIED, "weights", expected=BASE)
    assert unmet(SECTION, of(other)) == [(BASE, False)]
    dangling = model(relations=(arrow(RelationKind.ANCESTOR, "model-9"),))
    assert unmet(SECTION, estate(dangling)) == [("model-9", False)]


def test_an_ancestor_without_a_package_url_is_known_by_its_name() -> None:
    old = model(relations=(arrow(RelationKind.ANCESTOR, "hf gpt2"),))
    assert unmet(SECTION, estate(old)) == [("gpt2", False)]
    parent = model(id="model-2", name="base", stated_purl=None, files=())
    child = model(relations=(arrow(RelationKind.ANCESTOR, "model-2"),))
    assert unmet(SECTION, estate(child, parent)) == [("base", False)]


def test_a_record_that_does_not_name_the_ancestor_confirms_none() -> None:
    assert unmet(SECTION, of(compared(expected=""))) == [(BASE, False)]
    found = findings(SECTION, of(compared(), compared(Outcome.CONTENT_MISMATCH, "")))
    assert [each.message for each in found] == ["that it was made from its base is content-mismatch"]


def test_every_ancestor_has_to_be_confirmed() -> None:
    both = (*CHILD.relations, arrow(RelationKind.ANCESTOR, "hf acme/other"))
    one = estate(model(relations=both), checks=(compared(),))
    assert unmet(SECTION, one) == [("pkg:huggingface/acme/other", False)]


def test_a_denied_ancestor_that_nobody_declared_fails_as_well() -> None:
    denied = compared(Outcome.CONTENT_MISMATCH, "other/base")
    assert unmet(SECTION, of(compared(), denied)) == [("content-mismatch", True)]
    unclear = compared(Outcome.COULD_NOT_CHECK, "other/base")
    assert unmet(SECTION, of(compared(), unclear)) == MET


def test_one_that_denies_outweighs_one_that_confirms() -> None:
    assert unmet(SECTION, of(compared(), compared(Outcome.CONTENT_MISMATCH))) == [("content-mismatch", True)]


def test_what_declares_no_ancestor_has_nothing_to_confirm() -> None:
    trained = model(relations=(arrow(RelationKind.TRAINED_ON, "hf-dataset a/d"),))
    assert unmet(SECTION, estate(trained, checks=(compared(Outcome.CONTENT_MISMATCH),))) == MET
    assert unmet(SECTION, estate(model(kind=DATASET, relations=CHILD.relations))) == MET


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ("", "needs require"),
        ("require: []", "empty list"),
        ("require: [declared]", "'declared' is none of verified"),
        ("require: verified", "is a list"),
        ("verified: true", "unknown key 'verified'"),
    ],
)
def test_bad_settings_are_refused(settings: str, words: str) -> None:
    refused(f"lineage: {{{settings}}}", words)
