"""The report for a terminal: components, findings, gaps, coverage, verdict."""

from __future__ import annotations

import textwrap
import unicodedata
from collections.abc import Callable, Iterator, Sequence

from aibom.domain.component import Component
from aibom.domain.finding import Finding, Severity
from aibom.domain.report import Report
from aibom.domain.text import visible
from aibom.outputs import reference_text, summary
from aibom.outputs.inert import inert_line
from aibom.outputs.quantities import plural

_STYLES = {"bold": "1", "dim": "2", "red": "31", "green": "32", "yellow": "33"}
_SEVERITY_STYLE = {Severity.CRITICAL: "red", Severity.HIGH: "red", Severity.MEDIUM: "yellow"}
_GAPS_SHOWN = 20
_COMPONENTS_SHOWN = 200
_FINDINGS_SHOWN = 50
_INDENT = "  "

Paint = Callable[[str, str], str]


def render(
    report: Report,
    *,
    width: int = 80,
    color: bool = False,
    fail_on: Severity = Severity.HIGH,
    strict: bool = False,
) -> bytes:
    """Text of at most `width` columns, escaped, with ANSI colours when `color`."""
    paint = _painted if color else _plain
    lines = [*_head(report, paint), *_components(report, width, paint), *_findings(report, width, paint)]
    lines += [
        *_policy(report, width, paint),
        *_gaps(report, width, paint),
        *_foot(report, width, paint, summary.verdict(report, fail_on, strict=strict)),
    ]
    return "".join(f"{inert_line(line)}\n" for line in lines).encode("utf-8", "replace")


def judgement(report: Report, *, width: int = 80, color: bool = False) -> Iterator[str]:
    """The lines about the policy alone: findings, demands, waivers, gaps and the verdict."""
    paint = _painted if color else _plain
    yield from _findings(report, width, paint)
    yield from _policy(report, width, paint)
    yield from _gaps(report, width, paint)
    verdict = summary.verdict(report, Severity.HIGH, strict=False)
    yield paint(verdict, "green" if verdict.startswith("PASSED") else "red")


def _plain(text: str, style: str) -> str:  # noqa: ARG001 - the signature of _painted
    return text


def _painted(text: str, style: str) -> str:
    return f"\x1b[{_STYLES[style]}m{text}\x1b[0m"


def _head(report: Report, paint: Paint) -> Iterator[str]:
    names = ", ".join(visible(target.name) for target in report.targets)
    yield paint(f"aibom {report.tool.version}: {names}", "bold")
    for target in report.targets:
        if target.ref is not None and target.ref.revision:
            state = {True: ", with local changes", False: "", None: ""}[target.dirty]
            yield f"{_INDENT}{visible(target.ref.location)} at {visible(target.ref.revision)}{state}"


def _components(report: Report, width: int, paint: Paint) -> Iterator[str]:
    yield ""
    if not report.components:
        yield "No models or datasets found."
        return
    yield paint(f"Components ({len(report.components)})", "bold")
    files = {file.path: file for file in report.files}
    shown = report.components[:_COMPONENTS_SHOWN]
    rows = [_row(component) for component in shown]
    header = ("KIND", "NAME", "IDENTITY", "LICENCE")
    widths = _widths([header, *rows], width - len(_INDENT))
    yield paint(_INDENT + _line(header, widths), "dim")
    for component, row in zip(shown, rows, strict=True):
        yield _INDENT + _line(row, widths)
        yield from _notes(component, summary.details(component, files), width)
    yield from _more(len(report.components) - len(shown), "component")


def _row(component: Component) -> tuple[str, str, str, str]:
    return component.kind, visible(component.name), component.basis, summary.licence(component)


def _notes(component: Component, details: str, width: int) -> Iterator[str]:
    lines = [details] if details else []
    lines += (f"claims base {base}, not verified" for base in summary.bases(component))
    for line in lines:
        yield from textwrap.wrap(line, width, initial_indent="    ", subsequent_indent="      ")


def _findings(report: Report, width: int, paint: Paint) -> Iterator[str]:
    if not report.findings:
        return
    yield ""
    yield paint(f"Findings ({len(report.findings)})", "bold")
    for finding in report.findings[:_FINDINGS_SHOWN]:
        yield from _finding(finding, width, paint)
    yield from _more(len(report.findings) - _FINDINGS_SHOWN, "finding")


