"""model-card: each demanded field is asked for on its own."""

from __future__ import annotations

import pytest

from aibom.domain.component import RelationKind
from aibom.domain.facts import Attribute
from tests.policy.rules.demands import (
    DATASET,
    MET,
    PATH,
    arrow,
    claim,
    estate,
    findings,
    gap,
    model,
    refused,
    replace,
    unmet,
)

FIELDS = {
    "description": [Attribute.DESCRIPTION],
    "intended-use": [Attribute.INTENDED_USE],
    "limitations": [Attribute.LIMITATION],
    "training-data": [Attribute.DATASET],
    "metrics": [Attribute.METRIC],
    "licence": [Attribute.LICENCE, Attribute.LICENCE_NAME, Attribute.LICENCE_LINK],
    "author": [Attribute.AUTHOR, Attribute.ORGANISATION],
    "citation": [Attribute.CITATION],
    "base-model": [Attribute.BASE_MODEL],
    "architecture": [Attribute.ARCHITECTURE, Attribute.MODEL_TYPE],
    "task": [Attribute.TASK],
    "language": [Attribute.LANGUAGE],
    "library": [Attribute.LIBRARY],
    "hyperparameters": [Attribute.HYPERPARAMETER],
    "energy": [Attribute.CO2_GRAMS],
    "sensitive-data": [Attribute.SENSITIVE_DATA],
    "source": [Attribute.SOURCE_URL],
}
ALL = f"model-card: {{require: [{', '.join(FIELDS)}]}}"
COMPLETE = model(claims=tuple(claim(attributes[0], "told") for attributes in FIELDS.values()))


def test_a_complete_card_passes() -> None:
    assert unmet(ALL, estate(COMPLETE)) == MET


@pytest.mark.parametrize("field", FIELDS)
def test_without_one_field_it_does_not(field: str) -> None:
    left = tuple(each for each in COMPLETE.claims if each.attribute is not FIELDS[field][0])
    (found,) = findings(ALL, estate(replace(COMPLETE, claims=left)))
    assert (found.found, found.expected, found.decided) == ("absent", field, True)
    assert found.message == f"its model card says nothing about {field}"


@pytest.mark.parametrize(
    ("field", "attribute"), [(field, each) for field, attributes in FIELDS.items() for each in attributes]
)
def test_any_statement_of_a_field_is_enough(field: str, attribute: Attribute) -> None:
    section = f"model-card: {{require: [{field}]}}"
    assert unmet(section, estate(model(claims=(claim(attribute, "told"),)))) == MET


@pytest.mark.parametrize(
    ("field", "kind", "other"),
    [
        ("training-data", RelationKind.TRAINED_ON, RelationKind.ANCESTOR),
        ("base-model", RelationKind.ANCESTOR, RelationKind.TRAINED_ON),
    ],
)
def test_an_arrow_says_it_as_well(field: str, kind: RelationKind, other: RelationKind) -> None:
    section = f"model-card: {{require: [{field}]}}"
    assert unmet(section, estate(model(relations=(arrow(kind, "hf acme/x"),)))) == MET
    assert unmet(section, estate(model(relations=(arrow(other, "hf acme/x"),)))) == [("absent", True)]


@pytest.mark.parametrize(
    ("attribute", "value"), [(Attribute.LICENCE, "other"), (Attribute.LICENCE_NAME, " ")]
)
def test_a_statement_that_says_nothing_is_none(attribute: Attribute, value: str) -> None:
    section = "model-card: {require: [licence]}"
    assert unmet(section, estate(model(claims=(claim(attribute, value),)))) == [("absent", True)]


def test_what_says_nothing_about_a_licence_may_say_something_else() -> None:
    section = "model-card: {require: [author]}"
    assert unmet(section, estate(model(claims=(claim(Attribute.AUTHOR, "other"),)))) == MET
    assert unmet(section, estate(model(claims=(claim(Attribute.AUTHOR, " "),)))) == [("absent", True)]


def test_nobody_can_tell_while_a_part_of_the_model_is_unread() -> None:
    section = "model-card: {require: [task]}"
    (found,) = findings(section, estate(model(complete=False)))
    assert (found.found, found.decided) == ("absent", False)
    assert found.message == "nothing about task was found, and a part of the model was not read"
    assert unmet(section, estate(model(), gaps=(gap(PATH),))) == [("absent", False)]
    assert unmet(section, estate(model(), gaps=(gap("other"),))) == [("absent", True)]


def test_datasets_have_no_model_card() -> None:
    assert unmet(ALL, estate(model(kind=DATASET))) == MET


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ("", "needs require"),
        ("require: []", "empty list"),
        ("require: [intended_use]", "did you mean 'intended-use'"),
        ("require: task", "is a list"),
        ("requires: [task]", "did you mean 'require'"),
    ],
)
def test_bad_settings_are_refused(settings: str, words: str) -> None:
    refused(f"model-card: {{{settings}}}", words)
