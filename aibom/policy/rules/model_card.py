"""model-card: a model says about itself what the policy wants to know."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from aibom.domain.component import RelationKind
from aibom.domain.facts import Attribute
from aibom.domain.finding import Severity
from aibom.policy.estate import Subject
from aibom.policy.requirement import MODELS, Objection, Objections, Requirement, SubjectJudge
from aibom.policy.rules._stated import is_whole, states
from aibom.policy.setting import Setting

# What a policy calls it, and the attributes of which one has to be stated.
_FIELDS: Final = {
    "description": (Attribute.DESCRIPTION,),
    "intended-use": (Attribute.INTENDED_USE,),
    "limitations": (Attribute.LIMITATION,),
    "training-data": (Attribute.DATASET,),
    "metrics": (Attribute.METRIC,),
    "licence": (Attribute.LICENCE, Attribute.LICENCE_NAME, Attribute.LICENCE_LINK),
    "author": (Attribute.AUTHOR, Attribute.ORGANISATION),
    "citation": (Attribute.CITATION,),
    "base-model": (Attribute.BASE_MODEL,),
    "architecture": (Attribute.ARCHITECTURE, Attribute.MODEL_TYPE),
    "task": (Attribute.TASK,),
    "language": (Attribute.LANGUAGE,),
    "library": (Attribute.LIBRARY,),
    "hyperparameters": (Attribute.HYPERPARAMETER,),
    "energy": (Attribute.CO2_GRAMS,),
    "sensitive-data": (Attribute.SENSITIVE_DATA,),
    "source": (Attribute.SOURCE_URL,),
}
# An arrow says the same.
_RELATIONS: Final = {"training-data": RelationKind.TRAINED_ON, "base-model": RelationKind.ANCESTOR}


def _judge(members: Mapping[str, Setting]) -> SubjectJudge:
    demanded = tuple(sorted(members["require"].choices(_FIELDS)))

    def judge(subject: Subject) -> Objections:
        missing = [field for field in demanded if not _is_told(field, subject)]
        if not missing:
            return ()
        whole = is_whole(subject)
        return [_objection(field, whole=whole) for field in missing]

    return judge


def _is_told(field: str, subject: Subject) -> bool:
    component = subject.component
    if states(component, _FIELDS[field]):
        return True
    arrow = _RELATIONS.get(field)
    return any(relation.kind is arrow for relation in component.relations)


def _objection(field: str, *, whole: bool) -> Objection:
    message = f"its model card says nothing about {field}"
    if not whole:
        message = f"nothing about {field} was found, and a part of the model was not read"
    return Objection(message=message, found="absent", expected=field, decided=whole)


RULE: Final = Requirement(
    id="model-card",
    title="A model does not say about itself what the policy wants to know",
    severity=Severity.HIGH,
    why=(
        "Whoever uses a model has to know what it is for, what it was trained on and where it fails. What "
        "its maker does not say, nobody downstream can document either."
    ),
    remedy="complete the model card (README.md), or take a model whose maker documents it",
    schema={
        "require": {
            "type": "array",
            "items": {"enum": list(_FIELDS)},
            "minItems": 1,
            "description": "What the card or configuration of every model has to state.",
        }
    },
    required=("require",),
    kinds=MODELS,
    judge_each=_judge,
    controls=(
        ("iso42001", "A.6.2.7"),
        ("iso42001", "A.8.2"),
        ("iso42001", "A.9.4"),
        ("nist-ai-rmf", "MAP 2.2"),
        ("eu-ai-act", "11"),
        ("eu-ai-act", "13"),
        ("eu-ai-act", "53(1)(b)"),
    ),
)
