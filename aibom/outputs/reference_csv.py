"""References as CSV (RFC 4180) with a header, for a spreadsheet or a shell."""

from __future__ import annotations

import csv
import io
from typing import Final

from aibom.domain.reference import Reference
from aibom.domain.report import ReferenceReport
from aibom.domain.text import visible
from aibom.outputs.reference_text import written

COLUMNS: Final = (
    "path", "inside", "line", "column", "kind", "target", "revision", "purl", "loader", "flags",
    "confidence",
)  # fmt: skip
# A spreadsheet takes a cell that begins like this for a formula.
_FORMULA: Final = ("=", "+", "-", "@")


def render(report: ReferenceReport) -> bytes:
    """UTF-8, lines end with CR LF. A text that a spreadsheet would compute gets a `'` in front."""
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    writer.writerow(COLUMNS)
    writer.writerows(_row(reference) for reference in report.references)
    return buffer.getvalue().encode("utf-8", "replace")


def _row(reference: Reference) -> list[str]:
    place, ref = reference.location, reference.target
    cells = (
        place.path,
        place.inside,
        str(place.line or ""),
        str(place.column or ""),
        reference.kind.value,
        written(ref),
        ref.revision if ref and ref.revision else "",
        ref.purl if ref and ref.purl else "",
        reference.loader,
        " ".join(sorted(reference.flags)),
        reference.confidence.label,
    )
    return [_inert(visible(cell)) for cell in cells]


def _inert(cell: str) -> str:
    return f"'{cell}" if cell.startswith(_FORMULA) else cell
