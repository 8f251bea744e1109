"""Why the library `sigstore` refused a keyless signature.

It has one error for nearly everything. The reason follows from how far it got, and from looking at the
bundle once more, never from the words of an error. Nothing here can turn a refusal into a pass.
"""

from __future__ import annotations

import base64
import struct
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from aibom.domain.check import Outcome
from aibom.domain.signing import Bundle
from aibom.domain.text import capped, visible
from aibom.trust.dsse import pae
from aibom.trust.fulcio import signs_code
from aibom.trust.trust_root import TrustRoot

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
    from cryptography.x509 import Certificate
    from sigstore import models
    from sigstore.verify import Verifier

SHOWN_CHARS: Final = 300  # of a name in a certificate

# What the library and its parsers raise for bytes that make no sense, besides errors of their own.
_ERRORS: Final = (
    ValueError, TypeError, LookupError, AttributeError, ArithmeticError, OSError, RuntimeError, struct.error,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Look:
    """A bundle, the same as the library reads it, and what it is verified against."""

    bundle: Bundle
    artifact: bytes | None  # SHA-256 of the file
    root: TrustRoot
    inner: models.Bundle
    verifier: Verifier

    @property
    def certificate(self) -> Certificate:
        return self.inner.signing_certificate


def library_errors() -> tuple[type[Exception], ...]:
    """Everything that the library lets out for hostile bytes."""
    from cryptography import x509  # noqa: PLC0415 - 50 ms
    from cryptography.exceptions import UnsupportedAlgorithm  # noqa: PLC0415
    from sigstore.errors import Error  # noqa: PLC0415 - 600 ms

    of_certificates = (
        x509.ExtensionNotFound, x509.DuplicateExtension, x509.InvalidVersion, x509.UnsupportedGeneralNameType,
    )  # fmt: skip
    return (Error, UnsupportedAlgorithm, *of_certificates, *_ERRORS)


def shown(name: str) -> str:
    """A name from a certificate or a user, as a sentence can hold it."""
    return capped(visible(name), SHOWN_CHARS) or "nobody"


def iso(time: datetime) -> str:
    """The time as ISO 8601 in UTC, to the second."""
    return time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def proven_times(look: Look) -> tuple[datetime, ...]:
    """When the signature was there already, by timestamps of authorities and by the log's promise.

    The time of the log counts once the library has verified the bundle. It tells nobody which times it
    went by, so that this asks the method that it uses itself; without it, no time is known.
    """
    try:
        return tuple(proven.time for proven in look.verifier._establish_time(look.inner))  # noqa: SLF001
    except library_errors():
        return ()


def reason(look: Look, error: Exception, *, asked: bool) -> tuple[Outcome, str]:
    """What to call the error. `asked`: the policy was asked, so that the certificate is verified.

    The library looks at time, chain, certificate log, usage, policy, log and content, in this order.
    """
    from sigstore.errors import CertValidationError  # noqa: PLC0415 - 600 ms

    if asked:
        return _about_content(look)
    times = proven_times(look)
    if not times:
        return Outcome.COULD_NOT_CHECK, "no clock of the trust root vouches for the time of signing"
    if isinstance(error, CertValidationError):
        return _about_chain(look, times)
    if not signs_code(look.certificate):
        return Outcome.UNTRUSTED_SIGNER, "the certificate is not one for signing code"
    detail = "no certificate log of the trust root vouches for the certificate (SCT); is the root up to date?"
    return Outcome.UNTRUSTED_SIGNER, detail


def _about_chain(look: Look, times: tuple[datetime, ...]) -> tuple[Outcome, str]:
    leaf = look.certificate
    start, end = leaf.not_valid_before_utc, leaf.not_valid_after_utc
    outside = [time for time in times if not start <= time <= end]
    # An expired certificate of an unknown authority is not one that was good once.
    if outside and _is_issued(look):
        detail = f"the certificate was valid from {iso(start)} to {iso(end)}, and used at {iso(outside[0])}"
        return Outcome.EXPIRED, detail
    detail = "the certificate does not lead to an authority of the trust root; name the root of the signer"
    return Outcome.UNTRUSTED_SIGNER, detail


def _is_issued(look: Look) -> bool:
    from cryptography.exceptions import InvalidSignature  # noqa: PLC0415 - 50 ms

    for authority in look.root.parsed().get_fulcio_certs():
        try:
            look.certificate.verify_directly_issued_by(authority)
        except (InvalidSignature, TypeError, ValueError):
            continue
        return True
    return False


def _about_content(look: Look) -> tuple[Outcome, str]:
    from cryptography.hazmat.primitives.asymmetric import ec  # noqa: PLC0415 - 50 ms

    key = look.certificate.public_key()
    if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP256R1):
        return Outcome.UNSUPPORTED, "the key of the certificate is not one of ECDSA on P-256"
    if not _is_signed(look, key, look.artifact):
        return _about_signature(look, key)
    log = base64.b64encode(look.inner.log_entry._inner.log_id.key_id).decode()  # noqa: SLF001
    if log not in look.root.logs:
        return Outcome.UNTRUSTED_SIGNER, "the log is not one of the trust root; is the root up to date?"
    return Outcome.SIGNATURE_INVALID, "the log does not vouch for this signature: entry or proof were changed"


def _about_signature(look: Look, key: EllipticCurvePublicKey) -> tuple[Outcome, str]:
    # What the bundle states is believed only when it is what was signed.
    stated = look.bundle.message.digest if look.bundle.message is not None else None
    if stated is not None and _is_signed(look, key, stated):
        return Outcome.CONTENT_MISMATCH, "the signature is one of another file: get the file again"
    signed = "file" if look.bundle.envelope is None else "payload"
    return Outcome.SIGNATURE_INVALID, f"not a signature of this {signed} by the key of the certificate"


def _is_signed(look: Look, key: EllipticCurvePublicKey, digest: bytes | None) -> bool:
    """Whether the key signed the payload, or a file with this SHA-256 digest."""
    from cryptography.exceptions import InvalidSignature  # noqa: PLC0415 - 50 ms
    from cryptography.hazmat.primitives import hashes  # noqa: PLC0415
    from cryptography.hazmat.primitives.asymmetric import ec, utils  # noqa: PLC0415

    envelope, sha256 = look.bundle.envelope, hashes.SHA256()
    try:
        if envelope is not None:
            key.verify(envelope.signature, pae(envelope.payload_type, envelope.payload), ec.ECDSA(sha256))
        else:
            key.verify(look.inner.signature, digest or b"", ec.ECDSA(utils.Prehashed(sha256)))
    except InvalidSignature:
        return False
    return True
