"""References for a terminal: under each file the line, the kind, what is meant, and what to know."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from itertools import groupby

from aibom.domain.reference import Flag, Reference
from aibom.domain.report import ReferenceReport
from aibom.domain.text import visible
from aibom.outputs import reference_text, summary
from aibom.outputs.quantities import plural

_KIND_CHARS = 9  # of the longest kind
_GAPS_SHOWN = 20
_PAINT = {"bold": "1", "dim": "2", "red": "31", "yellow": "33"}
_COLOURS = {
    Flag.HTTP: "red",
    Flag.REMOTE_CODE: "red",
    Flag.UNSAFE_LOAD: "red",
    Flag.UNPINNED: "yellow",
    Flag.FLOATING_TAG: "yellow",
    Flag.UNRESOLVED: "yellow",
}


def render(report: ReferenceReport, *, width: int = 80, color: bool = False) -> bytes:
    """Text of at most `width` columns where names allow it, with ANSI colours when `color`."""
    lines = [*_references(report.references, width, color), *_gaps(report, width, color)]
    lines += (line for text in _foot(report) for line in _wrapped(text, width))
    return ("\n".join(lines) + "\n").encode("utf-8", "replace")


def _painted(text: str, style: str, color: bool) -> str:
    return f"\x1b[{_PAINT[style]}m{text}\x1b[0m" if color else text


def _references(references: tuple[Reference, ...], width: int, color: bool) -> Iterator[str]:
    for path, group in groupby(references, key=lambda one: one.location.path):
        yield _painted(visible(path), "bold", color)
        for reference in group:
            yield from _lines(reference, width, color)
        yield ""


def _lines(reference: Reference, width: int, color: bool) -> Iterator[str]:
    place = reference.location
    where = f"{visible(place.inside)}:{place.line}" if place.inside else str(place.line)
    start = f"{where:>6}  {reference.kind.value:{_KIND_CHARS}}"
    target = reference_text.shortened(reference.target)
    if reference.target is None:
        target = f"? {visible(reference.loader)}"
    flags = [flag for flag in Flag if flag in reference.flags]
    told = " ".join(_painted(flag, _COLOURS.get(flag, "dim"), color) for flag in flags)
    if len(start) + 2 + len(target) + 2 + len(" ".join(flags)) <= width or not flags:
        yield f"{start}  {target}  {told}".rstrip()
    else:
        yield f"{start}  {target}"
        yield f"{'':{len(start)}}    {told}"


def _gaps(report: ReferenceReport, width: int, color: bool) -> Iterator[str]:
    if not report.gaps:
        return
    yield _painted(f"Gaps ({len(report.gaps)}): not, or not fully, looked at", "bold", color)
    for gap in report.gaps[:_GAPS_SHOWN]:
        yield from _wrapped(f"  {summary.gap_line(gap)}", width)
    if len(report.gaps) > _GAPS_SHOWN:
        yield f"  ... and {plural(len(report.gaps) - _GAPS_SHOWN, 'gap')} more; `-f json` shows all"
    yield ""


def _wrapped(text: str, width: int) -> list[str]:
    return textwrap.wrap(text, width, subsequent_indent=" " * 6)


def _foot(report: ReferenceReport) -> Iterator[str]:
    yield reference_text.counts(report.references) or "No references found."
    flags = reference_text.flags(report.references)
    if flags:
        yield f"  {flags}"
    looked = f"{report.looked_at:,} of {plural(report.listed, 'file')} can refer to something"
    yield f"{looked}, {plural(len(report.gaps), 'gap')}"
