"""Paths from the certificate of a signer to a root that somebody named.

The verifier of `cryptography` builds them (RFC 5280 without revocation and policies); it bounds the
signatures that a bundle of cross-signed authorities makes it check.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Final

from aibom.domain.text import capped, visible
from aibom.trust.certificate_checks import SHOWN_CHARS

if TYPE_CHECKING:
    from cryptography.x509 import Certificate, ExtendedKeyUsage, KeyUsage, NameConstraints
    from cryptography.x509.verification import ExtensionPolicy, Policy

PATH_DEPTH: Final = 6  # authorities between a root and a signer
MOMENT_COUNT: Final = 16  # times at which a path is looked for after none was found


@dataclass(frozen=True, slots=True, kw_only=True)
class Pool:
    """The certificates that a path may be made of."""

    leaf: Certificate
    intermediates: tuple[Certificate, ...]  # of bundle and caller; they prove nothing
    roots: tuple[Certificate, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class NoPath:
    reason: str  # of the verifier, for people


def path_at(pool: Pool, at: datetime) -> tuple[Certificate, ...] | NoPath:
    """A chain from the leaf to a root in which everything is valid at that time."""
    from cryptography.x509.verification import (  # noqa: PLC0415 - 330 ms
        ExtensionPolicy,
        PolicyBuilder,
        Store,
        VerificationError,
    )

    # The rules for the leaf are those of `signer_fault`; unknown critical extensions are refused here.
    builder = PolicyBuilder().store(Store(list(pool.roots))).time(at).max_chain_depth(PATH_DEPTH)
    verifier = builder.extension_policies(
        ca_policy=_authority_policy(), ee_policy=ExtensionPolicy.permit_all()
    ).build_client_verifier()
    try:
        return tuple(verifier.verify(pool.leaf, list(pool.intermediates)).chain)
    except VerificationError as error:
        return NoPath(reason=_told(str(error)))


def _told(error: str) -> str:
    # Cut off: what a hostile certificate says, and how the library writes down its own structures.
    reason = error.partition(" (encountered processing")[0].partition(": AlgorithmIdentifier")[0]
    reason = reason.removeprefix("validation failed: ").rpartition("candidates exhausted: ")[2]
    return capped(visible(reason), SHOWN_CHARS)


def path_at_another_time(pool: Pool, at: datetime, missing: NoPath) -> tuple[Certificate, ...] | NoPath:
    """A chain that was or will be valid together, and is not at that time: only the time is wrong.

    When certificates are valid together at all, then also at the moment the youngest becomes valid.
    """
    everything = (pool.leaf, *pool.intermediates, *pool.roots)
    moments = {certificate.not_valid_before_utc for certificate in everything}
    for moment in sorted(moment for moment in moments if valid_at(pool.leaf, moment))[:MOMENT_COUNT]:
        path = path_at(pool, moment)
        # All of it may be valid when the verifier gave up in a maze of other certificates.
        if not isinstance(path, NoPath) and not all(valid_at(certificate, at) for certificate in path):
            return path
    return missing


def valid_at(certificate: Certificate, at: datetime) -> bool:
    """Whether that time is within the validity of the certificate, both ends included (RFC 5280, 4.1.2.5)."""
    return certificate.not_valid_before_utc <= at <= certificate.not_valid_after_utc


def _authority_policy() -> ExtensionPolicy:
    """What an authority between a root and a signer has to be allowed, the root included.

    The verifier adds: cA is true, path lengths, name constraints, RSA of 2,048 bits or P-256 and
    larger, SHA-256 or better, no critical extension that it does not know.
    """
    from cryptography import x509  # noqa: PLC0415 - 330 ms
    from cryptography.x509.verification import Criticality, ExtensionPolicy  # noqa: PLC0415

    policy = ExtensionPolicy.permit_all()
    policy = policy.require_present(x509.BasicConstraints, Criticality.AGNOSTIC, None)
    policy = policy.may_be_present(x509.KeyUsage, Criticality.AGNOSTIC, _may_issue)
    policy = policy.may_be_present(x509.ExtendedKeyUsage, Criticality.AGNOSTIC, _may_issue_signers)
    return policy.may_be_present(x509.NameConstraints, Criticality.AGNOSTIC, _constrains_known_names)


def _may_issue(_policy: Policy, _authority: Certificate, usage: KeyUsage | None) -> None:
    if usage is not None and not usage.key_cert_sign:
        raise ValueError("an authority may not issue certificates (key usage)")


def _may_issue_signers(_policy: Policy, _authority: Certificate, purposes: ExtendedKeyUsage | None) -> None:
    from cryptography.x509.oid import ExtendedKeyUsageOID as Purpose  # noqa: PLC0415 - loaded already

    if purposes is not None and not {Purpose.CODE_SIGNING, Purpose.ANY_EXTENDED_KEY_USAGE} & set(purposes):
        raise ValueError("an authority may not issue for code signing (extended key usage)")


def _constrains_known_names(_policy: Policy, _authority: Certificate, names: NameConstraints | None) -> None:
    from cryptography import x509  # noqa: PLC0415 - loaded already

    # The verifier compares these three kinds; constraints of another kind it could only ignore.
    known = (x509.DNSName, x509.IPAddress, x509.RFC822Name)
    if names is not None:
        subtrees = (*(names.permitted_subtrees or ()), *(names.excluded_subtrees or ()))
        if not all(isinstance(name, known) for name in subtrees):
            raise ValueError("an authority constrains names of a kind that is not compared here")
