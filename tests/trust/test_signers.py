from __future__ import annotations

import hashlib
import shutil
import subprocess
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from hypothesis import given
from hypothesis import strategies as st

from aibom.domain.check import Outcome
from aibom.domain.errors import Reason, UnreadableError
from aibom.domain.signing import ExpectedChain, ExpectedKey, Material
from aibom.trust.bundle import read_bundle
from aibom.trust.chain import verify_chain
from aibom.trust.dsse import INTOTO_TYPE, pae
from aibom.trust.key import verify_key
from aibom.trust.public_key import PEM_BYTES
from aibom.trust.signers import (
    BundleSigner,
    CertificateSigner,
    certificate_signer,
    key_signer,
    sign_file,
    sign_statement,
)
from tests.trust.certificates import (
    MAIL,
    NOW,
    PAYLOAD,
    SIGNER,
    SIGNS,
    TLS,
    authority,
    ec_key,
    issue,
    private_pem,
    public_pem,
)

KEY = ec_key()
ROOT = issue("root", authority(), days=(-1000, 1000))
MIDDLE = issue("middle", authority(0), ROOT, days=(-100, 100))
LEAF = issue("release", SIGNER, MIDDLE)
DIGEST = hashlib.sha256(b"weights").digest()


def certified() -> CertificateSigner:
    return certificate_signer(private_pem(LEAF.key), None, LEAF.pem, MIDDLE.pem + ROOT.pem, now=NOW)


@pytest.mark.parametrize("curve", [ec.SECP256R1(), ec.SECP384R1(), ec.SECP521R1()])
def test_a_statement_signed_with_a_key_is_verified_with_its_public_half(curve: ec.EllipticCurve) -> None:
    key = ec_key(curve)
    bundle = read_bundle(sign_statement(key_signer(private_pem(key)), PAYLOAD))
    judged = verify_key(bundle, None, ExpectedKey(public_key=public_pem(key)))
    assert judged.outcome is Outcome.VERIFIED
    assert judged.payload == PAYLOAD
    assert bundle.key_hint == hashlib.sha256(public_pem(key)).hexdigest()
    assert bundle.material is Material.KEY


def test_a_file_signed_with_a_key_is_verified_with_its_public_half() -> None:
    bundle = read_bundle(sign_file(key_signer(private_pem(KEY)), DIGEST))
    assert verify_key(bundle, DIGEST, ExpectedKey(public_key=public_pem(KEY))).outcome is Outcome.VERIFIED
    assert bundle.message is not None
    assert bundle.message.digest == DIGEST


def test_what_a_certificate_signs_is_verified_by_the_root() -> None:
    expected = ExpectedChain(roots=ROOT.pem, identity=MAIL)
    statement = read_bundle(sign_statement(certified(), PAYLOAD))
    assert verify_chain(statement, None, expected, now=NOW).payload == PAYLOAD
    assert statement.material is Material.CERTIFICATE
    file = read_bundle(sign_file(certified(), DIGEST))
    assert verify_chain(file, DIGEST, expected, now=NOW).outcome is Outcome.VERIFIED


def test_the_bundle_holds_the_leaf_first_each_certificate_once_and_no_root() -> None:
    pem = LEAF.pem + MIDDLE.pem + ROOT.pem
    signer = certificate_signer(private_pem(LEAF.key), None, pem, MIDDLE.pem + LEAF.pem, now=NOW)
    assert signer.certificates == (LEAF.der, MIDDLE.der)
    assert signer.key_hint == ""


def test_a_self_signed_certificate_stays_in_the_bundle() -> None:
    alone = issue("alone", SIGNER)
    assert certificate_signer(private_pem(alone.key), None, alone.pem, now=NOW).certificates == (alone.der,)


@pytest.mark.parametrize("make", [lambda: key_signer(private_pem(KEY)), certified])
def test_the_same_input_gives_the_same_bundle(make: type[BundleSigner]) -> None:
    assert sign_statement(make(), PAYLOAD) == sign_statement(make(), PAYLOAD)
    assert sign_file(make(), DIGEST) == sign_file(make(), DIGEST)
    assert make().sign(PAYLOAD) != make().sign(PAYLOAD + b" ")


@pytest.mark.parametrize("curve", [ec.SECP384R1(), ec.SECP521R1()])
def test_a_file_is_not_signed_with_a_curve_for_which_others_expect_another_digest(
    curve: ec.EllipticCurve,
) -> None:
    with pytest.raises(UnreadableError) as caught:
        sign_file(key_signer(private_pem(ec_key(curve))), DIGEST)
    assert caught.value.reason is Reason.UNSUPPORTED


@pytest.mark.parametrize("digest", [b"", DIGEST[:31], DIGEST.hex().encode(), hashlib.sha384(b"").digest()])
def test_only_a_sha256_digest_is_signed(digest: bytes) -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        key_signer(private_pem(KEY)).sign_digest(digest)


# Private keys


@pytest.mark.parametrize(
    "form", [serialization.PrivateFormat.PKCS8, serialization.PrivateFormat.TraditionalOpenSSL]
)
def test_an_encrypted_key_is_opened_with_its_password(form: serialization.PrivateFormat) -> None:
    encryption = serialization.BestAvailableEncryption("pässword".encode())
    pem = KEY.private_bytes(serialization.Encoding.PEM, form, encryption)
    assert key_signer(pem, "pässword".encode()).key.public_key() == KEY.public_key()
    for wrong in (b"password", None, b""):
        with pytest.raises(UnreadableError) as caught:
            key_signer(pem, wrong)
        assert caught.value.reason is Reason.ENCRYPTED
        assert ("wrong" if wrong else "give its password") in caught.value.message


