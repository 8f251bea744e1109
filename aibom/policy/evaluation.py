"""Every rule over the whole report; the findings in canonical order."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from aibom.domain.finding import Finding
from aibom.domain.report import Report
from aibom.policy.document import Policy
from aibom.policy.rules import RULES


def evaluate(policy: Policy, report: Report) -> tuple[Finding, ...]:
    """All violations, worst first, then by rule and place."""
    found = sorted(_violations(policy, report), key=_order)
    return tuple(found)


def _violations(policy: Policy, report: Report) -> Iterator[Finding]:
    for rule in RULES:
        severity = policy.severity(rule.id, None if rule.optional else rule.severity)
        if severity is not None:
            yield from (replace(finding, severity=severity) for finding in rule.check(report))


def _order(finding: Finding) -> tuple[int, str, str, str, str]:
    return -finding.severity, finding.rule, finding.location.path, finding.subject, finding.found
