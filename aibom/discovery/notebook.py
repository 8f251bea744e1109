"""References in Jupyter notebooks: code cells as one program, magics and `!` lines as commands.

Format: nbformat 4 (`cells`) and 3 (`worksheets`), and the magics of IPython. A place is told as
cell and line in the cell, both counted from 1.
"""

from __future__ import annotations

import bisect
import re
from dataclasses import dataclass, field
from typing import Final

from aibom.discovery import python
from aibom.discovery.commands import Commands
from aibom.discovery.found import Discoverer, Found, Text
from aibom.discovery.python_parse import head
from aibom.domain.errors import Reason, UnreadableError, over_limit
from aibom.domain.limits import DOCUMENT_BYTES
from aibom.readers import json
from aibom.readers.json import Json

CELL_COUNT: Final = 20_000
LINE_COUNT: Final = 500_000  # of code in one notebook
_LINES = re.compile(r"\r\n|\r|\n")
_SHELL_CELL = re.compile(r"\s*%%(?:bash|sh|script|system|!)|\s*!!")
_PYTHON_CELL = re.compile(r"\s*%%(?:time|timeit|capture|prun|memit|python3?|writefile\s+\S+\.py\b)")
_OTHER_CELL = re.compile(r"\s*%%\w")
# Magics that run the code behind them, with their options.
_TIMED = re.compile(r"(\s*)%{1,2}(?:time|timeit|prun|memit|mprun)\b((?:\s+-\w+(?:\s*\d+)?)*)\s+(?=[A-Za-z_])")
_COMMAND = re.compile(r"\s*(?:[\w, ]+=\s*)?!(?!=)\s*(.*)")
_INSTALL = re.compile(r"\s*%{1,2}((?:pip3?|conda|mamba|micromamba|uv)\s.*)")
_MAGIC = re.compile(r"\s*(?:[\w, ]+=\s*)?%{1,2}[A-Za-z]|\s*\?{0,2}[\w.]+\?{1,2}\s*\Z|\s*\?{1,2}[\w.]")
_INDENT = re.compile(r"\s*")


@dataclass(slots=True)
class _Program:
    """The code of all cells under each other, where each cell starts, and the commands in it."""

    lines: list[str] = field(default_factory=list)
    starts: list[int] = field(default_factory=list)  # first line of each cell in the program
    cells: list[int] = field(default_factory=list)
    commands: list[tuple[int, str]] = field(default_factory=list)

    def add(self, cell: int, lines: list[str]) -> None:
        """Adds a cell, with a `pass` for every line that is no Python."""
        start = len(self.lines) + 1
        self.starts.append(start)
        self.cells.append(cell)
        first = lines[0]
        if _SHELL_CELL.match(first):
            self.commands.append((start + 1, "\n".join(lines[1:])))
        if _PYTHON_CELL.match(first) or not (_SHELL_CELL.match(first) or _OTHER_CELL.match(first)):
            self.lines += self._code(start, lines)
        else:
            self.lines += [""] * len(lines)

    def _code(self, start: int, lines: list[str]) -> list[str]:
        code: list[str] = []
        while len(code) < len(lines):
            line = lines[len(code)]
            command = _COMMAND.match(line) or _INSTALL.match(line)
            if command is not None:
                end = _continued(lines, len(code))
                text = "\n".join([command[1], *lines[len(code) + 1 : end]])
                self.commands.append((start + len(code), text))
                code += [_nothing(line), *[""] * (end - len(code) - 1)]
            elif _TIMED.match(line):
                # Spaces in place of the magic, so that columns stay what they are.
                code.append(_TIMED.sub(lambda match: match[1], line, count=1))
            else:
                code.append(_nothing(line) if _MAGIC.match(line) else line)
        return code

    def place(self, line: int) -> tuple[str, int]:
        """Cell and line in it, of a line of the program."""
        number = bisect.bisect_right(self.starts, line) - 1
        return (f"cell {self.cells[number]}", line - self.starts[number] + 1) if number >= 0 else ("", line)

    def encoded(self) -> bytes:
        return "\n".join([*self.lines, ""]).encode("utf-8", "replace")

    def without_broken(self, found: Found) -> None:
        """Takes out the cells that are no Python, so that they do not hide the others."""
        for cell, start, end in zip(
            self.cells, self.starts, [*self.starts[1:], len(self.lines) + 1], strict=True
        ):
            try:
                python.parse("\n".join([*self.lines[start - 1 : end - 1], ""]).encode("utf-8", "replace"))
            except UnreadableError as error:
                found.defect(error.reason, f"cell {cell}: {error.message}")
                self.lines[start - 1 : end - 1] = [""] * (end - start)


