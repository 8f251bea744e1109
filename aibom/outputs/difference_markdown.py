"""What `aibom diff` found as GitHub-flavoured Markdown, for a pull request comment."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from aibom.domain.difference import Difference
from aibom.domain.text import capped, visible
from aibom.outputs.difference_table import total
from aibom.outputs.inert import inert_line

SHOWN_COUNT: Final = 500  # GitHub cuts a job summary at 1 MiB, and a comment at 64 KiB
_VALUE_CHARS: Final = 200
_SPECIAL: Final = re.compile(r"([\\`*_{}\[\]()<>#+!|~&@:])")


def render(found: Difference) -> bytes:
    """UTF-8 Markdown in which nothing that was compared can act as markup."""
    lines = [f"# aibom diff: {_text(found.old)} to {_text(found.new)}", "", f"**{_text(total(found))}**", ""]
    lines += [*_changes(found), *_missed(found)]
    for note in found.notes:
        lines += [f"Not compared: {_text(note)}", ""]
    return ("\n".join(map(inert_line, lines)).rstrip("\n") + "\n").encode("utf-8", "replace")


def _text(text: str) -> str:
    return _SPECIAL.sub(r"\\\1", visible(capped(text, _VALUE_CHARS)))


def _changes(found: Difference) -> Iterator[str]:
    if not found.changes:
        return
    yield "| Class | What | Old | New | How |"
    yield "| --- | --- | --- | --- | --- |"
    for change in found.changes[:SHOWN_COUNT]:
        cells = (change.kind, change.subject, change.old, change.new, change.detail)
        yield f"| {' | '.join(map(_text, cells))} |"
    yield ""
    if len(found.changes) > SHOWN_COUNT:
        yield f"{len(found.changes) - SHOWN_COUNT:,} more are in the JSON output."
        yield ""


def _missed(found: Difference) -> Iterator[str]:
    if not found.missed:
        return
    yield "## Could not be compared"
    yield ""
    yield "| Side | Where | Reason | Detail |"
    yield "| --- | --- | --- | --- |"
    for each in found.missed[:SHOWN_COUNT]:
        cells = (each.side, each.gap.path, each.gap.reason, each.gap.detail)
        yield f"| {' | '.join(map(_text, cells))} |"
    yield ""
    if len(found.missed) > SHOWN_COUNT:
        yield f"{len(found.missed) - SHOWN_COUNT:,} more are in the JSON output."
        yield ""
