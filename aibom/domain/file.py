"""An entry that was looked at: its digests and what its bytes say."""

from __future__ import annotations

from dataclasses import dataclass

from aibom.domain.digest import Digest, Grade
from aibom.domain.entry import Entry
from aibom.domain.facts import Facts


@dataclass(frozen=True, slots=True, kw_only=True)
class Unindexed:
    """The bytes of an indexed file that belong to no tensor and no header."""

    bytes: int
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """A looked-at entry.

    `tensor_digests` runs parallel to `facts.tensors`: the BLAKE3-256 of each tensor's raw bytes,
    or None where the layout has no single row-major byte sequence. A file of which only the header was
    read may have no digest at all: nobody claimed one.
    """

    entry: Entry
    digests: tuple[Digest, ...]
    facts: Facts | None = None
    tensor_digests: tuple[bytes | None, ...] = ()
    unindexed: Unindexed | None = None
    promised: str | None = None  # the format that the name promises, when the content is another

    def __post_init__(self) -> None:
        if not self.digests and not self.entry.header_only:
            raise ValueError(f"a file needs a digest: {self.entry.path!r}")
        tensors = len(self.facts.tensors) if self.facts else 0
        if self.tensor_digests and len(self.tensor_digests) != tensors:
            raise ValueError(f"{len(self.tensor_digests)} digests for {tensors} tensors")

    @property
    def path(self) -> str:
        return self.entry.path

    @property
    def format(self) -> str | None:
        return self.facts.format if self.facts else None

    def digest(self, algorithm: str, at_least: Grade = Grade.CLAIMED) -> Digest | None:
        """The best digest of one algorithm that reaches a grade."""
        found = [d for d in self.digests if d.algorithm == algorithm and d.grade >= at_least]
        return max(found, key=lambda d: d.grade, default=None)

    @property
    def sha256(self) -> str | None:
        """The SHA-256 that we computed, if we read the bytes."""
        digest = self.digest("sha256", Grade.COMPUTED)
        return digest.value if digest else None
