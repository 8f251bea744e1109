from __future__ import annotations

import base64
import hashlib
import shutil
import subprocess
import warnings
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed25519, padding, rsa, x25519
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from hypothesis import given
from hypothesis import strategies as st

from aibom.domain.check import Outcome
from aibom.domain.errors import Reason, UnreadableError
from aibom.domain.signing import Bundle, Envelope, ExpectedKey, Material, MessageSignature
from aibom.trust.dsse import INTOTO_TYPE, old_pae, pae
from aibom.trust.key import verify_key
from aibom.trust.public_key import PEM_BYTES, oms_hint, read_public_key, spki_sha256
from tests.trust.certificates import (
    PAYLOAD,
    SIGNER,
    Key,
    chain_bundle,
    ec_key,
    envelope_by,
    issue,
    key_bundle,
    private_pem,
    public_pem,
)

P256, P384, P521 = ec_key(), ec_key(ec.SECP384R1()), ec_key(ec.SECP521R1())
ED = ed25519.Ed25519PrivateKey.generate()
RSA = rsa.generate_private_key(65_537, 2_048)
OTHER = ec_key()
EXPECTED = ExpectedKey(public_key=public_pem(P256))
DIGEST = hashlib.sha256(b"weights").digest()
SHA256 = Prehashed(hashes.SHA256())


def expected(key: Key) -> ExpectedKey:
    return ExpectedKey(public_key=public_pem(key))


def message_bundle(signature: bytes, digest: bytes | None = DIGEST) -> Bundle:
    return Bundle(
        media_type="application/vnd.dev.sigstore.bundle.v0.3+json",
        material=Material.KEY,
        message=MessageSignature(signature=signature, digest=digest),
    )


def file_bundle(key: ec.EllipticCurvePrivateKey, digest: bytes | None = DIGEST) -> Bundle:
    return message_bundle(key.sign(DIGEST, ec.ECDSA(SHA256)), digest)


@pytest.mark.parametrize(
    "key", [P256, P384, P521, ED, RSA], ids=["P-256", "P-384", "P-521", "Ed25519", "RSA"]
)
def test_the_payload_of_a_good_signature_is_handed_on_with_the_name_of_the_key(key: Key) -> None:
    judged = verify_key(key_bundle(key), None, expected(key))
    der = key.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    assert judged.outcome is Outcome.VERIFIED
    assert judged.payload == PAYLOAD
    assert judged.signer is not None
    assert judged.signer.material is Material.KEY
    assert judged.signer.key_sha256 == hashlib.sha256(der).hexdigest()
    assert judged.signer.identity == f"sha256:{judged.signer.key_sha256}"
    assert judged.signer.signed_at is None


def test_rsa_with_salted_padding_is_read_too() -> None:
    scheme = padding.PSS(padding.MGF1(hashes.SHA256()), 32)
    signature = RSA.sign(pae(INTOTO_TYPE, PAYLOAD), scheme, hashes.SHA256())
    bundle = replace(key_bundle(RSA), envelope=replace(envelope_by(RSA), signature=signature))
    assert verify_key(bundle, None, expected(RSA)).outcome is Outcome.VERIFIED


def _envelope(
    payload: bytes = PAYLOAD, payload_type: str = INTOTO_TYPE, signature: bytes | None = None
) -> Envelope:
    good = envelope_by(P256)
    return Envelope(payload=payload, payload_type=payload_type, signature=signature or good.signature)


