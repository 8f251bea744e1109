"""dangerous-import: a pickle asks for something that runs code or touches the system."""

from __future__ import annotations

from collections.abc import Iterator

from aibom.domain.finding import Finding, Severity
from aibom.domain.report import Report
from aibom.policy.rule import Rule, Violation
from aibom.policy.rules._objection import described

_VIOLATION = Violation(
    rule="dangerous-import",
    severity=Severity.CRITICAL,
    remedy="do not load the file, and remove it from where others could; ask its author for safetensors",
)


def check(report: Report) -> Iterator[Finding]:
    for content in report.contents:
        for each in content.objections:
            if each.dangerous:
                yield _VIOLATION.at(
                    content.path,
                    f"{described(each.item)}, which {each.why}",
                    found=each.item.name,
                    offset=each.item.offset,
                    inside=each.item.inside,
                )


RULE = Rule(
    id=_VIOLATION.rule,
    title="Loading the file runs a program or touches the system",
    severity=_VIOLATION.severity,
    why=(
        "A pickle is a program: it imports any function of the machine that loads it and calls it with "
        "arguments of its own. No model needs a shell, an interpreter, files or the network to be loaded."
    ),
    remedy=_VIOLATION.remedy,
    check=check,
    atlas=("AML.T0011.000", "AML.T0018.002"),
    cwe=(502, 506),
)
