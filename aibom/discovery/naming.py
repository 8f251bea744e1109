"""What a word of a command names for certain, and where in the command it stands."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from aibom.discovery.command import UNPINNED
from aibom.discovery.shell_words import Word
from aibom.discovery.targets import NOTHING, Target, pinned
from aibom.domain.ref import Ref
from aibom.readers.marks import UNKNOWN

_LOCATION_CHARS: Final = 1_000  # of a target; what is longer names nothing
_BEFORE = re.compile(r"\w-?\Z")  # what makes a name the end of a longer one
_BEHIND = re.compile(r"-?\w")
_PLACEHOLDER = re.compile(r"[\0${}<>]")  # of a template that nobody has filled in


def certain(target: Target) -> Target:
    """The target as far as it is known: without a revision that is filled in later, or not at all."""
    ref = target.ref
    if ref is None or len(ref.location) > _LOCATION_CHARS or _PLACEHOLDER.search(ref.location):
        return NOTHING
    if not _PLACEHOLDER.search(f"{ref.revision or ''}{ref.subpath or ''}"):
        return target
    subpath = None if _PLACEHOLDER.search(ref.subpath or "") else ref.subpath
    if ref.revision is None or not _PLACEHOLDER.search(ref.revision):
        return Target(ref=pinned(ref.scheme, ref.location, ref.revision, subpath), flags=target.flags)
    return Target(
        ref=Ref(scheme=ref.scheme, location=ref.location, subpath=subpath), flags=target.flags | UNPINNED
    )


def naming(words: Sequence[Word], location: str) -> Word:
    """Where a target stands: the first word with its whole name in it, else with the last part of it."""
    for part in (location, location.rpartition("/")[2] or location):
        for word in (*words[1:], words[0]):
            at = place_in(word.text, part)
            if at >= 0:
                inside = word.text.count("\n", 0, at)
                return Word(part, word.line + inside, None if inside else word.column, word.span)
    return words[0]._replace(text=UNKNOWN)


def place_in(text: str, name: str, start: int = 0) -> int:
    """Where a name stands in a text, not as a piece of a longer one; -1 when it does not."""
    at = text.find(name, start)
    while at >= 0:
        behind = at + len(name)
        if not _BEFORE.search(text[max(0, at - 2) : at]) and not _BEHIND.match(text, behind):
            return at
        at = text.find(name, behind)
    return -1
