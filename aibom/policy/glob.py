"""Patterns of a policy: for the whole text, case-sensitive, with `*` and `**` as the only signs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

PATTERN_CHARS: Final = 1_024
STAR_COUNT: Final = 16


@dataclass(frozen=True, slots=True)
class Glob:
    """`*` stands for any characters but `/`, `**` for any characters. Time is linear per star."""

    text: str
    parts: tuple[str, ...]  # literal texts and stars, in turn

    @classmethod
    def of(cls, text: str) -> Glob:
        """Raises ValueError for a pattern that is too long, or that matches everything."""
        if len(text) > PATTERN_CHARS:
            raise ValueError(f"a pattern of more than {PATTERN_CHARS:,} characters")
        parts = tuple(_parts(text))
        if len(parts) // 2 > STAR_COUNT:
            raise ValueError(f"a pattern with more than {STAR_COUNT} stars")
        if not any(part for part in parts[::2]):
            raise ValueError("a pattern that matches everything allows everything")
        return cls(text, parts)

    @property
    def is_literal(self) -> bool:
        return len(self.parts) == 1

    def matches(self, text: str) -> bool:
        """Whether the whole text is one of those that the pattern stands for."""
        if len(self.parts) == 1:
            return text == self.text
        first, last = self.parts[0], self.parts[-1]
        if not text.startswith(first) or not text.endswith(last):
            return False
        if len(self.parts) == 3:  # nearly every pattern has one star
            between = text[len(first) : len(text) - len(last)]
            return len(text) >= len(first) + len(last) and (self.parts[1] == "**" or "/" not in between)
        # Every place at which the part of the pattern up to here can end.
        ends = {len(self.parts[0])}
        for star, literal in zip(self.parts[1::2], self.parts[2::2], strict=True):
            ends = _reached(text, ends, literal, crosses=star == "**")
            if not ends:
                return False
        return len(text) in ends

    def regular_expression(self) -> str:
        """The same in the syntax that identities of signers are matched by."""
        stars = {"*": "[^/]*", "**": ".*"}
        return "".join(
            stars[part] if number % 2 else "".join(map(_escaped, part))
            for number, part in enumerate(self.parts)
        )


def _parts(text: str) -> list[str]:
    found = [""]
    position = 0
    while position < len(text):
        if text[position] != "*":
            found[-1] += text[position]
            position += 1
            continue
        end = position
        while end < len(text) and text[end] == "*":
            end += 1
        found += ["**" if end - position > 1 else "*", ""]
        position = end
    return found


def _reached(text: str, starts: set[int], literal: str, *, crosses: bool) -> set[int]:
    """Where `literal` ends when it follows a star that begins at one of `starts`."""
    found = set()
    open_ = False
    for position in range(min(starts), len(text) + 1):
        open_ = open_ or position in starts
        if open_ and text.startswith(literal, position):
            found.add(position + len(literal))
        if not crosses and position < len(text) and text[position] == "/":
            open_ = False
    return found


def _escaped(char: str) -> str:
    return char if char.isalnum() or char in "/:@_-=%&,;!~#'\" " else f"\\{char}"
