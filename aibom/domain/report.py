"""The one input of every output."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from aibom.domain.check import Check
from aibom.domain.component import Component
from aibom.domain.content import Content
from aibom.domain.file import File
from aibom.domain.finding import Finding, Severity
from aibom.domain.gap import Gap
from aibom.domain.ref import Ref
from aibom.domain.reference import Reference


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """One scanned place: what the user called it, and what is known about where it comes from."""

    name: str  # last part of the path or reference, never an absolute path
    ref: Ref | None = None
    dirty: bool | None = None  # of a repository: None when it could not be told
    attributes: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Tool:
    name: str
    version: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyUse:
    """Which policy judged, so that a report can be repeated."""

    name: str
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """How much was looked at. `listed == read + partial + unread` always holds."""

    listed: int
    read: int  # files whose look left no gap
    partial: int  # digested, but with a gap
    unread: int  # no file came of it
    excluded: int  # left out because a flag or the layout says so, never listed
    bytes: int

    def __post_init__(self) -> None:
        if self.listed != self.read + self.partial + self.unread:
            raise ValueError(f"coverage does not add up: {self}")

    @classmethod
    def of(cls, files: Iterable[File], gaps: Iterable[Gap], listed: int, excluded: int) -> Coverage:
        """Counts from the results themselves, so that an entry without a result cannot hide."""
        sizes = {file.path: file.entry.size for file in files}
        gap_paths = {gap.path for gap in gaps}
        partial = len(gap_paths & sizes.keys())
        return cls(
            listed=listed,
            read=len(sizes) - partial,
            partial=partial,
            unread=listed - len(sizes),
            excluded=excluded,
            bytes=sum(sizes.values()),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """Everything one run found, in canonical order."""

    targets: tuple[Target, ...]
    tool: Tool
    policy: PolicyUse
    files: tuple[File, ...]
    components: tuple[Component, ...]
    references: tuple[Reference, ...] = ()
    checks: tuple[Check, ...] = ()
    contents: tuple[Content, ...] = ()  # of files that load something, or failed to be looked at
    findings: tuple[Finding, ...] = ()
    gaps: tuple[Gap, ...] = ()
    coverage: Coverage
    timestamp: str | None = None  # ISO 8601, UTC; None in reproducible mode

    def worst(self) -> Severity | None:
        return max((finding.severity for finding in self.findings), default=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReferenceReport:
    """What code and configuration refer to, without a look at weights and data."""

    targets: tuple[Target, ...]
    tool: Tool
    references: tuple[Reference, ...]  # by path and place in it
    gaps: tuple[Gap, ...] = ()
    listed: int  # files and what could not be listed
    looked_at: int  # files of a kind that can refer to something
