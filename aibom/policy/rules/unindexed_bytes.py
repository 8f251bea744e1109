"""unindexed-bytes: bytes of a weight file that belong to no tensor and no header."""

from __future__ import annotations

from collections.abc import Iterator

from aibom.domain.finding import Finding, Severity
from aibom.domain.report import Report
from aibom.policy.rule import Rule, Violation

_VIOLATION = Violation(
    rule="unindexed-bytes",
    severity=Severity.MEDIUM,
    remedy="save the model again with the format's own library and compare the model digest",
)


def check(report: Report) -> Iterator[Finding]:
    for file in report.files:
        if file.unindexed is not None and file.unindexed.bytes:
            yield _VIOLATION.at(
                file.path,
                f"{file.unindexed.bytes} bytes belong to no tensor and no header",
                found=file.unindexed.sha256,
            )


RULE = Rule(
    id=_VIOLATION.rule,
    title="A weight file holds bytes that nothing in it explains",
    severity=_VIOLATION.severity,
    why=(
        "Loaders never read such bytes, so they can carry a payload, a second file (polyglot) or data that "
        "should not leave the house, and no tensor digest covers them."
    ),
    remedy=_VIOLATION.remedy,
    check=check,
)
