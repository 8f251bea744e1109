"""A failed look, kept as data."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from aibom.domain.errors import Reason, UnreadableError


class Stage(StrEnum):
    """Where on its way an entry was lost."""

    LIST = "list"
    OPEN = "open"
    IDENTIFY = "identify"
    READ = "read"
    DIGEST = "digest"
    DISCOVER = "discover"
    ASSEMBLE = "assemble"


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """Something that was listed or referred to and not, or not fully, looked at."""

    path: str
    stage: Stage
    reason: Reason
    detail: str
    offset: int | None = None  # bytes from the start of the file

    @classmethod
    def of(cls, path: str, stage: Stage, error: UnreadableError) -> Gap:
        """The gap that a reader's error leaves."""
        return cls(path=path, stage=stage, reason=error.reason, detail=error.message, offset=error.offset)