@pytest.mark.parametrize(
    "envelope",
    [
        _envelope(payload=PAYLOAD + b" "),
        _envelope(payload=PAYLOAD.replace(b":", b": ")),
        _envelope(payload=b""),
        _envelope(payload_type="application/json"),
        _envelope(payload_type=""),
        _envelope(signature=b"\x30\x06\x02\x01\x00\x02\x01\x00"),  # r = s = 0
        _envelope(signature=b"\x30\x06\x02\x01\x01\x02\x01\x01"),
        _envelope(signature=b"x"),
        _envelope(signature=b"\0" * 100_000),
        _envelope(signature=envelope_by(P256).signature + b"\0"),
        envelope_by(OTHER),
        # The bytes themselves, without the type: not what DSSE signs.
        _envelope(signature=P256.sign(PAYLOAD, ec.ECDSA(hashes.SHA256()))),
        # Another hash than the one of the curve.
        _envelope(signature=P256.sign(pae(INTOTO_TYPE, PAYLOAD), ec.ECDSA(hashes.SHA512()))),
        # The old encoding, for a payload that is not old.
        _envelope(signature=P256.sign(old_pae(INTOTO_TYPE, PAYLOAD), ec.ECDSA(hashes.SHA256()))),
    ],
)
def test_what_was_not_signed_is_refused(envelope: Envelope) -> None:
    judged = verify_key(replace(key_bundle(P256), envelope=envelope), None, EXPECTED)
    assert judged.outcome is Outcome.SIGNATURE_INVALID
    assert judged.payload is None


@given(st.data())
def test_one_changed_byte_is_never_verified(data: st.DataObject) -> None:
    envelope = _FLIPPED
    part = data.draw(st.sampled_from(["payload", "signature"]))
    value = bytearray(getattr(envelope, part))
    at = data.draw(st.integers(0, len(value) - 1))
    value[at] ^= data.draw(st.integers(1, 255))
    changed = replace(envelope, **{part: bytes(value)})
    judged = verify_key(replace(key_bundle(P256), envelope=changed), None, EXPECTED)
    assert judged.outcome is Outcome.SIGNATURE_INVALID


_FLIPPED = envelope_by(P256)


@pytest.mark.parametrize("key", [P256, P384])
def test_the_encoding_before_1_0_is_read_for_the_predicate_before_1_0_with_sha256(
    key: ec.EllipticCurvePrivateKey,
) -> None:
    payload = b'{"predicateType": "https://model_signing/Digests/v0.1", "it\'s": "\xc3\xa9"}'
    signature = key.sign(old_pae(INTOTO_TYPE, payload), ec.ECDSA(hashes.SHA256()))
    old = Envelope(payload=payload, payload_type=INTOTO_TYPE, signature=signature)
    bundle = replace(key_bundle(key), envelope=old)
    assert verify_key(bundle, None, expected(key)).payload == payload
    changed = replace(bundle, envelope=replace(old, payload=payload + b"\n"))
    assert verify_key(changed, None, expected(key)).outcome is Outcome.SIGNATURE_INVALID


# Hints


def test_the_hint_is_the_digest_of_the_pem_text() -> None:
    assert oms_hint(P256.public_key()) == hashlib.sha256(public_pem(P256)).hexdigest()


@pytest.mark.parametrize(
    "hint",
    [
        oms_hint(P256.public_key()),
        spki_sha256(P256.public_key()),
        base64.b64encode(bytes.fromhex(spki_sha256(P256.public_key()))).decode(),
    ],
    ids=["OMS", "hex", "cosign"],
)
def test_a_hint_that_names_the_key_is_evidence(hint: str) -> None:
    judged = verify_key(key_bundle(P256, hint), None, EXPECTED)
    assert judged.signer is not None
    assert ("key hint", "names the key") in judged.signer.evidence
    assert "hint" not in judged.detail


def test_a_wrong_hint_is_told_and_no_error() -> None:
    judged = verify_key(key_bundle(P256, oms_hint(OTHER.public_key())), None, EXPECTED)
    assert judged.outcome is Outcome.VERIFIED
    assert "hint" in judged.detail


def test_another_key_that_the_hint_names_is_an_untrusted_signer() -> None:
    judged = verify_key(key_bundle(OTHER, oms_hint(OTHER.public_key())), None, EXPECTED)
    assert judged.outcome is Outcome.UNTRUSTED_SIGNER
    assert judged.signer is None


def test_a_good_hint_does_not_help_another_key() -> None:
    judged = verify_key(key_bundle(OTHER, oms_hint(P256.public_key())), None, EXPECTED)
    assert judged.outcome is Outcome.SIGNATURE_INVALID


