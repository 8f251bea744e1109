"""The report as GitHub-flavoured Markdown, for a job summary or a pull request comment."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from aibom.domain.finding import Severity
from aibom.domain.report import Report
from aibom.domain.text import visible
from aibom.outputs import reference_text, summary

_SPECIAL = re.compile(r"([\\`*_{}\[\]()<>#+!|~&@:])")
_ROWS = 500  # GitHub cuts a job summary at 1 MiB


def render(report: Report, *, fail_on: Severity = Severity.HIGH, strict: bool = False) -> bytes:
    """UTF-8 Markdown in which nothing that was scanned can act as markup."""
    names = ", ".join(_text(target.name) for target in report.targets)
    verdict = summary.verdict(report, fail_on, strict=strict)
    lines = [f"# aibom: {names}", "", f"**{_text(verdict)}**", ""]
    lines += [_text(summary.coverage(report)), ""]
    contents = summary.contents(report)
    lines += [_text(contents), ""] if contents else []
    signatures = summary.signatures(report)
    lines += [_text(signatures), ""] if signatures else []
    references = reference_text.counts(report.references)
    lines += [_text(references), ""] if references else []
    lines += [*_findings(report), *_policy(report), *_components(report), *_gaps(report)]
    return ("\n".join(lines).rstrip("\n") + "\n").encode("utf-8", "replace")


def _text(text: str) -> str:
    return _SPECIAL.sub(r"\\\1", visible(text))


def _table(title: str, header: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    if not rows:
        return
    yield f"## {title} ({len(rows)})"
    yield ""
    yield f"| {' | '.join(header)} |"
    yield f"|{' --- |' * len(header)}"
    yield from (f"| {' | '.join(_text(cell) for cell in row)} |" for row in rows[:_ROWS])
    if len(rows) > _ROWS:
        yield ""
        yield f"{len(rows) - _ROWS} more are in the JSON report."
    yield ""


def _components(report: Report) -> Iterator[str]:
    files = {file.path: file for file in report.files}
    rows = [
        (
            component.kind,
            component.name,
            component.basis,
            summary.licence(component),
            summary.details(component, files),
            ", ".join(summary.bases(component)),
        )
        for component in report.components
    ]
    header = ("Kind", "Name", "Identity", "Licence", "Details", "Claimed base (not verified)")
    yield from _table("Components", header, rows)


def _findings(report: Report) -> Iterator[str]:
    rows = [
        (
            found.severity.label,
            f"{found.rule} [{found.demand}]" if found.demand else found.rule,
            summary.place(found.location),
            "; ".join(filter(None, (found.message, summary.status(found)))),
            found.remedy if found.counts else "",
        )
        for found in report.findings
    ]
    yield from _table("Findings", ("Severity", "Rule", "Where", "What", "What to do"), rows)


def _policy(report: Report) -> Iterator[str]:
    yield from _table("Policy", ("Section", "Components"), list(summary.demands(report)))
    rows = [
        (
            use.state,
            use.waiver.rule,
            use.waiver.component,
            use.waiver.expires.isoformat(),
            use.waiver.approved_by,
            use.waiver.reason,
        )
        for use in report.waivers
    ]
    header = ("State", "Rule", "Component", "Last day", "Approved by", "Reason")
    yield from _table("Waivers", header, rows)


def _gaps(report: Report) -> Iterator[str]:
    rows = [
        (gap.path, gap.reason, gap.detail + (f" (byte {gap.offset})" if gap.offset is not None else ""))
        for gap in report.gaps
    ]
    yield from _table("Gaps: not, or not fully, looked at", ("Where", "Reason", "Detail"), rows)
