"""Keyless signatures: verified only for the expected identity, and every refusal under its own name."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509 import load_der_x509_certificate
from cryptography.x509.oid import ExtendedKeyUsageOID
from hypothesis import given
from hypothesis import strategies as st
from sigstore.errors import VerificationError
from sigstore.verify import policy

from aibom.domain.check import Outcome
from aibom.domain.errors import UnreadableError
from aibom.domain.signing import Bundle, ExpectedIdentity, Judged
from aibom.trust.bundle import read_bundle, write_bundle
from aibom.trust.keyless import verify_keyless
from aibom.trust.trust_root import TrustRoot, read_trust_root
from tests.services.fake_sigstore import IDENTITY, ISSUER, MEDIA_TYPES, FakeSigstore
from tests.services.sigstore_bytes import b64, canonical, der, sha256

PAYLOAD = b'{"_type": "https://in-toto.io/Statement/v1"}'
FILE = sha256(b"a file")
EXPECTED = ExpectedIdentity(identity=IDENTITY, issuer=ISSUER)
STACKS = {rekor: FakeSigstore(rekor=rekor) for rekor in (1, 2)}
ROOTS = {rekor: read_trust_root(stack.trusted_root()) for rekor, stack in STACKS.items()}
WORKFLOW = "https://github.com/org/repo/.github/workflows/release.yml@refs/tags/v1"


def judged(data: bytes, expected: ExpectedIdentity = EXPECTED, *, root: TrustRoot = ROOTS[1]) -> Judged:
    bundle = read_bundle(data)
    return verify_keyless(bundle, FILE if bundle.envelope is None else None, expected, root)


def signed(stack: FakeSigstore, content: str = "payload", **options: Any) -> bytes:
    return stack.sign(PAYLOAD, **options) if content == "payload" else stack.sign(digest=FILE, **options)


def edited(data: bytes, *path: str | int, to: object) -> bytes:
    document = json.loads(data)
    place = document
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = to
    return canonical(document)


@pytest.mark.parametrize("rekor", STACKS)
@pytest.mark.parametrize("content", ["payload", "file"])
@pytest.mark.parametrize("version", MEDIA_TYPES)
def test_what_the_expected_identity_signed_is_verified(rekor: int, content: str, version: str) -> None:
    data = signed(STACKS[rekor], content, version=version)
    if rekor == 2 and version == "0.1":  # it demands a promise, which the newer log does not give
        assert judged(data, root=ROOTS[2]).outcome is Outcome.COULD_NOT_CHECK
        return
    found = judged(data, root=ROOTS[rekor])
    assert found.outcome is Outcome.VERIFIED, found.detail
    assert found.payload == (PAYLOAD if content == "payload" else None)


@pytest.mark.parametrize("rekor", STACKS)
def test_the_signer_comes_with_time_key_log_index_and_the_digest_of_the_root(rekor: int) -> None:
    data = signed(STACKS[rekor], version="0.3")
    signer = judged(data, root=ROOTS[rekor]).signer
    assert signer is not None
    material = json.loads(data)["verificationMaterial"]
    certificate = load_der_x509_certificate(base64.b64decode(material["certificate"]["rawBytes"]))
    start = certificate.not_valid_before_utc
    assert (signer.identity, signer.issuer) == (IDENTITY, ISSUER)
    assert signer.signed_at in [f"{start + timedelta(seconds=n):%Y-%m-%dT%H:%M:%SZ}" for n in range(4)]
    digest = hashlib.sha256(STACKS[rekor].trusted_root()).hexdigest()
    assert signer.evidence == (("log index", "42"), ("trust root sha256", digest))
    assert len(signer.key_sha256) == 64


Attacks = dict[str, tuple[dict[str, Any], Outcome, str]]
EVIL = "https://evil.test"
CERTIFICATE: Attacks = {
    "another issuer": ({"issuer": EVIL}, Outcome.UNTRUSTED_SIGNER, f"{EVIL} vouches"),
    "another newer issuer": ({"newer_issuer": EVIL}, Outcome.UNTRUSTED_SIGNER, f"{EVIL} vouches"),
    "two identities": ({"second_name": "b@aibom.test"}, Outcome.UNTRUSTED_SIGNER, "signed by nobody"),
    "a certificate for servers": (
        {"usage": ExtendedKeyUsageOID.SERVER_AUTH}, Outcome.UNTRUSTED_SIGNER, "not one for signing code",
    ),
    "a certificate of before": ({"age": timedelta(minutes=20)}, Outcome.EXPIRED, "was valid from"),
    "a certificate of tomorrow": ({"age": timedelta(days=-1)}, Outcome.EXPIRED, "was valid from"),
    "no timestamp of a certificate log": ({"no_ct": True}, Outcome.UNTRUSTED_SIGNER, "SCT"),
    "a timestamp of another certificate log": ({"wrong_ct_key": True}, Outcome.UNTRUSTED_SIGNER, "SCT"),
}  # fmt: skip
LOG: Attacks = {
    "another key of the log": (
        {"wrong_log_key": True},
        Outcome.SIGNATURE_INVALID,
        "the log does not",
    ),
    "a wrong proof": ({"wrong_proof": True}, Outcome.SIGNATURE_INVALID, "the log does not"),
    "an entry for another one": (
        {"other_content": True},
        Outcome.SIGNATURE_INVALID,
        "the log does not",
    ),
    "no proof": ({"no_proof": True}, Outcome.UNSUPPORTED, "no proof of inclusion"),
    "no checkpoint": ({"no_checkpoint": True}, Outcome.UNSUPPORTED, "no proof of inclusion"),
    "an intoto entry": ({"kind": "intoto"}, Outcome.UNSUPPORTED, "intoto 0.0"),
}
TIME_V1: Attacks = {
    "a later time of the log": ({"time_shift": 1}, Outcome.SIGNATURE_INVALID, "the log does not"),
    "an earlier time of the log": ({"time_shift": -1}, Outcome.SIGNATURE_INVALID, "the log does not"),
    "a time of the log after the certificate": ({"time_shift": 1200}, Outcome.EXPIRED, "and used at"),
    "a time of the log before the certificate": ({"time_shift": -1200}, Outcome.EXPIRED, "and used at"),
}
TIME_V2: Attacks = {
    "a clock that is late": ({"clock_shift": timedelta(hours=1)}, Outcome.EXPIRED, "and used at"),
    "a clock before it was trusted": (
        {"clock_shift": timedelta(days=-40)}, Outcome.COULD_NOT_CHECK, "no clock of the trust root",
    ),
    "a timestamp for something else": (
        {"wrong_clock_message": True}, Outcome.COULD_NOT_CHECK, "no clock of the trust root",
    ),
}  # fmt: skip
ATTACKS = [
    pytest.param(rekor, *attack, id=f"{kind}, Rekor v{rekor}")
    for rekor, attacks in ((1, CERTIFICATE | LOG | TIME_V1), (2, CERTIFICATE | LOG | TIME_V2))
    for kind, attack in attacks.items()
]


@pytest.mark.parametrize("content", ["payload", "file"])
@pytest.mark.parametrize(("rekor", "attack", "outcome", "words"), ATTACKS)
def test_an_attack_has_its_own_outcome(
    rekor: int, attack: dict[str, Any], outcome: Outcome, words: str, content: str
) -> None:
    found = judged(signed(STACKS[rekor].but(**attack), content), root=ROOTS[rekor])
    assert found.outcome is outcome, found.detail
    assert words in found.detail
    assert found.payload is None
    assert found.signer is None or found.signer.signed_at is None


@pytest.mark.parametrize(
    ("expected", "words"),
    [
        (("someone@aibom.test", ISSUER), f"signed by {IDENTITY}, not by someone@aibom.test"),
        ((IDENTITY.upper(), ISSUER), "signed by"),
        ((IDENTITY[:-1], ISSUER), "signed by"),
        ((IDENTITY, f"{ISSUER}/"), f"{ISSUER} vouches for the identity, not {ISSUER}/"),
        ((IDENTITY, IDENTITY), "vouches"),
    ],
)
def test_another_identity_or_issuer_is_untrusted_and_the_found_one_is_told(
    expected: tuple[str, str], words: str
) -> None:
    wanted = ExpectedIdentity(identity=expected[0], issuer=expected[1])
    found = judged(signed(STACKS[1]), wanted)
    assert found.outcome is Outcome.UNTRUSTED_SIGNER
    assert words in found.detail
    assert found.signer is not None
    assert found.signer.identity == IDENTITY


def test_the_certificate_of_somebody_else_is_untrusted_even_when_it_is_expired() -> None:
    data = signed(STACKS[1].but(age=timedelta(hours=1)), identity="mallory@aibom.test")
    found = judged(data)
    assert (found.outcome, "mallory" in found.detail) == (Outcome.UNTRUSTED_SIGNER, True)


@pytest.mark.parametrize("age", [timedelta(0), timedelta(hours=1)])
def test_another_instance_is_untrusted_also_when_its_certificate_is_expired(age: timedelta) -> None:
    found = judged(signed(FakeSigstore().but(age=age)))
    assert found.outcome is Outcome.UNTRUSTED_SIGNER
    assert "does not lead to an authority" in found.detail


def test_a_log_that_the_root_does_not_name_is_untrusted_and_not_forged() -> None:
    other = json.loads(FakeSigstore().trusted_root())
    document = json.loads(STACKS[1].trusted_root()) | {"tlogs": other["tlogs"]}
    found = judged(signed(STACKS[1]), root=read_trust_root(canonical(document)))
    assert found.outcome is Outcome.UNTRUSTED_SIGNER
    assert "up to date" in found.detail


@pytest.mark.parametrize(
    ("identity", "outcome"),
    [
        (r"https://github\.com/org/repo/.*", Outcome.VERIFIED),
        (r"https://github\.com/org/.*@refs/tags/v[0-9]+", Outcome.VERIFIED),
        (r"https://github\.com/org/repo/", Outcome.UNTRUSTED_SIGNER),
        (r"github\.com/org/.*", Outcome.UNTRUSTED_SIGNER),
        (r".*@refs/tags/v", Outcome.UNTRUSTED_SIGNER),
    ],
)
def test_a_pattern_matches_the_whole_identity(identity: str, outcome: Outcome) -> None:
    data = signed(STACKS[1], identity=WORKFLOW)
    expected = ExpectedIdentity(identity=identity, issuer=r"https://issuer\.aibom\.test", pattern=True)
    assert judged(data, expected).outcome is outcome


@pytest.mark.parametrize(
    ("identity", "issuer", "pattern"),
    [("", ISSUER, False), (IDENTITY, "", False), (".*", ISSUER, True), ("release@aibom.test", ".+", True)],
)
def test_an_expectation_that_names_nobody_is_an_error_of_the_caller(
    identity: str, issuer: str, pattern: bool
) -> None:
    with pytest.raises(UnreadableError):
        judged(signed(STACKS[1]), ExpectedIdentity(identity=identity, issuer=issuer, pattern=pattern))


@given(st.sampled_from([IDENTITY, WORKFLOW, "x@y.test"]), st.sampled_from([IDENTITY, WORKFLOW, "X@y.test"]))
def test_an_exact_expectation_is_that_of_the_policies_of_the_library(found: str, wanted: str) -> None:
    data = signed(STACKS[1], identity=found)
    certificate = load_der_x509_certificate(read_bundle(data).certificates[0])
    issuer = policy.AnyOf([policy.OIDCIssuerV2(ISSUER), policy.OIDCIssuer(ISSUER)])
    accepted = False
    with contextlib.suppress(VerificationError):
        policy.AllOf([issuer, policy.Identity(identity=wanted)]).verify(certificate)
        accepted = True
    verified = judged(data, ExpectedIdentity(identity=wanted, issuer=ISSUER)).outcome is Outcome.VERIFIED
    assert verified == accepted == (found == wanted)


def test_a_changed_payload_is_no_signature() -> None:
    data = edited(signed(STACKS[1]), "dsseEnvelope", "payload", to=b64(PAYLOAD + b" "))
    found = judged(data)
    assert (found.outcome, "this payload" in found.detail) == (Outcome.SIGNATURE_INVALID, True)


@pytest.mark.parametrize("rekor", [1, 2])
@pytest.mark.parametrize(
    ("stated", "outcome", "words"),
    [
        (FILE, Outcome.CONTENT_MISMATCH, "another file"),
        (sha256(b"another file"), Outcome.SIGNATURE_INVALID, "this file"),  # the digest was exchanged
    ],
    ids=["as signed", "exchanged"],
)
def test_another_file_is_a_mismatch_if_the_bundle_says_what_was_signed(
    rekor: int, stated: bytes, outcome: Outcome, words: str
) -> None:
    data = edited(
        signed(STACKS[rekor], "file"), "messageSignature", "messageDigest", "digest", to=b64(stated)
    )
    found = verify_keyless(read_bundle(data), sha256(b"another file"), EXPECTED, ROOTS[rekor])
    assert (found.outcome, words in found.detail) == (outcome, True), found.detail


@pytest.mark.parametrize("digest", [None, b"", FILE[:-1], FILE + b"\0"])
def test_a_file_without_its_digest_could_not_be_checked(digest: bytes | None) -> None:
    found = verify_keyless(read_bundle(signed(STACKS[1], "file")), digest, EXPECTED, ROOTS[1])
    assert found.outcome is Outcome.COULD_NOT_CHECK


def test_swapped_certificates_are_refused() -> None:
    other = json.loads(signed(STACKS[1]))["verificationMaterial"]["certificate"]
    found = judged(edited(signed(STACKS[1]), "verificationMaterial", "certificate", to=other))
    assert found.outcome is Outcome.SIGNATURE_INVALID


def test_a_signature_by_another_kind_of_key_is_unsupported() -> None:
    found = judged(signed(STACKS[1].but(curve=ec.SECP384R1())))
    assert found.outcome is Outcome.UNSUPPORTED
    assert "P-256" in found.detail
    for other in (rsa.generate_private_key(65537, 2048), ed25519.Ed25519PrivateKey.generate()):
        certificate = b64(der(STACKS[1].certificate(other.public_key())))
        found = judged(
            edited(signed(STACKS[1]), "verificationMaterial", "certificate", "rawBytes", to=certificate)
        )
        assert found.outcome is Outcome.UNSUPPORTED, found.detail


@pytest.mark.parametrize("certificates", [(), (b"leaf",)])
def test_a_bundle_for_a_key_or_a_chain_names_nobody(certificates: tuple[bytes, ...]) -> None:
    envelope = read_bundle(signed(STACKS[1])).envelope
    hint = "" if certificates else "00"
    found = judged(write_bundle(envelope, None, key_hint=hint, certificates=certificates))
    assert found.outcome is Outcome.UNTRUSTED_SIGNER
    assert "of its own" in found.detail


def test_a_bundle_without_an_entry_or_with_two_is_unsupported() -> None:
    data = signed(STACKS[1])
    entries = json.loads(data)["verificationMaterial"]["tlogEntries"]
    for wanted in ([], entries * 2):
        found = judged(edited(data, "verificationMaterial", "tlogEntries", to=wanted))
        assert found.outcome is Outcome.UNSUPPORTED


def test_a_bundle_without_any_time_could_not_be_checked() -> None:
    data = json.loads(signed(STACKS[2]))
    del data["verificationMaterial"]["timestampVerificationData"]
    found = judged(canonical(data), root=ROOTS[2])
    assert (found.outcome, "nobody vouches" in found.detail) == (Outcome.COULD_NOT_CHECK, True)


def test_a_certificate_that_is_none_could_not_be_checked() -> None:
    found = judged(edited(signed(STACKS[1]), "verificationMaterial", "certificate", "rawBytes", to="AAAA"))
    assert found.outcome is Outcome.COULD_NOT_CHECK


def test_names_of_a_hostile_certificate_are_shown_harmlessly() -> None:
    stack = FakeSigstore()
    data = signed(stack.but(issuer="https://a\x1b[2J\u202e" + "x" * 5000))
    found = judged(data, root=read_trust_root(stack.trusted_root()))
    assert found.outcome is Outcome.UNTRUSTED_SIGNER
    assert found.detail.isprintable()
    assert len(found.detail) < 1000
    assert found.signer is not None
    assert "\x1b" not in found.signer.issuer


def unsigned_part(bundle: Bundle, changed: Bundle) -> bool:
    """Whether both say the same where it matters: the change is outside of what is signed."""
    same = ("envelope", "message", "certificates", "log_entries", "material", "timestamp_count")
    return all(getattr(bundle, name) == getattr(changed, name) for name in same)


SAMPLES = {(r, c): signed(STACKS[r], c) for r in STACKS for c in ("payload", "file")}


@pytest.mark.parametrize(("rekor", "content"), SAMPLES)
def test_a_changed_byte_is_refused_or_outside_of_what_is_signed(rekor: int, content: str) -> None:
    data, refused = SAMPLES[rekor, content], 0
    for place in range(0, len(data), 29):
        refused += is_refused(data, place, 1, ROOTS[rekor])
    assert refused > len(range(0, len(data), 29)) * 0.9


@given(st.sampled_from(sorted(SAMPLES)), st.integers(0, 2**16), st.integers(1, 255))
def test_any_changed_byte_is_refused_or_outside_of_what_is_signed(
    sample: tuple[int, str], place: int, change: int
) -> None:
    data = SAMPLES[sample]
    is_refused(data, place % len(data), change, ROOTS[sample[0]])


def is_refused(data: bytes, place: int, change: int, root: TrustRoot) -> bool:
    flipped = bytearray(data)
    flipped[place] ^= change
    try:
        bundle = read_bundle(bytes(flipped))
    except UnreadableError:
        return True
    found = verify_keyless(bundle, FILE if bundle.envelope is None else None, EXPECTED, root)
    if found.outcome is Outcome.VERIFIED:
        assert unsigned_part(read_bundle(data), bundle), data[max(0, place - 40) : place + 10]
    return found.outcome is not Outcome.VERIFIED


@pytest.mark.parametrize("log", ["tlogs", "ctlogs"])
def test_a_changed_byte_in_a_key_of_the_root_is_refused(log: str) -> None:
    document = json.loads(STACKS[1].trusted_root())
    key = base64.b64decode(document[log][0]["publicKey"]["rawBytes"])
    for place in range(0, len(key), 3):
        changed = key[:place] + bytes([key[place] ^ 1]) + key[place + 1 :]
        document[log][0]["publicKey"]["rawBytes"] = b64(changed)
        root = read_trust_root(canonical(document))
        assert judged(SAMPLES[1, "payload"], root=root).outcome is not Outcome.VERIFIED


def test_a_bundle_that_cannot_be_read_in_one_way_is_refused() -> None:
    bundle = read_bundle(signed(STACKS[1]))
    other = read_bundle(signed(STACKS[1]))
    mixed = Bundle(
        media_type=bundle.media_type, material=bundle.material, log_entries=bundle.log_entries,
        envelope=read_bundle(STACKS[1].sign(b"{}")).envelope, raw=other.raw,
    )  # fmt: skip
    found = verify_keyless(mixed, None, EXPECTED, ROOTS[1])
    assert (found.outcome, found.payload) == (Outcome.COULD_NOT_CHECK, None)


def test_the_fake_signatures_are_what_cryptography_says_they_are() -> None:
    bundle = read_bundle(signed(STACKS[1], "file"))
    key = load_der_x509_certificate(bundle.certificates[0]).public_key()
    assert isinstance(key, ec.EllipticCurvePublicKey)
    assert bundle.message is not None
    key.verify(bundle.message.signature, b"a file", ec.ECDSA(hashes.SHA256()))


OFFLINE = """
import sys

