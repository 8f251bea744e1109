"""JSON with the position of every value; comments and trailing commas are passed over.

Editors and development containers write JSON with comments (JSONC), so what RFC 8259 forbids there
is no error here. The last of two equal keys wins, as it does in the tools that read such files.
"""

from __future__ import annotations

import json
import re
from typing import Final

from aibom.domain.errors import malformed, over_limit, truncated
from aibom.domain.limits import DOCUMENT_DEPTH, MIB
from aibom.readers.marks import Count, Cursor, Node

MARKED_JSON_BYTES: Final = 16 * MIB
MARKED_JSON_NODE_COUNT: Final = 200_000

# Possessive throughout: a hostile document makes a match fail once, never retry.
_SPACE = r"(?:\s++|//[^\n]*+|/\*(?:[^*]++|\*(?!/))*+\*/)*+"
_TOKEN = re.compile(
    _SPACE
    + r'(?:("(?:[^"\\\n]++|\\.)*+")('
    + _SPACE
    + r":)?+|([\[\]{},])|(-?[0-9][-+.eE0-9]*+|-?[A-Za-z]++)|(\Z))"
)
_INT = re.compile(r"-?[0-9]{1,300}\Z")
_FLOAT = re.compile(r"-?[0-9]{1,300}(?:\.[0-9]{1,300})?(?:[eE][-+]?[0-9]{1,4})?\Z")
_CONSTANTS: Final[dict[str, bool | float | None]] = {
    "true": True, "false": False, "null": None,
    "NaN": float("nan"), "Infinity": float("inf"), "-Infinity": float("-inf"),
}  # fmt: skip


class _Composer:
    """Builds the nodes from the tokens, without recursion."""

    def __init__(self, text: str) -> None:
        self._cursor = Cursor(text)
        self._count = Count(MARKED_JSON_NODE_COUNT, "JSON")
        self._open: list[Node] = []
        self._key: str | None = None  # its value is expected next
        self._complete = False  # a comma or the end is expected next
        self.root: Node | None = None

    def key(self, token: str, offset: int) -> None:
        if self._complete or self._key is not None or not (self._open and self._open[-1].is_mapping):
            raise malformed("a stray key in JSON", offset)
        self._key = _unquoted(token, offset)

    def mark(self, mark: str, offset: int) -> None:
        if mark in "[{":
            node = self.value([] if mark == "[" else {}, offset)
            self._open.append(node)
            self._complete = False
            if len(self._open) > DOCUMENT_DEPTH:
                raise over_limit(f"JSON is nested deeper than {DOCUMENT_DEPTH} levels", offset)
        elif mark == "," and self._complete and self._open:
            self._complete = False
        elif mark != "," and self._open and self._key is None and self._open[-1].is_mapping == (mark == "}"):
            self._open.pop()
            self._complete = True
        else:
            raise malformed(f"JSON has a stray {mark}", offset)

    def value(self, value: str | float | bool | list[Node] | dict[str, Node] | None, offset: int) -> Node:
        self._count.add()
        node = Node(value, *self._cursor.at(offset))
        into = self._open[-1].value if self._open else None
        if self._complete or (isinstance(into, dict) and self._key is None):
            raise malformed("a comma or a key is missing in JSON", offset)
        if isinstance(into, list):
            into.append(node)
        elif isinstance(into, dict) and self._key is not None:
            into[self._key] = node
        else:
            self.root = node
        self._key, self._complete = None, True
        return node

    def finished(self, end: int) -> Node:
        if self.root is None or self._open:
            raise truncated("JSON ends inside a value", end)
        return self.root


def _unquoted(token: str, offset: int) -> str:
    if "\\" not in token:
        return token[1:-1]
    try:
        text: str = json.loads(token, strict=False)
    except ValueError:
        raise malformed("a wrong escape in JSON", offset) from None
    return text


def _scalar(token: str, offset: int) -> float | bool | None:
    if token in _CONSTANTS:
        return _CONSTANTS[token]
    if _INT.match(token):
        return int(token)
    if _FLOAT.match(token):
        return float(token)
    raise malformed(f"not JSON: {token[:40]!r}", offset)


def document(text: str) -> Node:
    """The document. Raises malformed or truncated (with the character offset) or limit.

    The caller bounds the length of the text.
    """
    composer = _Composer(text)
    position = 0
    while True:
        match = _TOKEN.match(text, position)
        if match is None:
            raise malformed("not JSON: a value, a comma or a bracket is expected", position)
        position = match.end()
        string, colon, mark, word, _ = match.groups()
        if colon is not None:
            composer.key(string, match.start(1))
        elif string is not None:
            composer.value(_unquoted(string, match.start(1)), match.start(1))
        elif mark is not None:
            composer.mark(mark, match.start(3))
        elif word is not None:
            composer.value(_scalar(word, match.start(4)), match.start(4))
        else:
            return composer.finished(position)
