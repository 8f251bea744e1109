"""Variables that a shell script sets in one branch or another: behind it they are each value in turn."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from aibom.readers.marks import UNKNOWN

_DEPTH: Final = 50  # branches in branches; deeper ones count as the one around them
_VALUE_COUNT: Final = 16  # of one variable


@dataclass(slots=True)
class _Block:
    """`if ... fi` or `case ... esac`."""

    end: str
    before: dict[str, str] = field(default_factory=dict)
    now: dict[str, str] = field(default_factory=dict)  # of the branch that is being read
    values: dict[str, list[str]] = field(default_factory=dict)
    complete: bool = False  # one of the branches is taken

    def branch(self) -> None:
        """A branch ends: what it has set is one of the values."""
        for name, value in self.now.items():
            self.values.setdefault(name, []).append(value)
        self.now = {}


class Branches:
    """The blocks that are open at one place of a script."""

    def __init__(self) -> None:
        self._open: list[_Block] = []

    def assigned(self, name: str, value: str, before: str) -> None:
        """A variable is set, wherever that is."""
        if not self._open:
            return
        block = self._open[-1]
        block.before.setdefault(name, before)
        if block.end == "esac" and name in block.now:
            block.branch()  # where a branch of `case` ends is not seen
        block.now[name] = value

    def keyword(self, word: str) -> dict[str, list[str]]:
        """What is known of variables behind a keyword: after a block every value that they can have."""
        if word in ("if", "case") and len(self._open) < _DEPTH:
            self._open.append(_Block("fi" if word == "if" else "esac"))
        elif word in ("else", "elif") and self._open and self._open[-1].end == "fi":
            block = self._open[-1]
            names = list(block.now)
            block.branch()
            block.complete |= word == "else"
            return {name: [block.before[name]] for name in names}
        elif self._open and word == self._open[-1].end:
            return self._closed(self._open.pop())
        return {}

    def _closed(self, block: _Block) -> dict[str, list[str]]:
        block.branch()
        found: dict[str, list[str]] = {}
        for name, values in block.values.items():
            possible = [*([] if block.complete else [block.before[name]]), *values]
            # What the environment or an argument decides is known as its default.
            known = [value for value in dict.fromkeys(possible) if value and UNKNOWN not in value]
            found[name] = known[:_VALUE_COUNT] or [values[-1]]
            for value in found[name]:
                self._outer(name, value, block.before[name])
        return found

    def _outer(self, name: str, value: str, before: str) -> None:
        """The block around it has these values too."""
        if self._open:
            block = self._open[-1]
            block.before.setdefault(name, before)
            block.now.pop(name, None)
            block.values.setdefault(name, []).append(value)
