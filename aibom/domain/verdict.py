"""What a whole run amounts to; exit codes and outputs say the same because both ask here."""

from __future__ import annotations

from enum import StrEnum

from aibom.domain.finding import Severity
from aibom.domain.report import Report


class Verdict(StrEnum):
    PASSED = "passed"
    VIOLATED = "violated"
    NOTHING = "nothing to scan"
    INCOMPLETE = "incomplete"


def judge(report: Report, fail_on: Severity, *, strict: bool) -> Verdict:
    """Findings win over gaps; gaps count when `strict`, or when nothing at all could be read."""
    worst = report.worst()
    if worst is not None and worst >= fail_on:
        return Verdict.VIOLATED
    return judge_look(report, strict=strict)


def judge_look(report: Report, *, strict: bool) -> Verdict:
    """The same, findings aside: was there something, and was it looked at?"""
    if not report.coverage.listed:
        return Verdict.NOTHING
    looked_at_none = report.coverage.read + report.coverage.partial == 0
    if looked_at_none or (strict and report.gaps):
        return Verdict.INCOMPLETE
    return Verdict.PASSED
