"""`aibom policy`: what can be said about a policy, and what it says about an inventory."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from difflib import get_close_matches
from typing import TYPE_CHECKING, Final

from aibom.domain.component import ComponentKind
from aibom.domain.controls import CONTROLS, FRAMEWORKS
from aibom.domain.errors import UnreadableError
from aibom.domain.waiver import Waiver
from aibom.policy.document import Mode, OnUnknown, Policy, Section
from aibom.policy.rules import RULES
from aibom.policy.setting import PolicyError
from aibom.policy.waivers import MAX_WAIVER_DAYS, SOON_DAYS

if TYPE_CHECKING:
    from aibom.domain.report import Report
    from aibom.policy.cases import Case, CaseResult
    from aibom.policy.difference import Change, VerdictChange

# Only what all commands need is imported above: to check a policy takes no reader of inventories.
# Name and text; a name is empty where the line goes on with what the one above began.
Line = tuple[str, str]
# The bytes of a bill of materials that a case names, or why there are none (`PolicyError`).
Opener = Callable[[str], bytes]
_UNKNOWN: Final = {
    OnUnknown.INCOMPLETE: "neither passed nor failed: the verdict is incomplete (exit code 4)",
    OnUnknown.FAIL: "fails, as if it were known to be wrong",
    OnUnknown.WARN: "is shown, and passes",
}
_KINDS: Final = {
    ComponentKind.MODEL: "models",
    ComponentKind.ADAPTER: "adapters",
    ComponentKind.DATASET: "datasets",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Explained:
    """One part of a policy in words."""

    name: str
    place: str  # name:line:column, empty for what has none
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """What differs between two policies; verdicts only where an inventory was given."""

    changes: tuple[Change, ...]
    verdicts: list[VerdictChange] = field(default_factory=list)


def warnings(policy: Policy, today: date) -> Iterator[str]:
    """What is well-formed, and perhaps not what somebody wants: one clause each."""
    if policy.mode is Mode.WARN:
        yield "mode: warn: no finding of this policy counts"
    if policy.effective_on is not None and policy.effective_on > today:
        yield f"effective-on: the demands only warn until {policy.effective_on}"
    for section in policy.sections:
        if section.mode is Mode.WARN and policy.mode is not Mode.WARN:
            yield f"{section.place}: {section.requirement.id} only warns (mode: warn)"
        if section.effective_on is not None and section.effective_on > today:
            yield f"{section.place}: {section.requirement.id} only warns until {section.effective_on}"
    off = [rule for rule, severity in policy.severities if severity is None and rule not in _OPTIONAL]
    if off:
        yield f"switched off: {', '.join(sorted(off))}"
    for waiver in policy.waivers:
        told_about = _waiver(waiver, today)
        if told_about:
            yield f"{waiver.place}: the waiver of {waiver.rule} for {waiver.component} {told_about}"


def _waiver(waiver: Waiver, today: date) -> str:
    if today > waiver.expires:
        return f"expired on {waiver.expires}"
    starts = waiver.starts or waiver.expires - timedelta(days=MAX_WAIVER_DAYS)
    if today < starts:
        return f"is not in force before {starts}"
    if waiver.expires - today < timedelta(days=SOON_DAYS):
        return f"expires on {waiver.expires}"
    return ""


def explain(policy: Policy, part: str | None = None) -> list[Explained]:
    """The policy in words, or one part of it. Raises `PolicyError` for a part that it does not have."""
    parts = [_whole(policy), *map(_section, policy.sections)]
    parts += [_rules(policy)] if policy.severities else []
    parts += [_waivers(policy)] if policy.waivers else []
    if part is None:
        return parts
    found = [each for each in parts[1:] if each.name == part]
    if not found:
        known = [each.name for each in parts[1:]]
        near = get_close_matches(part, known, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(known)}"
        raise PolicyError(f"{policy.name} has no section {part!r}; {hint}")
    return found


def _whole(policy: Policy) -> Explained:
    binds = f", from {policy.effective_on} on" if policy.effective_on else ""
    lines = [
        ("sha256", policy.sha256),
        ("mode", f"{policy.mode}: {_counts(policy.mode)}{binds}"),
        ("sections", ", ".join(each.requirement.id for each in policy.sections) or "none"),
        ("waivers", str(len(policy.waivers))),
    ]
    return Explained(name=policy.name, place="", lines=tuple(lines))


def _counts(mode: Mode) -> str:
    return "findings count" if mode is Mode.ENFORCE else "findings are shown, and do not count"


def _section(section: Section) -> Explained:
    from aibom.policy.difference import told  # noqa: PLC0415 - see above

    rule = section.requirement
    lines = [
        ("of", "the whole inventory" if section.whole else _listed(_KINDS[each] for each in _of(section)))
    ]
    for key, setting in section.settings.items():
        lines += [(key, told(setting.located)), ("", str(rule.schema[key].get("description", "")))]
    lines += [("unknown", f"{section.unknown}: {_UNKNOWN[section.unknown]}")]
    lines += [("mode", f"{section.mode}: {_counts(section.mode)}")] if section.mode else []
    lines += [("binds", f"from {section.effective_on} on")] if section.effective_on else []
    lines += [("severity", section.severity.label), ("why", rule.why), ("remedy", f"{rule.remedy}.")]
    lines += [("evidence" if not number else "", each) for number, each in enumerate(_controls(section))]
    return Explained(name=rule.id, place=section.place, lines=tuple(line for line in lines if line[1]))


def _of(section: Section) -> list[ComponentKind]:
    return [kind for kind in _KINDS if kind in section.requirement.kinds]


def _listed(words: Iterator[str]) -> str:
    *most, last = words
    return f"all {', '.join(most)} and {last}" if most else f"all {last}"


def _controls(section: Section) -> Iterator[str]:
    """What the demand is evidence for; it never says that somebody complies."""
    for framework, control in section.requirement.controls:
        name = FRAMEWORKS.get(framework, framework)
        title = CONTROLS.get(framework, {}).get(control, "")
        yield f"{name}: {control} {title}".rstrip()


def _rules(policy: Policy) -> Explained:
    levels: dict[str, list[str]] = {}
    for rule, severity in policy.severities:
        levels.setdefault(severity.label if severity else "off", []).append(rule)
    others = len(RULES) - len(policy.severities)
    rest = [("others", f"{others} rules keep the severity that `aibom explain` tells")] if others else []
    lines = [(level, ", ".join(sorted(rules))) for level, rules in levels.items()]
    return Explained(name="rules", place="", lines=(*lines, *rest))


def _waivers(policy: Policy) -> Explained:
    lines: list[Line] = []
    for waiver in policy.waivers:
        lines.append((waiver.rule, f"{waiver.component} ({waiver.digest})"))
        starts = f"from {waiver.starts} " if waiver.starts else ""
        until = f"{starts}until {waiver.expires}, by {waiver.approved_by}: {waiver.reason}"
        lines.append(("", f"{until} ({waiver.place})"))
    return Explained(name="waivers", place="", lines=tuple(lines))


def try_cases(policy: Policy, cases: Sequence[Case], opener: Opener, today: date) -> list[CaseResult]:
    """What the policy says about each case. Raises `PolicyError` for a bad bill of materials."""
    from aibom.policy.cases import tried  # noqa: PLC0415 - see above

    return [tried(case, policy, case.report or _inventory(case, policy, opener), today) for case in cases]


def _inventory(case: Case, policy: Policy, opener: Opener) -> Report:
    assert case.bom is not None
    name = case.bom.text()
    try:
        return inventory(opener(name), name, policy)
    except UnreadableError as error:
        raise case.bom.error(f"{name}: {error}") from error
    except PolicyError as error:
        raise case.bom.error(str(error)) from error


def inventory(document: bytes, name: str, policy: Policy) -> Report:
    """What a bill of materials lists. Raises `UnreadableError`."""
    from aibom.workflows.check import CheckRequest, listing  # noqa: PLC0415 - see above

    return listing(CheckRequest(document=document, name=name, policy=policy))


def compare(old: Policy, new: Policy, listed: Report | None, today: date) -> Difference:
    """What differs between two policies, and what that means for an inventory."""
    from aibom.policy.difference import changes, verdict_changes  # noqa: PLC0415 - see above
    from aibom.policy.evaluation import judged  # noqa: PLC0415

    if listed is None:
        return Difference(changes=changes(old, new))
    verdicts = verdict_changes(old, judged(old, listed, today), new, judged(new, listed, today))
    return Difference(changes=changes(old, new), verdicts=verdicts)


_OPTIONAL: Final = frozenset(rule.id for rule in RULES if rule.optional)