def test_a_bundle_with_a_certificate_is_verified_by_its_key_alone() -> None:
    holder = issue("release", SIGNER)
    judged = verify_key(chain_bundle(holder), None, expected(holder.key))
    assert judged.outcome is Outcome.VERIFIED
    assert judged.signer is not None
    assert judged.signer.material is Material.KEY
    refused = verify_key(chain_bundle(holder), None, EXPECTED)
    assert refused.outcome is Outcome.UNTRUSTED_SIGNER
    assert "certificate" in refused.detail


def test_timestamps_that_nobody_checked_prove_no_time() -> None:
    judged = verify_key(replace(key_bundle(P256), timestamp_count=1), None, EXPECTED)
    assert judged.signer is not None
    assert judged.signer.signed_at is None
    assert ("log entries and timestamps", "not checked") in judged.signer.evidence


# Message signatures


@pytest.mark.parametrize("key", [P256, P384, P521])
@pytest.mark.parametrize("stated", [DIGEST, None])
def test_a_signature_over_a_file_is_checked_by_the_digest_of_the_file(
    key: ec.EllipticCurvePrivateKey, stated: bytes | None
) -> None:
    judged = verify_key(file_bundle(key, stated), DIGEST, expected(key))
    assert judged.outcome is Outcome.VERIFIED
    assert judged.payload is None


def test_rsa_signs_files_with_either_padding() -> None:
    for scheme in (padding.PKCS1v15(), padding.PSS(padding.MGF1(hashes.SHA256()), 32)):
        bundle = message_bundle(RSA.sign(b"weights", scheme, hashes.SHA256()))
        assert verify_key(bundle, DIGEST, expected(RSA)).outcome is Outcome.VERIFIED
    wrong = message_bundle(RSA.sign(b"other", padding.PKCS1v15(), hashes.SHA256()))
    assert verify_key(wrong, DIGEST, expected(RSA)).outcome is Outcome.SIGNATURE_INVALID


FILE = hashlib.sha256(b"another file").digest()


@pytest.mark.parametrize(
    ("bundle", "artifact", "key", "outcome"),
    [
        (file_bundle(P256), FILE, P256, Outcome.CONTENT_MISMATCH),
        (file_bundle(P384), FILE, P384, Outcome.CONTENT_MISMATCH),
        (file_bundle(P256, None), FILE, P256, Outcome.SIGNATURE_INVALID),
        (file_bundle(P256, FILE), FILE, P256, Outcome.SIGNATURE_INVALID),  # the digest was exchanged
        (file_bundle(P256, FILE), DIGEST, P256, Outcome.SIGNATURE_INVALID),
        (file_bundle(P256, b""), DIGEST, P256, Outcome.SIGNATURE_INVALID),
        (file_bundle(P256, DIGEST[:31]), DIGEST, P256, Outcome.SIGNATURE_INVALID),
        (file_bundle(OTHER), DIGEST, P256, Outcome.SIGNATURE_INVALID),
        (file_bundle(P256), None, P256, Outcome.COULD_NOT_CHECK),
        (file_bundle(P256), b"", P256, Outcome.COULD_NOT_CHECK),
        (file_bundle(P256), DIGEST.hex().encode(), P256, Outcome.COULD_NOT_CHECK),
        # Over another digest of the file, which was not computed.
        (message_bundle(P384.sign(b"weights", ec.ECDSA(hashes.SHA384()))), DIGEST, P384, Outcome.UNSUPPORTED),
        (message_bundle(P521.sign(b"weights", ec.ECDSA(hashes.SHA512()))), DIGEST, P521, Outcome.UNSUPPORTED),
        (message_bundle(ED.sign(b"weights")), DIGEST, ED, Outcome.UNSUPPORTED),
        (replace(file_bundle(P256), message=None), DIGEST, P256, Outcome.UNSUPPORTED),
    ],
)
def test_what_is_wrong_with_a_file_is_told_apart(
    bundle: Bundle, artifact: bytes | None, key: Key, outcome: Outcome
) -> None:
    judged = verify_key(bundle, artifact, expected(key))
    assert judged.outcome is outcome
    assert judged.detail