# Not every socket: when it is imported, urllib3 binds one to the loopback address, to look for IPv6.
FORBIDDEN = "socket.connect socket.getaddrinfo socket.sendto os.mkdir os.rename subprocess.Popen".split()
seen = []

def look(event, arguments):
    if event in FORBIDDEN:
        seen.append((event, str(arguments)))
    if event == "open" and isinstance(arguments[0], str):
        path, mode, flags = arguments
        if path.startswith(sys.argv[1]) or flags & 3 or set(mode or "r") & set("wax+"):
            seen.append((event, str(arguments)))

sys.addaudithook(look)

from aibom.domain.signing import ExpectedIdentity
from aibom.trust.bundle import read_bundle
from aibom.trust.keyless import verify_keyless
from aibom.trust.trust_root import embedded, read_trust_root

root, bundle = (bytes.fromhex(line) for line in sys.stdin.read().split())
embedded("production"), embedded("staging")
expected = ExpectedIdentity(identity=sys.argv[2], issuer=sys.argv[3])
judged = verify_keyless(read_bundle(bundle), None, expected, read_trust_root(root))
seen and sys.exit(repr(seen))
sys.stdout.write(judged.outcome)
"""


@pytest.mark.parametrize("home", ["a folder with a cache", "a device"])
def test_it_needs_no_network_and_neither_reads_nor_writes_a_cache(home: str, tmp_path: Path) -> None:
    place = str(tmp_path) if home == "a folder with a cache" else os.devnull
    names = ("HOME", "XDG_CACHE_HOME", "XDG_DATA_HOME")
    env = dict.fromkeys(names, f"{place}/home") | {"PYTHONDONTWRITEBYTECODE": "1"}
    root = Path(__file__).parent.parent.parent
    given = f"{STACKS[1].trusted_root().hex()}\n{SAMPLES[1, 'payload'].hex()}"
    done = subprocess.run(
        [sys.executable, "-c", OFFLINE, place, IDENTITY, ISSUER],
        cwd=root, env=env, input=given, text=True, capture_output=True, check=False,
    )  # fmt: skip
    assert (done.stdout, done.stderr) == ("verified", "")
    assert list(tmp_path.iterdir()) == []
