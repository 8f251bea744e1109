"""`aibom check`: read a bill of materials, judge it by a policy; the result is a `Report`."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date

from aibom import __version__
from aibom.domain.check import Check, CheckKind, Outcome
from aibom.domain.report import Coverage, Report
from aibom.domain.target import Target, Tool
from aibom.inventory.bom import Listed, read_bom
from aibom.policy import THE_LAST_DAY, Policy, judged
from aibom.policy.vex import Statement, Subject, apply_vex

_RECORDED = "the bill of materials says so; `aibom verify` checks it, --trust-bom takes its word"


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckRequest:
    """What the user asked for, with every default already filled in."""

    document: bytes  # CycloneDX JSON
    name: str  # what to call it
    policy: Policy
    today: date = THE_LAST_DAY
    timestamp: str | None = None
    trusted: bool = False  # what the document records of signatures and vulnerabilities is taken at its word
    vex: tuple[Statement, ...] = ()


def check(request: CheckRequest) -> Report:
    """The judged report of what the document lists. Raises `UnreadableError` when it is none."""
    listed = read_bom(request.document)
    serial = (listed.serial or "").removeprefix("urn:uuid:") or None
    subject = Subject(product=listed.product, ref=listed.product_ref, serial=serial, version=listed.version)
    found = judged(request.policy, _report(listed, request), request.today)
    return replace(
        apply_vex(found, request.vex, subject, own=request.trusted),
        targets=(Target(name=request.name),),
        tool=Tool(name="aibom", version=__version__),
        timestamp=request.timestamp,
    )


def listing(request: CheckRequest) -> Report:
    """What the document lists, before any policy judges it: with its own maker, day and places."""
    return _report(read_bom(request.document), request)


def _report(listed: Listed, request: CheckRequest) -> Report:
    name, version = listed.tool
    return Report(
        targets=listed.targets or (Target(name=request.name),),
        tool=Tool(name=name, version=version),
        policy=request.policy.use,
        files=tuple(sorted(listed.files, key=lambda file: file.path)),
        components=tuple(listed.components),
        references=tuple(listed.references),
        checks=tuple(each if request.trusted else _doubted(each) for each in listed.checks),
        contents=tuple(listed.contents),
        rows=listed.rows,
        evidence=tuple(listed.evidence),
        gaps=tuple(sorted(listed.gaps, key=lambda gap: gap.path)),
        coverage=_coverage(listed),
        vulnerabilities=listed.vulnerabilities,
        timestamp=listed.timestamp,
    )


def _doubted(check: Check) -> Check:
    """A verdict that somebody wrote down is not one: whoever wrote `verified` may have meant well."""
    if check.kind is CheckKind.DIGEST or check.outcome is not Outcome.VERIFIED:
        return check
    return replace(check, outcome=Outcome.COULD_NOT_CHECK, detail=_RECORDED)


def _coverage(listed: Listed) -> Coverage:
    """Counted are files; a document without any counts its components, so that it is not empty."""
    if listed.files:
        return Coverage.of(listed.files, listed.gaps, len(listed.files) + len(listed.gaps), 0)
    read = len(listed.components) - listed.elsewhere
    unread = len(listed.gaps)
    return Coverage(listed=read + unread, read=read, partial=0, unread=unread, excluded=0, bytes=0)
