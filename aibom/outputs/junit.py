"""The report as JUnit XML, for whatever shows test results.

A run passes exactly if no case has a failure or an error: both follow `domain.verdict`. There is
no standard: the layout keeps to what the schemas for Apache Ant and for Jenkins both allow. A run without a
time lacks the one thing that the former asks for.
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from aibom.domain.finding import Finding, Severity
from aibom.domain.gap import Gap
from aibom.domain.report import Demand, Report
from aibom.domain.text import capped, visible
from aibom.domain.verdict import Verdict, judge, judge_look
from aibom.outputs import summary
from aibom.outputs.inert import inert_xml

FINDING_COUNT: Final = 5_000  # cases; GitLab refuses a file of 30 MB
GAP_COUNT: Final = 1_000
PART_CHARS: Final = 1_000  # of each part of a text, and of a name

_ILLEGAL = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")  # XML 1.0, production 2
_LOOKS: Final = {
    Verdict.NOTHING: "the target holds no files",
    Verdict.INCOMPLETE: "not everything was looked at",
}


class State(IntEnum):
    """What became of a case, in the order in which one says more than another."""

    PASSED = 0
    SKIPPED = 1  # it does not bear on the verdict
    ERROR = 2  # it could not be decided
    FAILURE = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class _Case:
    name: str
    state: State
    message: str = ""
    kind: str = ""  # the `type` of a failure or an error
    lines: Sequence[str] = ()


def render(report: Report, *, fail_on: Severity = Severity.HIGH, strict: bool = False) -> bytes:
    """UTF-8 XML with a newline at the end: the look, then each section of the policy, then each rule.

    At most `FINDING_COUNT` findings, those that fail the run first, and `GAP_COUNT` gaps; the properties
    of the first suite say how many are left out.
    """
    root = ET.Element("testsuites")
    suites = {"gaps": list(_look(report, strict=strict)), **_rules(report, fail_on)}
    properties = {"gaps": _run(report, fail_on, strict=strict), **_places(report.demands)}
    for number, (name, cases) in enumerate(suites.items()):
        root.append(_suite(number, name, cases, properties.get(name, {}), report.timestamp))
    ET.indent(root)
    document: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return inert_xml(document) + b"\n"


def _run(report: Report, fail_on: Severity, *, strict: bool) -> dict[str, str]:
    told = {
        "aibom": report.tool.version,
        "policy": report.policy.name,
        "policy sha256": report.policy.sha256,
        "verdict": judge(report, fail_on, strict=strict),
    }
    omitted = {
        "omitted findings": len(report.findings) - FINDING_COUNT,
        "omitted gaps": len(report.gaps) - GAP_COUNT,
    }
    return told | {name: str(count) for name, count in omitted.items() if count > 0}


def _places(demands: Sequence[Demand]) -> dict[str, dict[str, str]]:
    return {demand.rule: {"section": demand.place} for demand in demands}


def _look(report: Report, *, strict: bool) -> Iterator[_Case]:
    found = judge_look(report, strict=strict)
    lines = [_LOOKS[found], summary.coverage(report)] if found in _LOOKS else []
    yield _Case(
        name="look",
        state=State.ERROR if lines else State.PASSED,
        message="".join(lines[:1]),
        kind=found,
        lines=lines,
    )
    state = State.ERROR if strict else State.SKIPPED
    yield from (_gap(gap, state) for gap in report.gaps[:GAP_COUNT])


def _gap(gap: Gap, state: State) -> _Case:
    where = f" at byte {gap.offset}" if gap.offset is not None else ""
    message = f"not, or not fully, looked at: {gap.reason}: {_part(gap.detail)}"
    lines = [f"{_part(gap.path)}{where}: {message}"]
    return _Case(name=_part(gap.path) or ".", state=state, message=message, kind=gap.reason, lines=lines)


def _rules(report: Report, fail_on: Severity) -> dict[str, list[_Case]]:
    """By rule: what became of its section as a whole, then its findings."""
    suites = defaultdict[str, list[_Case]](list)
    states = defaultdict[str, State](lambda: State.PASSED)
    for finding in report.findings:
        states[finding.demand] = max(states[finding.demand], _state(finding, fail_on))
    for demand, (_, counts) in zip(report.demands, summary.demands(report), strict=True):
        suites[demand.rule].append(_demand(demand, counts, states[demand.place]))
    worst_first = sorted(report.findings, key=lambda each: (-_state(each, fail_on), -each.severity))
    for finding in worst_first[:FINDING_COUNT]:
        suites[finding.rule].append(_finding(finding, fail_on))
    return suites


def _demand(demand: Demand, counts: str, state: State) -> _Case:
    lines = [counts, f"section: {_part(demand.place)}"]
    return _Case(name=demand.rule, state=state, message=counts, kind="section", lines=lines)


def _state(finding: Finding, fail_on: Severity) -> State:
    if not finding.counts or finding.severity < fail_on:
        return State.SKIPPED
    return State.FAILURE if finding.decided else State.ERROR


def _finding(finding: Finding, fail_on: Severity) -> _Case:
    place = "!".join(filter(None, (finding.location.path, finding.location.inside)))
    message = _part(finding.message)
    reason = _part(summary.status(finding))
    if finding.counts and finding.severity < fail_on:
        reason = f"{finding.severity.label} is below --fail-on {fail_on.label}"
    return _Case(
        # A line moves when another one comes; whoever compares runs needs a name that stays.
        name=_part(": ".join(filter(None, (place, finding.found)))) or finding.rule,
        state=_state(finding, fail_on),
        message="; ".join(filter(None, (message, reason))),
        kind=finding.severity.label,
        lines=list(_lines(finding, [message, reason])),
    )


def _lines(finding: Finding, first: Sequence[str]) -> Iterator[str]:
    yield from filter(None, first)
    for label, text in (
        ("where", summary.place(finding.location)),
        ("found", finding.found),
        ("expected", finding.expected),
        ("section", finding.demand),
        ("in the bill of materials", finding.pointer),
        ("what to do", finding.remedy),
    ):
        if text:
            yield f"{label}: {_part(text)}"


def _part(text: str) -> str:
    return capped(visible(text), PART_CHARS)


def _suite(
    number: int, name: str, cases: Sequence[_Case], properties: Mapping[str, str], timestamp: str | None
) -> ET.Element:
    states = Counter(case.state for case in cases)
    counts = {
        "tests": len(cases),
        "failures": states[State.FAILURE],
        "errors": states[State.ERROR],
        "skipped": states[State.SKIPPED],
    }
    # Ant asks for a host, an id, a package and a time, and knows no time zone.
    told = {"name": name, "package": "aibom", "id": number, **counts, "time": 0, "hostname": "localhost"}
    when = {"timestamp": timestamp.removesuffix("Z")} if timestamp else {}
    suite = ET.Element("testsuite", {key: str(value) for key, value in (told | when).items()})
    list_of = ET.SubElement(suite, "properties")
    for key, value in properties.items():
        ET.SubElement(list_of, "property", {"name": key, "value": _legal(_part(value))})
    names = Counter[str]()
    for case in cases:
        names[case.name] += 1
        suite.append(_case(name, case, names[case.name]))
    for stream in ("system-out", "system-err"):
        ET.SubElement(suite, stream)
    return suite


def _case(suite: str, case: _Case, occurrence: int) -> ET.Element:
    # GitLab shows one of those with the same name.
    name = f"{case.name} ({occurrence})" if occurrence > 1 else case.name
    found = ET.Element("testcase", {"name": _legal(name), "classname": f"aibom.{suite}", "time": "0"})
    if case.state is not State.PASSED:
        kind = {} if case.state is State.SKIPPED else {"type": case.kind}
        outcome = {"message": _legal(case.message), **kind}
        ET.SubElement(found, case.state.name.lower(), outcome).text = _legal("\n".join(case.lines))
    return found


def _legal(text: str) -> str:
    """The text with the two characters that are visible and no XML written as escapes."""
    return _ILLEGAL.sub(lambda match: f"\\u{ord(match[0]):04x}", text)
