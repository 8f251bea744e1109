"""unlisted-import: a pickle asks for something that no allowlist knows."""

from __future__ import annotations

from collections.abc import Iterator

from aibom.domain.finding import Finding, Severity
from aibom.domain.report import Report
from aibom.policy.rule import Rule, Violation
from aibom.policy.rules._objection import described

_VIOLATION = Violation(
    rule="unlisted-import",
    severity=Severity.HIGH,
    remedy=(
        "look at what it is; if loading it with any arguments is harmless, list it in an allowlist of your "
        "own and name that with --allowlist FILE; else ask the author of the file for safetensors"
    ),
)


def check(report: Report) -> Iterator[Finding]:
    for content in report.contents:
        for each in content.objections:
            if not each.dangerous:
                yield _VIOLATION.at(
                    content.path,
                    f"{described(each.item)}, which is {each.why}",
                    found=f"{each.item.name} ({each.item.use.label})",
                    offset=each.item.offset,
                    inside=each.item.inside,
                )


RULE = Rule(
    id=_VIOLATION.rule,
    title="Loading the file imports something that nobody has vouched for",
    severity=_VIOLATION.severity,
    why=(
        "Lists of forbidden functions always miss one. Only what is known to be harmless for the use that "
        "the file makes of it counts as safe; everything else is named and left to you."
    ),
    remedy=_VIOLATION.remedy,
    check=check,
    atlas=("AML.T0011.000",),
    cwe=(502,),
)
