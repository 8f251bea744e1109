"""The one exception that a reader of hostile bytes may raise, and why it was raised."""

from __future__ import annotations

from enum import StrEnum


class Reason(StrEnum):
    """Why something could not be looked at. Outputs and exit codes branch on it, never on text."""

    TRUNCATED = "truncated"  # the bytes end before the structure does
    MALFORMED = "malformed"  # the bytes contradict the format
    LIMIT = "limit"  # a bound of `domain.limits` was reached
    UNSUPPORTED = "unsupported"  # valid, but this version does not read it
    NOT_READ = "not-read"  # recognised and digested; no reader for its content yet
    UNRECOGNISED = "unrecognised"  # named like weights or data, content of no known format
    ENCRYPTED = "encrypted"
    LFS_POINTER = "lfs-pointer"  # a Git LFS pointer stands where the content should be
    MISSING = "missing"  # referred to (a shard, external data) and not there
    OUTSIDE_TARGET = "outside-target"  # a link or path leads out of the scanned place
    LINK_LOOP = "link-loop"
    SPECIAL_FILE = "special-file"  # device, socket, FIFO
    DENIED = "permission-denied"
    VANISHED = "vanished"  # listed, then gone
    CHANGED = "changed"  # other bytes during the look than when listed
    IO_ERROR = "io-error"
    INTERNAL = "internal"  # a reader of ours crashed: a bug, reported as such


class UnreadableError(Exception):
    """Content could not be read as what it is.

    `offset` is in bytes from the start of the file (or of the member, when nested), None when
    there is no single place.
    """

    def __init__(self, reason: Reason, message: str, offset: int | None = None) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message
        self.offset = offset

    def __str__(self) -> str:
        return self.message if self.offset is None else f"{self.message} (byte {self.offset})"


def malformed(message: str, offset: int | None = None) -> UnreadableError:
    """The error for bytes that contradict their format."""
    return UnreadableError(Reason.MALFORMED, message, offset)


def truncated(message: str, offset: int | None = None) -> UnreadableError:
    """The error for bytes that end too early."""
    return UnreadableError(Reason.TRUNCATED, message, offset)


def over_limit(message: str, offset: int | None = None) -> UnreadableError:
    """The error for a bound of `domain.limits` that was reached."""
    return UnreadableError(Reason.LIMIT, message, offset)


def unsupported(message: str, offset: int | None = None) -> UnreadableError:
    """The error for valid content that this version does not read."""
    return UnreadableError(Reason.UNSUPPORTED, message, offset)
