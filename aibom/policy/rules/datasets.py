"""datasets: of every dataset it is known which bytes it has, under which licence, and from where."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from typing import Final

from aibom.domain.component import Component, ComponentKind, Relation, RelationKind
from aibom.domain.facts import Attribute
from aibom.domain.finding import Severity
from aibom.policy.estate import Estate, Subject
from aibom.policy.requirement import Objection, Objections, Requirement, SubjectJudge
from aibom.policy.rules._place import purl_of
from aibom.policy.rules._stated import has_digests, has_licence, is_whole, states
from aibom.policy.setting import Setting


def _has_source(component: Component) -> bool:
    return component.purl is not None or states(component, (Attribute.SOURCE_URL,))


_KNOWN: Final[Mapping[str, Callable[[Subject], bool | None]]] = {
    "digest": has_digests,
    "licence": lambda subject: has_licence(subject.component),
    "source": lambda subject: _has_source(subject.component),
}


def _judge(members: Mapping[str, Setting]) -> SubjectJudge:
    required = members["require"].choices(_KNOWN)
    words = sorted(required)

    def judge(subject: Subject) -> Objections:
        if subject.component.kind is ComponentKind.DATASET:
            return [each for word in words for each in _own(subject, word)]
        return list(_trained_on(subject, required))

    return judge


def _own(subject: Subject, word: str) -> Iterator[Objection]:
    known = _KNOWN[word](subject)
    if known:
        return
    if known is False and is_whole(subject):
        yield Objection(message=f"the dataset has no {word}", found="absent", expected=word)
    else:
        message = f"no {word} of the dataset was found, and a part of it was not read"
        yield Objection(message=message, found="unread", expected=word, decided=False)


def _trained_on(subject: Subject, required: frozenset[str]) -> Iterator[Objection]:
    """What is not known about the data of a model, as far as it is no component of its own."""
    component, estate = subject.component, subject.estate
    relations = [each for each in component.relations if each.kind is RelationKind.TRAINED_ON]
    for relation in relations:
        target = relation.target
        if target is None and relation.target_id not in estate.components:
            yield _outside(relation.target_id or "", required)
        elif target is not None and target.location.lower() not in _locations(estate):
            found = purl_of(target) is not None or "://" in target.location
            missing = required - {"source"} if found else required
            if missing:
                yield _outside(target.location, missing)
    for name in _unresolved(component, relations):
        yield _outside(name, required)


@lru_cache(maxsize=1)
def _locations(estate: Estate) -> frozenset[str]:
    """Where the datasets of the inventory come from: those are judged themselves."""
    found = (each for each in estate.report.components if each.kind is ComponentKind.DATASET)
    return frozenset(each.ref.location.lower() for each in found if each.ref)


def _outside(name: str, missing: frozenset[str]) -> Objection:
    told = ", ".join(sorted(missing))
    message = f"it was trained on {name}, which is not in the inventory: its {told} cannot be told"
    return Objection(message=message, found=name, expected=told, decided=False)


def _unresolved(component: Component, relations: list[Relation]) -> Iterator[str]:
    """Declared data behind which no arrow stands: free text."""
    if component.pointer and relations:  # a bill of materials tells the same data in both ways
        return
    known = {each.target.location.lower() for each in relations if each.target}
    for claim in component.claimed(Attribute.DATASET):
        name = claim.value.lower().rstrip("/")
        if not any(name == each or name.endswith(f"/{each}") for each in known):
            yield claim.value


RULE: Final = Requirement(
    id="datasets",
    title="Too little is known about a dataset",
    severity=Severity.HIGH,
    why=(
        "A model is what its data made of it. Data that can change unnoticed can be poisoned, and data "
        "without a licence or an origin is a risk that the model carries on."
    ),
    remedy="scan the dataset, too, and let its card state licence and origin",
    schema={
        "require": {
            "type": "array",
            "items": {"enum": list(_KNOWN)},
            "minItems": 1,
            "description": "What has to be known of every dataset, and of the data of every model.",
        }
    },
    required=("require",),
    judge_each=_judge,
    controls=(
        ("iso42001", "A.4.3"),
        ("iso42001", "A.7.3"),
        ("iso42001", "A.7.5"),
        ("nist-ai-rmf", "MAP 4.1"),
        ("eu-ai-act", "10"),
        ("eu-ai-act", "53(1)(d)"),
        ("owasp-llm", "LLM04"),
    ),
    atlas=("AML.T0010.002",),
    cwe=(345,),
)
