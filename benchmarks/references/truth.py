"""The truth about the corpus: what its files refer to, as people read them.

One CSV for each kind of file, named as the folder of the corpus that it is about. A line is one
reference: path, part, line, kind, target, revision, flags.
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from aibom.domain.component import ComponentKind
from aibom.domain.reference import Flag

COLUMNS = ("path", "part", "line", "kind", "target", "revision", "flags")
UNKNOWN = "?"  # a target that no reader of the repository can know before the program runs
_LINES = re.compile(r"([1-9][0-9]*)(?:-([1-9][0-9]*))?")
_TARGET = re.compile(r"[a-z][a-z0-9-]*:\S.*")
_CELL = re.compile(r"cell ([1-9][0-9]*)")
_KINDS = frozenset(ComponentKind)
_FLAGS = frozenset(Flag)


class TruthError(ValueError):
    """A line of a truth file that cannot be true: names the file and the line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Truth:
    """One reference. Lines count from 1, within the cell in notebooks; the last one is included."""

    files: str  # kind of file: the name of the CSV, and the first part of the path
    path: str  # relative to the corpus
    part: str  # `cell 3` in notebooks, else empty
    first: int
    last: int
    kinds: frozenset[str]  # more than one when several are right
    target: str | None  # scheme:location; None when nobody can know it before the program runs
    revision: str | None
    flags: frozenset[str]

    @property
    def place(self) -> str:
        return ":".join(filter(None, (self.path, self.part, str(self.first))))


def read_truth(root: Path) -> list[Truth]:
    """All lines of `root/truth/*.csv` about the files below `root/corpus`. Raises `TruthError`."""
    return [
        truth for table in sorted((root / "truth").glob("*.csv")) for truth in _table(table, root / "corpus")
    ]


def _table(table: Path, corpus: Path) -> Iterator[Truth]:
    with table.open(encoding="utf-8", newline="") as text:
        rows = csv.reader(text, strict=True)
        try:
            if tuple(next(rows, ())) != COLUMNS:
                raise TruthError(f"the columns are not {','.join(COLUMNS)}")
            for row in rows:
                yield _truth(row, table.stem, corpus)
        except (ValueError, KeyError, csv.Error) as error:
            raise TruthError(f"{table.name}:{rows.line_num}: {error}") from None


def _truth(row: list[str], files: str, corpus: Path) -> Truth:
    if len(row) != len(COLUMNS):
        raise TruthError(f"{len(row)} columns, not {len(COLUMNS)}")
    path, part, line, kind, target, revision, flags = row
    if not path.startswith(f"{files}/") or ".." in path.split("/"):
        raise TruthError(f"{path} is not below {files}/")
    first, last = _lines(line, _line_count(corpus / path, part))
    if target != UNKNOWN and not _TARGET.fullmatch(target):
        raise TruthError(f"{target!r} is not scheme:location, and not {UNKNOWN}")
    return Truth(
        files=files,
        path=path,
        part=part,
        first=first,
        last=last,
        kinds=_known(kind.split("|"), _KINDS, "kind"),
        target=None if target == UNKNOWN else target,
        revision=revision or None,
        flags=_known(flags.split(), _FLAGS, "flag"),
    )


def _known(words: list[str], known: frozenset[str], what: str) -> frozenset[str]:
    for word in words:
        if word not in known:
            raise TruthError(f"{word!r} is no {what}")
    return frozenset(words)


def _lines(text: str, count: int) -> tuple[int, int]:
    match = _LINES.fullmatch(text)
    if match is None:
        raise TruthError(f"{text!r} is not a line, and not first-last")
    first, last = int(match[1]), int(match[2] or match[1])
    if not first <= last <= count:
        raise TruthError(f"line {text} of {count}")
    return first, last


def _line_count(path: Path, part: str) -> int:
    if not path.is_file():
        raise TruthError(f"there is no file {path.name}")
    if (path.suffix == ".ipynb") != bool(part):
        raise TruthError("a notebook needs a cell, and nothing else has one")
    return len(_cell(path, part).splitlines() if part else path.read_bytes().splitlines())


def _cell(path: Path, part: str) -> str:
    """The source of one cell, of a notebook in nbformat 4 or 3."""
    document = json.loads(path.read_bytes())
    sheets = document.get("worksheets", ())
    cells = document.get("cells") or [cell for sheet in sheets for cell in sheet["cells"]]
    match = _CELL.fullmatch(part)
    if match is None or int(match[1]) > len(cells):
        raise TruthError(f"there is no {part!r} in {len(cells)} cells")
    cell = cells[int(match[1]) - 1]
    return "".join(cell["source"] if "source" in cell else cell["input"])
