"""Who signs: a private key alone, or one with a certificate; and the bundles that they make.

A signer of another kind (PKCS#11, a key service) has the same four members as these two.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Protocol

from aibom.domain.errors import Reason, UnreadableError, malformed, over_limit, unsupported
from aibom.domain.signing import Envelope, MessageSignature
from aibom.trust.bundle import write_bundle
from aibom.trust.certificate_checks import read_certificates, signer_fault
from aibom.trust.certificate_path import valid_at
from aibom.trust.dsse import INTOTO_TYPE, pae
from aibom.trust.public_key import CURVES, PEM_BYTES, hash_by_curve, oms_hint

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePrivateKey
    from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
    from cryptography.hazmat.primitives.hashes import HashAlgorithm
    from cryptography.x509 import Certificate


class BundleSigner(Protocol):
    """Signs bytes, and says how a verifier finds the key."""

    @property
    def key_hint(self) -> str: ...  # "" with certificates

    @property
    def certificates(self) -> tuple[bytes, ...]: ...  # DER, the leaf first

    def sign(self, message: bytes) -> bytes:
        """A DER signature over the message."""

    def sign_digest(self, digest: bytes) -> bytes:
        """A DER signature over the file with this SHA-256."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeySigner:
    """A private key on P-256, P-384 or P-521."""

    key: EllipticCurvePrivateKey

    @property
    def key_hint(self) -> str:
        return oms_hint(self.key.public_key())

    @property
    def certificates(self) -> tuple[bytes, ...]:
        return ()

    def sign(self, message: bytes) -> bytes:
        """ECDSA over SHA-256, -384 or -512 by curve (OMS v1.0); the same bytes each time (RFC 6979)."""
        return self.key.sign(message, _ecdsa(hash_by_curve(self.key.curve)))

    def sign_digest(self, digest: bytes) -> bytes:
        """ECDSA over the SHA-256 of a file, P-256 only. Raises UnreadableError (unsupported)."""
        from cryptography.hazmat.primitives import hashes  # noqa: PLC0415 - 120 ms with the next
        from cryptography.hazmat.primitives.asymmetric.utils import Prehashed  # noqa: PLC0415

        if len(digest) != hashlib.sha256().digest_size:
            raise ValueError(f"a SHA-256 digest has 32 bytes, not {len(digest)}")
        # Other verifiers expect SHA-384 and SHA-512 of the file with the larger curves.
        if self.key.curve.key_size != 256:
            raise unsupported("a file is signed with a key on P-256, or as the subject of a statement")
        return self.key.sign(digest, _ecdsa(Prehashed(hashes.SHA256())))


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateSigner:
    """A private key whose holder a certificate names."""

    signer: KeySigner
    certificates: tuple[bytes, ...]  # DER: leaf and intermediates, no root

    @property
    def key_hint(self) -> str:
        return ""

    def sign(self, message: bytes) -> bytes:
        return self.signer.sign(message)

    def sign_digest(self, digest: bytes) -> bytes:
        return self.signer.sign_digest(digest)


def key_signer(private_key_pem: bytes, password: bytes | None = None) -> KeySigner:
    """The signer with this key in PEM (PKCS#8 or SEC 1).

    Raises UnreadableError: encrypted (a password is missing or wrong), malformed, unsupported (not
    EC on one of the three curves), limit.
    """
    from cryptography.exceptions import UnsupportedAlgorithm  # noqa: PLC0415 - 210 ms with the next
    from cryptography.hazmat.primitives.asymmetric import ec  # noqa: PLC0415
    from cryptography.hazmat.primitives.serialization import load_pem_private_key  # noqa: PLC0415

    if len(private_key_pem) > PEM_BYTES:
        raise over_limit(f"private key of {len(private_key_pem)} bytes, at most {PEM_BYTES} are read")
    try:
        key = load_pem_private_key(private_key_pem, password or None)
    except TypeError:  # one of password and encryption without the other
        raise _password_error(given=bool(password)) from None
    except UnsupportedAlgorithm:
        raise unsupported("private key: an algorithm that is not read") from None
    except ValueError:
        if password:
            raise UnreadableError(Reason.ENCRYPTED, "private key: the password is wrong") from None
        raise malformed("not a private key in PEM (`-----BEGIN PRIVATE KEY-----`)") from None
    if not isinstance(key, ec.EllipticCurvePrivateKey) or key.curve.name not in CURVES:
        raise unsupported("models are signed with EC keys on P-256, P-384 or P-521 (OMS v1.0), not this key")
    return KeySigner(key=key)


def _password_error(*, given: bool) -> UnreadableError:
    if given:
        return malformed("private key: it is not encrypted, so that a password is a mistake")
    return UnreadableError(Reason.ENCRYPTED, "private key: it is encrypted, give its password")


def certificate_signer(
    private_key_pem: bytes,
    password: bytes | None,
    certificate_pem: bytes,
    chain_pem: bytes = b"",
    *,
    now: datetime | None = None,
) -> CertificateSigner:
    """The signer with this key and certificate. `certificate_pem` may go on with its intermediates.

    Roots are left out of the bundle (sigstore protobuf-specs): a verifier has to have them anyway.
    Raises UnreadableError as `key_signer` does, and when verifiers would refuse the certificate.
    """
    from cryptography.hazmat.primitives.serialization import Encoding  # noqa: PLC0415 - loaded already

    signer = key_signer(private_key_pem, password)
    leaf, *others = read_certificates(certificate_pem, "certificate")
    fault = signer_fault(leaf)
    if fault is not None:
        raise unsupported(f"certificate: {fault.detail}")
    if not valid_at(leaf, now or datetime.now(UTC)):
        raise unsupported("certificate: it is not valid today, so that nobody could verify the signature")
    if leaf.public_key() != signer.key.public_key():
        raise malformed("the certificate is for another private key")
    if chain_pem:
        others += read_certificates(chain_pem, "certificate chain")
    intermediates = [other for other in others if other != leaf and not _is_root(other)]
    return CertificateSigner(
        signer=signer,
        certificates=tuple(each.public_bytes(Encoding.DER) for each in dict.fromkeys((leaf, *intermediates))),
    )


def _is_root(certificate: Certificate) -> bool:
    return certificate.issuer == certificate.subject


def sign_statement(signer: BundleSigner, statement: bytes) -> bytes:
    """A bundle with the in-toto statement and the signature over it."""
    signature = signer.sign(pae(INTOTO_TYPE, statement))
    envelope = Envelope(payload=statement, payload_type=INTOTO_TYPE, signature=signature)
    return write_bundle(envelope, None, key_hint=signer.key_hint, certificates=signer.certificates)


def sign_file(signer: BundleSigner, digest: bytes) -> bytes:
    """A bundle with a signature over the file that has this SHA-256."""
    message = MessageSignature(signature=signer.sign_digest(digest), digest=digest)
    return write_bundle(None, message, key_hint=signer.key_hint, certificates=signer.certificates)


def _ecdsa(hashing: HashAlgorithm | Prehashed) -> ECDSA:
    from cryptography.exceptions import UnsupportedAlgorithm  # noqa: PLC0415 - 120 ms with the next
    from cryptography.hazmat.primitives.asymmetric.ec import ECDSA  # noqa: PLC0415

    try:
        return ECDSA(hashing, deterministic_signing=True)
    except UnsupportedAlgorithm:  # OpenSSL before 3.2
        return ECDSA(hashing)
