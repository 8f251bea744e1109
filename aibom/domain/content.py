"""The judgement on what loading one file would run."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from aibom.domain.facts import Import


class ContentVerdict(IntEnum):
    """Ordered from good to bad: several reasons amount to the worst. Only `SAFE` is green."""

    SAFE = 1  # whatever the file imports is on an allowlist for the use it makes of it
    UNKNOWN = 2  # something is on no allowlist, or runs code that is not in the file
    INCOMPLETE = 3  # not everything could be looked at
    DANGEROUS = 4  # a known execution gadget, or built to deceive

    @property
    def label(self) -> str:
        return self.name.lower()


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgedImport:
    """An import that is not simply allowed, with the reason."""

    item: Import
    dangerous: bool
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """The verdict on one file. `packs` are the allowlists that vouch for its imports."""

    path: str
    verdict: ContentVerdict
    objections: tuple[JudgedImport, ...] = ()
    packs: tuple[str, ...] = ()  # name and version, sorted
    unexamined: tuple[str, ...] = ()  # why the look is not complete
    may_run: bool = False  # True: files of this format can run code when they are loaded
