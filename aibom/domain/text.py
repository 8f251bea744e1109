"""Text that came from a scanned place, made safe to show and safe to store."""

from __future__ import annotations

import re

from aibom.domain.limits import STRING_CHARS

# C0, DEL, C1, line and paragraph separators, bidirectional and invisible format characters,
# tag characters, private use and surrogates: none of them may reach a terminal or a document.
_UNSAFE = re.compile(
    "[\x00-\x1f\x7f-\x9f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f"
    "\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\ud800-\udfff\U000e0000-\U000e0fff]"
)


def _escape(match: re.Match[str]) -> str:
    code = ord(match.group())
    if 0xDC80 <= code <= 0xDCFF:  # surrogateescape: a byte that was not UTF-8
        return f"\\x{code - 0xDC00:02x}"
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def visible(text: str) -> str:
    """The text with every control, invisible or undecodable character written as an escape.

    A backslash stays as it is unless something was escaped, in which case it is doubled, so that
    two different names never become the same line.
    """
    if text.isascii() and text.isprintable():
        return text
    if _UNSAFE.search(text) is None:
        return text
    return _UNSAFE.sub(_escape, text.replace("\\", "\\\\"))


def capped(text: str, limit: int = STRING_CHARS) -> str:
    """The text, cut at `limit` characters with a mark that says how many are missing."""
    if len(text) <= limit:
        return text
    return f"{text[:limit]}… [{len(text) - limit} more characters]"
