"""Who says it: citations (1.7) or annotations (before), and the annotations of gaps and findings.

Both need a time by the schema, so a document without one carries its gaps, findings and sources in
properties only. Those are there in every document.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from aibom.domain.component import Claim, Origin
from aibom.domain.finding import Finding
from aibom.domain.gap import Gap
from aibom.domain.report import Demand, Report
from aibom.domain.waiver import WaiverUse
from aibom.outputs.cdx import refs
from aibom.outputs.cdx.index import Index
from aibom.outputs.cdx.ledger import Ledger
from aibom.outputs.cdx.text import Json, prop, shown, title


@dataclass(frozen=True, slots=True, kw_only=True)
class Cited:
    """Fields of one component that one source states."""

    subject: str  # bom-ref
    source: str  # bom-ref of the file, registry or tool that states them
    note: str
    pointers: list[str]


def cited(subject: str, place: str, ledger: Ledger, index: Index) -> Iterator[Cited]:
    """The claims of the component at a place of the document (a pointer), by who makes them."""
    grouped: dict[tuple[str, str], list[str]] = {}
    for pointer, claim in ledger.citations:
        key = (_source(claim, index), _note(claim))
        grouped.setdefault(key, []).append(place + pointer)
    for (source, note), pointers in sorted(grouped.items()):
        yield Cited(subject=subject, source=source, note=note, pointers=list(dict.fromkeys(pointers)))


def citations(found: Iterable[Cited], report: Report) -> list[Json]:
    """The `citations` of CycloneDX 1.7: every claim to its source, every hash to us."""
    measured: Json = {"attributedTo": refs.TOOL, "note": "computed from the bytes"}
    hashed = any(file.sha256 for file in report.files)
    entries: list[Json] = [
        {"pointers": c.pointers, "timestamp": report.timestamp, "attributedTo": c.source, "note": c.note}
        for c in found
    ]
    if hashed:
        entries.append({"expressions": ["$..hashes"], "timestamp": report.timestamp, **measured})
    return entries


def registries(report: Report) -> list[Json]:
    """The registries that were asked, as services, so that claims can be attributed to them."""
    names = {c.source for subject in report.components for c in subject.claims if c.origin is Origin.API}
    return [{"bom-ref": refs.registry_ref(name), "name": title(name)} for name in sorted(names)]


def annotations_of(found: Iterable[Cited], index: Index) -> list[Json]:
    """Gaps, findings and, where there are no citations, who states what. None twice."""
    report = index.report
    tool = {"type": "application", "name": title(report.tool.name), "version": shown(report.tool.version)}
    return [
        {
            "subjects": [subject],
            "annotator": {"component": tool},
            "timestamp": report.timestamp,
            "text": text,
        }
        for subject, text in dict.fromkeys(_remarks(found, index))
    ]


def gap_property(gap: Gap) -> Json:
    """`path|stage|reason`; the last two never hold a bar."""
    return prop("aibom:gap", f"{shown(gap.path)}|{gap.stage}|{gap.reason}")


def finding_property(finding: Finding) -> Json:
    """`rule|severity|fingerprint|path`; only the path may hold a bar."""
    path = shown(finding.location.path)
    return prop(
        "aibom:finding", f"{shown(finding.rule)}|{finding.severity.label}|{finding.fingerprint}|{path}"
    )


def standing_property(finding: Finding) -> Json:
    """`fingerprint|standing|reason`; only the reason may hold a bar."""
    standing = finding.standing if not finding.counts else "undecided"
    reason = shown(finding.justification)
    return prop("aibom:finding:standing", f"{finding.fingerprint}|{standing}|{reason}")


def demand_property(demand: Demand) -> Json:
    """`section|passed|failed|undecided`, in components."""
    counts = f"{demand.passed}|{demand.failed}|{demand.undecided}"
    return prop("aibom:policy:demand", f"{shown(demand.rule)}|{counts}")


def waiver_property(use: WaiverUse) -> Json:
    """`state|rule|last day|approver|component|reason`; the last three may hold a bar."""
    waiver = use.waiver
    told = (use.state, waiver.rule, str(waiver.expires), waiver.approved_by, waiver.component, waiver.reason)
    return prop("aibom:policy:waiver", "|".join(map(shown, told)))


def _source(claim: Claim, index: Index) -> str:
    if claim.origin is Origin.API:
        return refs.registry_ref(claim.source)
    if claim.origin is not Origin.MEASURED and claim.source in index.files:
        return refs.file_ref(claim.source)
    return refs.TOOL


def _note(claim: Claim) -> str:
    if claim.origin is Origin.MEASURED:
        return "measured from the bytes"
    return f"declared by the {claim.origin} ({shown(claim.source)}), not verified"


def _remarks(found: Iterable[Cited], index: Index) -> Iterator[tuple[str, str]]:
    for gap in index.report.gaps:
        yield index.subject(gap.path) or refs.ROOT, _gap_text(gap)
    for finding in index.report.findings:
        subject = index.subject(finding.subject) or index.subject(finding.location.path)
        yield subject or refs.ROOT, _finding_text(finding)
    for c in found:
        yield c.subject, f"{c.note}: {', '.join(c.pointers)}"


def _gap_text(gap: Gap) -> str:
    place = "" if gap.offset is None else f" (byte {gap.offset})"
    return f"gap: {shown(gap.path)}: {gap.stage}: {gap.reason}: {shown(gap.detail)}{place}"


def _finding_text(finding: Finding) -> str:
    line = "" if finding.location.line is None else f":{finding.location.line}"
    parts = (("found", finding.found), ("expected", finding.expected), ("remedy", finding.remedy))
    tail = "".join(f"; {label}: {shown(text)}" for label, text in parts if text)
    place = shown(finding.location.path) + line
    if not finding.counts:
        tail += f"; {finding.standing}: {shown(finding.justification)}"
    elif not finding.decided:
        tail += "; undecided"
    return (
        f"finding: {finding.severity.label}: {shown(finding.rule)}: {shown(finding.message)} ({place}){tail}"
    )
