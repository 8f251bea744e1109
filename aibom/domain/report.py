"""The one input of every output."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from aibom.domain.check import Check
from aibom.domain.component import Component
from aibom.domain.content import Content
from aibom.domain.dataset_signals import DatasetSignals
from aibom.domain.evidence import DatasetRows, Evidence
from aibom.domain.file import File
from aibom.domain.finding import Finding, Severity
from aibom.domain.gap import Gap
from aibom.domain.reference import Reference
from aibom.domain.target import Target, Tool
from aibom.domain.vulnerability import Vulnerability
from aibom.domain.waiver import WaiverUse


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyUse:
    """Which policy judged, so that a report can be repeated."""

    name: str
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Demand:
    """One section of a policy, and how many components keep it. What no section names is no demand."""

    rule: str
    place: str  # name:line:column
    passed: int = 0
    failed: int = 0
    undecided: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """How much was looked at. `listed == read + partial + unread` always holds."""

    listed: int
    read: int  # files whose look left no gap
    partial: int  # digested, but with a gap
    unread: int  # no file came of it
    excluded: int  # left out because a flag or the layout says so, never listed
    bytes: int
    header_only: int = 0  # of those that were read: far away, so that only the header was fetched

    def __post_init__(self) -> None:
        if self.listed != self.read + self.partial + self.unread:
            raise ValueError(f"coverage does not add up: {self}")

    @classmethod
    def of(cls, files: Iterable[File], gaps: Iterable[Gap], listed: int, excluded: int) -> Coverage:
        """Counts from the results themselves, so that an entry without a result cannot hide."""
        files = tuple(files)
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
            header_only=sum(file.entry.header_only for file in files),
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
    rows: tuple[DatasetRows, ...] = ()  # of datasets, when it was asked for
    signals: tuple[DatasetSignals, ...] = ()  # of the same, what hints at poison or poor quality
    evidence: tuple[Evidence, ...] = ()  # sidecars that this run wrote
    vulnerabilities: tuple[Vulnerability, ...] = ()  # that a bill of materials lists
    findings: tuple[Finding, ...] = ()
    demands: tuple[Demand, ...] = ()  # in the order of the rules
    waivers: tuple[WaiverUse, ...] = ()  # in the order of the policy
    gaps: tuple[Gap, ...] = ()
    coverage: Coverage
    timestamp: str | None = None  # ISO 8601, UTC; None in reproducible mode

    def worst(self, *, decided: bool = True) -> Severity | None:
        """The worst finding that bears on the verdict; with `decided=False` of the undecided ones."""
        counting = (each for each in self.findings if each.counts and each.decided is decided)
        return max((finding.severity for finding in counting), default=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReferenceReport:
    """What code and configuration refer to, without a look at weights and data."""

    targets: tuple[Target, ...]
    tool: Tool
    references: tuple[Reference, ...]  # by path and place in it
    gaps: tuple[Gap, ...] = ()
    listed: int  # files and what could not be listed
    looked_at: int  # files of a kind that can refer to something
