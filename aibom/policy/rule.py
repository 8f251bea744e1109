"""What a rule is."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from aibom.domain.component import Confidence
from aibom.domain.finding import Finding, Location, Severity
from aibom.domain.report import Report


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One rule: what it is called, how severe a violation is, and what to tell the user."""

    id: str
    title: str
    severity: Severity
    why: str
    remedy: str
    check: Callable[[Report], Iterable[Finding]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Violation:
    """Builds the findings of one rule, so that each rule states its constants once."""

    rule: str
    severity: Severity
    remedy: str
    confidence: Confidence = Confidence.HIGH

    def at(
        self, path: str, message: str, *, subject: str = "", found: str = "", expected: str = ""
    ) -> Finding:
        return Finding(
            rule=self.rule,
            severity=self.severity,
            confidence=self.confidence,
            subject=subject or path,
            location=Location(path=path),
            message=message,
            found=found,
            expected=expected,
            remedy=self.remedy,
        )
