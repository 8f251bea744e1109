"""licences: models and datasets carry a licence that the policy allows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from aibom.domain.facts import Attribute
from aibom.domain.finding import Severity
from aibom.domain.licences import spdx_of
from aibom.policy.estate import Subject
from aibom.policy.requirement import Objection, Objections, Requirement, SubjectJudge
from aibom.policy.setting import Setting


def _judge(members: Mapping[str, Setting]) -> SubjectJudge:
    allowed = frozenset(each.text() for each in members["allow"].items())
    expected = ", ".join(sorted(allowed))

    def judge(subject: Subject) -> Objections:
        stated = _stated(subject)
        if not stated:
            return (Objection(message="no licence is declared", expected=expected, decided=False),)
        return [
            Objection(message=f"the licence {licence} is not allowed", found=licence, expected=expected)
            for licence in stated
            if licence not in allowed
        ]

    return judge


def _stated(subject: Subject) -> list[str]:
    """Every licence that is declared, by its SPDX id where it has one. All of them have to be allowed."""
    component = subject.component
    values = [spdx_of(claim.value) or claim.value for claim in component.claimed(Attribute.LICENCE)]
    values += [claim.value for claim in component.claimed(Attribute.LICENCE_NAME)]
    return list(dict.fromkeys(values))


RULE: Final = Requirement(
    id="licences",
    title="A licence is not one that the policy allows",
    severity=Severity.HIGH,
    why=(
        "A model or dataset may be used as its licence says, and not otherwise. Where none is declared, "
        "nobody has been given a right to use it."
    ),
    remedy="take another model, ask for a licence, or add this one to `licences.allow` after review",
    schema={
        "allow": {
            "type": "array",
            "items": {"type": "string"},
            "minItems": 1,
            "description": "SPDX identifiers, or names of licences that have none, spelled as declared.",
        }
    },
    required=("allow",),
    judge_each=_judge,
    controls=(("iso42001", "A.10.3"), ("eu-ai-act", "53(1)(c)")),
    cwe=(1357,),
)
