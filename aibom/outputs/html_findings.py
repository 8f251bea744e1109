"""Findings by rule, worst first, with what the rule says about itself told once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby
from typing import Final

from aibom.domain.controls import CONTROLS, FRAMEWORKS
from aibom.domain.finding import Finding, Severity
from aibom.domain.report import Report
from aibom.domain.rule_text import RuleText
from aibom.domain.taxonomies import ATLAS, CWE
from aibom.outputs import summary
from aibom.outputs.html_cells import ROWS, weight
from aibom.outputs.html_subjects import Subjects

FINDINGS_BYTES: Final = 3_000_000  # of the text of all findings, escaped

_PROGRAMS: Final = frozenset({"aibom", "docker", "git", "hf", "ollama", "pip", "sha256sum"})
_ATLAS_PAGE: Final = "https://atlas.mitre.org/techniques/"
_CWE_PAGE: Final = "https://cwe.mitre.org/data/definitions/"


@dataclass(frozen=True, slots=True, kw_only=True)
class Phrase:
    """A piece of a text; `look` is code for what stands between backticks, command for a whole command."""

    text: str
    look: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    text: str
    title: str
    address: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One finding, with the words by which it can be filtered."""

    finding: Finding
    standings: tuple[str, ...]  # its standing; also `undecided`
    kind: str  # of the component that it is about, "" for none
    anchor: str  # of that component on the page
    name: str  # of that component
    remedy: str  # "" when it is that of the rule

    @property
    def place(self) -> str:
        return summary.place(self.finding.location)

    def texts(self) -> Iterator[str]:
        found = self.finding
        yield from (self.place, self.name, self.remedy, found.message, found.found, found.expected)
        yield from (found.justification, found.demand, found.pointer)


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """The findings of one rule with one severity."""

    rule: str
    severity: Severity
    title: str
    why: str
    remedy: str
    links: tuple[Link, ...]
    controls: tuple[str, ...]  # what keeping the rule is evidence about
    items: tuple[Item, ...]


def standings(finding: Finding) -> tuple[str, ...]:
    """What a finding can be filtered by: one that counts and could not be decided is `undecided` alone."""
    if finding.decided:
        return (finding.standing.value,)
    return ("undecided",) if finding.counts else (finding.standing.value, "undecided")


def grouped(report: Report, rules: Mapping[str, RuleText], subjects: Subjects) -> tuple[list[Group], int]:
    """The groups, worst first, and how many findings the page leaves out."""
    ordered = sorted(report.findings, key=lambda each: (-each.severity, each.rule))
    kept: list[Item] = []
    left = FINDINGS_BYTES
    for finding in ordered[:ROWS]:
        item = _item(finding, rules.get(finding.rule), subjects)
        left -= weight(item.texts())
        if left <= 0:
            break
        kept.append(item)
    by_rule = groupby(kept, key=lambda item: (item.finding.severity, item.finding.rule))
    groups = [_group(severity, rule, rules.get(rule), tuple(items)) for (severity, rule), items in by_rule]
    return groups, len(ordered) - len(kept)


def _item(finding: Finding, rule: RuleText | None, subjects: Subjects) -> Item:
    component = subjects.of(finding)
    return Item(
        finding=finding,
        standings=standings(finding),
        kind=component.kind if component else "",
        anchor=subjects.anchors[component.id] if component else "",
        name=component.name if component else "",
        remedy="" if rule is not None and rule.remedy == finding.remedy else finding.remedy,
    )


def _group(severity: Severity, name: str, rule: RuleText | None, items: tuple[Item, ...]) -> Group:
    return Group(
        rule=name,
        severity=severity,
        title=rule.title if rule else "",
        why=rule.why if rule else "",
        # What none of the findings asks for is no advice here.
        remedy=rule.remedy if rule and any(not item.remedy for item in items) else "",
        links=tuple(_links(rule)) if rule else (),
        controls=tuple(f"{FRAMEWORKS[name]}, {each}: {CONTROLS[name][each]}" for name, each in rule.controls)
        if rule
        else (),
        items=items,
    )


def _links(rule: RuleText) -> Iterator[Link]:
    for each in rule.atlas:
        yield Link(text=each, title=f"MITRE ATLAS: {ATLAS[each]}", address=_ATLAS_PAGE + each)
    for weakness in rule.cwe:
        address = f"{_CWE_PAGE}{weakness}.html"
        yield Link(text=f"CWE-{weakness}", title=CWE[weakness], address=address)


def phrases(text: str) -> Iterator[Phrase]:
    """The text cut at its backticks. A backtick without a partner stays what it is."""
    parts = text.split("`")
    if len(parts) % 2 == 0:
        parts[-2:] = ["`".join(parts[-2:])]
    for place, part in enumerate(parts):
        if place % 2 == 0:
            yield Phrase(text=part)
        else:
            program, blank, _ = part.partition(" ")
            yield Phrase(text=part, look="command" if blank and program in _PROGRAMS else "code")
