"""The policy document (version 1): which rules are in force, what is demanded, what is excepted."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum
from posixpath import dirname, join, normpath
from typing import Final

from aibom.domain.entry import check_relative
from aibom.domain.errors import UnreadableError
from aibom.domain.finding import Severity
from aibom.domain.report import PolicyUse
from aibom.domain.waiver import Waiver
from aibom.policy.requirement import EstateJudge, Requirement, SubjectJudge
from aibom.policy.rules import REQUIREMENTS, RULES
from aibom.policy.setting import PolicyError, Setting
from aibom.policy.waivers import MAX_WAIVER_DAYS, read_waivers
from aibom.readers import located_yaml

POLICY_BYTES: Final = 1 << 20
EXTENDS_DEPTH: Final = 4  # policies that extend policies
VERSION: Final = 1
OFF: Final = "off"
SEVERITIES: Final = {severity.label: severity for severity in Severity}
_OWN_KEYS: Final = (
    "version", "name", "description", "extends", "mode", "effective-on", "rules", "waivers", "max-waiver",
)  # fmt: skip
SECTION_KEYS: Final = ("unknown", "mode", "effective-on", "severity")

# Hands over the bytes of the policy file that another one names, by its path from the folder of the first
# one. Raises PolicyError, with the reason alone.
Opener = Callable[[str], bytes]


class Mode(StrEnum):
    ENFORCE = "enforce"
    WARN = "warn"


class OnUnknown(StrEnum):
    """What becomes of a demand when too little is known."""

    INCOMPLETE = "incomplete"  # neither passed nor failed: exit code 4
    FAIL = "fail"
    WARN = "warn"


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """One demand of the document, ready to judge."""

    requirement: Requirement
    place: str  # name:line:column
    each: SubjectJudge | None = None
    whole: EstateJudge | None = None
    unknown: OnUnknown = OnUnknown.INCOMPLETE
    mode: Mode | None = None  # None: that of the policy
    effective_on: date | None = None
    severity: Severity = Severity.HIGH
    settings: Mapping[str, Setting]


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """A policy by name and digest. A rule that it does not name keeps its own severity."""

    name: str
    sha256: str
    severities: tuple[tuple[str, Severity | None], ...] = ()  # None: the rule is off
    sections: tuple[Section, ...] = ()  # in the order of the rules
    waivers: tuple[Waiver, ...] = ()
    max_waiver: int = MAX_WAIVER_DAYS  # days
    mode: Mode = Mode.ENFORCE
    effective_on: date | None = None

    @property
    def use(self) -> PolicyUse:
        return PolicyUse(name=self.name, sha256=self.sha256)

    def severity(self, rule: str, default: Severity | None) -> Severity | None:
        return dict(self.severities).get(rule, default)

    def section(self, rule: str) -> Section | None:
        return next((each for each in self.sections if each.requirement.id == rule), None)


def parse_policy(data: bytes, *, document: str = "policy", opener: Opener | None = None) -> Policy:
    """The policy of a YAML document. `document` is what errors and results call it.

    Raises `PolicyError`, whose text begins with `document:line:column:` where a place is known.
    """
    return _parse(data, document, opener, ())


def _parse(data: bytes, document: str, opener: Opener | None, above: tuple[str, ...]) -> Policy:
    root = Setting(_located(data, document), document)
    requirements = {each.id: each for each in REQUIREMENTS}
    members = root.members((*_OWN_KEYS, *requirements), ("version", "name"))
    version = members["version"].located.value
    if version != VERSION or not isinstance(version, int) or isinstance(version, bool):
        raise members["version"].error(f"version is {VERSION}; this program knows no other")
    if not members.keys() & {"extends", "rules", *requirements}:
        raise root.error("this policy demands nothing; name rules, or a section")
    base = _extended(members.get("extends"), opener, above)
    sections = {each.requirement.id: each for each in base.sections}
    sections |= {key: _section(each, members[key]) for key, each in requirements.items() if key in members}
    severities = dict(base.severities) | (_severities(members["rules"]) if "rules" in members else {})
    longest = members["max-waiver"].days() if "max-waiver" in members else base.max_waiver
    waivers = read_waivers(members["waivers"], longest) if "waivers" in members else ()
    return replace(
        base,
        name=members["name"].text(),
        sha256=_digest(data, base),
        severities=tuple(severities.items()),
        sections=tuple(sections[key] for key in requirements if key in sections),
        waivers=base.waivers + waivers,
        max_waiver=longest,
        mode=Mode(members["mode"].choice(list(Mode))) if "mode" in members else base.mode,
        effective_on=members["effective-on"].day() if "effective-on" in members else base.effective_on,
    )


def _located(data: bytes, document: str) -> located_yaml.Located:
    try:
        return located_yaml.parse(data, POLICY_BYTES)
    except UnreadableError as error:
        raise PolicyError(f"{document}:{error.message}") from error


def _digest(data: bytes, base: Policy) -> str:
    """Of everything that the policy says: its own bytes, and those of what it extends."""
    own = hashlib.sha256(data).hexdigest()
    return hashlib.sha256(f"{own}\0{base.sha256}".encode()).hexdigest() if base.sha256 else own


def _extended(setting: Setting | None, opener: Opener | None, above: tuple[str, ...]) -> Policy:
    """The policy that another one stands on. By digest only: whoever changes it must be noticed."""
    if setting is None:
        return Policy(name="", sha256="")
    members = setting.members(("file", "sha256"), ("file", "sha256"))
    if len(above) >= EXTENDS_DEPTH:
        raise setting.error(f"more than {EXTENDS_DEPTH} policies extend one another")
    if opener is None:
        raise setting.error("this policy stands alone: it cannot extend a file here")
    name = _beside(members["file"], above)
    try:
        data = opener(name)
    except PolicyError as error:
        raise members["file"].error(f"{name}: {error}") from error
    found = hashlib.sha256(data).hexdigest()
    if found != members["sha256"].text().lower():
        raise members["sha256"].error(f"{name} has another digest: {found}")
    return _parse(data, name, opener, (*above, name))


def _beside(setting: Setting, above: tuple[str, ...]) -> str:
    """The path from the folder of the first policy; it stays in there, whoever wrote the policy."""
    name = normpath(join(dirname(above[-1]) if above else "", setting.text()))
    try:
        check_relative(name)
    except ValueError:
        raise setting.error("file is a path in the folder of the first policy, or below it") from None
    return name


def _severities(setting: Setting) -> dict[str, Severity | None]:
    known = {rule.id for rule in RULES}
    found: dict[str, Severity | None] = {}
    setting.members(known)
    for rule, level in setting.pairs():
        word = "off" if level.located.value is False else level.choice((*SEVERITIES, OFF))
        found[rule] = SEVERITIES.get(word)
    return found


def _section(requirement: Requirement, setting: Setting) -> Section:
    if requirement.shorthand and isinstance(setting.located.value, list):
        members = {requirement.shorthand: setting}
    else:
        members = setting.members((*requirement.schema, *SECTION_KEYS), requirement.required)
    own = {key: members[key] for key in members if key not in SECTION_KEYS}
    if not own:
        raise setting.error(f"{requirement.id} demands nothing; name one of {', '.join(requirement.schema)}")
    severity = members.get("severity")
    return Section(
        requirement=requirement,
        place=setting.place,
        each=requirement.judge_each(own) if requirement.judge_each else None,
        whole=requirement.judge_whole(own) if requirement.judge_whole else None,
        unknown=OnUnknown(members["unknown"].choice(list(OnUnknown)))
        if "unknown" in members
        else OnUnknown.INCOMPLETE,
        mode=Mode(members["mode"].choice(list(Mode))) if "mode" in members else None,
        effective_on=members["effective-on"].day() if "effective-on" in members else None,
        severity=SEVERITIES[severity.choice(SEVERITIES)] if severity else requirement.severity,
        settings=own,
    )
