"""Exceptions from a policy: who answers for what, why, and until when."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum


class WaiverState(StrEnum):
    """`ACTIVE` and `EXPIRING` waive; every other state leaves the finding as it is."""

    PENDING = "pending"  # its first day is to come
    ACTIVE = "active"
    EXPIRING = "expiring"  # soon
    EXPIRED = "expired"
    UNUSED = "unused"  # nothing that it is about was found


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiver:
    """One exception, for one rule and one component with one content."""

    rule: str
    component: str  # package URL, or the name of a component without one
    digest: str  # sha256:<hex> of a file of the component, or its model digest (v1:sha256:<hex>)
    expires: date  # the last day
    reason: str
    approved_by: str
    starts: date | None = None  # the first day
    place: str = ""  # name:line:column in the policy


@dataclass(frozen=True, slots=True, kw_only=True)
class WaiverUse:
    """What became of one waiver on the day of the run."""

    waiver: Waiver
    state: WaiverState
    findings: int = 0  # that it waives, or would if it were in force
