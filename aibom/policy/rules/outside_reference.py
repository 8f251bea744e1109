"""outside-reference: a link or an index leads out of the scanned place."""

from __future__ import annotations

from collections.abc import Iterator

from aibom.domain.errors import Reason
from aibom.domain.finding import Finding, Severity
from aibom.domain.gap import Stage
from aibom.domain.report import Report
from aibom.policy.rule import Rule, Violation

_VIOLATION = Violation(
    rule="outside-reference",
    severity=Severity.HIGH,
    remedy="do not load the file: it makes the loader open a path outside of its own folder",
)


def check(report: Report) -> Iterator[Finding]:
    for gap in report.gaps:
        # A symbolic link out of the target is the user's own layout; a file that names such a
        # path inside its content is an attack on whoever loads it.
        if gap.reason is Reason.OUTSIDE_TARGET and gap.stage is Stage.READ:
            yield _VIOLATION.at(gap.path, gap.detail, found=gap.detail)


RULE = Rule(
    id=_VIOLATION.rule,
    title="A file refers to a path outside of its folder",
    severity=_VIOLATION.severity,
    why=(
        "ONNX external data and shard indexes name other files. An absolute path or `..` makes the loader "
        "read files of the host, such as keys, as if they were weights."
    ),
    remedy=_VIOLATION.remedy,
    check=check,
    atlas=("AML.T0037",),
    cwe=(22, 73),
)
