"""unexamined-content: a file that can run code was not, or not fully, looked at."""

from __future__ import annotations

from collections.abc import Iterator

from aibom.domain.finding import Finding, Severity
from aibom.domain.report import Report
from aibom.policy.rule import Rule, Violation

_VIOLATION = Violation(
    rule="unexamined-content",
    severity=Severity.HIGH,
    remedy=(
        "fetch or unpack the file again so that it is whole and unencrypted, and scan it; do not load it "
        "before"
    ),
)


def check(report: Report) -> Iterator[Finding]:
    for content in report.contents:
        if content.may_run and content.unexamined:
            yield _VIOLATION.at(
                content.path,
                f"it can run code, and not all of it could be looked at: {content.unexamined[0]}",
                found="; ".join(content.unexamined),
            )


RULE = Rule(
    id=_VIOLATION.rule,
    title="A file that can run code could not be examined completely",
    severity=_VIOLATION.severity,
    why=(
        "Encryption, damage and exotic compression keep a scanner out, but not the loader: a broken pickle "
        "runs what stands in front of the break. A failed look is not a clean look."
    ),
    remedy=_VIOLATION.remedy,
    check=check,
    atlas=("AML.T0011.000", "AML.T0076"),
    cwe=(693,),
)
