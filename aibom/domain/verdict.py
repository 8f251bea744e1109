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
    """Findings win over gaps; gaps count when `strict`, or when nothing at all could be read.

    What could not be decided is never a pass: it makes the verdict incomplete.
    """
    worst = report.worst()
    if worst is not None and worst >= fail_on:
        return Verdict.VIOLATED
    return judge_forgiving(report, fail_on, strict=strict)


def judge_forgiving(report: Report, fail_on: Severity, *, strict: bool) -> Verdict:
    """The same, violations aside: was there something, was it looked at, and could all be decided?"""
    look = judge_look(report, strict=strict)
    undecided = report.worst(decided=False)
    if look is Verdict.PASSED and undecided is not None and undecided >= fail_on:
        return Verdict.INCOMPLETE
    return look


def judge_look(report: Report, *, strict: bool) -> Verdict:
    """The same, findings aside: was there something, and was it looked at?"""
    if not report.coverage.listed:
        return Verdict.NOTHING
    looked_at_none = report.coverage.read + report.coverage.partial == 0
    if looked_at_none or (strict and report.gaps):
        return Verdict.INCOMPLETE
    return Verdict.PASSED
