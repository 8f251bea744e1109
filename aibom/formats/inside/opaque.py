"""Containers that this version does not open: what they hold is not known, and said to be so."""

from __future__ import annotations

import re
from typing import Final

from aibom.domain.errors import Reason
from aibom.formats.inside.part import Part
from aibom.formats.inside.walk import Walk

_MAGIC: Final = re.compile(
    rb"(?P<Zstandard>\x28\xb5\x2f\xfd|[\x50-\x5f]\x2a\x4d\x18)|(?P<LZ4>\x04\x22\x4d\x18)"
    rb"|(?P<seven>7z\xbc\xaf\x27\x1c)|(?P<RAR>Rar!\x1a\x07)"
    rb"|(?P<cabinet>MSCF\0\0\0\0)|(?P<compress>\x1f\x9d[\x89-\x90])|(?P<cpio>07070[127][0-7]{5})"
)
# Text and tables are commonly compressed as well, and nobody unpickles them.
_DATA: Final = re.compile(r"\.(?:csv|tsv|txt|json|jsonl|ndjson|xml|parquet|arrow)\.[a-z0-9]+\Z")


def begins(part: Part) -> bool:
    """True for the mark of such a container."""
    return _MAGIC.match(part.head) is not None


def examine(walk: Walk, part: Part) -> bool:
    """A defect; the content may be a pickle unless the name says that it is a table."""
    found = _MAGIC.match(part.head)
    kind = found.lastgroup if found else None
    title = "7z" if kind == "seven" else kind
    walk.defect(part, Reason.UNSUPPORTED, f"the content of a {title} container is not read", 0)
    if not _DATA.search(part.name.lower()):
        walk.may_run = True
    return True
