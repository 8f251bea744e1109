"""What a rule has to say about the scanned place."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from enum import IntEnum, StrEnum

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


class Standing(StrEnum):
    """Whether a finding bears on the verdict, and if not, why. Every output shows all of them."""

    ACTIVE = "active"
    ADVISORY = "advisory"  # the policy only warns, or does not bind yet
    WAIVED = "waived"  # somebody answers for it until a date
    KNOWN = "known"  # it is in the baseline
    NOT_AFFECTED = "not-affected"  # somebody states that the vulnerability does not matter here (VEX)


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
    of_file: bool = False  # True: about the file at the location, and no other of the component
    location: Location
    message: str
    found: str = ""
    expected: str = ""
    remedy: str = ""
    decided: bool = True  # False: too little is known to say that the policy is kept
    waivable: bool = True  # False: neither a waiver nor a baseline sets it aside
    standing: Standing = Standing.ACTIVE
    justification: str = ""  # of a standing that is not active
    demand: str = ""  # what of the policy asks for it: name:line:column
    pointer: str = ""  # RFC 6901, into the bill of materials that was judged

    @property
    def counts(self) -> bool:
        return self.standing is Standing.ACTIVE

    @property
    def fingerprint(self) -> str:
        """Stable across moves of a line and across machines: rule, place, found and expected."""
        place = "!".join(filter(None, (self.location.path, self.location.inside)))
        parts = f"{self.rule}\0{place}\0{self.found}\0{self.expected}"
        return hashlib.sha256(parts.encode("utf-8", "surrogatepass")).hexdigest()[:32]
