"""Tables of a page: cells with a look, rows that can be filtered, and a bound on both."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Final

from aibom.domain.text import capped, visible

ROWS: Final = 2_000  # of one table
TABLE_BYTES: Final = 1_000_000  # of the text in one table, escaped
CHARS: Final = 1_000  # of one text

# What autoescape makes of these characters.
_ESCAPED: Final = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&#34;", "'": "&#39;"})


def shown(text: str) -> str:
    """The text as the page has it, before it is escaped: nothing invisible, nothing endless."""
    return capped(visible(text), CHARS)


def weight(texts: Iterable[str]) -> int:
    """How many bytes texts take on the page."""
    return sum(len(shown(text).translate(_ESCAPED).encode("utf-8", "replace")) for text in texts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One or several lines of text. A chip has a `tone`; both are words of the style sheet."""

    lines: tuple[str, ...]
    look: str = "plain"  # name, code, word, number, day, chip, nothing
    tone: str = ""
    note: str = ""  # in small letters below


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line of a table. `kind` of component it is about; "" for none."""

    cells: tuple[Cell, ...]
    anchor: str = ""
    kind: str = ""

    def texts(self) -> Iterator[str]:
        for cell in self.cells:
            yield from cell.lines
            yield cell.note


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A titled table. `hidden`: how many rows the page leaves out."""

    id: str
    title: str
    header: tuple[str, ...]
    rows: tuple[Row, ...]
    hidden: int = 0

    @property
    def total(self) -> int:
        return len(self.rows) + self.hidden


def table(identifier: str, title: str, header: tuple[str, ...], rows: Iterable[Row], total: int) -> Table:
    """The first rows, as many as the page may hold. The others are counted, and never built."""
    kept: list[Row] = []
    left = TABLE_BYTES
    for row in islice(rows, ROWS):
        left -= weight(row.texts())
        if left < 0:
            break
        kept.append(row)
    return Table(id=identifier, title=title, header=header, rows=tuple(kept), hidden=total - len(kept))


def plain(text: str, note: str = "") -> Cell:
    return Cell(lines=(text,), note=note)


def word(text: str) -> Cell:
    """A word of ours, which is not broken in the middle."""
    return Cell(lines=(text,), look="word")


def code(*lines: str, note: str = "") -> Cell:
    return Cell(lines=lines, look="code", note=note)


def number(count: int) -> Cell:
    return Cell(lines=(f"{count:,}",), look="number")


def chip(text: str, tone: str = "") -> Cell:
    return Cell(lines=(text,), look="chip", tone=tone)
