"""The headings of a Markdown text and what stands below them; nothing is rendered.

Only ATX headings count (CommonMark section 4.2), outside of fenced code (section 4.5).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

HEADING_COUNT: Final = 1_000
SECTION_CHARS: Final = 20_000  # of one section; what stands behind is not looked at

_MARK = re.compile(r"^ {0,3}(?:(#{1,6})[ \t]++([^\r\n]*+)|(`{3,}|~{3,}))", re.MULTILINE)
# What the card template of the Hub holds before anybody fills it in.
_FILLER = re.compile(r"^#[^\n]*+$|\[?more information needed\]?", re.MULTILINE | re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Heading:
    """A heading; `start` and `end` are character offsets of its line."""

    level: int
    title: str
    line: int  # from 1
    start: int
    end: int


def headings(text: str) -> tuple[Heading, ...]:
    """The first headings of a text, at most `HEADING_COUNT`."""
    found: list[Heading] = []
    line, counted, fence = 1, 0, ""
    for match in _MARK.finditer(text):
        marks, title, fenced = match.groups()
        if fenced:
            fence = _after(fence, fenced)
        elif not fence:
            line += text.count("\n", counted, match.start())
            counted = match.start()
            clean = title.rstrip("# \t").strip("*_` \t")
            heading = Heading(level=len(marks), title=clean, line=line, start=counted, end=match.end())
            found.append(heading)
            if len(found) == HEADING_COUNT:
                break
    return tuple(found)


def _after(fence: str, marks: str) -> str:
    """The open fence after a line of `marks`: only as many of the same marks close it."""
    if not fence:
        return marks
    return "" if marks.startswith(fence) else fence


def section(text: str, titles: Sequence[Heading], index: int) -> str:
    """The prose below one heading, down to the next of its level or above; "" for a mere template."""
    heading = titles[index]
    following = (title.start for title in titles[index + 1 :] if title.level <= heading.level)
    end = min(next(following, len(text)), heading.end + SECTION_CHARS)
    prose = _without_comments(text[heading.end : end]).strip()
    return prose if _FILLER.sub("", prose).strip() else ""


def _without_comments(text: str) -> str:
    kept = []
    while text:
        before, _, rest = text.partition("<!--")
        kept.append(before)
        # An unclosed comment hides the rest, as it does in a browser.
        text = rest.partition("-->")[2]
    return "".join(kept)
