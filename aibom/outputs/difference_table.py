"""What `aibom diff` found, for a terminal: class by class, what could not be compared, and the sum."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from typing import Final

from aibom.domain.difference import Change, Difference, Missed
from aibom.domain.text import capped, visible
from aibom.outputs.inert import inert_line

SHOWN_COUNT: Final = 50  # changes of one class; JSON has all of them
_VALUE_CHARS: Final = 200
_PAINT: Final = {"bold": "1", "yellow": "33"}


def render(found: Difference, *, width: int = 80, color: bool = False) -> bytes:
    """Text of about `width` columns in which nothing that was compared can act on a terminal."""
    lines = [_painted(f"{visible(found.old)} -> {visible(found.new)}", "bold", color)]
    for kind, count in found.counts():
        changes = [change for change in found.changes if change.kind is kind]
        lines += ["", _painted(f"{kind} ({count:,})", "bold", color)]
        for change in changes[:SHOWN_COUNT]:
            lines += _change(change, width)
        if count > SHOWN_COUNT:
            lines.append(f"  ... and {count - SHOWN_COUNT:,} more; `-f json` shows all")
    lines += [*_missed(found.missed, width, color), *_notes(found, width), "", total(found)]
    return ("\n".join(map(inert_line, lines)) + "\n").encode("utf-8", "replace")


def total(found: Difference) -> str:
    """One line for the end: how many changes, and whether that is all."""
    count = len(found.changes)
    told = "no differences" if not count else f"{count:,} difference{'s' * (count != 1)}"
    left = len(found.missed)
    return f"{told}; {left:,} could not be compared" if left else told


def _painted(text: str, style: str, color: bool) -> str:
    return f"\x1b[{_PAINT[style]}m{text}\x1b[0m" if color else text


def _change(change: Change, width: int) -> Iterator[str]:
    yield from _wrapped(visible(change.subject), width, "  ")
    values = arrow(change)
    if values:
        yield from _wrapped(values, width, "      ")
    if change.detail:
        yield from _wrapped(visible(capped(change.detail, _VALUE_CHARS)), width, "      ")


def arrow(change: Change) -> str:
    """Old and new in one line; empty when neither says anything."""
    old, new = (visible(capped(value, _VALUE_CHARS)) for value in (change.old, change.new))
    if not old and not new:
        return ""
    if not old:
        return f"+ {new}"
    return f"{old} -> {new}" if new else f"- {old}"


def _wrapped(text: str, width: int, indent: str) -> list[str]:
    return textwrap.wrap(text, width, initial_indent=indent, subsequent_indent=f"{indent}  ")


def _missed(missed: tuple[Missed, ...], width: int, color: bool) -> Iterator[str]:
    if missed:
        yield ""
        yield _painted(f"could not be compared ({len(missed):,})", "yellow", color)
    for each in missed[:SHOWN_COUNT]:
        at = f" (byte {each.gap.offset})" if each.gap.offset is not None else ""
        text = f"{each.side}: {visible(each.gap.path)}: {visible(each.gap.detail)}{at}"
        yield from _wrapped(text, width, "  ")
    if len(missed) > SHOWN_COUNT:
        yield f"  ... and {len(missed) - SHOWN_COUNT:,} more; `-f json` shows all"


def _notes(found: Difference, width: int) -> Iterator[str]:
    for note in found.notes:
        yield ""
        yield from _wrapped(f"not compared: {note}", width, "")
