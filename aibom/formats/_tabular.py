"""What the formats of tabular data share: column names that can be trusted, annotations that stay small."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from typing import Final

from aibom.domain.errors import Reason, UnreadableError
from aibom.domain.facts import Column, Defect
from aibom.domain.limits import COLUMN_COUNT, METADATA_COUNT, MIB, STRING_CHARS
from aibom.domain.text import capped, visible
from aibom.readers import json

NAME_CHARS: Final = 512  # of a column name or type
_TEXT_RATIO: Final = 16  # strings of more bytes per told character are told by their size alone
_FEATURE_COUNT: Final = 100_000  # JSON values

# Serialised schemas that repeat what the columns say.
_OPAQUE: Final = frozenset({"ARROW:schema", "pandas"})
_LINE_BREAKS: Final = re.compile(r"[\t\r\n]")


def text(value: bytes | memoryview, limit: int = NAME_CHARS) -> str:
    """A string of the file, capped; bytes that are not UTF-8 are kept as surrogates."""
    if len(value) > _TEXT_RATIO * limit:
        return f"({len(value)} bytes)"
    return capped(str(value, "utf-8", "surrogateescape"), limit)


def defect(message: str, offset: int | None = None) -> Defect:
    """For bytes that contradict their format and did not stop the reading."""
    return Defect(reason=Reason.MALFORMED, message=message, offset=offset)


def noted(error: UnreadableError) -> Defect:
    """The defect for an error that cost only a part of the facts."""
    return Defect(reason=error.reason, message=error.message, offset=error.offset)


def too_many_columns(count: int) -> tuple[Defect, ...]:
    """A defect when a table has more columns than facts may carry."""
    if count <= COLUMN_COUNT:
        return ()
    return (Defect(reason=Reason.LIMIT, message=f"more than {COLUMN_COUNT} columns, the rest is not told"),)


def name_defects(columns: Iterable[Column]) -> tuple[Defect, ...]:
    """Defects for names that occur twice or hide characters: one column could pass for another."""
    counts = Counter(column.name for column in columns)
    suspects = {
        "occur more than once": [name for name, count in counts.items() if count > 1],
        "hide characters": [name for name in counts if _hides(name)],
    }
    return tuple(
        defect(f"{len(names)} column names {what}, the first is '{visible(names[0][:80])}'")
        for what, names in suspects.items()
        if names
    )


def _hides(name: str) -> bool:
    plain = _LINE_BREAKS.sub(" ", name)  # a line break in a quoted header cell is seen
    return visible(plain) != plain


def key_values(
    pairs: Iterable[tuple[bytes | memoryview, bytes | memoryview]],
) -> tuple[tuple[tuple[str, str], ...], tuple[Defect, ...]]:
    """The key-value pairs that a writer attached, values capped, and a defect when they are too many."""
    found: list[tuple[str, str]] = []
    for raw_key, raw in pairs:
        if len(found) >= METADATA_COUNT:
            message = f"more than {METADATA_COUNT} metadata entries, the rest is not told"
            return tuple(found), (Defect(reason=Reason.LIMIT, message=message),)
        key = text(raw_key, 256)
        found.append((key, f"({len(raw)} bytes)" if key in _OPAQUE else text(raw, STRING_CHARS)))
        # Once only: many pairs of an Arrow schema may share one long value.
        if key == "huggingface" and [name for name, _ in found].count(key) == 1:
            found.extend(_features(raw))
    return tuple(found), ()


def _features(raw: bytes | memoryview) -> list[tuple[str, str]]:
    """The column kinds of Hugging Face `datasets`, such as Image or ClassLabel, that no schema tells."""
    if len(raw) > MIB:
        return []
    try:
        info = json.members(json.members(json.parse(bytes(raw), values=_FEATURE_COUNT)).get("info"))
    except UnreadableError:
        return []  # free text under a well-known key is no fault of the table
    kinds = {
        name: json.members(spec).get("_type") for name, spec in json.members(info.get("features")).items()
    }
    told = ", ".join(f"{name}: {kind}" for name, kind in kinds.items() if isinstance(kind, str))
    return [("huggingface.features", capped(told))] if told else []
