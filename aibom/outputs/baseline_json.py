"""A baseline as JSON, one fingerprint a line, so that a review sees what was added."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

import orjson

SCHEMA: Final = "aibom-baseline/1"


def render(policy: str, targets: Collection[str], fingerprints: Collection[str]) -> bytes:
    """UTF-8 JSON with a newline at the end; the same bytes for the same findings."""
    document = {
        "schema": SCHEMA,
        "policy": policy,
        "targets": sorted(targets),
        "fingerprints": sorted(fingerprints),
    }
    return orjson.dumps(document, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
