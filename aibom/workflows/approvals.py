"""Which digests somebody approved: signed verification summaries, the newest of each digest.

Format: slsa.dev, verification summary v1, in a sigstore bundle.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Final

from aibom.domain.attestation import VerificationSummary
from aibom.domain.errors import UnreadableError, malformed, unsupported
from aibom.domain.signing import Expected
from aibom.trust.attestations import read_attestation
from aibom.trust.bundle import read_bundle
from aibom.trust.trust_root import TrustRoot
from aibom.trust.verification import judge_signature

# Of a summary that FAILED and does not say when: it is newer than any that PASSED.
_ALWAYS: Final = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Signers:
    """Whose summaries count, and under which policies."""

    expected: Expected
    root: TrustRoot | None = None
    policies: frozenset[str] | None = None  # hex SHA-256; None: any


@dataclass(frozen=True, slots=True, kw_only=True)
class Approval:
    """What an expected signer said of one digest last."""

    passed: bool
    at: datetime
    document: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Approvals:
    """By digest (hex SHA-256); `refused` are the documents that do not count, and why."""

    newest: Mapping[str, Approval]
    refused: tuple[tuple[str, str], ...] = ()


def read_approvals(documents: Iterable[tuple[str, bytes | UnreadableError]], signers: Signers) -> Approvals:
    """What the documents, each with its name, approve. Never raises for a document: it does not count.

    A FAILED summary takes back an older PASSED one of the same digest.
    """
    newest: dict[str, Approval] = {}
    refused = []
    for name, data in documents:
        try:
            for digest, approval in _approved(name, data, signers):
                before = newest.get(digest)
                if before is None or _rank(approval) > _rank(before):
                    newest[digest] = approval
        except UnreadableError as error:
            refused.append((name, str(error)))
    return Approvals(newest=MappingProxyType(newest), refused=tuple(refused))


def _rank(approval: Approval) -> tuple[datetime, bool]:
    return approval.at, not approval.passed


def _approved(name: str, data: bytes | UnreadableError, signers: Signers) -> Iterable[tuple[str, Approval]]:
    if isinstance(data, UnreadableError):
        raise data
    bundle = read_bundle(data)
    if bundle.envelope is None:
        raise unsupported("it signs a file and is no verification summary: `aibom attest` writes one")
    judged = judge_signature(bundle, None, signers.expected, signers.root)
    if judged.payload is None:
        raise malformed(f"{judged.outcome}: {judged.detail}")
    attestation = read_attestation(judged.payload)
    summary = attestation.facts
    if not isinstance(summary, VerificationSummary):
        raise unsupported("it is signed and no verification summary: `aibom attest` writes one")
    if signers.policies is not None and dict(summary.policy_digests).get("sha256") not in signers.policies:
        raise unsupported("its policy is none of --policy-digests")
    approval = Approval(passed=summary.passed, at=_time(summary), document=name)
    return [(digest, approval) for subject in attestation.subjects if (digest := subject.sha256())]


def _time(summary: VerificationSummary) -> datetime:
    if not summary.verified_at and not summary.passed:
        return _ALWAYS
    try:
        at = datetime.fromisoformat(summary.verified_at)
    except ValueError:
        raise malformed("timeVerified is missing or no time: nobody can tell how old it is") from None
    if at.tzinfo is None:
        raise malformed("timeVerified has no time zone")
    return at
