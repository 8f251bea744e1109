"""The bytes that services of sigstore exchange: entries, names of certificates, lengths."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

PAYLOAD_TYPE = "application/vnd.in-toto+json"


def encoded(payload: bytes) -> bytes:
    """What an envelope's signature covers."""
    return b"DSSEv1 %d %b %d %b" % (len(PAYLOAD_TYPE), PAYLOAD_TYPE.encode(), len(payload), payload)


def dsse_entry(envelope: bytes, verifier: str) -> dict[str, object]:
    """The entry that Rekor v1 makes of an envelope: hashes, and the signature with its certificate."""
    parsed = json.loads(envelope)
    payload = base64.b64decode(parsed["payload"])
    spec = {
        "envelopeHash": {"algorithm": "sha256", "value": sha256(envelope).hex()},
        "payloadHash": {"algorithm": "sha256", "value": sha256(payload).hex()},
        "signatures": [{"signature": each["sig"], "verifier": verifier} for each in parsed["signatures"]],
    }
    return {"apiVersion": "0.0.1", "kind": "dsse", "spec": spec}


def hashedrekord(
    digest: bytes, signature: bytes, certificate: x509.Certificate, rekor: int
) -> dict[str, object]:
    """The entry of Rekor v1 or v2 for a signature over something with this digest."""
    if rekor == 2:
        verifier = {
            "keyDetails": "PKIX_ECDSA_P256_SHA_256",
            "x509Certificate": {"rawBytes": b64(der(certificate))},
        }
        signed = {"content": b64(signature), "verifier": verifier}
        return hashedrekord_of({"digest": b64(digest), "signature": signed})
    spec = {
        "data": {"hash": {"algorithm": "sha256", "value": digest.hex()}},
        "signature": {"content": b64(signature), "publicKey": {"content": pem64(certificate)}},
    }
    return {"apiVersion": "0.0.1", "kind": "hashedrekord", "spec": spec}


def hashedrekord_of(request: Mapping[str, object]) -> dict[str, object]:
    """The entry that Rekor v2 makes of a request, for envelopes as well."""
    data = {"algorithm": "SHA2_256", "digest": request["digest"]}
    spec = {"hashedRekordV002": {"data": data, "signature": request["signature"]}}
    return {"apiVersion": "0.0.2", "kind": "hashedrekord", "spec": spec}


def key_usage(*wanted: str) -> x509.KeyUsage:
    known = (
        "digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement",
        "key_cert_sign", "crl_sign", "encipher_only", "decipher_only",
    )  # fmt: skip
    return x509.KeyUsage(**{name: name in wanted for name in known})


def general_name(name: str) -> x509.GeneralName:
    is_mail = "@" in name and "://" not in name
    return x509.RFC822Name(name) if is_mail else x509.UniformResourceIdentifier(name)


def der(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.DER)


def pem64(certificate: x509.Certificate) -> str:
    return b64(certificate.public_bytes(serialization.Encoding.PEM))


def spki(key: ec.EllipticCurvePublicKey) -> bytes:
    return key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)


def key_id(key: ec.EllipticCurvePrivateKey) -> bytes:
    return sha256(spki(key.public_key()))


def der_length(length: int) -> bytes:
    if length < 128:
        return bytes([length])
    return b"\x81" + bytes([length]) if length < 256 else b"\x82" + length.to_bytes(2, "big")


def vector(data: bytes) -> bytes:
    """With its length in two bytes, as TLS writes lists."""
    return len(data).to_bytes(2, "big") + data


def canonical(document: Mapping[str, object]) -> bytes:
    return json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def sha256(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()
