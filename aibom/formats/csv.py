"""CSV and TSV: a header row that names the columns, then one record per row.

Format: RFC 4180; for TSV iana.org/assignments/media-types/text/tab-separated-values. Rows are what
Python's `csv` module counts, blank lines left out.
"""

from __future__ import annotations

import codecs
import csv
import io
import re
from typing import Final

from aibom.domain.errors import UnreadableError, malformed, over_limit, unsupported
from aibom.domain.facts import Column, Defect, Facts, FileKind
from aibom.domain.limits import COLUMN_COUNT, DOCUMENT_BYTES, KIB
from aibom.domain.protocols import Format, Match, Probe
from aibom.domain.text import capped
from aibom.formats import _tabular

HEADER_BYTES: Final = 64 * KIB

_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def recognise_csv(probe: Probe) -> Match:
    """By name only: any text could be CSV."""
    return Match.NAME if probe.named(".csv") else Match.NO


def recognise_tsv(probe: Probe) -> Match:
    """By name only: any text could be TSV."""
    return Match.NAME if probe.named(".tsv", ".tab") else Match.NO


def read_csv(probe: Probe) -> Facts:
    """Columns, and rows of a file of at most DOCUMENT_BYTES. Raises `UnreadableError`."""
    return _read(probe, "csv", ",;\t")


def read_tsv(probe: Probe) -> Facts:
    """Columns, and rows of a file of at most DOCUMENT_BYTES. Raises `UnreadableError`."""
    return _read(probe, "tsv", "\t")


def _read(probe: Probe, name: str, delimiters: str) -> Facts:
    text, defects = _front(probe)
    header, delimiter = _header(text, delimiters, whole=probe.size <= HEADER_BYTES)
    columns = tuple(
        Column(name=capped(cell, _tabular.NAME_CHARS), type="text") for cell in header[:COLUMN_COUNT]
    )
    rows: int | None = None
    if not columns:
        defects += (_tabular.defect("there is no header row", 0),)
    elif probe.size <= DOCUMENT_BYTES:
        rows, problems = _counted(probe, delimiter)
        defects += problems
    return Facts(
        format=name,
        kind=FileKind.DATA,
        metadata=(("delimiter", delimiter),) if delimiter != delimiters[0] else (),
        columns=columns,
        rows=rows,
        defects=(*defects, *_tabular.too_many_columns(len(header)), *_tabular.name_defects(columns)),
    )


def _front(probe: Probe) -> tuple[str, tuple[Defect, ...]]:
    """The text that must hold the header row; one that is not UTF-8 is taken as Latin-1."""
    data = probe.reader.read_at(0, min(probe.size, HEADER_BYTES))
    if data.startswith(_UTF16):
        raise unsupported("text in UTF-16 is not read", 0)
    if b"\0" in data:
        raise malformed("not text: a NUL byte", data.index(b"\0"))
    try:
        decoder = codecs.getincrementaldecoder("utf-8-sig")()
        return decoder.decode(data, final=len(data) == probe.size), ()
    except UnicodeDecodeError as error:
        return data.decode("latin-1"), (_tabular.defect("not UTF-8, read as Latin-1", error.start),)


def _header(text: str, delimiters: str, *, whole: bool) -> tuple[list[str], str]:
    """The first record that is not blank, by the first delimiter that splits it."""
    found: list[tuple[list[str], str]] = []
    problems: list[UnreadableError] = []
    for delimiter in delimiters:
        try:
            found.append((_first_record(text, delimiter, whole=whole), delimiter))
        except UnreadableError as error:  # `"a";"b"` is an error when a comma is expected
            problems.append(error)
    if not found:
        raise problems[0]
    return next((pair for pair in found if len(pair[0]) > 1), found[0])


def _first_record(text: str, delimiter: str, *, whole: bool) -> list[str]:
    lines = io.StringIO(text, newline="")
    problem = ""
    record: list[str] = []
    try:
        record = next(filter(None, csv.reader(lines, delimiter=delimiter, strict=True)), [])
    except csv.Error as error:
        problem = str(error)
    if not whole and lines.tell() == len(text):
        raise over_limit(f"the header row is longer than {HEADER_BYTES} bytes", 0)
    if problem:
        raise malformed(f"the header row is not CSV: {problem}", 0)
    return record


def _counted(probe: Probe, delimiter: str) -> tuple[int | None, tuple[Defect, ...]]:
    """The records after the header. They are never built: one could hold millions of cells."""
    data = memoryview(probe.reader.read_at(0, probe.size))
    start = len(codecs.BOM_UTF8) if probe.head.startswith(codecs.BOM_UTF8) else 0
    # One match per record: plain text, quoted cells (which open where a cell begins), other quotes.
    record = re.compile(
        rb'(?:[^"\r\n]++|(?<![^\r\n%b])"(?:[^"]++|"")*+(?:"|(\Z))|")++' % delimiter.encode("ascii")
    )
    count = 0
    for match in record.finditer(data[start:]):
        if match[1] is not None:
            return None, (_tabular.defect("a quoted cell is never closed", start + match.start()),)
        count += 1
    return count - 1, ()


CSV_FORMAT = Format(
    name="csv",
    title="CSV",
    kind=FileKind.DATA,
    suffixes=(".csv",),
    recognise=recognise_csv,
    read=read_csv,
    media_type="text/csv",
)
TSV_FORMAT = Format(
    name="tsv",
    title="TSV",
    kind=FileKind.DATA,
    suffixes=(".tsv", ".tab"),
    recognise=recognise_tsv,
    read=read_tsv,
    media_type="text/tab-separated-values",
)
