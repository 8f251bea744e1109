"""What a rule has to say about the scanned place."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from enum import IntEnum

from aibom.domain.confidence import Confidence


class Severity(IntEnum):
    INFO = 1
    LOW = 2
    MEDIUM = 3
    HIGH = 4
    CRITICAL = 5

    @property
    def label(self) -> str:
        return self.name.lower()


@dataclass(frozen=True, slots=True, kw_only=True)
class Location:
    """Where in the target: a path, and a line or a byte offset where one is known."""

    path: str
    line: int | None = None
    column: int | None = None
    offset: int | None = None  # bytes
    inside: str = ""  # where in a container, outermost first, joined by "!"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One violation of one registered rule, with what to do about it."""

    rule: str
    severity: Severity
    confidence: Confidence
    subject: str  # component id or path
    location: Location
    message: str
    found: str = ""
    expected: str = ""
    remedy: str = ""

    @property
    def fingerprint(self) -> str:
        """Stable across moves of a line and across machines: rule, place, found and expected."""
        place = "!".join(filter(None, (self.location.path, self.location.inside)))
        parts = f"{self.rule}\0{place}\0{self.found}\0{self.expected}"
        return hashlib.sha256(parts.encode("utf-8", "surrogatepass")).hexdigest()[:32]
