"""JSON as data: one object per line (JSON Lines, NDJSON), or one array of objects.

Columns are the members of the objects, typed with JSON's own words. Format: jsonlines.org, RFC 8259.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Final

from aibom.domain.errors import UnreadableError, malformed, over_limit, truncated
from aibom.domain.facts import Column, Defect, Facts, FileKind
from aibom.domain.limits import COLUMN_COUNT, DOCUMENT_BYTES, KIB, MIB
from aibom.domain.protocols import Format, Match, Probe
from aibom.domain.text import capped
from aibom.formats import _tabular
from aibom.readers import json
from aibom.readers.json import Json

SAMPLE_COUNT: Final = 100  # lines that are parsed for the columns
SAMPLE_BYTES: Final = 2 * MIB  # all of these lines together
ELEMENT_BYTES: Final = 2 * MIB  # of an array
VALUE_COUNT: Final = 100_000  # in one line or one piece of an array
_PIECE_BYTES: Final = 64 * KIB  # so short that no piece of small elements reaches VALUE_COUNT

_LINE: Final = re.compile(rb"[^\s][^\n]*+")
_ARRAY: Final = re.compile(rb"(?:\xef\xbb\xbf)?+\s*+\[(?=\s*+(?:[{\]]|\Z))")
_BRACKET: Final = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"?+|[\[\]{}]', re.DOTALL)
_END: Final = re.compile(rb"\]\s*+\Z")

_TYPES: Final = {
    dict: "object", list: "array", str: "string", bool: "boolean", int: "number", float: "number",
    type(None): "null",
}  # fmt: skip


@dataclass(slots=True)
class _Table:
    """The members of the objects seen so far: how often each had which type, by first appearance."""

    objects: int = 0
    types: dict[str, dict[str, int]] = field(default_factory=dict)
    problems: list[UnreadableError] = field(default_factory=list)  # the first one
    problem_count: int = 0

    def add(self, value: Json, offset: int) -> None:
        if not isinstance(value, dict):
            self.add_problem(malformed(f"an object is expected, not {_TYPES[type(value)]}", offset))
            return
        self.objects += 1
        for key, member in value.items():
            name = capped(key, _tabular.NAME_CHARS)
            if name in self.types or len(self.types) <= COLUMN_COUNT:
                counts = self.types.setdefault(name, {})
                kind = _TYPES[type(member)]
                counts[kind] = counts.get(kind, 0) + 1

    def add_problem(self, error: UnreadableError) -> None:
        self.problem_count += 1
        self.problems = self.problems or [error]

    def columns(self) -> Iterator[Column]:
        for name, counts in islice(self.types.items(), COLUMN_COUNT):
            absent = "null" in counts or sum(counts.values()) < self.objects
            kinds = "|".join(kind for kind in counts if kind != "null")
            yield Column(name=name, type=kinds or "null", nullable=absent or None)

    def facts(self, name: str, rows: int | None) -> Facts:
        """Raises the first problem when there was nothing else."""
        if self.problems and not self.objects:
            raise self.problems[0]
        columns = tuple(self.columns())
        return Facts(
            format=name,
            kind=FileKind.DATA,
            columns=columns,
            rows=rows,
            defects=(
                *self._defects(),
                *_tabular.too_many_columns(len(self.types)),
                *_tabular.name_defects(columns),
            ),
        )

    def _defects(self) -> Iterator[Defect]:
        for error in self.problems:
            message = (
                f"{error.message}; {self.problem_count} such in all"
                if self.problem_count > 1
                else error.message
            )
            yield Defect(reason=error.reason, message=message, offset=error.offset)


def recognise_lines(probe: Probe) -> Match:
    """By content: the first two lines are objects, each complete within the first bytes."""
    lines = list(islice(_LINE.finditer(probe.head), 2))
    if len(lines) == 2 and (lines[1].end() < len(probe.head) or probe.size == len(probe.head)):
        try:
            if all(isinstance(json.parse(line[0]), dict) for line in lines):
                return Match.CONTENT
        except UnreadableError:
            pass
    return Match.NAME if probe.named(".jsonl", ".ndjson") else Match.NO


def recognise_array(probe: Probe) -> Match:
    """By name and the front of an array of objects: configuration files have names of their own."""
    return Match.NAME if probe.named(".json") and _ARRAY.match(probe.head) else Match.NO


def read_lines(probe: Probe) -> Facts:
    """Columns of the first lines, rows of a file of at most DOCUMENT_BYTES. Raises `UnreadableError`."""
    whole = probe.size <= DOCUMENT_BYTES
    data = probe.reader.read_at(0, probe.size if whole else SAMPLE_BYTES)
    table = _Table()
    for line in islice(_LINE.finditer(data), SAMPLE_COUNT):
        if line.end() >= SAMPLE_BYTES:
            break
        try:
            table.add(json.parse(line[0], offset=line.start(), values=VALUE_COUNT), line.start())
        except UnreadableError as error:
            table.add_problem(error)
    rows = sum(1 for _ in _LINE.finditer(data)) if whole else None
    if rows != 0 and not table.objects and not table.problems:
        raise over_limit(f"the first line is longer than {SAMPLE_BYTES} bytes", 0)
    return table.facts("jsonl", rows)


def read_array(probe: Probe) -> Facts:
    """Columns and rows of a file of at most DOCUMENT_BYTES. Raises `UnreadableError`."""
    if probe.size > DOCUMENT_BYTES:
        raise over_limit(f"document of {probe.size} bytes, at most {DOCUMENT_BYTES} are read")
    table = _Table()
    rows = 0
    for offset, value in _elements(probe.reader.read_at(0, probe.size)):
        table.add(value, offset)
        rows += 1
    return table.facts("json-data", rows)


def _elements(data: bytes) -> Iterator[tuple[int, Json]]:
    """The elements of an array, each with where its piece begins; only one piece is held in memory."""
    opening = b"["
    for start, end in _pieces(data):
        values = json.parse(opening + data[start:end] + b"]", offset=start - len(opening), values=VALUE_COUNT)
        for value in islice(values if isinstance(values, list) else (), len(opening) - 1, None):
            yield start, value
        # From the second one on, a piece begins with the comma in front of its first element: it is
        # parsed behind an element that is dropped, so that missing and surplus commas stay errors.
        opening = b"[0"


def _pieces(data: bytes) -> Iterator[tuple[int, int]]:
    """Ranges of a few whole elements each, which together are what stands between the brackets."""
    front = _ARRAY.match(data)
    if front is None:
        raise malformed("not an array of objects", 0)
    start, depth = front.end(), 0
    for token in _BRACKET.finditer(data, front.end()):
        if token.end() - start > ELEMENT_BYTES:
            raise over_limit(f"an element is longer than {ELEMENT_BYTES} bytes", start)
        first = data[token.start()]
        depth += (first in b"[{") - (first in b"]}")
        if depth < 0:
            if _END.match(data, token.start()) is None:
                raise malformed("something follows the array", token.end())
            yield start, token.start()
            return
        if depth == 0 and token.end() - start >= _PIECE_BYTES and first in b"]}":
            yield start, token.end()
            start = token.end()
    raise truncated("the array is never closed", len(data))


LINES_FORMAT = Format(
    name="jsonl",
    title="JSON Lines",
    kind=FileKind.DATA,
    suffixes=(".jsonl", ".ndjson"),
    recognise=recognise_lines,
    read=read_lines,
    media_type="application/jsonl",
)
ARRAY_FORMAT = Format(
    name="json-data",
    title="JSON array of objects",
    kind=FileKind.DATA,
    suffixes=(),  # of itself a name in .json promises nothing
    recognise=recognise_array,
    read=read_array,
    media_type="application/json",
)
