"""missing-part: a shard or external data file that the model needs is not there."""

from __future__ import annotations

from collections.abc import Iterator

from aibom.domain.errors import Reason
from aibom.domain.finding import Finding, Severity
from aibom.domain.report import Report
from aibom.policy.rule import Rule, Violation

_VIOLATION = Violation(
    rule="missing-part",
    severity=Severity.MEDIUM,
    remedy="fetch the whole model, or remove what is left of it",
)


def check(report: Report) -> Iterator[Finding]:
    for gap in report.gaps:
        if gap.reason is Reason.MISSING:
            yield _VIOLATION.at(gap.path, gap.detail, found="not there")


RULE = Rule(
    id=_VIOLATION.rule,
    title="A part of a model is missing",
    severity=_VIOLATION.severity,
    why="What is not there was not looked at, and somebody may put other bytes in its place later.",
    remedy=_VIOLATION.remedy,
    check=check,
)
