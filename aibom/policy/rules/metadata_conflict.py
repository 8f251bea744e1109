"""metadata-conflict: two files state different values for something that can have one only."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from itertools import pairwise

from aibom.domain.check import CheckKind, Outcome
from aibom.domain.component import Claim, Component
from aibom.domain.confidence import Confidence
from aibom.domain.facts import Attribute
from aibom.domain.finding import Finding, Severity
from aibom.domain.licences import spdx_of
from aibom.domain.report import Report
from aibom.policy.rule import Rule, Violation

_VIOLATION = Violation(
    rule="metadata-conflict",
    severity=Severity.MEDIUM,
    confidence=Confidence.MEDIUM,
    remedy="ask the publisher which is right; until then treat the stricter value as true",
)
_SINGLE = (Attribute.LICENCE, Attribute.BASE_MODEL, Attribute.MODEL_TYPE, Attribute.PARAMETER_COUNT)


def check(report: Report) -> Iterator[Finding]:
    for component in report.components:
        for attribute in _SINGLE:
            yield from _conflict(component, attribute)
    for each in report.checks:
        if each.kind is CheckKind.COUNT and each.outcome is Outcome.CONTENT_MISMATCH:
            told = f"the {each.identity} is not the one in the files: {each.expected}, {each.found} are there"
            yield _VIOLATION.at(each.subject, told, found=each.found, expected=each.expected)


def _conflict(component: Component, attribute: Attribute) -> Iterator[Finding]:
    """A finding when no two sources share a value: a list in one source is not a conflict."""
    by_source: dict[str, set[str]] = defaultdict(set)
    for claim in component.claimed(attribute):
        if _counts(claim):
            by_source[claim.source].add(_comparable(claim))
    sources = sorted(by_source)
    for first, second in pairwise(sources):
        if not by_source[first] & by_source[second]:
            one, other = " and ".join(sorted(by_source[first])), " and ".join(sorted(by_source[second]))
            yield _VIOLATION.at(
                first,
                f"{component.name}: {attribute} is {one} in {first}, but {other} in {second}",
                subject=component.id,
                found=f"{one} | {other}",
            )


def _counts(claim: Claim) -> bool:
    """`_name_or_path` only says where somebody once loaded the model from."""
    return claim.statement.detail("relation") != "name_or_path"


def _comparable(claim: Claim) -> str:
    if claim.attribute is Attribute.LICENCE:
        return spdx_of(claim.value) or claim.value.strip().lower()
    return claim.value.strip().lower()


RULE = Rule(
    id=_VIOLATION.rule,
    title="Two sources disagree about a component",
    severity=_VIOLATION.severity,
    confidence=_VIOLATION.confidence,
    why=(
        "A card, a configuration and a header that contradict each other mean that at least one of them "
        "belongs to another model or was edited."
    ),
    remedy=_VIOLATION.remedy,
    check=check,
    atlas=("AML.T0010.003",),
    cwe=(345,),
)
