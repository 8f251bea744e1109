"""A timestamp authority (RFC 3161): what its clients check, written out in DER."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from tests.services.sigstore_bytes import b64, der_length, key_usage, sha256

SEQUENCE, SET, INTEGER, OCTETS, TIME, FIRST = 0x30, 0x31, 0x02, 0x04, 0x18, 0xA0
# Object identifiers as they are encoded.
SIGNED_DATA = bytes.fromhex("06092a864886f70d010702")
TST_INFO = bytes.fromhex("060b2a864886f70d0109100104")
CONTENT_TYPE = bytes.fromhex("06092a864886f70d010903")
MESSAGE_DIGEST = bytes.fromhex("06092a864886f70d010904")
SIGNING_CERTIFICATE = bytes.fromhex("060b2a864886f70d010910022f")
SHA256 = bytes.fromhex("300b0609608648016503040201")
ECDSA_SHA256 = bytes.fromhex("300a06082a8648ce3d040302")
POLICY = bytes.fromhex("06032a0304")


class FakeClock:
    """One authority with keys of its own, valid for ten years from `start`."""

    def __init__(self, start: datetime) -> None:
        self._start = start
        self._root_key, self._key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
        self._root = self._certificate("fake clock root", self._root_key.public_key(), ca=True)
        self._leaf = self._certificate("fake clock", self._key.public_key(), ca=False)

    def _certificate(self, name: str, key: ec.EllipticCurvePublicKey, *, ca: bool) -> x509.Certificate:
        builder = (
            x509.CertificateBuilder()
            .subject_name(named(name))
            .issuer_name(named("fake clock root"))
            .public_key(key)
            .serial_number(1 if ca else 2)
            .not_valid_before(self._start)
            .not_valid_after(self._start + timedelta(days=3650))
            .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
            .add_extension(key_usage("key_cert_sign" if ca else "digital_signature"), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
        )
        if not ca:
            usage = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING])
            issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(self._root_key.public_key())
            builder = builder.add_extension(usage, critical=True).add_extension(issuer, critical=False)
        return builder.sign(self._root_key, hashes.SHA256())

    def authority(self) -> dict[str, object]:
        """How a trusted root names it."""
        chain = [{"rawBytes": b64(item.public_bytes(Encoding.DER))} for item in (self._leaf, self._root)]
        return {
            "subject": {"organization": "aibom.test", "commonName": "fake clock"},
            "certChain": {"certificates": chain},
            "validFor": {"start": self._start.strftime("%Y-%m-%dT%H:%M:%SZ")},
        }

    def response(self, digest: bytes, at: datetime) -> bytes:
        """The answer that something with this SHA-256 digest was there at that time."""
        imprint = tlv(SEQUENCE, SHA256, tlv(OCTETS, digest))
        moment = at.astimezone(UTC).strftime("%Y%m%d%H%M%SZ").encode()
        info = tlv(SEQUENCE, integer(1), POLICY, imprint, integer(7), tlv(TIME, moment))
        certificate = self._leaf.public_bytes(Encoding.DER)
        identified = tlv(SEQUENCE, tlv(SEQUENCE, tlv(SEQUENCE, tlv(OCTETS, sha256(certificate)))))
        attributes = b"".join(
            (
                tlv(SEQUENCE, CONTENT_TYPE, tlv(SET, TST_INFO)),
                tlv(SEQUENCE, MESSAGE_DIGEST, tlv(SET, tlv(OCTETS, sha256(info)))),
                tlv(SEQUENCE, SIGNING_CERTIFICATE, tlv(SET, identified)),
            )
        )
        # The signature covers the attributes as a set, which the structure holds under another tag.
        signature = self._key.sign(tlv(SET, attributes), ec.ECDSA(hashes.SHA256()))
        issuer = tlv(SEQUENCE, named("fake clock root").public_bytes(), integer(2))
        signer = tlv(
            SEQUENCE, integer(1), issuer, SHA256, tlv(FIRST, attributes), ECDSA_SHA256, tlv(OCTETS, signature)
        )
        content = tlv(SEQUENCE, TST_INFO, tlv(FIRST, tlv(OCTETS, info)))
        signed = tlv(
            SEQUENCE, integer(3), tlv(SET, SHA256), content, tlv(FIRST, certificate), tlv(SET, signer)
        )
        granted = tlv(SEQUENCE, integer(0))
        return tlv(SEQUENCE, granted, tlv(SEQUENCE, SIGNED_DATA, tlv(FIRST, signed)))


def named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def tlv(tag: int, *parts: bytes) -> bytes:
    value = b"".join(parts)
    return bytes([tag]) + der_length(len(value)) + value


def integer(value: int) -> bytes:
    return tlv(INTEGER, bytes([value]))
