"""What a rule is."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from aibom.domain.confidence import Confidence
from aibom.domain.finding import Finding, Location, Severity
from aibom.domain.hazard import HazardKind
from aibom.domain.report import Report
from aibom.domain.rule_text import RuleText


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule(RuleText):
    """One rule: what it says about itself, and how a report is checked by it."""

    check: Callable[[Report], Iterable[Finding]]
    optional: bool = False  # True: in force only where a policy names it
    rated: bool = False  # True: each finding has its own severity, and a policy says how high it may be


@dataclass(frozen=True, slots=True, kw_only=True)
class Violation:
    """Builds the findings of one rule, so that each rule states its constants once."""

    rule: str
    severity: Severity
    remedy: str
    confidence: Confidence = Confidence.HIGH

    def at(
        self,
        path: str,
        message: str,
        *,
        subject: str = "",
        found: str = "",
        expected: str = "",
        offset: int | None = None,
        inside: str = "",
        confidence: Confidence | None = None,
    ) -> Finding:
        return Finding(
            rule=self.rule,
            severity=self.severity,
            confidence=confidence or self.confidence,
            subject=subject or path,
            location=Location(path=path, offset=offset, inside=inside),
            message=message,
            found=found,
            expected=expected,
            remedy=self.remedy,
        )


def hazard_rule(
    kind: HazardKind,
    *,
    title: str,
    severity: Severity,
    why: str,
    remedy: str,
    atlas: tuple[str, ...] = (),
    cwe: tuple[int, ...] = (),
    optional: bool = False,
) -> Rule:
    """The rule that turns every hazard of one kind into a finding."""
    violation = Violation(rule=kind.value, severity=severity, remedy=remedy)

    def check(report: Report) -> Iterator[Finding]:
        for file in report.files:
            for hazard in file.facts.hazards if file.facts else ():
                if hazard.kind is kind:
                    yield violation.at(
                        file.path,
                        hazard.message,
                        found=hazard.found,
                        offset=hazard.offset,
                        inside=hazard.inside,
                        confidence=hazard.confidence,
                    )

    return Rule(
        id=kind.value,
        title=title,
        severity=severity,
        why=why,
        remedy=remedy,
        check=check,
        atlas=atlas,
        cwe=cwe,
        optional=optional,
    )
