"""Whether a signature is one of these bytes by that key.

A bundle does not say how it was signed; the key alone decides, so that nobody can talk a verifier
into a weaker algorithm: ECDSA with SHA-256, -384 or -512 by curve (OMS v1.0), Ed25519, RSA with
SHA-256 and either padding. ECDSA over the SHA-256 of a file is accepted from the larger curves too,
since cosign made such signatures.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Final, TypeAlias

from aibom.domain.check import Outcome
from aibom.domain.limits import MIB
from aibom.domain.signing import Bundle, Envelope, MessageSignature
from aibom.trust.dsse import old_pae, pae
from aibom.trust.public_key import Fault, hash_by_curve

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric import rsa
    from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
    from cryptography.hazmat.primitives.hashes import HashAlgorithm

    from aibom.trust.public_key import PublicKey

    Hashing: TypeAlias = HashAlgorithm | Prehashed

OLD_PAYLOAD_BYTES: Final = 8 * MIB
OLD_MARK: Final = b"https://model_signing/Digests/v0.1"


def check_signature(bundle: Bundle, artifact: bytes | None, key: PublicKey) -> Fault | None:
    """Why the bundle is not a signature by this key, or None when it is one.

    `artifact` is the SHA-256 digest of the signed file, for message signatures only.
    """
    if bundle.envelope is not None:
        return _check_envelope(bundle.envelope, key)
    if bundle.message is not None:
        return _check_message(bundle.message, artifact, key)
    return Fault(outcome=Outcome.UNSUPPORTED, detail="the bundle holds no signature of a known kind")


def _check_envelope(envelope: Envelope, key: PublicKey) -> Fault | None:
    if signed(key, envelope.signature, pae(envelope.payload_type, envelope.payload)):
        return None
    if _is_old(envelope) and signed_old(key, envelope):
        return None
    return Fault(
        outcome=Outcome.SIGNATURE_INVALID,
        detail="the payload was changed after it was signed, or another key signed it: get both files again",
    )


def _is_old(envelope: Envelope) -> bool:
    # The old encoding quadruples the payload in memory, so it is only made where it can be right.
    return len(envelope.payload) <= OLD_PAYLOAD_BYTES and OLD_MARK in envelope.payload


def _check_message(message: MessageSignature, artifact: bytes | None, key: PublicKey) -> Fault | None:
    from cryptography.hazmat.primitives.asymmetric import ed25519  # noqa: PLC0415 - 120 ms

    if artifact is None or len(artifact) != hashlib.sha256().digest_size:
        return Fault(outcome=Outcome.COULD_NOT_CHECK, detail="the signed file was not read: name it")
    if isinstance(key, ed25519.Ed25519PublicKey):
        detail = "Ed25519 signs the bytes of a file and not its digest, which is all that is compared here"
        return Fault(outcome=Outcome.UNSUPPORTED, detail=detail)
    # What the bundle states is believed only when it is what was signed.
    digest = artifact if message.digest is None else message.digest
    if not signed_digest(key, message.signature, digest):
        return _wrong_message(key)
    if digest != artifact:
        detail = "the signature is good, and it is one of another file: get the file again"
        return Fault(outcome=Outcome.CONTENT_MISMATCH, detail=detail)
    return None


def _wrong_message(key: PublicKey) -> Fault:
    from cryptography.hazmat.primitives.asymmetric import ec  # noqa: PLC0415 - 120 ms

    if isinstance(key, ec.EllipticCurvePublicKey) and key.curve.key_size > 256:
        size = "384" if key.curve.key_size == 384 else "512"
        detail = f"not a signature over SHA-256; one over SHA-{size} of a file is not checked"
        return Fault(outcome=Outcome.UNSUPPORTED, detail=detail)
    return Fault(
        outcome=Outcome.SIGNATURE_INVALID,
        detail="the file was changed after it was signed, or another key signed it: get both files again",
    )


def signed(key: PublicKey, signature: bytes, message: bytes) -> bool:
    """Whether the key made this signature over the message."""
    from cryptography.hazmat.primitives import hashes  # noqa: PLC0415 - 120 ms with the next
    from cryptography.hazmat.primitives.asymmetric import ec  # noqa: PLC0415

    if isinstance(key, ec.EllipticCurvePublicKey):
        return _verifies(key, signature, message, hash_by_curve(key.curve))
    return _verifies(key, signature, message, hashes.SHA256())


def signed_old(key: PublicKey, envelope: Envelope) -> bool:
    """Whether the key signed as model-transparency v0.2.0 did: another encoding, SHA-256 with every curve."""
    from cryptography.hazmat.primitives import hashes  # noqa: PLC0415 - 120 ms

    message = old_pae(envelope.payload_type, envelope.payload)
    return _verifies(key, envelope.signature, message, hashes.SHA256())


def signed_digest(key: PublicKey, signature: bytes, digest: bytes) -> bool:
    """Whether the key made this signature over a message with this SHA-256. Never for Ed25519."""
    from cryptography.hazmat.primitives import hashes  # noqa: PLC0415 - 120 ms with the next
    from cryptography.hazmat.primitives.asymmetric.utils import Prehashed  # noqa: PLC0415

    if len(digest) != hashlib.sha256().digest_size:
        return False
    return _verifies(key, signature, digest, Prehashed(hashes.SHA256()))


def _verifies(key: PublicKey, signature: bytes, message: bytes, hashing: Hashing) -> bool:
    from cryptography.exceptions import InvalidSignature  # noqa: PLC0415 - 120 ms with the next
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519  # noqa: PLC0415

    try:
        if isinstance(key, ec.EllipticCurvePublicKey):
            key.verify(signature, message, ec.ECDSA(hashing))
        elif isinstance(key, ed25519.Ed25519PublicKey):
            key.verify(signature, message)
        else:
            return _verifies_rsa(key, signature, message, hashing)
    except InvalidSignature:
        return False
    return True


def _verifies_rsa(key: rsa.RSAPublicKey, signature: bytes, message: bytes, hashing: Hashing) -> bool:
    from cryptography.exceptions import InvalidSignature  # noqa: PLC0415 - 120 ms with the next
    from cryptography.hazmat.primitives import hashes  # noqa: PLC0415
    from cryptography.hazmat.primitives.asymmetric import padding  # noqa: PLC0415

    salted = padding.PSS(padding.MGF1(hashes.SHA256()), hashes.SHA256().digest_size)
    for scheme in (padding.PKCS1v15(), salted):
        try:
            key.verify(signature, message, scheme, hashing)
        except InvalidSignature:
            continue
        return True
    return False
