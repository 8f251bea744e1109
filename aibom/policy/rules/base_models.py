"""base-models: what a model says it was made from is allowed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Final

from aibom.domain.component import Component, Relation, RelationKind
from aibom.domain.facts import Attribute
from aibom.domain.finding import Severity
from aibom.policy.estate import Estate, Subject
from aibom.policy.requirement import MODELS, Objection, Objections, Requirement, SubjectJudge
from aibom.policy.rules._place import Places, purl_of
from aibom.policy.setting import Setting

# `_name_or_path` of a configuration: where somebody once loaded it from, which is often itself.
_WEAK: Final = "name_or_path"


def _judge(members: Mapping[str, Setting]) -> SubjectJudge:
    places = Places.of(members["allow"])
    undeclared = "undeclared" in members and members["undeclared"].choice(("allow", "unknown")) == "allow"
    allow = lru_cache(maxsize=4_096)(places.allow)  # many models have the same base

    def judge(subject: Subject) -> Objections:
        component = subject.component
        bases = [each for each in component.relations if each.kind is RelationKind.ANCESTOR]
        found = [
            _unknown(f"its base {name} names no place", places) for name in _unresolved(component, bases)
        ]
        if not bases and not found and not undeclared:
            return (_unknown("it does not say what it was made from", places),)
        for base in bases:
            purl, name = _base(base, subject.estate)
            if not (allow(purl) if purl else places.allow_name(name)):
                found.append(_objection(purl or name, base, places))
        return found

    return judge


def _objection(found: str, base: Relation, places: Places) -> Objection:
    if not found:
        return _unknown(f"its base {base.target_id} is not in the inventory", places)
    message = f"it was made from {found}, which is not allowed"
    return Objection(message=message, found=found, expected=places.texts)


def _unknown(message: str, places: Places) -> Objection:
    return Objection(message=message, expected=places.texts, decided=False)


def _base(base: Relation, estate: Estate) -> tuple[str | None, str]:
    """Package URL and name of what a model was made from."""
    if base.target is not None:
        return purl_of(base.target), base.target.location
    component = estate.components.get(base.target_id or "")
    return (component.purl, component.name) if component else (None, "")


def _unresolved(component: Component, bases: list[Relation]) -> Iterator[str]:
    """Declared bases behind which no arrow stands: folders, free text."""
    claims = component.claimed(Attribute.BASE_MODEL)
    if not claims:
        return
    known = {base.target.location.lower() for base in bases if base.target}
    known |= {component.name.lower(), component.ref.location.lower() if component.ref else ""}
    for claim in claims:
        name = claim.value.lower().rstrip("/")
        weak = claim.statement.detail("relation") == _WEAK
        if not weak and not any(name == each or name.endswith(f"/{each}") for each in known):
            yield claim.value


RULE: Final = Requirement(
    id="base-models",
    title="A model was made from a base that the policy does not allow",
    severity=Severity.HIGH,
    why=(
        "A fine-tune, merge or quantisation inherits the licence, the data and the back doors of its base. "
        "An allowed name says nothing about what it was made from."
    ),
    remedy="take a model with an allowed base, or add the base to `base-models.allow` after review",
    schema={
        "allow": {
            "type": "array",
            "items": {"type": "string"},
            "minItems": 1,
            "description": "Patterns of package URLs, or of names for bases that have no package URL.",
        },
        "undeclared": {
            "enum": ["allow", "unknown"],
            "description": "What to say about a model that declares no base; unknown is the default.",
        },
    },
    required=("allow",),
    kinds=MODELS,
    judge_each=_judge,
    controls=(
        ("iso42001", "A.10.3"),
        ("nist-ai-rmf", "MANAGE 3.2"),
        ("nist-ai-rmf", "MAP 4.1"),
        ("eu-ai-act", "25"),
        ("owasp-llm", "LLM03"),
    ),
    atlas=("AML.T0010.003",),
    cwe=(1357,),
)
