"""One comparison of what is claimed with what is there."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class CheckKind(StrEnum):
    DIGEST = "digest"
    COUNT = "count"  # how many rows somebody says there are
    SIGNATURE = "signature"
    PROVENANCE = "provenance"
    LINEAGE = "lineage"


class Outcome(StrEnum):
    """Each is its own outcome; only `VERIFIED` is green."""

    VERIFIED = "verified"
    UNSIGNED = "unsigned"
    UNSUPPORTED = "unsupported"
    UNTRUSTED_SIGNER = "untrusted-signer"
    EXPIRED = "expired"  # the certificate was not valid when it was used
    SIGNATURE_INVALID = "signature-invalid"  # it is not a signature of these bytes by that key
    CONTENT_MISMATCH = "content-mismatch"
    COULD_NOT_CHECK = "could-not-check"


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """The result of one check. `identity` is who or what vouches (a signer, a digest claim)."""

    subject: str
    kind: CheckKind
    outcome: Outcome
    identity: str
    detail: str = ""
    expected: str = ""
    found: str = ""
    source: str = ""  # path of the document that vouches
    issuer: str = ""  # of the identity: who says that it is the signer's
    signed_at: str | None = None  # ISO 8601; None when nobody vouches for a time

    def __post_init__(self) -> None:
        if self.outcome is Outcome.VERIFIED and not self.identity:
            raise ValueError("a verified check names who or what vouches")
