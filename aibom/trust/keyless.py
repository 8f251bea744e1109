"""Keyless signatures: a short-lived certificate for an identity, in a log that everybody can read.

The library `sigstore` decides. What is here tells it whom one expects, and refuses what it does not read.
No socket, no file. Format: github.com/sigstore/protobuf-specs.
"""

from __future__ import annotations

import hashlib
import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from aibom.domain.check import Outcome
from aibom.domain.signing import Bundle, ExpectedIdentity, Judged, Material, Signer
from aibom.domain.text import capped, visible
from aibom.trust.fulcio import names
from aibom.trust.identity import check_expected, matches
from aibom.trust.keyless_reason import Look, iso, library_errors, proven_times, reason, shown
from aibom.trust.trust_root import TrustRoot

if TYPE_CHECKING:
    from cryptography.x509 import Certificate

# Entries that say enough for the library to compare them with the rest of the bundle.
_ENVELOPE_ENTRIES: Final = frozenset({("dsse", "0.0.1"), ("hashedrekord", "0.0.2")})
_MESSAGE_ENTRIES: Final = frozenset({("hashedrekord", "0.0.1"), ("hashedrekord", "0.0.2")})


@dataclass(slots=True)
class _Policy:
    """The library asks last about the certificate: its chain and the certificate log are verified then."""

    expected: ExpectedIdentity
    asked: bool = False

    def verify(self, cert: Certificate) -> None:
        from cryptography.exceptions import UnsupportedAlgorithm  # noqa: PLC0415 - 50 ms
        from cryptography.hazmat.primitives.asymmetric import ec  # noqa: PLC0415
        from sigstore.errors import VerificationError  # noqa: PLC0415 - 600 ms

        self.asked = True
        mismatch = self.mismatch(cert)
        if mismatch:
            raise VerificationError(mismatch)
        if not isinstance(cert.public_key(), ec.EllipticCurvePublicKey):  # what the library takes it for
            raise UnsupportedAlgorithm("key of the certificate")

    def mismatch(self, cert: Certificate) -> str:
        """How the certificate names somebody else than one expects, "" when it does not."""
        found, expected = names(cert), self.expected
        if not matches(found.identity, expected.identity, pattern=expected.pattern):
            return f"signed by {shown(found.identity)}, not by {shown(expected.identity)}"
        if not matches(found.issuer, expected.issuer, pattern=expected.pattern):
            return f"{shown(found.issuer)} vouches for the identity, not {shown(expected.issuer)}"
        return ""


def verify_keyless(
    bundle: Bundle, artifact: bytes | None, expected: ExpectedIdentity, root: TrustRoot
) -> Judged:
    """Whether the bundle is a signature by the expected identity, as the authorities of `root` see it.

    `artifact` is the SHA-256 digest (32 bytes) of the signed file, None for an envelope. Raises
    UnreadableError only when `expected` names nobody in particular.
    """
    for name in (expected.identity, expected.issuer):
        check_expected(name, pattern=expected.pattern)
    refusal = _refusal(bundle, artifact)
    if refusal is not None:
        return refusal
    from cryptography.exceptions import UnsupportedAlgorithm  # noqa: PLC0415 - 50 ms

    try:
        with warnings.catch_warnings(action="ignore"), _silent():
            return _judged(_look(bundle, artifact, root), _Policy(expected))
    except UnsupportedAlgorithm:
        return _unsupported("the key of the certificate is of a kind that is not read")
    except library_errors() as error:
        return _unchecked(f"the bundle or the trust root cannot be used ({type(error).__name__})")
    except BaseException as error:
        # What panics in Rust is no Exception, and has no name that one could import (rfc3161-client).
        if type(error).__name__ != "PanicException":
            raise
        return _unchecked("a timestamp or an authority of the trust root cannot be read")


@contextmanager
def _silent() -> Iterator[None]:
    """Without the log lines of the library: they repeat what stands in hostile bytes on standard error."""
    logger = logging.getLogger("sigstore")
    propagates, logger.propagate = logger.propagate, False
    logger.addHandler(quiet := logging.NullHandler())
    try:
        yield
    finally:
        logger.removeHandler(quiet)
        logger.propagate = propagates


