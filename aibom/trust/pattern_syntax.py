"""The syntax of patterns for identities: a part of the regular expressions that everybody knows.

Understood are literals, `.`, `[...]`, `\\d \\w \\s` (ASCII), groups, `|`, `* + ? {m,n}`, and `^`
at the start and `$` at the end, which change nothing because the whole text has to match anyway.
Everything else is refused, so that no pattern means something else here than in RE2.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, TypeAlias

from aibom.domain.errors import malformed, over_limit, unsupported

PATTERN_CHARS: Final = 512
GROUP_DEPTH: Final = 16

_SHORTHANDS: Final = {
    "d": (("0", "9"),),
    "w": (("0", "9"), ("A", "Z"), ("_", "_"), ("a", "z")),
    "s": (("\t", "\r"), (" ", " ")),
}


@dataclass(frozen=True, slots=True)
class Chars:
    ranges: tuple[tuple[str, str], ...]
    negated: bool = False

    def holds(self, char: str) -> bool:
        return any(first <= char <= last for first, last in self.ranges) is not self.negated


@dataclass(frozen=True, slots=True)
class Sequence:
    items: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Either:
    items: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Repeat:
    item: Node
    least: int
    most: int | None


Node: TypeAlias = "Chars | Sequence | Either | Repeat"

_ANY: Final = Chars((("\n", "\n"),), negated=True)


def parse(text: str) -> Node:
    """The pattern as a tree. Raises UnreadableError (malformed, unsupported, limit)."""
    if len(text) > PATTERN_CHARS:
        raise over_limit(f"pattern: {len(text)} characters, at most {PATTERN_CHARS} are read")
    return _Parser(text).parse()


class _Parser:
    """Recursive descent over one pattern."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 1 if text.startswith("^") else 0
        self._depth = 0

    def parse(self) -> Node:
        node = self._either()
        if self._peek() == "$" and self._at == len(self._text) - 1:
            return node
        if self._peek():
            raise malformed(f"pattern: {self._peek()!r} is not expected", self._at)
        return node

    def _peek(self) -> str:
        return self._text[self._at : self._at + 1]

    def _take(self) -> str:
        char = self._peek()
        if not char:
            raise malformed("pattern: it ends too early", self._at)
        self._at += 1
        return char

    def _either(self) -> Node:
        items = [self._sequence()]
        while self._peek() == "|":
            self._at += 1
            items.append(self._sequence())
        return Either(tuple(items))

    def _sequence(self) -> Node:
        items: list[Node] = []
        while self._peek() not in ("", "|", ")", "$"):
            items.append(self._quantified(self._atom()))
        return Sequence(tuple(items))

    def _atom(self) -> Node:
        char = self._take()
        if char == "(":
            return self._group()
        if char == "[":
            return self._class()
        if char == ".":
            return _ANY
        if char == "\\":
            return Chars(self._escape())
        if char in "*+?{^":
            raise malformed(f"pattern: {char!r} is not expected", self._at - 1)
        return Chars(((char, char),))

    def _group(self) -> Node:
        self._depth += 1
        if self._depth > GROUP_DEPTH:
            raise over_limit(f"pattern: groups are nested deeper than {GROUP_DEPTH}", self._at)
        if self._peek() == "?":
            if self._text[self._at : self._at + 2] != "?:":
                raise unsupported("pattern: of the groups with `(?` only `(?:` is understood", self._at)
            self._at += 2
        node = self._either()
        if self._take() != ")":
            raise malformed("pattern: a group is not closed", self._at)
        self._depth -= 1
        return node

    def _escape(self) -> tuple[tuple[str, str], ...]:
        char = self._take()
        if char in _SHORTHANDS:
            return _SHORTHANDS[char]
        if char.isalnum():
            raise unsupported(f"pattern: `\\{char}` is not understood", self._at - 2)
        return ((char, char),)

    def _class(self) -> Chars:
        negated = self._peek() == "^"
        self._at += negated
        ranges: list[tuple[str, str]] = []
        while (char := self._take()) != "]" or not ranges:
            if char == "[":
                raise unsupported("pattern: `[` inside a class has to be escaped", self._at - 1)
            low = self._escape() if char == "\\" else ((char, char),)
            single = len(low) == 1 and low[0][0] == low[0][1]
            ranges += self._range(low[0][0]) if single else low
            if not single and self._starts_range():
                raise malformed("pattern: a range starts with a class", self._at)
        return Chars(tuple(ranges), negated)

    def _starts_range(self) -> bool:
        return self._peek() == "-" and self._text[self._at + 1 : self._at + 2] not in ("]", "")

    def _range(self, low: str) -> tuple[tuple[str, str], ...]:
        if not self._starts_range():
            return ((low, low),)
        self._at += 1
        high = self._take()
        if high == "\\":
            ((high, last),) = self._escape()[:1]
            if high != last:
                raise malformed("pattern: a range ends in a class", self._at)
        if high < low:
            raise malformed("pattern: a range is the wrong way round", self._at)
        return ((low, high),)

    def _quantified(self, node: Node) -> Node:
        char = self._peek()
        if char not in ("*", "+", "?", "{"):
            return node
        self._at += 1
        if char == "{":
            least, most = self._bounds()
        else:
            least, most = (1 if char == "+" else 0), (1 if char == "?" else None)
        if self._peek() in ("*", "+", "?", "{") and self._peek():
            raise unsupported("pattern: a quantifier follows a quantifier", self._at)
        return Repeat(node, least, most)

    def _bounds(self) -> tuple[int, int | None]:
        end = self._text.find("}", self._at)
        inside = self._text[self._at : end] if end >= 0 else ""
        low, comma, high = inside.partition(",")
        numbers = [low, high] if high else [low]
        if not all(number.isascii() and number.isdigit() and len(number) <= 4 for number in numbers):
            raise malformed("pattern: `{` has to be `{m}`, `{m,}` or `{m,n}`", self._at)
        self._at = end + 1
        least = int(low)
        most = int(high) if high else (None if comma else least)
        if most is not None and (most < least or most == 0):
            raise malformed("pattern: a repetition of nothing", self._at)
        return least, most