def _finding(finding: Finding, width: int, paint: Paint) -> Iterator[str]:
    style = _SEVERITY_STYLE.get(finding.severity, "dim")
    if not finding.counts:
        style = "dim"
    demand = f" [{visible(finding.demand)}]" if finding.demand else ""
    place = summary.place(finding.location)
    yield f"{_INDENT}{paint(finding.severity.label, style)} {finding.rule}: {place}{demand}"
    indent = _INDENT * 3
    told = [visible(finding.message)]
    told += [status] if (status := summary.status(finding)) else []
    told += [f"what to do: {visible(finding.remedy)}"] if finding.counts else []
    for text in told:
        yield from textwrap.wrap(text, width, initial_indent=indent, subsequent_indent=indent)


def _policy(report: Report, width: int, paint: Paint) -> Iterator[str]:
    """How the sections of the policy are kept, and what became of its waivers."""
    demands = list(summary.demands(report))
    if demands:
        yield ""
        yield paint(f"Policy {visible(report.policy.name)}", "bold")
        longest = max(len(rule) for rule, _ in demands)
        yield from (f"{_INDENT}{rule:{longest}}  {counts}" for rule, counts in demands)
    if report.waivers:
        yield ""
        yield paint(f"Waivers ({len(report.waivers)})", "bold")
        for use in report.waivers:
            text = summary.waiver(use)
            yield from textwrap.wrap(text, width, initial_indent=_INDENT, subsequent_indent=_INDENT * 3)


def _gaps(report: Report, width: int, paint: Paint) -> Iterator[str]:
    if not report.gaps:
        return
    yield ""
    yield paint(f"Gaps ({len(report.gaps)}): not, or not fully, looked at", "bold")
    for gap in report.gaps[:_GAPS_SHOWN]:
        yield from textwrap.wrap(
            summary.gap_line(gap), width, initial_indent=_INDENT, subsequent_indent=_INDENT * 3
        )
    yield from _more(len(report.gaps) - _GAPS_SHOWN, "gap")


def _more(count: int, noun: str) -> Iterator[str]:
    if count > 0:
        yield f"{_INDENT}... and {plural(count, noun)} more; `-f json` shows all"


def _foot(report: Report, width: int, paint: Paint, verdict: str) -> Iterator[str]:
    yield ""
    yield summary.coverage(report)
    contents = summary.contents(report)
    if contents:
        yield contents
    signatures = summary.signatures(report)
    if signatures:
        yield signatures
    rows = summary.rows(report)
    if rows:
        yield rows
    references = reference_text.counts(report.references)
    if references:
        yield from textwrap.wrap(f"{references} (`aibom refs` lists them)", width)
    passed = "yellow" if report.gaps else "green"
    yield paint(verdict, passed if verdict.startswith("PASSED") else "red")


def _cells(text: str) -> int:
    """Terminal columns: East Asian wide characters take two, combining ones none."""
    if text.isascii():
        return len(text)
    wide = sum(unicodedata.east_asian_width(char) in "WF" for char in text)
    return len(text) + wide - sum(unicodedata.combining(char) != 0 for char in text)


def _widths(rows: Sequence[Sequence[str]], room: int) -> list[int]:
    """Column widths that fit the room: the name gives way first, then the licence."""
    widths = [max(_cells(row[column]) for row in rows) for column in range(len(rows[0]))]
    gaps = 2 * (len(widths) - 1)
    for column, least in ((1, 24), (3, 13), (1, 8)):
        excess = sum(widths) + gaps - room
        if excess > 0:
            widths[column] = max(min(least, widths[column]), widths[column] - excess)
    return widths


def _line(row: Sequence[str], widths: Sequence[int]) -> str:
    cells = (_fitted(text, width) for text, width in zip(row, widths, strict=True))
    return "  ".join(cells).rstrip()


def _fitted(text: str, width: int) -> str:
    while _cells(text) > width:
        text = text[: max(0, len(text) - 2)] + "…" if len(text) > 1 else ""
    return text + " " * (width - _cells(text))
