"""YAML, JSON and TOML as values with their lines: what every reader of configuration works on."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Final, Literal

from aibom.domain.errors import Reason, UnreadableError, malformed, over_limit
from aibom.readers.json_marks import MARKED_JSON_BYTES
from aibom.readers.json_marks import document as json_document
from aibom.readers.marks import UNKNOWN, Node, Path, Value
from aibom.readers.toml_marks import MARKED_TOML_BYTES
from aibom.readers.toml_marks import document as toml_document
from aibom.readers.yaml_marks import MARKED_YAML_BYTES
from aibom.readers.yaml_marks import documents as yaml_documents

__all__ = ["UNKNOWN", "Kind", "Node", "Path", "Value", "documents", "kind_of"]

Kind = Literal["yaml", "json", "toml"]
_BYTES: Final[dict[Kind, int]] = {
    "yaml": MARKED_YAML_BYTES, "json": MARKED_JSON_BYTES, "toml": MARKED_TOML_BYTES,
}  # fmt: skip
_SUFFIXES: Final[dict[str, Kind]] = {
    "yaml": "yaml", "yml": "yaml", "json": "json", "jsonc": "json", "json5": "json", "toml": "toml",
}  # fmt: skip
PIECE_COUNT: Final = 20_000  # of a template
SCALAR_COUNT: Final = 20_000  # of a template that is read line by line

_OPENING = re.compile(r"\{[{%#]")  # Helm and Jinja
_CLOSING: Final = {"{{": "}}", "{%": "%}", "{#": "#}"}
_HOLE: Final = "\ue000"  # of private use: allowed in YAML, and as wide as what it stands for
_HOLES = re.compile(f"{_HOLE}+")
_LINE = re.compile(r"[^\n]+")
_CONTROL = re.compile(rf"^[ \t]*+{_HOLE}[{_HOLE} \t\r]*+$", re.MULTILINE)  # a line that holds nothing else
_SCALAR = re.compile(r"^([ \t]*+(?:-[ \t]++)*+)([\"']?)([\w./-]++)\2[ \t]*+:[ \t]++(\S[^\n]*+)", re.MULTILINE)


def kind_of(path: str) -> Kind | None:
    """The kind of document that the ending of a path promises."""
    return _SUFFIXES.get(path.rpartition(".")[2].lower())


def documents(data: bytes, *, kind: Kind) -> list[Node]:
    """Every document of a file, one of JSON and TOML; none when it is empty.

    YAML that is the template of YAML (Helm, Jinja) is read with its holes: a text with `UNKNOWN` in
    it is not known. When that is no YAML either, its `key: value` lines are a list of mappings of
    one member each.

    Raises malformed, truncated, unsupported or limit (bytes, nodes, depth).
    """
    if len(data) > _BYTES[kind]:
        raise over_limit(f"{len(data)} bytes of {kind.upper()}, at most {_BYTES[kind]} are read")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise malformed(f"{kind.upper()} is not UTF-8", error.start) from None
    if not text.strip():
        return []
    if kind == "json":
        return [json_document(text)]
    return [toml_document(text)] if kind == "toml" else _yaml(text)


def _yaml(text: str) -> list[Node]:
    pieces = list(_pieces(text))
    if not pieces:
        return yaml_documents(text)
    holed = _holed(text, pieces)
    for attempt in (text, holed):
        try:
            return [_opened(node) for node in yaml_documents(attempt)]
        except UnreadableError as error:
            if error.reason is Reason.LIMIT:
                raise
    lines = list(_scalars(holed))
    return [Node(lines, lines[0].line, 1)] if lines else []


def _pieces(text: str) -> Iterator[tuple[int, int]]:
    """Where the pieces of template begin and end. Looks at every character a few times at most."""
    last = {opening: text.rfind(closing) for opening, closing in _CLOSING.items()}
    position = count = 0
    while (opening := _OPENING.search(text, position, max(*last.values(), position))) is not None:
        position = opening.end()
        if position <= last[opening[0]]:
            position = text.find(_CLOSING[opening[0]], position) + 2
            yield opening.start(), position
            count += 1
            if count > PIECE_COUNT:
                raise over_limit(f"more than {PIECE_COUNT} pieces of template", position)


def _holed(text: str, pieces: list[tuple[int, int]]) -> str:
    """The template with holes where values are filled in, its control flow taken out."""
    parts: list[str] = []
    position = 0
    for start, end in pieces:
        parts += [text[position:start], _LINE.sub(lambda line: _HOLE * len(line[0]), text[start:end])]
        position = end
    return _CONTROL.sub("", "".join((*parts, text[position:])))


def _opened(node: Node) -> Node:
    """The node with `UNKNOWN` for its holes. Repeated nodes were counted when they were read."""
    value = node.value
    if isinstance(value, str):
        value = _HOLES.sub(UNKNOWN, value)
    elif isinstance(value, list):
        value = [_opened(one) for one in value]
    elif isinstance(value, dict):
        value = {key: _opened(one) for key, one in value.items()}
    return replace(node, value=value)


def _scalars(text: str) -> Iterator[Node]:
    """Every `key: value` line, however deep it stands."""
    line, position = 1, 0
    for count, match in enumerate(_SCALAR.finditer(text)):
        if count == SCALAR_COUNT:
            raise over_limit(f"a template of more than {SCALAR_COUNT} values", match.start())
        line += text.count("\n", position, match.start())
        position = match.start()
        value = match[4].partition(" #")[0].strip().strip("\"'")
        if not value.startswith("#"):
            node = Node(_HOLES.sub(UNKNOWN, value), line, match.start(4) - position + 1)
            yield Node({match[3]: node}, line, len(match[1]) + 1)
