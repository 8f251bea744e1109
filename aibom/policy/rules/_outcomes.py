"""What the outcomes of checks mean for a demand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from aibom.domain.check import Check, Outcome
from aibom.policy.requirement import Objection, Objections

# Nobody can say yet whether the demand is met.
UNDECIDED: Final = frozenset({Outcome.UNSUPPORTED, Outcome.COULD_NOT_CHECK})
# Not merely missing: somebody's bytes, or somebody's signature, were changed.
BROKEN: Final = frozenset({Outcome.CONTENT_MISMATCH, Outcome.SIGNATURE_INVALID})


def told(check: Check) -> str:
    """The reason in the check's own words, for the end of a message."""
    return f": {check.detail}" if check.detail else ""


def weighed(found: Sequence[Objection | None]) -> Objections:
    """One good check (None) is enough, unless another one shows that something was changed."""
    objections = [each for each in found if each is not None]
    broken = [each for each in objections if each.found in BROKEN]
    if broken or None not in found:
        # One that nobody could check may be the good one.
        return (
            [replace(each, waivable=False) for each in broken]
            or [each for each in objections if not each.decided][:1]
            or objections
        )
    return ()
