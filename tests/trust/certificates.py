"""Certificates and bundles for the tests, made by `cryptography` directly."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from aibom.domain.signing import Bundle, Envelope, Material
from aibom.trust.dsse import INTOTO_TYPE, pae

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
PAYLOAD = b'{"_type":"https://in-toto.io/Statement/v1"}'
MAIL = "release@example.com"
URI = "https://example.com/team/release"

Key = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey
Extensions = Sequence[tuple[x509.ExtensionType, bool]]


def ec_key(curve: ec.EllipticCurve | None = None) -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(curve or ec.SECP256R1())


def private_pem(key: Key, password: bytes | None = None) -> bytes:
    encryption = serialization.BestAvailableEncryption(password) if password else serialization.NoEncryption()
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption)


def public_pem(key: Key) -> bytes:
    return key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )


def usage(**allowed: bool) -> x509.KeyUsage:
    every = (
        "digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement",
        "key_cert_sign", "crl_sign", "encipher_only", "decipher_only",
    )  # fmt: skip
    return x509.KeyUsage(**{each: allowed.get(each, False) for each in every})


SIGNS = (usage(digital_signature=True), True)
CODE = (x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CODE_SIGNING]), False)
TLS = (x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), False)
ANY = (x509.ExtendedKeyUsage([ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE]), False)
ISSUES = (usage(key_cert_sign=True, crl_sign=True), True)
NAMES = (
    x509.SubjectAlternativeName([x509.RFC822Name(MAIL), x509.UniformResourceIdentifier(URI)]),
    False,
)
SIGNER: Extensions = (SIGNS, CODE, NAMES)


def authority(depth: int | None = None, *more: tuple[x509.ExtensionType, bool]) -> Extensions:
    return ((x509.BasicConstraints(ca=True, path_length=depth), True), ISSUES, *more)


def named(*names: x509.GeneralName) -> Extensions:
    return (SIGNS, CODE, (x509.SubjectAlternativeName(names), False))


@dataclass(frozen=True, kw_only=True)
class Holder:
    """A key with its certificate."""

    key: Key
    certificate: x509.Certificate

    @property
    def der(self) -> bytes:
        return self.certificate.public_bytes(serialization.Encoding.DER)

    @property
    def pem(self) -> bytes:
        return self.certificate.public_bytes(serialization.Encoding.PEM)


def name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)] if text else [])


def issue(
    subject: str,
    extensions: Extensions,
    issuer: Holder | None = None,
    *,
    key: Key | None = None,
    days: tuple[int, int] = (-30, 30),
    subject_name: x509.Name | None = None,
    digest: hashes.HashAlgorithm | None = None,
) -> Holder:
    """A certificate, self-signed without an issuer. `days` is its validity relative to `NOW`."""
    key = key or ec_key()
    issuing = issuer.key if issuer else key
    own = subject_name or name(subject)
    builder = (
        x509.CertificateBuilder()
        .subject_name(own)
        .issuer_name(issuer.certificate.subject if issuer else own)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(NOW + timedelta(days=days[0]))
        .not_valid_after(NOW + timedelta(days=days[1]))
    )
    identifiers: Extensions = (  # as every real certificate has them, and OpenSSL demands them
        (x509.AuthorityKeyIdentifier.from_issuer_public_key(issuing.public_key()), False),
        (x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False),
    )
    for extension, critical in (*extensions, *identifiers):
        builder = builder.add_extension(extension, critical)
    ed = isinstance(issuing, ed25519.Ed25519PrivateKey)
    return Holder(key=key, certificate=builder.sign(issuing, None if ed else digest or hashes.SHA256()))


def signature_of(key: Key, message: bytes) -> bytes:
    if isinstance(key, ec.EllipticCurvePrivateKey):
        size = key.curve.key_size
        digest = hashes.SHA256() if size <= 256 else hashes.SHA384() if size == 384 else hashes.SHA512()
        return key.sign(message, ec.ECDSA(digest))
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return key.sign(message)
    from cryptography.hazmat.primitives.asymmetric import padding  # noqa: PLC0415 - one use

    return key.sign(message, padding.PKCS1v15(), hashes.SHA256())


def envelope_by(key: Key, payload: bytes = PAYLOAD) -> Envelope:
    signature = signature_of(key, pae(INTOTO_TYPE, payload))
    return Envelope(payload=payload, payload_type=INTOTO_TYPE, signature=signature)


def key_bundle(key: Key, hint: str = "") -> Bundle:
    return Bundle(
        media_type="application/vnd.dev.sigstore.bundle.v0.3+json",
        material=Material.KEY,
        envelope=envelope_by(key),
        key_hint=hint,
    )


def chain_bundle(signer: Holder, *others: Holder) -> Bundle:
    return Bundle(
        media_type="application/vnd.dev.sigstore.bundle.v0.3+json",
        material=Material.CERTIFICATE,
        envelope=envelope_by(signer.key),
        certificates=(signer.der, *(other.der for other in others)),
    )
