"""Paths by pattern, as file systems and dataset cards spell them.

`*`, `?` and `[...]` stay within one part of a path; `**` as a whole part stands for any number of
parts, at the end of a pattern for at least one. Source: fsspec, `glob_translate`.
"""

from __future__ import annotations

import re
from fnmatch import translate
from functools import lru_cache
from typing import Final

PATTERN_CHARS: Final = 1_024
_ANY: Final = "**"
_MAGIC: Final = re.compile(r"[*?\[]")
_NOTHING: Final = re.compile(r"(?!)")


def is_pattern(text: str) -> bool:
    return _MAGIC.search(text) is not None


class Pattern:
    """One pattern. Time is linear in the parts of a path for each `**`. Raises ValueError when too long."""

    def __init__(self, text: str) -> None:
        if len(text) > PATTERN_CHARS:
            raise ValueError(f"a pattern of more than {PATTERN_CHARS:,} characters")
        self.text = text
        parts = [part for part in text.split("/") if part not in ("", ".")]
        if parts and parts[-1] == _ANY:
            parts.append("*")
        self._parts = [None if part == _ANY else _part(part) for part in parts]

    def matches(self, path: str) -> bool:
        """Whether the whole path is one of those that the pattern stands for."""
        names = path.split("/")
        at = name = 0
        star, resumed = -1, 0
        # Only the last `**` has to be tried again: what stood before it has found its place.
        while name < len(names):
            part = self._parts[at] if at < len(self._parts) else _NOTHING
            if part is None:
                star, resumed, at = at, name, at + 1
            elif part.match(names[name]):
                at, name = at + 1, name + 1
            elif star >= 0:
                resumed += 1
                at, name = star + 1, resumed
            else:
                return False
        return at == len(self._parts)


@lru_cache(maxsize=4_096)
def _part(text: str) -> re.Pattern[str]:
    # What `translate` makes never goes back behind a star, so that no pattern is slow.
    return re.compile(translate(text))
