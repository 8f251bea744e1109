"""References as JSON, each as in the JSON report. `schema` names the version of this layout."""

from __future__ import annotations

from typing import Final

import orjson

from aibom.domain.report import ReferenceReport
from aibom.outputs.json_report import gap_of, reference_of, target_of

SCHEMA: Final = "aibom-references/1"


def render(report: ReferenceReport) -> bytes:
    """UTF-8 JSON with a newline at the end; the same bytes for the same report."""
    document = {
        "schema": SCHEMA,
        "tool": {"name": report.tool.name, "version": report.tool.version},
        "targets": [target_of(each) for each in report.targets],
        "listed": report.listed,
        "lookedAt": report.looked_at,
        "references": [reference_of(each) for each in report.references],
        "gaps": [gap_of(each) for each in report.gaps],
    }
    return orjson.dumps(document, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