# Expected keys


def _pem(label: bytes) -> bytes:
    return b"-----BEGIN %b-----\nAAAA\n-----END %b-----\n" % (label, label)


def _weak_rsa() -> Key:
    with warnings.catch_warnings(action="ignore"):
        return rsa.generate_private_key(65_537, 1_024)


@pytest.mark.parametrize(
    ("pem", "reason", "words"),
    [
        (b"", Reason.MALFORMED, "PEM"),
        (b"\xff\xfe", Reason.MALFORMED, "PEM"),
        (_pem(b"PUBLIC KEY"), Reason.MALFORMED, "PEM"),
        (public_pem(P256)[:-40], Reason.MALFORMED, "PEM"),
        (private_pem(P256), Reason.MALFORMED, "private key"),
        (issue("x", SIGNER).pem, Reason.MALFORMED, "certificate"),
        (b" " * (PEM_BYTES + 1), Reason.LIMIT, "bytes"),
        (public_pem(ec_key(ec.SECP256K1())), Reason.UNSUPPORTED, "secp256k1"),
        (public_pem(ec_key(ec.SECP192R1())), Reason.UNSUPPORTED, "weak"),
        (public_pem(_weak_rsa()), Reason.UNSUPPORTED, "1024"),
        (public_pem(x25519.X25519PrivateKey.generate()), Reason.UNSUPPORTED, "kind"),
        (public_pem(dsa.generate_private_key(1_024)), Reason.UNSUPPORTED, "kind"),
    ],
)
def test_a_key_that_cannot_be_expected_is_a_mistake_of_the_caller(
    pem: bytes, reason: Reason, words: str
) -> None:
    with pytest.raises(UnreadableError) as caught:
        verify_key(key_bundle(P256), None, ExpectedKey(public_key=pem))
    assert caught.value.reason is reason
    assert words in caught.value.message


@given(st.binary(max_size=80), st.booleans())
def test_any_bytes_are_a_key_or_refused(noise: bytes, framed: bool) -> None:
    text = base64.b64encode(noise)
    pem = b"-----BEGIN PUBLIC KEY-----\n%b\n-----END PUBLIC KEY-----\n" % text if framed else noise
    with pytest.raises(UnreadableError):
        read_public_key(pem)


# Against OpenSSL

needs_openssl = pytest.mark.skipif(shutil.which("openssl") is None, reason="the openssl program is not there")


def openssl(*arguments: str | Path) -> None:
    subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True, timeout=60)


@needs_openssl
@pytest.mark.parametrize(
    ("curve", "digest"), [("prime256v1", "sha256"), ("secp384r1", "sha384"), ("secp521r1", "sha512")]
)
def test_signatures_that_openssl_makes_are_verified(tmp_path: Path, curve: str, digest: str) -> None:
    key, public, message, signature = (tmp_path / name for name in ("key", "public", "message", "signature"))
    openssl("ecparam", "-name", curve, "-genkey", "-noout", "-out", key)
    openssl("ec", "-in", key, "-pubout", "-out", public)
    message.write_bytes(pae(INTOTO_TYPE, PAYLOAD))
    openssl("dgst", f"-{digest}", "-sign", key, "-out", signature, message)
    envelope = Envelope(payload=PAYLOAD, payload_type=INTOTO_TYPE, signature=signature.read_bytes())
    bundle = replace(
        key_bundle(P256), envelope=envelope, key_hint=hashlib.sha256(public.read_bytes()).hexdigest()
    )
    judged = verify_key(bundle, None, ExpectedKey(public_key=public.read_bytes()))
    assert judged.outcome is Outcome.VERIFIED
    assert judged.signer is not None
    assert ("key hint", "names the key") in judged.signer.evidence  # the PEM text of OpenSSL is the same
