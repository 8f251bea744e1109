"""What became of each target of a run over many."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class State(StrEnum):
    """How far a target is."""

    WAITING = "waiting"
    DONE = "done"
    FAILED = "failed"  # it could not be opened; tried again in the next run


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One target."""

    target: str  # as it was named
    state: State
    file: str = ""  # name of its bill of materials, and the SHA-256 of that
    sha256: str = ""
    address: str = ""  # of the target, pinned
    verdict: str = ""
    detail: str = ""  # why it failed
    attempts: int = 0
