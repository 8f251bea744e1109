"""The public keys of signers: which are read, and what they are called."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeAlias

from aibom.domain.check import Outcome
from aibom.domain.errors import malformed, over_limit, unsupported
from aibom.domain.limits import KIB

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
    from cryptography.hazmat.primitives.hashes import HashAlgorithm

    PublicKey: TypeAlias = ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey | rsa.RSAPublicKey

PEM_BYTES: Final = 64 * KIB
RSA_BITS: Final = range(2_048, 16_385)
CURVES: Final = {"secp256r1": "P-256", "secp384r1": "P-384", "secp521r1": "P-521"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """Why a key or certificate is not relied on, whatever it signed."""

    outcome: Outcome
    detail: str


def read_public_key(pem: bytes) -> PublicKey:
    """The key that somebody expects, from PEM. Raises UnreadableError (malformed, unsupported, limit)."""
    from cryptography.exceptions import UnsupportedAlgorithm  # noqa: PLC0415 - 120 ms with the next
    from cryptography.hazmat.primitives import serialization  # noqa: PLC0415

    if len(pem) > PEM_BYTES:
        raise over_limit(f"public key of {len(pem)} bytes, at most {PEM_BYTES} are read")
    if b"PRIVATE KEY-----" in pem:
        raise malformed("this is a private key: give the public one (openssl pkey -pubout)")
    if b"-----BEGIN CERTIFICATE-----" in pem:
        raise malformed("this is a certificate, not a public key: give it as a certificate chain")
    try:
        key = serialization.load_pem_public_key(pem)
    except UnsupportedAlgorithm:
        raise unsupported("public key: an algorithm that is not read") from None
    except ValueError:
        raise malformed("not a public key in PEM (`-----BEGIN PUBLIC KEY-----`)") from None
    fault = fault_of(key)
    if fault is not None:
        raise unsupported(f"public key: {fault.detail}")
    return accepted(key)


def fault_of(key: object) -> Fault | None:
    """Why no signature by this key is checked: its kind is not known, or it is weak."""
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa  # noqa: PLC0415 - 120 ms

    if isinstance(key, ed25519.Ed25519PublicKey):
        return None
    if isinstance(key, ec.EllipticCurvePublicKey):
        if key.curve.name in CURVES:
            return None
        weak = key.curve.key_size < 256
        detail = f"the curve {key.curve.name} is {'too weak' if weak else 'not known here'}"
        return Fault(outcome=Outcome.UNTRUSTED_SIGNER if weak else Outcome.UNSUPPORTED, detail=detail)
    if isinstance(key, rsa.RSAPublicKey):
        if key.key_size in RSA_BITS:
            return None
        weak = key.key_size < RSA_BITS.start
        detail = f"an RSA key of {key.key_size} bits is {'too weak' if weak else 'too large'}"
        return Fault(outcome=Outcome.UNTRUSTED_SIGNER if weak else Outcome.UNSUPPORTED, detail=detail)
    return Fault(outcome=Outcome.UNSUPPORTED, detail="the kind of key is not EC, Ed25519 or RSA")


def accepted(key: object) -> PublicKey:
    """The key with its type. Only for keys without a fault."""
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa  # noqa: PLC0415 - 120 ms

    assert isinstance(key, ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey | rsa.RSAPublicKey)
    return key


def algorithm_of(key: PublicKey) -> str:
    """The name of the algorithm, for the evidence."""
    from cryptography.hazmat.primitives.asymmetric import ec, rsa  # noqa: PLC0415 - 120 ms

    if isinstance(key, ec.EllipticCurvePublicKey):
        return f"ECDSA {CURVES[key.curve.name]}"
    return f"RSA {key.key_size}" if isinstance(key, rsa.RSAPublicKey) else "Ed25519"


def spki_sha256(key: PublicKey) -> str:
    """Hex SHA-256 of the DER SubjectPublicKeyInfo, the name of a key everywhere in aibom."""
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat  # noqa: PLC0415 - 210 ms

    return hashlib.sha256(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).hexdigest()


def oms_hint(key: PublicKey) -> str:
    """Hex SHA-256 of the PEM text of the key: `publicKey.hint` as OMS v1.0 signers write it."""
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat  # noqa: PLC0415 - 210 ms

    return hashlib.sha256(key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)).hexdigest()


def hash_by_curve(curve: ec.EllipticCurve) -> HashAlgorithm:
    """SHA-256, -384 or -512, as large as the curve (OMS v1.0)."""
    from cryptography.hazmat.primitives import hashes  # noqa: PLC0415 - 120 ms

    if curve.key_size == 256:
        return hashes.SHA256()
    return hashes.SHA384() if curve.key_size == 384 else hashes.SHA512()
