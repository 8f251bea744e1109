"""A sigstore bundle: read without believing it, and written for keys and certificate chains.

Format: github.com/sigstore/protobuf-specs, sigstore_bundle.proto, v0.1 to v0.3 in their JSON form;
for models narrowed by the OpenSSF Model Signing specification v1.0, sections 4 and 11.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from typing import Final

from aibom.domain.errors import UnreadableError, malformed, unsupported
from aibom.domain.limits import MIB
from aibom.domain.signing import Bundle, Envelope, LogEntry, Material, MessageSignature
from aibom.readers.json import Json
from aibom.trust.dsse import INTOTO_TYPE
from aibom.trust.fields import Fields, canonical, parse

BUNDLE_BYTES: Final = 64 * MIB  # the envelope of a manifest of 250,000 files
BUNDLE_VALUE_COUNT: Final = 20_000
CERTIFICATE_COUNT: Final = 16
LOG_ENTRY_COUNT: Final = 32
SIGNATURE_COUNT: Final = 32
TIMESTAMP_COUNT: Final = 32

WRITTEN_TYPE: Final = "application/vnd.dev.sigstore.bundle.v0.3+json"
# Before v0.3 keyless signatures carried their certificate as a chain of one.
_CHAIN_TYPES: Final = frozenset(f"application/vnd.dev.sigstore.bundle+json;version=0.{n}" for n in (1, 2))
_TYPES: Final = _CHAIN_TYPES | {"application/vnd.dev.sigstore.bundle+json;version=0.3", WRITTEN_TYPE}
_MATERIAL: Final = ("publicKey", "x509CertificateChain", "certificate")


def read_bundle(data: bytes) -> Bundle:
    """The bundle as it says it is; nothing in it is verified.

    Exactly one signature over an in-toto statement or a file. Raises malformed, limit, or
    unsupported (media type, payload type, several signatures, members that this version does not know).
    """
    document = parse(data, BUNDLE_BYTES, BUNDLE_VALUE_COUNT)
    media_type = _media_type(document)
    document.only(("mediaType", "verificationMaterial", "dsseEnvelope", "messageSignature"))
    if document.has("dsseEnvelope") == document.has("messageSignature"):
        raise malformed("a bundle holds either dsseEnvelope or messageSignature")
    material = document.section("verificationMaterial")
    # A member of another spelling (`public_key`) would be seen by other readers and not by this one.
    material.only((*_MATERIAL, "tlogEntries", "timestampVerificationData"))
    entries = tuple(map(_log_entry, material.sections("tlogEntries", LOG_ENTRY_COUNT)))
    stamps = material.optional("timestampVerificationData").sections("rfc3161Timestamps", TIMESTAMP_COUNT)
    kind = _one_of(material, _MATERIAL)
    return Bundle(
        media_type=media_type,
        material=_material(kind, media_type, logged=bool(entries or stamps)),
        envelope=_envelope(document.section("dsseEnvelope")) if document.has("dsseEnvelope") else None,
        message=_message(document.section("messageSignature")) if document.has("messageSignature") else None,
        key_hint=_key_hint(material.section(kind)) if kind == "publicKey" else "",
        certificates=_certificates(material, kind),
        log_entries=entries,
        timestamp_count=len(stamps),
        raw=data,
    )


def _media_type(document: Fields) -> str:
    if not document.has("mediaType"):
        raise _stranger(document)
    media_type = document.text("mediaType")
    if media_type not in _TYPES:
        raise unsupported(f"media type {media_type[:120]!r} is not one of a sigstore bundle v0.1 to v0.3")
    return media_type


def _stranger(document: Fields) -> UnreadableError:
    if document.has("payloadType"):
        return unsupported("a DSSE envelope without a sigstore bundle around it")
    if document.has("base64Signature"):
        return unsupported("a signature in cosign's old format, not a sigstore bundle")
    return malformed("not a sigstore bundle: mediaType is missing")


def _one_of(fields: Fields, keys: Sequence[str]) -> str:
    found = [key for key in keys if fields.has(key)]
    if len(found) != 1:
        raise malformed(f"{fields.where} holds {len(found)} of {', '.join(keys)}, not one")
    return found[0]


def _material(kind: str, media_type: str, *, logged: bool) -> Material:
    if kind == "publicKey":
        return Material.KEY
    keyless_chain = media_type in _CHAIN_TYPES and logged
    return Material.KEYLESS if kind == "certificate" or keyless_chain else Material.CERTIFICATE


def _key_hint(key: Fields) -> str:
    # Before 1.1.0 model-signing wrote the PEM text itself; since then it writes the SHA-256 of that text.
    if not key.has("hint") and key.has("rawBytes"):
        return hashlib.sha256(key.base64("rawBytes")).hexdigest()
    return key.text("hint", "")


def _certificates(material: Fields, kind: str) -> tuple[bytes, ...]:
    if kind == "certificate":
        return (material.section(kind).base64("rawBytes"),)
    if kind == "publicKey":
        return ()
    chain = material.section(kind).sections("certificates", CERTIFICATE_COUNT)
    if not chain:
        raise malformed("the certificate chain is empty")
    return tuple(certificate.base64("rawBytes") for certificate in chain)


def _envelope(envelope: Fields) -> Envelope:
    envelope.only(("payload", "payloadType", "signatures"))
    payload_type = envelope.text("payloadType")
    if payload_type != INTOTO_TYPE:
        raise unsupported(f"payload type {payload_type[:120]!r} is not {INTOTO_TYPE}")
    signatures = envelope.sections("signatures", SIGNATURE_COUNT)
    if not signatures:
        raise malformed("the envelope has no signature")
    # Which of several would have to be right? The bundle has room for one key only.
    if len(signatures) > 1:
        raise unsupported(f"the envelope has {len(signatures)} signatures, exactly one is read")
    signatures[0].only(("sig", "keyid"))
    return Envelope(
        payload=envelope.base64("payload"),
        payload_type=payload_type,
        signature=signatures[0].base64("sig"),
    )


def _message(message: Fields) -> MessageSignature:
    message.only(("messageDigest", "signature"))
    return MessageSignature(signature=message.base64("signature"), digest=_stated_digest(message))


def _stated_digest(message: Fields) -> bytes | None:
    if not message.has("messageDigest"):
        return None
    stated = message.section("messageDigest")
    algorithm = stated.text("algorithm")
    if algorithm != "SHA2_256":
        raise unsupported(f"message digest of algorithm {algorithm[:40]!r}, SHA2_256 is read")
    digest = stated.base64("digest")
    if len(digest) != 32:
        raise malformed(f"messageSignature.messageDigest.digest has {len(digest)} bytes, not 32")
    return digest


def _log_entry(entry: Fields) -> LogEntry:
    entry.int64("logIndex")  # a negative one is no entry of any log
    kind = entry.optional("kindVersion")
    return LogEntry(
        kind=kind.text("kind", ""),
        version=kind.text("version", ""),
        integrated_time=entry.int64("integratedTime") or None,  # Rekor v2 states none, or 0
        has_proof=entry.optional("inclusionProof").optional("checkpoint").has("envelope"),
    )


def write_bundle(
    envelope: Envelope | None,
    message: MessageSignature | None,
    *,
    key_hint: str = "",
    certificates: Sequence[bytes] = (),
) -> bytes:
    """A bundle v0.3 for a key, or for a chain of DER `certificates`, leaf first: one line of canonical JSON.

    Raises ValueError unless there is exactly one of `envelope` and `message`, and one of `key_hint`
    and `certificates`.
    """
    if (envelope is None) == (message is None) or bool(key_hint) == bool(certificates):
        raise ValueError("a bundle has one signature, and one key or chain")
    material: dict[str, Json] = {"tlogEntries": []}
    if certificates:
        chain: list[Json] = [{"rawBytes": _base64(der)} for der in certificates]
        material["x509CertificateChain"] = {"certificates": chain}
    else:
        material["publicKey"] = {"hint": key_hint}
    document: dict[str, Json] = {"mediaType": WRITTEN_TYPE, "verificationMaterial": material}
    if envelope is not None:
        document["dsseEnvelope"] = _written_envelope(envelope)
    if message is not None:
        document["messageSignature"] = _written_message(message)
    return canonical(document) + b"\n"


def _written_envelope(envelope: Envelope) -> dict[str, Json]:
    return {
        "payload": _base64(envelope.payload),
        "payloadType": envelope.payload_type,
        "signatures": [{"keyid": "", "sig": _base64(envelope.signature)}],
    }


def _written_message(message: MessageSignature) -> dict[str, Json]:
    written: dict[str, Json] = {"signature": _base64(message.signature)}
    if message.digest is not None:
        written["messageDigest"] = {"algorithm": "SHA2_256", "digest": _base64(message.digest)}
    return written


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")
