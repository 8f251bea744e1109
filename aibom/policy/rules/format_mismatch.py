"""format-mismatch: the name promises one format, the content is another."""

from __future__ import annotations

from collections.abc import Iterator

from aibom.domain.finding import Finding, Severity
from aibom.domain.report import Report
from aibom.policy.rule import Rule, Violation

_VIOLATION = Violation(
    rule="format-mismatch",
    severity=Severity.HIGH,
    remedy="find out who wrote the file; rename it to what it is, or replace it by what its name says",
)


def check(report: Report) -> Iterator[Finding]:
    for file in report.files:
        if file.promised is not None and file.format is not None:
            yield _VIOLATION.at(
                file.path,
                f"named like {file.promised}, but it is {file.format}",
                found=file.format,
                expected=file.promised,
            )


RULE = Rule(
    id=_VIOLATION.rule,
    title="A file is not what its name says",
    severity=_VIOLATION.severity,
    why=(
        "Loaders and scanners that trust a suffix treat the file as something it is not. A pickle that is "
        "named model.safetensors runs code in a loader that looks at the content."
    ),
    remedy=_VIOLATION.remedy,
    check=check,
    atlas=("AML.T0074",),
    cwe=(646,),
)
