"""What one policy demands and another does not, setting by setting, and which verdicts that changes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from aibom.domain.finding import Finding, Standing
from aibom.domain.report import Report
from aibom.domain.waiver import Waiver
from aibom.policy.document import OFF, Policy, Section
from aibom.policy.requirement import name_of
from aibom.policy.rule import Rule
from aibom.policy.rules import RULES, by_id
from aibom.readers.located_yaml import Located

_KEPT: Final = "passes"
_NOT_ASKED: Final = "not asked"
# From good to bad: several findings about one thing amount to the worst.
_ORDER: Final = (
    "", Standing.NOT_AFFECTED, Standing.KNOWN, Standing.WAIVED, Standing.ADVISORY, "unknown", "fails",
)  # fmt: skip


class ChangeKind(StrEnum):
    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One difference between two policies. A place is `name:line:column`, empty where none is known."""

    kind: ChangeKind
    what: str  # formats, formats.allow, rules.secret, waivers.licences
    old: str = ""
    new: str = ""
    old_place: str = ""
    new_place: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class VerdictChange:
    """What becomes of one component, or file, under one rule: before and after."""

    subject: str
    rule: str
    old: str  # passes, fails, unknown, advisory, waived, known, not asked
    new: str


@dataclass(frozen=True, slots=True)
class _Told:
    text: str
    place: str = ""


def changes(old: Policy, new: Policy) -> tuple[Change, ...]:
    """All differences, in the order of the document: general keys, rules, sections, waivers."""
    found = [change for part in _PARTS for change in _compared(part(old), part(new))]
    whole = {change.what for change in found if change.kind is not ChangeKind.CHANGED}
    return tuple(each for each in found if not _is_said(each.what, whole))


def _is_said(what: str, whole: set[str]) -> bool:
    """A section that comes or goes brings or takes its defaults along."""
    section, _, key = what.partition(".")
    return section in whole and key in ("unknown", "severity")


def verdict_changes(old_policy: Policy, old: Report, new_policy: Policy, new: Report) -> list[VerdictChange]:
    """Which components and files are judged otherwise. The reports are judgements of one inventory."""
    before, after = _states(old), _states(new)
    found = []
    for rule, subject in sorted(before.keys() | after.keys()):
        was = before.get((rule, subject)) or _silent(old_policy, rule)
        becomes = after.get((rule, subject)) or _silent(new_policy, rule)
        if was != becomes:
            found.append(VerdictChange(subject=subject, rule=rule, old=was, new=becomes))
    return found


def _silent(policy: Policy, rule: str) -> str:
    """What it means that a rule has nothing to say."""
    known = by_id(rule)
    if known is None:
        return _KEPT if policy.section(rule) else _NOT_ASKED
    return _NOT_ASKED if _level(policy, known) == OFF else _KEPT


def _states(report: Report) -> dict[tuple[str, str], str]:
    """The worst that is said about each subject under each rule."""
    names = {each.id: name_of(each) for each in report.components}
    found: dict[tuple[str, str], str] = {}
    for finding in report.findings:
        key = (finding.rule, names.get(finding.subject, finding.subject))
        found[key] = max(found.get(key, ""), _state(finding), key=_ORDER.index)
    return found


def _state(finding: Finding) -> str:
    if finding.standing is not Standing.ACTIVE:
        return finding.standing.value
    return "fails" if finding.decided else "unknown"


def _compared(old: Mapping[str, _Told], new: Mapping[str, _Told]) -> Iterator[Change]:
    for what in dict.fromkeys((*old, *new)):
        was, becomes = old.get(what), new.get(what)
        if was is None and becomes is not None:
            yield Change(kind=ChangeKind.ADDED, what=what, new=becomes.text, new_place=becomes.place)
        elif was is not None and becomes is None:
            yield Change(kind=ChangeKind.REMOVED, what=what, old=was.text, old_place=was.place)
        elif was is not None and becomes is not None and was.text != becomes.text:
            yield Change(
                kind=ChangeKind.CHANGED, what=what, old=was.text, new=becomes.text,
                old_place=was.place, new_place=becomes.place,
            )  # fmt: skip


def _general(policy: Policy) -> dict[str, _Told]:
    found = {"name": _Told(policy.name), "mode": _Told(policy.mode)}
    return found | ({"effective-on": _Told(str(policy.effective_on))} if policy.effective_on else {})


def _severities(policy: Policy) -> dict[str, _Told]:
    """Of all rules: to name one with its own severity changes nothing."""
    return {f"rules.{rule.id}": _Told(_level(policy, rule)) for rule in RULES}


def _level(policy: Policy, rule: Rule) -> str:
    severity = policy.severity(rule.id, None if rule.optional else rule.severity)
    return severity.label if severity else OFF


def _sections(policy: Policy) -> dict[str, _Told]:
    return {what: told for section in policy.sections for what, told in _section(section)}


def _section(section: Section) -> Iterator[tuple[str, _Told]]:
    key = section.requirement.id
    yield key, _Told("demanded", section.place)
    for name, setting in section.settings.items():
        yield from _flat(f"{key}.{name}", setting.located, setting.document)
    yield f"{key}.unknown", _Told(section.unknown, section.place)
    yield f"{key}.severity", _Told(section.severity.label, section.place)
    if section.mode is not None:
        yield f"{key}.mode", _Told(section.mode, section.place)
    if section.effective_on is not None:
        yield f"{key}.effective-on", _Told(str(section.effective_on), section.place)


def _flat(what: str, located: Located, document: str) -> Iterator[tuple[str, _Told]]:
    """One row for each entry of a list, so that a place that is added shows as just that."""
    place = f"{document}:{located.line}:{located.column}"
    if isinstance(located.value, list):
        for entry in located.value:
            text = told(entry)
            yield f"{what}[{text}]", _Told(text, f"{document}:{entry.line}:{entry.column}")
    else:
        yield what, _Told(told(located), place)


def told(located: Located) -> str:
    """A value in one line."""
    value = located.value
    if isinstance(value, dict):
        return ", ".join(f"{key}: {told(inner)}" for key, inner in value.items())
    if isinstance(value, list):
        return ", ".join(map(told, value))
    return str(value).lower() if isinstance(value, bool) else " ".join(str(value).split())


def _waivers(policy: Policy) -> dict[str, _Told]:
    return {
        f"waivers.{each.rule}[{each.component} {each.digest}]": _Told(_waived(each), each.place)
        for each in policy.waivers
    }


def _waived(waiver: Waiver) -> str:
    starts = f"from {waiver.starts} " if waiver.starts else ""
    return f"{starts}until {waiver.expires} by {waiver.approved_by}: {waiver.reason}"


_PARTS: Final = (_general, _severities, _sections, _waivers)
