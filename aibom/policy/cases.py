"""Cases that a policy is tried on: what somebody expects, written without any program."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Final

from aibom.domain.check import Check, CheckKind, Outcome
from aibom.domain.component import (
    Claim,
    Component,
    ComponentKind,
    IdentityBasis,
    Origin,
    Relation,
    RelationKind,
)
from aibom.domain.content import Content, ContentVerdict
from aibom.domain.digest import Digest, Grade
from aibom.domain.entry import Entry
from aibom.domain.errors import UnreadableError
from aibom.domain.facts import Attribute, Facts, FileKind, Statement
from aibom.domain.file import File
from aibom.domain.finding import Finding, Severity
from aibom.domain.ref import Ref
from aibom.domain.report import Coverage, PolicyUse, Report
from aibom.domain.target import Target, Tool
from aibom.domain.verdict import Verdict, judge
from aibom.policy.document import Policy
from aibom.policy.evaluation import judged
from aibom.policy.rules import REQUIREMENTS, RULES
from aibom.policy.rules.model_card import _FIELDS as FIELDS
from aibom.policy.setting import PolicyError, Setting
from aibom.readers import located_yaml

CASES_BYTES: Final = 1 << 20
CASE_COUNT: Final = 1_000
_FAIL_ON: Final = Severity.HIGH
_KEYS: Final = ("name", "bom", "model", "dataset", "expect", "rules", "today")
_SUBJECTS: Final = ("bom", "model", "dataset")
_TEXTS: Final = {"description": Attribute.DESCRIPTION, "licence": Attribute.LICENCE}
_ITEM: Final = (
    "name", "purl", "formats", "digest", "verdict", "licence", "description", "card", "base-models",
    "training-data", "signature", "attestations",
)  # fmt: skip
_SIGNATURE: Final = ("outcome", "identity", "issuer", "signed-on")
_ATTESTATION: Final = ("outcome", "predicate", "builder", "level")
_SHA256: Final = re.compile(r"(?:sha256:)?([0-9a-f]{64})\Z")
_PURL: Final = re.compile(r"pkg:([^@?#\s]+)(?:@([^?#\s]+))?\Z")
_ID: Final = "case"


class Expected(StrEnum):
    PASS = "pass"  # noqa: S105 - no password
    FAIL = "fail"
    INCOMPLETE = "incomplete"


_FOUND: Final = {
    Verdict.PASSED: Expected.PASS,
    Verdict.VIOLATED: Expected.FAIL,
    Verdict.INCOMPLETE: Expected.INCOMPLETE,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One expectation. Either `bom` is a file beside the cases, or `report` holds what was written."""

    name: str
    place: str  # name:line:column
    expect: Expected
    bom: Setting | None = None
    report: Report | None = None
    rules: tuple[str, ...] = ()  # that have to be among the findings
    today: date | None = None  # None: the day of the run


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseResult:
    """What a policy says about a case. `found` is None when there was nothing to judge."""

    case: Case
    found: Expected | None
    findings: tuple[Finding, ...]  # those that explain what was found
    missing: tuple[str, ...]  # expected rules that found nothing

    @property
    def as_expected(self) -> bool:
        return self.found is self.case.expect and not self.missing


def parse_cases(data: bytes, document: str) -> tuple[Case, ...]:
    """The cases of a YAML document. Raises `PolicyError` with `document:line:column:`."""
    try:
        root = Setting(located_yaml.parse(data, CASES_BYTES), document, "the document")
    except UnreadableError as error:
        separator = ":" if re.match(r"\d+:\d+:", error.message) else ": "
        raise PolicyError(f"{document}{separator}{error.message}") from error
    cases = root.members(("cases",), ("cases",))["cases"]
    entries = cases.items()
    if len(entries) > CASE_COUNT:
        raise cases.error(f"more than {CASE_COUNT:,} cases")
    return tuple(map(_case, entries))


def tried(case: Case, policy: Policy, report: Report, today: date) -> CaseResult:
    """The judgement of one case, on its own day if it has one."""
    report = judged(policy, report, case.today or today)
    found = _FOUND.get(judge(report, _FAIL_ON, strict=False))
    # Where a pass is expected, rules may be named that somebody waived, or that only warn.
    seen = {each.rule for each in report.findings if each.counts or case.expect is Expected.PASS}
    return CaseResult(
        case=case,
        found=found,
        findings=tuple(each for each in report.findings if each.counts and each.severity >= _FAIL_ON),
        missing=tuple(rule for rule in case.rules if rule not in seen),
    )


def _case(setting: Setting) -> Case:
    members = setting.members(_KEYS, ("name", "expect"))
    subjects = [key for key in _SUBJECTS if key in members]
    if len(subjects) != 1:
        raise setting.error(f"a case has one of {', '.join(_SUBJECTS)}")
    known = [rule.id for rule in (*REQUIREMENTS, *RULES)]
    subject = members[subjects[0]]
    if subjects[0] == "bom":
        subject.text()
    return Case(
        name=members["name"].text(),
        place=setting.place,
        expect=Expected(members["expect"].choice(list(Expected))),
        bom=subject if subjects[0] == "bom" else None,
        report=None if subjects[0] == "bom" else _report(subject, ComponentKind(subjects[0])),
        rules=members["rules"].each(lambda each: each.choice(known)) if "rules" in members else (),
        today=members["today"].day() if "today" in members else None,
    )


