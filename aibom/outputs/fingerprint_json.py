"""Fingerprints of datasets as JSON. `schema` names the version of this layout."""

from __future__ import annotations

from typing import Final

import orjson

from aibom.domain.report import Report
from aibom.domain.text import visible
from aibom.outputs.inert import inert_json
from aibom.outputs.json_report import gap_of, target_of
from aibom.outputs.row_text import columns_of, evidence_of, rows_of

SCHEMA: Final = "aibom-fingerprint/1"


def render(report: Report) -> bytes:
    """UTF-8 JSON with a newline at the end; the same bytes for the same report."""
    document = {
        "schema": SCHEMA,
        "tool": {"name": report.tool.name, "version": report.tool.version},
        "targets": [target_of(target) for target in report.targets],
        "rows": [
            {
                **rows_of(rows),
                "columns": columns_of(rows.fingerprint),
                "files": [{"path": visible(path), "rows": count} for path, count in rows.files],
            }
            for rows in report.rows
        ],
        "evidence": [evidence_of(each) for each in report.evidence],
        "gaps": [gap_of(gap) for gap in report.gaps],
    }
    return inert_json(orjson.dumps(document, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))