def _look(bundle: Bundle, artifact: bytes | None, root: TrustRoot) -> Look:
    from sigstore import models  # noqa: PLC0415 - 600 ms
    from sigstore.verify import Verifier  # noqa: PLC0415

    inner = models.Bundle.from_json(bundle.raw)
    return Look(bundle, artifact, root, inner, Verifier(trusted_root=root.parsed()))


def _refusal(bundle: Bundle, artifact: bytes | None) -> Judged | None:
    """What can be said before the library is asked."""
    if bundle.material is not Material.KEYLESS:
        kind = bundle.material.value
        detail = f"signed with a {kind} of its own and not as an identity; verify it with that {kind}"
        return Judged(outcome=Outcome.UNTRUSTED_SIGNER, detail=detail)
    if bundle.envelope is None and (artifact is None or len(artifact) != hashlib.sha256().digest_size):
        return _unchecked("the signature is one of a file, whose SHA-256 digest is not there")
    if len(bundle.log_entries) != 1:
        return _unsupported(f"{len(bundle.log_entries)} log entries; keyless signatures with one are read")
    entry = bundle.log_entries[0]
    known = _MESSAGE_ENTRIES if bundle.envelope is None else _ENVELOPE_ENTRIES
    if (entry.kind, entry.version) not in known:
        return _unsupported(f"log entry of kind {shown(entry.kind)} {shown(entry.version)} is not read")
    if not entry.has_proof:
        return _unsupported("the log entry has no proof of inclusion with a checkpoint; sign again")
    if entry.integrated_time is None and not bundle.timestamp_count:
        return _unchecked("nobody vouches for the time of signing; sign again with a timestamp")
    return None


def _judged(look: Look, policy: _Policy) -> Judged:
    """Raises what the library raises for bytes that make no sense."""
    from sigstore.errors import VerificationError  # noqa: PLC0415 - 600 ms

    claimed = _signer(look)
    try:
        payload = _verified(look, policy)
    except VerificationError as error:
        outcome, detail = reason(look, error, asked=policy.asked)
        mismatch = policy.mismatch(look.certificate)
        # Somebody else's certificate is not one that was good once, either.
        if mismatch and (policy.asked or outcome is Outcome.EXPIRED):
            outcome, detail = Outcome.UNTRUSTED_SIGNER, mismatch
        return Judged(outcome=outcome, detail=detail, signer=claimed)
    if look.bundle.envelope is not None and payload != look.bundle.envelope.payload:
        return _unchecked("the bundle can be read in two ways")
    times = proven_times(look)
    signer = replace(claimed, signed_at=iso(min(times)) if times else None)
    detail = f"signed by {shown(signer.identity)}, for whom {shown(signer.issuer)} vouches"
    return Judged(outcome=Outcome.VERIFIED, detail=detail, signer=signer, payload=payload)


def _verified(look: Look, policy: _Policy) -> bytes | None:
    """The verified payload, None for a file. Raises what the library raises."""
    if look.bundle.envelope is not None:
        return look.verifier.verify_dsse(look.inner, policy)[1]
    from sigstore.hashes import Hashed  # noqa: PLC0415 - 600 ms
    from sigstore_models.common.v1 import HashAlgorithm  # noqa: PLC0415

    hashed = Hashed(algorithm=HashAlgorithm.SHA2_256, digest=look.artifact or b"")
    look.verifier.verify_artifact(hashed, look.inner, policy)
    return None


def _signer(look: Look) -> Signer:
    """Who says to have signed; when is known once the bundle is verified."""
    from cryptography.hazmat.primitives import serialization  # noqa: PLC0415 - 50 ms

    found = names(look.certificate)
    key = look.certificate.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    index = look.inner.log_entry._inner.log_index  # noqa: SLF001 - told nowhere else
    return Signer(
        material=Material.KEYLESS,
        identity=capped(visible(found.identity)),
        issuer=capped(visible(found.issuer)),
        key_sha256=hashlib.sha256(key).hexdigest(),
        evidence=(("log index", str(index)), ("trust root sha256", look.root.sha256)),
    )


def _unchecked(detail: str) -> Judged:
    return Judged(outcome=Outcome.COULD_NOT_CHECK, detail=detail)


def _unsupported(detail: str) -> Judged:
    return Judged(outcome=Outcome.UNSUPPORTED, detail=detail)
