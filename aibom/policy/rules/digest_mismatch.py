"""digest-mismatch: the bytes are not those that a digest names."""

from __future__ import annotations

from collections.abc import Iterator

from aibom.domain.check import CheckKind, Outcome
from aibom.domain.finding import Finding, Severity
from aibom.domain.report import Report
from aibom.policy.rule import Rule, Violation

_VIOLATION = Violation(
    rule="digest-mismatch",
    severity=Severity.CRITICAL,
    remedy="delete the file and fetch it again from its source; if the digest differs again, do not use it",
)


def check(report: Report) -> Iterator[Finding]:
    for each in report.checks:
        if each.kind is CheckKind.DIGEST and each.outcome is Outcome.CONTENT_MISMATCH:
            yield _VIOLATION.at(
                each.subject,
                f"the {each.identity} does not fit the bytes",
                found=each.found,
                expected=each.expected,
            )


RULE = Rule(
    id=_VIOLATION.rule,
    title="A claimed digest does not fit the bytes",
    severity=_VIOLATION.severity,
    why=(
        "A cache, pointer or registry names the content by its digest. Other bytes under that name are "
        "a damaged download or a swapped file."
    ),
    remedy=_VIOLATION.remedy,
    check=check,
    atlas=("AML.T0010.003",),
    cwe=(354, 345),
)
