"""Values of a document with the line and column where each begins."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, TypeAlias

from aibom.domain.errors import over_limit

UNKNOWN: Final = "\0"  # stands in a text for what is filled in later: a template, a variable

Value: TypeAlias = "str | int | float | bool | list[Node] | dict[str, Node] | None"
Path: TypeAlias = "tuple[str | int, ...]"


@dataclass(frozen=True, slots=True)
class Node:
    """One value; `line` and `column` count from 1 and are those of the value, not of its key."""

    value: Value
    line: int
    column: int
    block: bool = False  # a text that begins in the line after its indicator: `run: |`
    span: int = 1  # lines of the file that a folded text was written in

    @property
    def text_line(self) -> int:
        """The line of the first character of a text."""
        return self.line + 1 if self.block else self.line

    @property
    def is_mapping(self) -> bool:
        return isinstance(self.value, dict)

    @property
    def items(self) -> list[Node]:
        """The elements of a list; empty for every other value."""
        return self.value if isinstance(self.value, list) else []

    @property
    def members(self) -> dict[str, Node]:
        """The members of a mapping; empty for every other value."""
        return self.value if isinstance(self.value, dict) else {}

    def get(self, *path: str | int) -> Node | None:
        """The value at a path of keys and positions, None when there is none."""
        node: Node | None = self
        for step in path:
            if node is None:
                return None
            if isinstance(step, str):
                node = node.members.get(step)
            else:
                node = node.items[step] if 0 <= step < len(node.items) else None
        return node

    def text(self, *path: str | int) -> str | None:
        """The value at a path when it is a text."""
        node = self.get(*path)
        return node.value if node is not None and isinstance(node.value, str) else None

    def walk(self) -> Iterator[tuple[Path, Node]]:
        """This value and everything below it with its path, in the order of the document."""
        pending: list[tuple[Path, Node]] = [((), self)]
        while pending:
            path, node = pending.pop()
            yield path, node
            if isinstance(node.value, dict):
                pending += [((*path, key), inner) for key, inner in reversed(node.value.items())]
            elif isinstance(node.value, list):
                pending += [
                    ((*path, number), node.value[number]) for number in reversed(range(len(node.value)))
                ]


class Cursor:
    """Tells where a character offset of a text lies; offsets have to be asked for in order."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._passed = 0
        self._line = 1
        self._start = 0  # of the line

    def at(self, offset: int) -> tuple[int, int]:
        """Line and column, from 1."""
        self._line += self._text.count("\n", self._passed, offset)
        newline = self._text.rfind("\n", self._passed, offset)
        if newline >= 0:
            self._start = newline + 1
        self._passed = offset
        return self._line, offset - self._start + 1


class Count:
    """Counts nodes up to a limit; raises limit behind it."""

    def __init__(self, limit: int, what: str) -> None:
        self.nodes = 0
        self._limit = limit
        self._what = what

    def add(self, nodes: int = 1) -> None:
        self.nodes += nodes
        if self.nodes > self._limit:
            raise over_limit(f"{self._what} holds more than {self._limit} nodes")
