"""A JSON object of which one member is a long list, read element by element.

A list of a hundred thousand components takes ten times its size as a tree; here only one of them is in
memory at a time. The scanner is the standard library's; RFC 8259.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Final

from aibom.domain.errors import UnreadableError, malformed, over_limit, unsupported
from aibom.readers.json import DuplicateKeyError, Json, unique

_SPACE: Final = re.compile(r"[ \t\n\r]*")
_COMMA: Final = re.compile(r"[ \t\n\r]*,[ \t\n\r]*")
Take = Callable[[Json], None]


def parse_around(data: bytes, key: str, take: Take, *, values: int) -> dict[str, Json]:
    """The members of the document without `key`, whose elements are handed to `take` in their order.

    Raises malformed (syntax, encoding, duplicate key), unsupported (no object) or limit (values, depth),
    and whatever `take` raises.
    """
    # Commas inside strings count too: the bound errs on the side of refusing.
    if data.count(b",") + data.count(b"[") + data.count(b"{") > values:
        raise over_limit(f"JSON holds more than {values:,} values")
    try:
        return _Walk(data.decode("utf-8-sig")).members(key, take)
    except UnicodeDecodeError as error:
        raise malformed("JSON is not UTF-8", error.start) from None
    except json.JSONDecodeError as error:
        raise malformed(f"not JSON: {error.msg}", error.pos) from None
    except DuplicateKeyError as error:
        raise malformed(f"JSON refused: {error}") from None
    except RecursionError:
        raise over_limit("JSON is nested too deeply") from None
    except UnreadableError:
        raise
    except ValueError as error:  # a number of more digits than Python converts
        raise malformed(f"JSON refused: {error}") from None


class _Walk:
    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._decode = json.JSONDecoder(object_pairs_hook=unique).raw_decode

    def members(self, key: str, take: Take) -> dict[str, Json]:
        if self._next() != "{":
            raise unsupported(f"a JSON object is expected{', and this is XML' * (self._next() == '<')}")
        found: dict[str, Json] = {}
        seen: set[str] = set()
        self._at += 1
        more = self._next() != "}"
        while more:
            name = self._name(seen)
            if name == key and self._next() == "[":
                self._elements(take)
            else:
                found[name] = self._value()
            more = self._comma()
        self._expect("}")
        if self._next():
            raise self._error("something follows the document")
        return found

    def _name(self, seen: set[str]) -> str:
        if self._next() != '"':
            raise self._error("a key is expected")
        name = str(self._value())
        if name in seen:
            raise DuplicateKeyError(f"duplicate key {name[:80]!r}")
        seen.add(name)
        self._expect(":")
        return name

    def _elements(self, take: Take) -> None:
        self._at += 1
        more = self._next() != "]"
        while more:
            value, self._at = self._decode(self._text, self._at)
            take(value)
            more = self._comma()
        self._expect("]")

    def _comma(self) -> bool:
        """Steps over a comma, if there is one, and the space around it."""
        match = _COMMA.match(self._text, self._at)
        self._at = match.end() if match else self._at
        return match is not None

    def _next(self) -> str:
        """The next character that is no space; empty at the end."""
        match = _SPACE.match(self._text, self._at)
        self._at = match.end() if match else self._at
        return self._text[self._at : self._at + 1]

    def _expect(self, char: str) -> None:
        if self._next() != char:
            raise self._error(f"{char!r} is expected")
        self._at += 1

    def _value(self) -> Json:
        self._next()
        value: Json
        value, self._at = self._decode(self._text, self._at)
        return value

    def _error(self, text: str) -> json.JSONDecodeError:
        return json.JSONDecodeError(text, self._text, self._at)