def _framed(label: bytes) -> bytes:
    return b"-----BEGIN %b-----\nAAAA\n-----END %b-----\n" % (label, label)


@pytest.mark.parametrize(
    ("pem", "password", "reason", "words"),
    [
        (private_pem(KEY), b"password", Reason.MALFORMED, "not encrypted"),
        (b"", None, Reason.MALFORMED, "PEM"),
        (b"\xff", None, Reason.MALFORMED, "PEM"),
        (public_pem(KEY), None, Reason.MALFORMED, "PEM"),
        (_framed(b"PRIVATE KEY"), None, Reason.MALFORMED, "PEM"),
        (private_pem(KEY)[:-40], None, Reason.MALFORMED, "PEM"),
        (b" " * (PEM_BYTES + 1), None, Reason.LIMIT, "bytes"),
        (private_pem(ed25519.Ed25519PrivateKey.generate()), None, Reason.UNSUPPORTED, "P-256"),
        (private_pem(rsa.generate_private_key(65_537, 2_048)), None, Reason.UNSUPPORTED, "P-256"),
        (private_pem(ec_key(ec.SECP256K1())), None, Reason.UNSUPPORTED, "P-256"),
        (private_pem(ec_key(ec.SECP192R1())), None, Reason.UNSUPPORTED, "P-256"),
    ],
)
def test_a_private_key_that_cannot_sign_is_refused(
    pem: bytes, password: bytes | None, reason: Reason, words: str
) -> None:
    with pytest.raises(UnreadableError) as caught:
        key_signer(pem, password)
    assert caught.value.reason is reason
    assert words in caught.value.message


@given(st.binary(max_size=60), st.one_of(st.none(), st.binary(max_size=8)))
def test_any_bytes_are_a_private_key_or_refused(noise: bytes, password: bytes | None) -> None:
    for pem in (noise, _framed(b"PRIVATE KEY") + noise, _framed(b"ENCRYPTED PRIVATE KEY") + noise):
        with pytest.raises(UnreadableError):
            key_signer(pem, password)


# Certificates


@pytest.mark.parametrize(
    ("certificate", "chain", "words"),
    [
        (issue("other", SIGNER, MIDDLE).pem, b"", "another private key"),
        (issue("tls", (SIGNS, TLS), MIDDLE, key=LEAF.key).pem, b"", "codeSigning"),
        (issue("old", SIGNER, MIDDLE, key=LEAF.key, days=(-20, -10)).pem, b"", "not valid today"),
        (issue("new", SIGNER, MIDDLE, key=LEAF.key, days=(10, 20)).pem, b"", "not valid today"),
        (MIDDLE.pem, b"", "has to stand first"),
        (b"", b"", "PEM"),
        (LEAF.pem, b"junk", "PEM"),
    ],
)
def test_a_certificate_that_verifiers_would_refuse_signs_nothing(
    certificate: bytes, chain: bytes, words: str
) -> None:
    with pytest.raises(UnreadableError) as caught:
        certificate_signer(private_pem(LEAF.key), None, certificate, chain, now=NOW)
    assert words in caught.value.message


def test_the_clock_is_read_when_nobody_says_what_time_it_is() -> None:
    past = issue("past", SIGNER, days=(-3_000, -2_900))
    with pytest.raises(UnreadableError):
        certificate_signer(private_pem(past.key), None, past.pem)
    when = NOW - timedelta(days=2_950)
    assert certificate_signer(private_pem(past.key), None, past.pem, now=when).certificates


# Against OpenSSL


@pytest.mark.skipif(shutil.which("openssl") is None, reason="no openssl program")
@pytest.mark.parametrize(
    ("curve", "digest"),
    [(ec.SECP256R1(), "sha256"), (ec.SECP384R1(), "sha384"), (ec.SECP521R1(), "sha512")],
)
def test_openssl_verifies_what_we_sign(tmp_path: Path, curve: ec.EllipticCurve, digest: str) -> None:
    key = ec_key(curve)
    signer = key_signer(private_pem(key, b"password"), b"password")
    (tmp_path / "public").write_bytes(public_pem(key))

    def openssl_verifies(message: bytes, signature: bytes, algorithm: str) -> bool:
        (tmp_path / "message").write_bytes(message)
        (tmp_path / "signature").write_bytes(signature)
        command = [
            "openssl",
            "dgst",
            f"-{algorithm}",
            "-verify",
            "public",
            "-signature",
            "signature",
            "message",
        ]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, timeout=60, check=False)
        return done.returncode == 0

    bundle = read_bundle(sign_statement(signer, PAYLOAD))
    assert bundle.envelope is not None
    assert openssl_verifies(pae(INTOTO_TYPE, PAYLOAD), bundle.envelope.signature, digest)
    assert not openssl_verifies(pae(INTOTO_TYPE, PAYLOAD + b" "), bundle.envelope.signature, digest)
    if digest == "sha256":
        message = read_bundle(sign_file(signer, DIGEST)).message
        assert message is not None
        assert openssl_verifies(b"weights", message.signature, digest)