def _continued(lines: list[str], at: int) -> int:
    """The line after a command that goes on behind a backslash."""
    while at + 1 < len(lines) and lines[at].endswith("\\"):
        at += 1
    return at + 1


def _nothing(line: str) -> str:
    indent = _INDENT.match(line)
    return f"{indent[0] if indent else ''}pass"


def discover(text: Text, found: Found) -> None:
    """Every reference of the code cells. Raises `UnreadableError` when it is no notebook."""
    if len(text.data) > DOCUMENT_BYTES:
        raise over_limit(f"{len(text.data)} bytes of notebook, more than {DOCUMENT_BYTES}")
    document = json.members(json.parse(text.data))
    program = _program(document, found)
    outer, found.place = found.place, program.place
    try:
        shell = Commands(found, {}, prefix="!")
        for line, command in program.commands:
            shell.script(command, line)
        if _is_python(document):
            _python(program, text, found)
    finally:
        found.place = outer


def _program(document: dict[str, Json], found: Found) -> _Program:
    program = _Program()
    for number, source in _code_cells(document, found):
        lines = _LINES.split(source)
        if len(program.lines) + len(lines) > LINE_COUNT:
            found.defect(Reason.LIMIT, f"more than {LINE_COUNT} lines of code")
            break
        program.add(number, lines)
    return program


def _python(program: _Program, text: Text, found: Found) -> None:
    whole = program.encoded()
    try:
        tree = python.parse(whole)
    except UnreadableError:
        program.without_broken(found)
        whole = program.encoded()
        part = head(whole)
        if len(part) < len(whole):
            found.defect(Reason.LIMIT, f"only the first {len(part)} bytes of code are looked at")
        tree = python.parse(part)
    python.references_in(tree, text, found)


def _is_python(document: dict[str, Json]) -> bool:
    metadata = json.members(document.get("metadata"))
    names = (
        json.text(json.members(metadata.get("language_info")).get("name")),
        json.text(json.members(metadata.get("kernelspec")).get("language")),
    )
    return "python" in next((name for name in names if name), "python").lower()


def _code_cells(document: dict[str, Json], found: Found) -> list[tuple[int, str]]:
    cells = _cells(document)
    if len(cells) > CELL_COUNT:
        found.defect(Reason.LIMIT, f"more than {CELL_COUNT} cells")
    numbered = [(number, json.members(cell)) for number, cell in enumerate(cells[:CELL_COUNT], 1)]
    return [
        (number, _source(cell.get("source", cell.get("input"))))
        for number, cell in numbered
        if cell.get("cell_type") == "code"
    ]


def _cells(document: dict[str, Json]) -> list[Json]:
    cells, sheets = document.get("cells"), document.get("worksheets")
    if isinstance(cells, list):
        return cells
    found: list[Json] = []
    for sheet in sheets if isinstance(sheets, list) else ():
        inner = json.members(sheet).get("cells")
        found += inner if isinstance(inner, list) else []
    return found


def _source(value: Json) -> str:
    return "".join(json.strings(value))


DISCOVERER = Discoverer(
    name="notebook",
    title="Jupyter notebooks",
    wants=lambda path: path.endswith(".ipynb"),
    discover=discover,
)
