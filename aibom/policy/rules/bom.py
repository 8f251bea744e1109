"""bom: the inventory says enough to be used as a bill of materials."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Final

from aibom.domain.finding import Severity
from aibom.domain.report import Report
from aibom.policy.estate import Estate, Subject
from aibom.policy.requirement import (
    ARTEFACTS,
    EstateJudge,
    Objection,
    Objections,
    Requirement,
    name_of,
)
from aibom.policy.rules._place import revision_of
from aibom.policy.rules._stated import has_digests, has_licence, is_whole
from aibom.policy.setting import Setting

_OF_ALL: Final[Mapping[str, Callable[[Report], bool]]] = {
    "timestamp": lambda report: bool(report.timestamp),
    "tool": lambda report: bool(report.tool.name),
}
_OF_EACH: Final[Mapping[str, Callable[[Subject], bool | None]]] = {
    "purl": lambda subject: subject.component.purl is not None,
    "version": lambda subject: bool(revision_of(subject.component)),
    "digests": has_digests,
    "licences": lambda subject: has_licence(subject.component),
}
_WORDS: Final = (*_OF_ALL, *_OF_EACH)


def _judge(members: Mapping[str, Setting]) -> EstateJudge:
    required = members["require"].choices(_WORDS)
    of_all = [word for word in _OF_ALL if word in required]
    of_each = [word for word in _OF_EACH if word in required]

    def judge(estate: Estate) -> Objections:
        found = [each for word in of_all for each in _of_report(estate, word)]
        return [*found, *_of_components(estate, of_each)] if of_each else found

    return judge


def _of_report(estate: Estate, word: str) -> Iterator[Objection]:
    if not _OF_ALL[word](estate.report):
        yield Objection(message=f"the inventory has no {word}", found="absent", expected=word)


def _of_components(estate: Estate, words: list[str]) -> Iterator[Objection]:
    components = [each for each in estate.report.components if each.kind in ARTEFACTS]
    if not components:
        yield Objection(message="the inventory lists no model or dataset", found="empty", decided=False)
    for component in components:
        subject = Subject(component, estate)
        for word in words:
            known = _OF_EACH[word](subject)
            if not known:
                decided = known is False and is_whole(subject)
                name = name_of(component)
                unread = "" if decided else ", and a part of it was not read"
                yield Objection(
                    message=f"no {word} of {name} is told{unread}",
                    found=f"absent: {name}",
                    expected=word,
                    path=subject.where,
                    decided=decided,
                )


RULE: Final = Requirement(
    id="bom",
    title="The inventory says too little to be used as a bill of materials",
    severity=Severity.HIGH,
    why=(
        "Whoever receives a bill of materials looks for one component, one version, one digest, and the day "
        "on which somebody looked. What lacks them can be filed and not used."
    ),
    remedy="write it again with the tool that made it, without leaving out what is missing",
    schema={
        "require": {
            "type": "array",
            "items": {"enum": list(_WORDS)},
            "minItems": 1,
            "description": "What the inventory, and every model and dataset in it, has to state.",
        }
    },
    required=("require",),
    judge_whole=_judge,
    controls=(
        ("iso42001", "A.4.2"),
        ("iso42001", "A.6.2.7"),
        ("nist-ai-rmf", "GOVERN 1.6"),
        ("eu-ai-act", "11"),
    ),
)
