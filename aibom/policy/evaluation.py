"""Every rule and every demand over the whole report; the findings in canonical order. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from typing import Final

from aibom.domain.finding import Finding, Location, Severity, Standing
from aibom.domain.report import Demand, Report
from aibom.domain.waiver import WaiverUse
from aibom.policy.document import Mode, OnUnknown, Policy, Section
from aibom.policy.estate import Estate
from aibom.policy.requirement import Objection, Objections, SubjectJudge
from aibom.policy.rules import RULES
from aibom.policy.waivers import apply_waivers

# For those who do not say which day it is: every waiver has expired, and every deadline has passed.
THE_LAST_DAY: Final = date.max
# What the section about signatures says of the same component, with who should have signed.
_UNSIGNED: Final = ("bad-signature", "unsigned")
_WARNS: Final = "the policy only warns (mode: warn)"
_LETS_PASS: Final = "the policy lets it pass (unknown: warn)"  # noqa: S105 - a sentence


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """What a policy says about a report."""

    findings: tuple[Finding, ...]  # worst first, then by rule and place
    demands: tuple[Demand, ...]
    waivers: tuple[WaiverUse, ...]


def evaluate(policy: Policy, report: Report, today: date = THE_LAST_DAY) -> Judgement:
    """All violations and what could not be decided, each with its standing on that day."""
    estate = Estate(report, today)
    findings = list(_violations(policy, report, today))
    demands = []
    for section in policy.sections:
        found = _Found(section, policy, today)
        if section.whole is not None:
            found.judge_whole(section.whole(estate), _target(estate))
        elif section.each is not None:
            found.judge_each(section.each, estate)
        demands.append(found.demand)
        findings += found.findings
    waived, uses = apply_waivers(policy.waivers, sorted(findings, key=_order), estate, policy.max_waiver)
    return Judgement(findings=waived, demands=tuple(demands), waivers=uses)


def judged(policy: Policy, report: Report, today: date = THE_LAST_DAY) -> Report:
    """The report with its judgement."""
    found = evaluate(policy, report, today)
    return replace(report, findings=found.findings, demands=found.demands, waivers=found.waivers)


def _violations(policy: Policy, report: Report, today: date) -> Iterator[Finding]:
    advisory = policy.mode is Mode.WARN
    signed = _demands_signatures(policy, today)
    for rule in RULES:
        severity = policy.severity(rule.id, None if rule.optional else rule.severity)
        if severity is None:
            continue
        for finding in rule.check(report):
            if signed and finding.rule == _UNSIGNED[0] and finding.found == _UNSIGNED[1]:
                continue
            found = replace(finding, severity=min(severity, finding.severity) if rule.rated else severity)
            yield replace(found, standing=Standing.ADVISORY, justification=_WARNS) if advisory else found


def _demands_signatures(policy: Policy, today: date) -> bool:
    """Whether a section tells the same about an unsigned component, with the same weight."""
    section = policy.section("signature")
    if section is None or section.severity < Severity.HIGH:
        return False
    return _standing(section, policy, today, decided=True)[0] is Standing.ACTIVE


class _Found:
    """What one section finds. A standing follows from the section and the day alone."""

    def __init__(self, section: Section, policy: Policy, today: date) -> None:
        self.findings: list[Finding] = []
        self._section = section
        self._standings = {
            decided: _standing(section, policy, today, decided=decided) for decided in (True, False)
        }
        self._passed = self._failed = self._undecided = 0

    @property
    def demand(self) -> Demand:
        return Demand(
            rule=self._section.requirement.id,
            place=self._section.place,
            passed=self._passed,
            failed=self._failed,
            undecided=self._undecided,
        )

    def judge_whole(self, objections: Objections, target: str) -> None:
        self._count([self._add(each, "", each.path or target, "") for each in objections])

    def judge_each(self, judge: SubjectJudge, estate: Estate) -> None:
        kinds = self._section.requirement.kinds
        for subject in estate.subjects:
            component = subject.component
            if component.kind not in kinds:
                continue
            objections = judge(subject)
            if not objections:
                self._passed += 1
                continue
            self._count(
                [
                    self._add(each, component.id, each.path or subject.where, component.pointer)
                    for each in objections
                ]
            )

    def _count(self, decided: list[bool]) -> None:
        if True in decided:
            self._failed += 1
        elif decided:
            self._undecided += 1
        else:
            self._passed += 1

    def _add(self, objection: Objection, subject: str, path: str, pointer: str) -> bool:
        """Whether it is decided."""
        rule = self._section.requirement
        decided = objection.decided or self._section.unknown is OnUnknown.FAIL
        standing, justification = self._standings[decided]
        self.findings.append(
            Finding(
                rule=rule.id,
                severity=objection.severity or self._section.severity,
                confidence=rule.confidence,
                subject=subject or path,
                of_file=bool(objection.path),
                location=Location(path=path),
                message=objection.message,
                found=objection.found,
                expected=objection.expected,
                remedy=objection.remedy or rule.remedy,
                decided=decided,
                waivable=objection.waivable,
                standing=standing,
                justification=justification,
                demand=self._section.place,
                pointer=pointer,
            )
        )
        return decided


def _target(estate: Estate) -> str:
    return estate.report.targets[0].name if estate.report.targets else "."


def _standing(section: Section, policy: Policy, today: date, *, decided: bool) -> tuple[Standing, str]:
    """A demand may only warn, or bind from a later day on; with the reason."""
    days = [day for day in (section.effective_on, policy.effective_on) if day is not None and day > today]
    if days:
        return Standing.ADVISORY, f"binds from {max(days)} on"
    if (section.mode or policy.mode) is Mode.WARN:
        return Standing.ADVISORY, _WARNS
    if not decided and section.unknown is OnUnknown.WARN:
        return Standing.ADVISORY, _LETS_PASS
    return Standing.ACTIVE, ""


def _order(finding: Finding) -> tuple[int, str, str, str, str]:
    return -finding.severity, finding.rule, finding.location.path, finding.subject, finding.found
