"""The tables of the page: components, references, policy, waivers, gaps and evidence."""

from __future__ import annotations

from typing import Final

from aibom.domain.check import Check, Outcome
from aibom.domain.component import Component
from aibom.domain.digest import Digest
from aibom.domain.file import File
from aibom.domain.gap import Gap
from aibom.domain.reference import Reference
from aibom.domain.report import Demand, Report
from aibom.domain.waiver import WaiverState, WaiverUse
from aibom.outputs import reference_text, summary
from aibom.outputs.html_cells import Cell, Row, Table, chip, code, number, plain, table, word
from aibom.outputs.html_subjects import Subjects
from aibom.outputs.quantities import plural, size

_WAIVER_TONES: Final = {
    WaiverState.ACTIVE: "good",
    WaiverState.EXPIRING: "warn",
    WaiverState.EXPIRED: "bad",
}
_BAD: Final = frozenset(
    {Outcome.SIGNATURE_INVALID, Outcome.CONTENT_MISMATCH, Outcome.EXPIRED, Outcome.UNTRUSTED_SIGNER}
)
_NOTHING: Final = Cell(lines=("–",), look="nothing")


def components(report: Report, subjects: Subjects) -> Table:
    files = {file.path: file for file in report.files}
    header = ("Kind", "Name", "Identity", "Licence", "What it is", "Claimed base", "Findings")
    rows = (_component(each, files, subjects) for each in report.components)
    return table("components", "Components", header, rows, len(report.components))


def _component(component: Component, files: dict[str, File], subjects: Subjects) -> Row:
    counts = subjects.severities(component)
    found = ", ".join(f"{count:,} {severity.label}" for severity, count in counts.items())
    details, bases = summary.details(component, files), ", ".join(summary.bases(component))
    licence = summary.licence(component)
    return Row(
        anchor=subjects.anchors[component.id],
        kind=component.kind,
        cells=(
            chip(component.kind, f"kind-{component.kind}"),
            Cell(
                lines=(component.name or "(unnamed)",),
                look="name",
                note=component.purl or component.version or "",
            ),
            word(component.basis),
            chip(licence, "warn") if licence == "none declared" else plain(licence),
            plain(details) if details else _NOTHING,
            plain(bases, note="claimed, not verified") if bases else _NOTHING,
            chip(found, next(iter(counts)).label) if counts else plain("none"),
        ),
    )


def references(report: Report) -> Table:
    header = ("Kind", "What is referred to", "By", "Where", "Worth a word")
    rows = (_reference(each) for each in report.references)
    title = "References in code and configuration"
    return table("references", title, header, rows, len(report.references))


def _reference(reference: Reference) -> Row:
    flags = ", ".join(sorted(reference.flags))
    return Row(
        kind=reference.kind,
        cells=(
            chip(reference.kind, f"kind-{reference.kind}"),
            code(reference_text.written(reference.target)),
            plain(reference.loader),
            code(summary.place(reference.location)),
            plain(flags) if flags else _NOTHING,
        ),
    )


def demands(report: Report) -> Table:
    header = ("Section", "State", "In the policy", "Passed", "Failed", "Undecided")
    rows = (_demand(each) for each in report.demands)
    return table("demands", "Demands of the policy", header, rows, len(report.demands))


def _demand(demand: Demand) -> Row:
    state, tone = ("kept", "good") if demand.passed else ("nothing to judge", "")
    if demand.undecided:
        state, tone = "undecided", "warn"
    if demand.failed:
        state, tone = "not kept", "bad"
    return Row(
        cells=(
            Cell(lines=(demand.rule,), look="name"),
            chip(state, tone),
            code(demand.place),
            number(demand.passed),
            number(demand.failed),
            number(demand.undecided),
        ),
    )


def waivers(report: Report) -> Table:
    header = ("State", "Rule", "Component", "Days", "Approved by", "Reason", "Waives")
    rows = (_waiver(use) for use in report.waivers)
    return table("waivers", "Waivers", header, rows, len(report.waivers))


def _waiver(use: WaiverUse) -> Row:
    waiver = use.waiver
    starts = f"from {waiver.starts.isoformat()}" if waiver.starts else ""
    return Row(
        cells=(
            chip(use.state, _WAIVER_TONES.get(use.state, "")),
            code(waiver.rule, note=waiver.place),
            Cell(lines=(waiver.component,), look="name", note=waiver.digest),
            Cell(lines=(f"until {waiver.expires.isoformat()}",), look="day", note=starts),
            plain(waiver.approved_by),
            plain(waiver.reason),
            plain(plural(use.findings, "finding")),
        ),
    )


def gaps(report: Report) -> Table:
    header = ("Where", "Reason", "Stage", "Detail")
    title = "Gaps: not, or not fully, looked at"
    return table("gaps", title, header, (_gap(each) for each in report.gaps), len(report.gaps))


def _gap(gap: Gap) -> Row:
    offset = f"at byte {gap.offset:,}" if gap.offset is not None else ""
    return Row(
        cells=(code(gap.path, note=offset), chip(gap.reason, "warn"), word(gap.stage), plain(gap.detail))
    )


def checks(report: Report) -> Table:
    header = ("Outcome", "Check", "What was checked", "Who or what vouches", "Detail")
    rows = (_check(each) for each in report.checks)
    return table("checks", "Checks and signatures", header, rows, len(report.checks))


def _check(check: Check) -> Row:
    tone = "good" if check.outcome is Outcome.VERIFIED else "bad" if check.outcome in _BAD else "warn"
    compared = (("expected ", check.expected), ("found ", check.found))
    details = tuple(filter(None, (check.detail, *(label + text for label, text in compared if text))))
    return Row(
        cells=(
            chip(check.outcome, tone),
            word(check.kind),
            code(check.subject),
            plain(check.identity or "nobody", note=f"in {check.source}" if check.source else ""),
            Cell(lines=details) if details else _NOTHING,
        ),
    )


def model_digests(report: Report) -> Table:
    header = ("Component", "Digest of all tensors with their names", "The same without names")
    told = [each for each in report.components if each.model_digest or each.model_digest_absent]
    rows = (_model_digest(each) for each in told)
    return table("models", "Model digests", header, rows, len(told))


def _model_digest(component: Component) -> Row:
    absent = plain(f"none: {component.model_digest_absent or 'not computed'}")
    anonymous = component.model_digest_anonymous
    return Row(
        kind=component.kind,
        cells=(
            Cell(lines=(component.name or "(unnamed)",), look="name"),
            code(component.model_digest) if component.model_digest else absent,
            code(anonymous) if anonymous else _NOTHING,
        ),
    )


def files(report: Report, subjects: Subjects) -> Table:
    header = ("Path", "Size", "Format", "Digests, and how each was learnt")
    rows = (_file(each, subjects) for each in report.files)
    return table("files", "Files and digests", header, rows, len(report.files))


def _file(file: File, subjects: Subjects) -> Row:
    owner = subjects.owner(file.path)
    return Row(
        kind=owner.kind if owner else "",
        cells=(
            code(file.path),
            word(size(file.entry.size)),
            word(file.format) if file.format else _NOTHING,
            code(*(_digest(each) for each in file.digests)),
        ),
    )


def _digest(digest: Digest) -> str:
    grade = f"{digest.grade.label}, from the cache" if digest.cached else digest.grade.label
    return f"{digest.algorithm}:{digest.value} ({grade})"
