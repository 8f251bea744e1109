"""What `aibom diff` found, as JSON. `schema` names the version of this layout."""

from __future__ import annotations

from typing import Final

import orjson

from aibom.domain.difference import Change, Difference, Missed
from aibom.domain.text import visible
from aibom.outputs.inert import inert_json

SCHEMA: Final = "aibom-difference/1"


def render(found: Difference) -> bytes:
    """UTF-8 JSON with a newline at the end; the same bytes for the same difference."""
    document = {
        "schema": SCHEMA,
        "tool": {"name": found.tool.name, "version": found.tool.version},
        "old": visible(found.old),
        "new": visible(found.new),
        "counts": {str(kind): count for kind, count in found.counts()},
        "changes": [_change(change) for change in found.changes],
        "missed": [_missed(each) for each in found.missed],
        "notes": list(found.notes),
    }
    return inert_json(orjson.dumps(document, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))


def _change(change: Change) -> dict[str, str]:
    return {
        "class": str(change.kind),
        "subject": visible(change.subject),
        "old": visible(change.old),
        "new": visible(change.new),
        "detail": visible(change.detail),
    }


def _missed(missed: Missed) -> dict[str, object]:
    return {
        "side": missed.side,
        "path": visible(missed.gap.path),
        "reason": str(missed.gap.reason),
        "detail": visible(missed.gap.detail),
        "offset": missed.gap.offset,
    }
