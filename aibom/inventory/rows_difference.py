"""Which rows of a text file of data differ, and in which columns."""

from __future__ import annotations

import csv
import json
from collections import Counter
from typing import Final

from aibom.domain.errors import UnreadableError
from aibom.readers.json import parse

LINE_COUNT: Final = 500_000
ROW_COUNT: Final = 10_000  # rows in place of which the columns are told
_ROWS_TOLD: Final = 8
_NAMES_TOLD: Final = 5
_CELL_CHARS: Final = 80


def row_changes(old: bytes, new: bytes, *, header: bool) -> str | None:
    """One clause: rows are lines, counted from 1 without the header; None when there are too many.

    Old and new bytes differ.
    """
    if max(old.count(b"\n"), new.count(b"\n")) > LINE_COUNT:
        return None
    before, after = old.split(b"\n"), new.split(b"\n")
    if header and before[0] != after[0]:
        return "the header differs"
    if len(before) == len(after):
        numbers = [at for at, (one, other) in enumerate(zip(before, after, strict=True)) if one != other]
        if Counter(before) == Counter(after):
            return f"{len(numbers):,} rows stand in another order"
        pairs = [(before[at], after[at]) for at in numbers[:ROW_COUNT]]
        columns = _columns(before[0] if header else None, pairs)
        rows = ", ".join(str(at if header else at + 1) for at in numbers[:_ROWS_TOLD])
        more = f" and {len(numbers) - _ROWS_TOLD:,} more" if len(numbers) > _ROWS_TOLD else ""
        # Rows that come and go together in equal number would look like changes throughout.
        moved = sum((Counter(before) & Counter(after)).values()) - (len(before) - len(numbers))
        if not moved:
            where = f"row {rows}" if len(numbers) == 1 else f"{len(numbers):,} rows: {rows}{more}"
            return f"{where}{columns}"
    gone = sum((Counter(before) - Counter(after)).values())
    come = sum((Counter(after) - Counter(before)).values())
    return f"{come:,} rows added, {gone:,} removed"


def _columns(header: bytes | None, pairs: list[tuple[bytes, bytes]]) -> str:
    """The names of the columns in which the rows differ, and in how many of them."""
    names = _cells(header) if header is not None else None
    counted: Counter[str] = Counter()
    for old, new in pairs:
        found = _named(old, new, names)
        if found is None:
            return ""
        counted.update(found)
    told = [f"{name} in {count:,}" for name, count in counted.most_common(_NAMES_TOLD)]
    more = f" and {len(counted) - _NAMES_TOLD} more" if len(counted) > _NAMES_TOLD else ""
    return f" (column {', '.join(told)}{more})" if told else ""


def _named(old: bytes, new: bytes, names: list[str] | None) -> list[str] | None:
    if names is not None:
        one, other = _cells(old), _cells(new)
        if len(one) != len(names) or len(other) != len(names):
            return None
        return [name for name, a, b in zip(names, one, other, strict=True) if a != b]
    try:
        before, after = parse(old), parse(new)
    except UnreadableError:
        return None
    if not isinstance(before, dict) or not isinstance(after, dict):
        return None
    return [
        key[:_CELL_CHARS]
        for key in dict.fromkeys((*before, *after))
        if json.dumps(before.get(key)) != json.dumps(after.get(key)) or (key in before) != (key in after)
    ]


def _cells(line: bytes) -> list[str]:
    """The cells of one line; a cell that goes on in the next line ends here."""
    text = line.decode("utf-8", "replace").rstrip("\r")
    delimiter = "\t" if "\t" in text and "," not in text else ","
    try:
        return [cell[:_CELL_CHARS] for cell in next(csv.reader([text], delimiter=delimiter), [])]
    except csv.Error:
        return []
