"""What `aibom verify` found out, file by file and as a whole."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from enum import StrEnum

from aibom.domain.check import Check, CheckKind, Outcome
from aibom.domain.signing import Signer
from aibom.domain.target import Target, Tool


class FileState(StrEnum):
    """How a file compares with what was signed or listed."""

    VERIFIED = "verified"
    CHANGED = "changed"
    MISSING = "missing"  # signed or listed, and not here
    EXTRA = "extra"  # here, and nobody vouches for it
    IGNORED = "ignored"  # the signer chose not to sign it, or it never is part of a model
    UNREADABLE = "unreadable"


@dataclass(frozen=True, slots=True, kw_only=True)
class FileVerdict:
    """One file of the target against one statement about it."""

    path: str
    state: FileState
    detail: str = ""
    expected: str = ""  # algorithm:hex
    found: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """One document that vouches for the target: a signature or a bill of materials."""

    name: str  # of the file that it stands in
    check: Check
    signer: Signer | None = None
    files: tuple[FileVerdict, ...] = ()  # by path

    @property
    def counts(self) -> Counter[FileState]:
        return Counter(verdict.state for verdict in self.files)


# What decides when several statements disagree: the first of these that any of them has.
WORST = (
    Outcome.CONTENT_MISMATCH,
    Outcome.SIGNATURE_INVALID,
    Outcome.UNTRUSTED_SIGNER,
    Outcome.EXPIRED,
    Outcome.COULD_NOT_CHECK,
    Outcome.UNSUPPORTED,
    Outcome.UNSIGNED,
    Outcome.VERIFIED,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification:
    """Everything that one run of `aibom verify` found."""

    target: Target
    tool: Tool
    statements: tuple[Statement, ...]
    bytes: int  # that were read and digested

    @property
    def outcome(self) -> Outcome:
        """The worst of all statements; `unsigned` when none of them is a signature."""
        found = {statement.check.outcome for statement in self.statements}
        if all(statement.check.kind is not CheckKind.SIGNATURE for statement in self.statements):
            found.add(Outcome.UNSIGNED)
        return next(outcome for outcome in WORST if outcome in found)

    @property
    def ok(self) -> bool:
        """True for `verified`, and for nothing else."""
        return self.outcome is Outcome.VERIFIED

    def __bool__(self) -> bool:
        # Without this, `if verify(...)` would be true for every outcome.
        return self.ok
