"""Patterns for identities, matched in time linear in the text.

`re` backtracks: a hostile certificate could name itself so that one comparison takes hours. Here
a pattern becomes the positions of its characters and, for each, the set of those that may follow
(Glushkov's automaton); a text is matched by one pass that keeps the set of reached positions.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from aibom.domain.errors import over_limit
from aibom.trust.pattern_syntax import Chars, Node, Repeat, Sequence, parse

TEXT_CHARS: Final = 1_024  # a longer text matches no pattern
POSITION_COUNT: Final = 512  # characters of the pattern after `{m,n}` is written out
STEP_COUNT: Final = 4_096  # of writing it out


def _bits(mask: int) -> Iterator[int]:
    while mask:
        lowest = mask & -mask
        yield lowest.bit_length() - 1
        mask ^= lowest


@dataclass(frozen=True, slots=True)
class _Part:
    """What a piece of a pattern can be: empty, and the positions where it starts and ends."""

    empty: bool
    first: int
    last: int


_NOTHING: Final = _Part(empty=True, first=0, last=0)


class Pattern:
    """A pattern that has been read. Raises UnreadableError (malformed, unsupported, limit)."""

    def __init__(self, text: str) -> None:
        self._places: dict[Chars, int] = {}  # where each set of characters stands, as bits
        self._follow: list[int] = []
        self._steps = 0
        self._whole = self._add(parse(text))

    def matches(self, text: str) -> bool:
        """Whether the whole text matches."""
        if len(text) > TEXT_CHARS:
            return False
        if not text:
            return self._whole.empty
        masks = {char: self._mask(char) for char in set(text)}
        reachable, active = self._whole.first, 0
        for char in text:
            active = reachable & masks[char]
            reachable = 0
            for position in _bits(active):
                reachable |= self._follow[position]
        return bool(active & self._whole.last)

    def _mask(self, char: str) -> int:
        mask = 0
        for chars, places in self._places.items():
            if chars.holds(char):
                mask |= places
        return mask

    def _add(self, node: Node) -> _Part:
        self._steps += 1
        if self._steps > STEP_COUNT or len(self._follow) >= POSITION_COUNT:
            raise over_limit(f"pattern: more than {POSITION_COUNT} positions when written out")
        if isinstance(node, Chars):
            bit = 1 << len(self._follow)
            self._follow.append(0)
            self._places[node] = self._places.get(node, 0) | bit
            return _Part(empty=False, first=bit, last=bit)
        if isinstance(node, Repeat):
            return self._add_repeat(node)
        parts = (self._add(item) for item in node.items)
        return self._in_a_row(parts) if isinstance(node, Sequence) else _any_of(parts)

    def _add_repeat(self, node: Repeat) -> _Part:
        count = max(node.least, 1) if node.most is None else node.most
        return self._in_a_row(self._copies(node, count))

    def _copies(self, node: Repeat, count: int) -> Iterator[_Part]:
        for copy in range(count):
            part = self._add(node.item)
            if node.most is None and copy == count - 1:
                self._connect(part.last, part.first)
            yield _Part(empty=part.empty or copy >= node.least, first=part.first, last=part.last)

    def _in_a_row(self, parts: Iterator[_Part]) -> _Part:
        whole = _NOTHING
        for part in parts:
            self._connect(whole.last, part.first)
            whole = _Part(
                empty=whole.empty and part.empty,
                first=whole.first | (part.first if whole.empty else 0),
                last=part.last | (whole.last if part.empty else 0),
            )
        return whole

    def _connect(self, last: int, first: int) -> None:
        for position in _bits(last):
            self._follow[position] |= first


def _any_of(parts: Iterator[_Part]) -> _Part:
    empty, first, last = False, 0, 0
    for part in parts:
        empty, first, last = empty or part.empty, first | part.first, last | part.last
    return _Part(empty=empty, first=first, last=last)