def _report(setting: Setting, kind: ComponentKind) -> Report:
    """An inventory of one component that says what the case says, and nothing else."""
    members = setting.members(_ITEM)
    files = tuple(_files(members, kind))
    component = Component(
        id=_ID,
        kind=kind,
        name=members["name"].text() if "name" in members else kind.value,
        basis=IdentityBasis.DECLARED,
        files=tuple(file.path for file in files),
        claims=tuple(_claims(members)),
        relations=tuple(_relations(members)),
        stated_purl=members["purl"].text() if "purl" in members else None,
    )
    verdict = members.get("verdict")
    level = {each.label: each for each in ContentVerdict}[verdict.choice(_VERDICTS)] if verdict else None
    return Report(
        targets=(Target(name=_ID),),
        tool=Tool(name="aibom", version=""),
        policy=PolicyUse(name="", sha256=""),
        files=files,
        components=(component,),
        checks=tuple(_checks(members)),
        contents=tuple(Content(path=each.path, verdict=level) for each in files) if level else (),
        coverage=Coverage(listed=1, read=1, partial=0, unread=0, excluded=0, bytes=0),
    )


def _files(members: Mapping[str, Setting], kind: ComponentKind) -> Iterator[File]:
    """One file of each format; one of no format when only its digest or verdict is told."""
    formats = members["formats"].each(Setting.text) if "formats" in members else ()
    if not formats and not members.keys() & {"digest", "verdict"}:
        return
    use = FileKind.DATA if kind is ComponentKind.DATASET else FileKind.WEIGHTS
    for number, name in enumerate(formats or (None,), 1):
        facts = Facts(format=name, kind=use) if name else None
        path = f"{kind.value}-{number}.{name or 'bin'}".replace("/", "-").replace("\0", "")
        yield File(entry=Entry(path=path, size=0), digests=(_digest(members.get("digest")),), facts=facts)


def _digest(setting: Setting | None) -> Digest:
    if setting is None:  # a file has one; this one is too weak for every demand
        return Digest(algorithm="md5", value="0" * 32, grade=Grade.CLAIMED)
    found = _SHA256.match(setting.text())
    if found is None:
        raise setting.error("digest is sha256:<64 hex>")
    return Digest(algorithm="sha256", value=found[1], grade=Grade.CLAIMED)


def _claims(members: Mapping[str, Setting]) -> Iterator[Claim]:
    for key, attribute in _TEXTS.items():
        if key in members:
            yield _claim(attribute, members[key].text())
    if "card" in members:
        for key, value in members["card"].members(list(FIELDS)).items():
            yield _claim(next(iter(FIELDS[key])), value.text())


def _claim(attribute: Attribute, value: str) -> Claim:
    statement = Statement(attribute=attribute, value=value)
    return Claim(statement=statement, origin=Origin.CARD, source=_ID)


def _relations(members: Mapping[str, Setting]) -> Iterator[Relation]:
    kinds = (("base-models", RelationKind.ANCESTOR), ("training-data", RelationKind.TRAINED_ON))
    for key, kind in kinds:
        for entry in members[key].items() if key in members else ():
            yield Relation(kind=kind, target=_ref(entry), source=_ID)


def _ref(setting: Setting) -> Ref:
    """A place by its package URL, or something that has only a name."""
    text = setting.text()
    found = _PURL.match(text)
    if text.startswith("pkg:") and found is None:
        raise setting.error("a package URL is such as pkg:huggingface/acme/bert@<commit>")
    try:
        if found is None:
            return Ref(scheme="name", location=text)
        return Ref(scheme="purl", location=found[1], revision=found[2])
    except ValueError as error:
        raise setting.error(str(error)) from None


def _checks(members: Mapping[str, Setting]) -> Iterator[Check]:
    if "signature" in members:
        yield _check(members["signature"], CheckKind.SIGNATURE, _SIGNATURE, "identity")
    for entry in members["attestations"].items() if "attestations" in members else ():
        yield _check(entry, CheckKind.PROVENANCE, _ATTESTATION, "builder")


def _check(setting: Setting, kind: CheckKind, known: tuple[str, ...], who: str) -> Check:
    members = setting.members(known)
    outcome = Outcome(members["outcome"].choice(list(Outcome))) if "outcome" in members else Outcome.VERIFIED
    if outcome is Outcome.VERIFIED and who not in members:
        raise setting.error(f"{setting.name} that is verified names its {who}")
    texts = {key: members[key].text() for key in (who, "issuer", "predicate") if key in members}
    return Check(
        subject=_ID,
        kind=kind,
        outcome=outcome,
        identity=texts.get(who, ""),
        issuer=texts.get("issuer", ""),
        found=texts.get("predicate", ""),
        detail=f"SLSA_BUILD_LEVEL_{members['level'].whole(0, 4)}" if "level" in members else "",
        signed_at=members["signed-on"].day().isoformat() if "signed-on" in members else None,
    )


_VERDICTS: Final = tuple(verdict.label for verdict in ContentVerdict)
