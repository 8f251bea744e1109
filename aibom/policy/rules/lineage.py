"""lineage: what a model says that it was made from is confirmed by its weights."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from aibom.domain.check import Check, CheckKind, Outcome
from aibom.domain.component import Relation, RelationKind
from aibom.domain.finding import Severity
from aibom.policy.estate import Estate, Subject
from aibom.policy.requirement import MODELS, Objection, Objections, Requirement, SubjectJudge
from aibom.policy.rules._outcomes import UNDECIDED, told, weighed
from aibom.policy.rules._place import purl_of
from aibom.policy.setting import Setting

_VERIFIED: Final = "verified"


def _judge(members: Mapping[str, Setting]) -> SubjectJudge:
    members["require"].choices((_VERIFIED,))

    def judge(subject: Subject) -> Objections:
        bases = [each for each in subject.component.relations if each.kind is RelationKind.ANCESTOR]
        if not bases:
            return ()
        checks = subject.checks(CheckKind.LINEAGE)
        names = [_names(base, subject.estate) for base in bases]
        found = [objection for each in names for objection in _confirmed(each, checks)]
        # What the weights deny counts, whatever it is called.
        for check in checks:
            objection = _objection(check)
            if objection is not None and objection.decided and not any(check.expected in n for n in names):
                found.append(objection)
        return found

    return judge


def _confirmed(names: Sequence[str], checks: Sequence[Check]) -> Objections:
    about = [check for check in checks if check.expected in names]
    if about:
        return weighed([_objection(check) for check in about])
    message = f"nobody has compared its weights with those of {names[0]}"
    return (Objection(message=message, found=names[0], expected=_VERIFIED, decided=False),)


def _names(base: Relation, estate: Estate) -> list[str]:
    """What a check may call a declared ancestor: package URL, location, id or name; the best first."""
    if base.target is not None:
        target = base.target
        return [each for each in (purl_of(target), target.location) if each]
    component = estate.components.get(base.target_id or "")
    names = [component.purl, component.name] if component else []
    return [each for each in (*names, base.target_id) if each]


def _objection(check: Check) -> Objection | None:
    if check.outcome is Outcome.VERIFIED:
        return None
    return Objection(
        message=f"that it was made from {check.expected or 'its base'} is {check.outcome}{told(check)}",
        found=check.outcome,
        expected=f"{_VERIFIED}: {check.expected}",
        decided=check.outcome not in UNDECIDED,
    )


RULE: Final = Requirement(
    id="lineage",
    title="The weights of a model do not confirm what it says that it was made from",
    severity=Severity.HIGH,
    why=(
        "A card can name any base. Whether the weights descend from it can be measured, and a model that "
        "claims a respected ancestor without being its child was made to be trusted for something that it "
        "is not."
    ),
    remedy="compare the weights with those of the base, or correct what the card says",
    schema={
        "require": {
            "type": "array",
            "items": {"const": _VERIFIED},
            "minItems": 1,
            "description": "verified: every declared ancestor was compared and confirmed.",
        }
    },
    required=("require",),
    kinds=MODELS,
    judge_each=_judge,
    controls=(("iso42001", "A.6.2.3"), ("nist-ai-rmf", "MANAGE 3.2"), ("owasp-llm", "LLM03")),
    atlas=("AML.T0018", "AML.T0074"),
    cwe=(345,),
)
