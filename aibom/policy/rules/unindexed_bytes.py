"""unindexed-bytes: bytes of a weight file that belong to no tensor and no header."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from functools import lru_cache
from typing import Final

from aibom.domain.file import File
from aibom.domain.finding import Finding, Severity
from aibom.domain.limits import MIB
from aibom.domain.report import Report
from aibom.policy.rule import Rule, Violation

ZERO_BYTES: Final = 64 * MIB  # of zeros that are digested for the comparison; more are a finding

_VIOLATION = Violation(
    rule="unindexed-bytes",
    severity=Severity.MEDIUM,
    remedy="save the model again with the format's own library and compare the model digest",
)


def unexplained(file: File) -> bool:
    """True when the file holds bytes that belong to no tensor and no header, and are not all zero."""
    left = file.unindexed
    if left is None or left.bytes == 0:
        return False
    return left.bytes > ZERO_BYTES or left.sha256 != _sha256_of_zeros(left.bytes)


@lru_cache(maxsize=256)
def _sha256_of_zeros(count: int) -> str:
    digest, piece = hashlib.sha256(), bytes(min(count, MIB))
    for done in range(0, count, MIB):
        digest.update(piece[: count - done])
    return digest.hexdigest()


def check(report: Report) -> Iterator[Finding]:
    for file in report.files:
        if unexplained(file) and file.unindexed is not None:
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
    atlas=("AML.T0018.002",),
    cwe=(345,),
)
