"""The text that files state about themselves, for rules that look for patterns in it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from aibom.domain.file import File

FOUND_COUNT: Final = 50  # findings of one rule in one file


def stated_texts(file: File) -> Iterator[tuple[str, str]]:
    """Where and what: free metadata, then statements with their details; all of it capped by the readers.

    A text that stands in both is given once, where it stands first.
    """
    if file.facts is None:
        return
    seen: set[str] = set()
    for place, text in _all(file):
        if text not in seen:
            seen.add(text)
            yield place, text


def _all(file: File) -> Iterator[tuple[str, str]]:
    assert file.facts is not None
    yield from file.facts.metadata
    for statement in file.facts.statements:
        place = statement.pointer or statement.attribute.value
        yield place, statement.value
        for _, detail in statement.details:
            yield place, detail
