"""Fingerprints of datasets for a terminal: for each part what there is to compare."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator

from aibom.domain.evidence import DatasetRows
from aibom.domain.report import Report
from aibom.domain.text import visible
from aibom.outputs import summary
from aibom.outputs.inert import inert_line
from aibom.outputs.row_text import counted

_INDENT = "  "
_COLUMNS_SHOWN = 20


def render(report: Report, *, width: int = 80, color: bool = False) -> bytes:
    """Text of at most `width` columns where digests allow it, with ANSI colours when `color`."""
    lines = [line for rows in report.rows for line in _part(rows, color)]
    for evidence in report.evidence:
        lines.append(f"evidence {visible(evidence.name)}")
        lines.append(f"{_INDENT}sha256    {evidence.sha256}")
    if report.gaps:
        lines.append("Without a fingerprint:")
    for gap in report.gaps:
        text = summary.gap_line(gap)
        lines += textwrap.wrap(text, width, initial_indent=_INDENT, subsequent_indent=_INDENT * 3)
    return "".join(f"{inert_line(line)}\n" for line in lines).encode("utf-8", "replace")


def _part(rows: DatasetRows, color: bool) -> Iterator[str]:
    found = rows.fingerprint
    name = visible(rows.name)
    keyed = ", keyed" if found.keyed else ""
    yield f"\x1b[1m{name}\x1b[0m" if color else name
    yield f"{_INDENT}{counted(rows)}, {found.form.value}{keyed}"
    for title in ("root", "multiset", "schema", "key"):
        value = getattr(found, title)
        if value is not None:
            yield f"{_INDENT}{title:9} {value}"
    for column in found.columns[:_COLUMNS_SHOWN]:
        yield f"{_INDENT}column    {column.digest} {visible(column.name)}"
    if len(found.columns) > _COLUMNS_SHOWN:
        yield f"{_INDENT}... and {len(found.columns) - _COLUMNS_SHOWN:,} columns more; `-f json` shows all"
    yield ""
