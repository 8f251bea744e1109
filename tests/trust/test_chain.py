from __future__ import annotations

import hashlib
import ipaddress
import shutil
import subprocess
import time
import warnings
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.x509.oid import NameOID

from aibom.domain.check import Outcome
from aibom.domain.errors import Reason, UnreadableError
from aibom.domain.signing import Bundle, ExpectedChain, Judged, Material, MessageSignature
from aibom.trust.certificate_checks import CERTIFICATE_BYTES, PEM_COUNT
from aibom.trust.chain import BUNDLE_CERTIFICATE_COUNT, verify_chain
from aibom.trust.dsse import INTOTO_TYPE, old_pae
from tests.trust.certificates import (
    ANY,
    CODE,
    MAIL,
    NAMES,
    NOW,
    PAYLOAD,
    SIGNER,
    SIGNS,
    TLS,
    URI,
    Extensions,
    Holder,
    authority,
    chain_bundle,
    ec_key,
    envelope_by,
    issue,
    key_bundle,
    name,
    named,
    usage,
)

ROOT = issue("root", authority(), days=(-1000, 1000))
MIDDLE = issue("middle", authority(0), ROOT, days=(-100, 100))
LEAF = issue("release", SIGNER, MIDDLE)
STRANGER = issue("root", authority(), days=(-1000, 1000))
DIGEST = hashlib.sha256(b"weights").digest()


def expected(
    identity: str = MAIL, *roots: Holder, intermediates: bytes = b"", pattern: bool = False
) -> ExpectedChain:
    pem = b"".join(root.pem for root in roots or (ROOT,))
    return ExpectedChain(roots=pem, identity=identity, intermediates=intermediates, pattern=pattern)


def judge(
    signer: Holder, *others: Holder, roots: tuple[Holder, ...] = (ROOT,), identity: str = MAIL
) -> Judged:
    return verify_chain(chain_bundle(signer, *others), None, expected(identity, *roots), now=NOW)


def signed_by(extensions: Extensions = SIGNER, issuer: Holder = MIDDLE, **more: object) -> Holder:
    return issue("release", extensions, issuer, **more)  # type: ignore[arg-type]


# What is verified


def test_a_good_chain_hands_on_the_payload_and_tells_who_signed() -> None:
    judged = judge(LEAF, MIDDLE)
    assert judged.outcome is Outcome.VERIFIED
    assert judged.payload == PAYLOAD
    signer = judged.signer
    assert signer is not None
    assert (signer.material, signer.identity, signer.issuer) == (Material.CERTIFICATE, MAIL, "CN=middle")
    assert signer.signed_at is None
    evidence = dict(signer.evidence)
    assert evidence["root sha256"] == hashlib.sha256(ROOT.der).hexdigest()
    assert evidence["certificate sha256"] == hashlib.sha256(LEAF.der).hexdigest()
    assert evidence["revocation"] == "not checked"


def test_the_root_in_the_bundle_changes_nothing() -> None:
    assert judge(LEAF, MIDDLE, ROOT).outcome is Outcome.VERIFIED


def test_the_order_of_intermediates_does_not_matter() -> None:
    second = issue("second", authority(0), issue("first", authority(1), ROOT, key=FIRST))
    first = issue("first", authority(1), ROOT, key=FIRST)
    leaf = signed_by(issuer=second)
    for others in ((second, first), (first, second), (ROOT, first, MIDDLE, second)):
        assert judge(leaf, *others).outcome is Outcome.VERIFIED


FIRST = ec_key()


def test_an_intermediate_may_come_from_the_caller() -> None:
    bundle = chain_bundle(LEAF)
    assert verify_chain(bundle, None, expected(), now=NOW).outcome is Outcome.UNTRUSTED_SIGNER
    given = expected(intermediates=MIDDLE.pem)
    assert verify_chain(bundle, None, given, now=NOW).outcome is Outcome.VERIFIED


def test_an_intermediate_may_be_the_root_that_the_caller_names() -> None:
    assert judge(LEAF, roots=(MIDDLE,)).outcome is Outcome.VERIFIED


def test_a_self_signed_certificate_is_trusted_only_when_it_is_one_of_the_roots() -> None:
    alone = issue("alone", SIGNER)
    assert judge(alone).outcome is Outcome.UNTRUSTED_SIGNER
    assert judge(alone, roots=(ROOT, alone)).outcome is Outcome.VERIFIED
    twin = issue("alone", SIGNER, key=alone.key)
    assert judge(twin, roots=(alone,)).outcome is Outcome.UNTRUSTED_SIGNER


@pytest.mark.parametrize(
    "extensions", [(SIGNS, NAMES), (CODE, NAMES), (SIGNS, TLS, NAMES), (*authority(), CODE, NAMES)]
)
def test_a_root_that_signs_itself_meets_the_rules_for_signers(extensions: Extensions) -> None:
    alone = issue("alone", extensions)
    assert judge(alone, roots=(alone,)).outcome is Outcome.UNTRUSTED_SIGNER


@pytest.mark.parametrize("curve", [ec.SECP256R1(), ec.SECP384R1(), ec.SECP521R1()])
def test_every_curve_of_oms_signs(curve: ec.EllipticCurve) -> None:
    assert judge(signed_by(key=ec_key(curve)), MIDDLE).outcome is Outcome.VERIFIED


def test_rsa_and_ed25519_certificates_are_read() -> None:
    root = issue("rsa", authority(), key=rsa.generate_private_key(65_537, 2_048))
    assert judge(signed_by(issuer=root, key=root.key), roots=(root,)).outcome is Outcome.VERIFIED
    edwards = signed_by(key=ed25519.Ed25519PrivateKey.generate())
    assert judge(edwards, MIDDLE).outcome is Outcome.VERIFIED


def test_a_signer_that_claims_to_be_an_authority_but_may_not_issue_is_read() -> None:
    # As in the test chain of the reference implementation.
    odd = signed_by((*SIGNER, (x509.BasicConstraints(ca=True, path_length=None), True)))
    assert judge(odd, roots=(MIDDLE,)).outcome is Outcome.VERIFIED


def test_a_signature_over_a_file_is_checked_with_the_certificate() -> None:
    signature = LEAF.key.sign(DIGEST, ec.ECDSA(Prehashed(hashes.SHA256())))  # type: ignore[call-arg, arg-type]
    message = MessageSignature(signature=signature, digest=DIGEST)
    bundle = replace(chain_bundle(LEAF, MIDDLE), envelope=None, message=message)
    judged = verify_chain(bundle, DIGEST, expected(), now=NOW)
    assert judged.outcome is Outcome.VERIFIED
    assert judged.payload is None
    other = verify_chain(bundle, hashlib.sha256(b"other").digest(), expected(), now=NOW)
    assert other.outcome is Outcome.CONTENT_MISMATCH


def test_the_encoding_before_1_0_is_read() -> None:
    payload = b'{"predicateType":"https://model_signing/Digests/v0.1"}'
    signature = LEAF.key.sign(old_pae(INTOTO_TYPE, payload), ec.ECDSA(hashes.SHA256()))  # type: ignore[call-arg, arg-type]
    bundle = chain_bundle(LEAF, MIDDLE)
    old = replace(envelope_by(LEAF.key), payload=payload, signature=signature)
    assert verify_chain(replace(bundle, envelope=old), None, expected(), now=NOW).payload == payload


# Identities


@pytest.mark.parametrize(
    ("identity", "pattern", "outcome"),
    [
        (MAIL, False, Outcome.VERIFIED),
        (URI, False, Outcome.VERIFIED),
        (r"https://example\.com/team/.*", True, Outcome.VERIFIED),
        (r"CN=rel.*e", True, Outcome.VERIFIED),
        ("CN=release", False, Outcome.VERIFIED),
        ("release", False, Outcome.UNTRUSTED_SIGNER),  # a common name has to be asked for
        ("CN=Release", False, Outcome.UNTRUSTED_SIGNER),
        ("CN=middle", False, Outcome.UNTRUSTED_SIGNER),
        ("other@example.com", False, Outcome.UNTRUSTED_SIGNER),
        (URI + "/", False, Outcome.UNTRUSTED_SIGNER),
        (URI[:-1], False, Outcome.UNTRUSTED_SIGNER),
        (r"https://example\.com/team/.*", False, Outcome.UNTRUSTED_SIGNER),
        (r"https://example\.com/team", True, Outcome.UNTRUSTED_SIGNER),
        (f"{MAIL}, {URI}", False, Outcome.UNTRUSTED_SIGNER),
    ],
)
def test_the_certificate_has_to_name_the_expected_identity(
    identity: str, pattern: bool, outcome: Outcome
) -> None:
    given = expected(identity, pattern=pattern)
    judged = verify_chain(chain_bundle(LEAF, MIDDLE), None, given, now=NOW)
    assert judged.outcome is outcome
    assert judged.signer is not None
    assert judged.payload == (PAYLOAD if outcome is Outcome.VERIFIED else None)


@pytest.mark.parametrize(
    ("names", "identity"),
    [
        ((x509.DNSName(MAIL),), MAIL),  # an authority that lets people choose host names
        ((x509.DNSName("https://example.com"),), "https://example.com"),
        ((x509.RFC822Name("https://a@example.com"),), "https://a@example.com"),
        ((x509.UniformResourceIdentifier("example.com"),), "example.com"),
        ((x509.DNSName("*.example.com"),), "host.example.com"),
        ((x509.DNSName("example.com\0.evil.org"),), "example.com"),
        ((x509.IPAddress(ipaddress.ip_address("127.0.0.1")),), "127.0.0.1"),
        ((x509.DirectoryName(name("example.com")),), "example.com"),
        ((x509.OtherName(x509.ObjectIdentifier("1.2.3"), b"\x0c\x01a"),), "a"),
    ],
)
def test_names_of_another_kind_are_not_compared(names: tuple[x509.GeneralName, ...], identity: str) -> None:
    judged = judge(signed_by(named(*names)), MIDDLE, identity=identity)
    assert judged.outcome is Outcome.UNTRUSTED_SIGNER


def test_a_host_name_is_an_identity() -> None:
    host = signed_by(named(x509.DNSName("ci.example.com")))
    assert judge(host, MIDDLE, identity="ci.example.com").outcome is Outcome.VERIFIED


def test_two_common_names_are_none() -> None:
    two = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text) for text in ("release", "other")])
    judged = judge(signed_by(subject_name=two), MIDDLE, identity="CN=release")
    assert judged.outcome is Outcome.UNTRUSTED_SIGNER


def test_control_characters_of_a_name_do_not_reach_the_reader() -> None:
    odd = issue("\x1b[2J\u202erelease", (SIGNS, CODE), MIDDLE)
    judged = judge(odd, MIDDLE)
    assert judged.signer is not None
    assert "\x1b" not in judged.detail + judged.signer.identity
    assert "\u202e" not in judged.detail + judged.signer.identity


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        (ExpectedChain(roots=b"", identity=MAIL), Reason.MALFORMED),
        (ExpectedChain(roots=b"junk", identity=MAIL), Reason.MALFORMED),
        (ExpectedChain(roots=ROOT.pem[:-50], identity=MAIL), Reason.MALFORMED),
        (ExpectedChain(roots=ROOT.pem * (PEM_COUNT + 1), identity=MAIL), Reason.LIMIT),
        (ExpectedChain(roots=b" " * 2**20 + ROOT.pem, identity=MAIL), Reason.LIMIT),
        (ExpectedChain(roots=ROOT.pem, identity=MAIL, intermediates=b"junk"), Reason.MALFORMED),
        (ExpectedChain(roots=ROOT.pem, identity=""), Reason.MALFORMED),
        (ExpectedChain(roots=ROOT.pem, identity="CN="), Reason.MALFORMED),
        (ExpectedChain(roots=ROOT.pem, identity=".*", pattern=True), Reason.MALFORMED),
        (ExpectedChain(roots=ROOT.pem, identity="CN=.*", pattern=True), Reason.MALFORMED),
        (ExpectedChain(roots=ROOT.pem, identity="^CN=a$", pattern=True), Reason.MALFORMED),
        (ExpectedChain(roots=ROOT.pem, identity="(a", pattern=True), Reason.MALFORMED),
    ],
)
def test_an_expectation_that_names_nobody_is_a_mistake_of_the_caller(
    given: ExpectedChain, reason: Reason
) -> None:
    with pytest.raises(UnreadableError) as caught:
        verify_chain(chain_bundle(LEAF, MIDDLE), None, given, now=NOW)
    assert caught.value.reason is reason


# Attacks


def _issued(*more: tuple[x509.ExtensionType, bool], leaf: Extensions = SIGNER) -> tuple[Holder, Holder]:
    """A signer below an intermediate authority with more extensions."""
    middle = issue("middle", authority(None, *more), ROOT)
    return issue("release", leaf, middle), middle


def _below(extensions: Extensions, **more: object) -> tuple[Holder, Holder]:
    middle = issue("middle", extensions, ROOT, **more)  # type: ignore[arg-type]
    return issue("release", SIGNER, middle), middle


def _constraint(*allowed: x509.GeneralName, critical: bool = True) -> tuple[x509.ExtensionType, bool]:
    return x509.NameConstraints(allowed, None), critical


def _weak() -> rsa.RSAPrivateKey:
    with warnings.catch_warnings(action="ignore"):
        return rsa.generate_private_key(65_537, 1_024)


WEAK = _weak()
UNKNOWN = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.3.6.1.4.1.99999.1"), b"\x05\x00")
NO_CONSTRAINTS = x509.UnrecognizedExtension(x509.ObjectIdentifier("2.5.29.30"), b"\x05\x00")
NO_NAMES = x509.UnrecognizedExtension(x509.ObjectIdentifier("2.5.29.17"), b"\x05")
CA = x509.BasicConstraints(ca=True, path_length=None)
TOO_DEEP = issue("deep", authority(), MIDDLE)  # MIDDLE allows no authority below itself
EXAMPLE = x509.RFC822Name("example.com")
MANY = (x509.RFC822Name(MAIL), *(x509.DNSName(f"h{n}.example.com") for n in range(64)))
BOTH = (usage(digital_signature=True, key_cert_sign=True), True)
NO_AUTHORITY = (x509.BasicConstraints(ca=False, path_length=None), True)

ATTACKS: dict[str, tuple[Holder, ...]] = {
    "no intermediate": (LEAF,),
    "root of the same name": (signed_by(issuer=issue("middle", authority(), STRANGER)), MIDDLE),
    "stranger's whole chain": (signed_by(issuer=STRANGER), STRANGER),
    "stranger's chain beside ours": (signed_by(issuer=STRANGER), STRANGER, MIDDLE, ROOT),
    "self-signed": (issue("release", SIGNER), MIDDLE),
    "issued by a signer": (signed_by(issuer=LEAF), LEAF, MIDDLE),
    "authority first": (MIDDLE, LEAF),
    "root as signer": (ROOT,),
    "serverAuth only": (signed_by((SIGNS, TLS, NAMES)), MIDDLE),
    "any purpose": (signed_by((SIGNS, ANY, NAMES)), MIDDLE),
    "no purpose": (signed_by((SIGNS, NAMES)), MIDDLE),
    "no key usage": (signed_by((CODE, NAMES)), MIDDLE),
    "encryption only": (signed_by(((usage(key_encipherment=True), True), CODE, NAMES)), MIDDLE),
    "signer may issue": (signed_by((BOTH, CODE, NAMES)), MIDDLE),
    "unknown critical extension": (signed_by((*SIGNER, (UNKNOWN, True))), MIDDLE),
    "unknown critical extension of authority": _issued((UNKNOWN, True)),
    "pre-certificate": (signed_by((*SIGNER, (x509.PrecertPoison(), True))), MIDDLE),
    "RSA 1024 signer": (signed_by(key=WEAK), MIDDLE),
    "RSA 1024 authority": _below(authority(), key=WEAK),
    "P-192 signer": (signed_by(key=ec_key(ec.SECP192R1())), MIDDLE),
    "P-192 authority": _below(authority(), key=ec_key(ec.SECP192R1())),
    "SHA-224": (signed_by(digest=hashes.SHA224()), MIDDLE),
    "SHA-224 authority": _below(authority(), digest=hashes.SHA224()),
    "authority without constraints": _below((authority()[1],)),
    "authority that is none": _below((NO_AUTHORITY, authority()[1])),
    "authority that may not issue": _below(((CA, True), SIGNS)),
    "authority for servers": _issued(TLS),
    "path too long": (signed_by(issuer=TOO_DEEP), TOO_DEEP, MIDDLE),
    "mail outside of constraint": _issued(_constraint(x509.RFC822Name("example.org"))),
    "URI outside of constraint": _issued(_constraint(x509.UniformResourceIdentifier("example.org"))),
    "malformed constraint": _issued((NO_CONSTRAINTS, True)),
    "malformed constraint, not critical": _issued((NO_CONSTRAINTS, False)),
    "malformed names": (signed_by((SIGNS, CODE, (NO_NAMES, False))), MIDDLE),
    "directory constraint": _issued(_constraint(x509.DirectoryName(name("x")))),
    "directory constraint, not critical": _issued(_constraint(x509.DirectoryName(name("x")), critical=False)),
    "too many names": (signed_by(named(*MANY)), MIDDLE),
}  # fmt: skip


@pytest.mark.parametrize("chain", ATTACKS.values(), ids=ATTACKS)
def test_a_chain_that_proves_nothing_is_an_untrusted_signer(chain: tuple[Holder, ...]) -> None:
    judged = judge(*chain)
    assert judged.outcome is Outcome.UNTRUSTED_SIGNER, judged.detail
    assert judged.payload is None
    assert judged.detail


def test_names_within_constraints_are_verified() -> None:
    mail = named(x509.RFC822Name(MAIL))
    leaf, middle = _issued(_constraint(EXAMPLE), leaf=mail)
    assert judge(leaf, middle).outcome is Outcome.VERIFIED


def test_a_common_name_cannot_escape_from_constraints() -> None:
    leaf, middle = _issued(_constraint(x509.DNSName("example.com")), leaf=(SIGNS, CODE))
    judged = judge(leaf, middle, identity="CN=release")
    assert judged.outcome is Outcome.UNTRUSTED_SIGNER
    assert "some names only" in judged.detail
    leaf, middle = _issued(leaf=(SIGNS, CODE))
    assert judge(leaf, middle, identity="CN=release").outcome is Outcome.VERIFIED


def test_an_authority_with_an_extension_that_is_not_read_vouches_for_no_common_name() -> None:
    issuer_names = x509.UnrecognizedExtension(x509.ObjectIdentifier("2.5.29.18"), b"\x05\x00")
    leaf, middle = _issued((issuer_names, False))
    assert judge(leaf, middle).outcome is Outcome.VERIFIED
    assert judge(leaf, middle, identity="CN=release").outcome is Outcome.UNTRUSTED_SIGNER


def test_a_serial_number_that_is_not_positive_is_refused() -> None:
    alone = issue("alone", SIGNER)
    version = b"\xa0\x03\x02\x01\x02"  # 3; after it stand tag, length and first byte of the number
    at = alone.der.index(version) + len(version) + 2
    negative = alone.der[:at] + bytes([alone.der[at] | 0x80]) + alone.der[at + 1 :]
    with warnings.catch_warnings(action="ignore"):
        pinned = x509.load_der_x509_certificate(negative)
    odd = Holder(key=alone.key, certificate=pinned)
    assert "serial" in judge(odd, roots=(odd,)).detail


def test_an_odd_country_neither_warns_nor_matters() -> None:
    with warnings.catch_warnings(action="ignore"):
        country = x509.NameAttribute(NameOID.COUNTRY_NAME, "CZE", _validate=False)
        odd = x509.Name([country, x509.NameAttribute(NameOID.COMMON_NAME, "release")])
        middle = issue("", authority(), ROOT, subject_name=odd)
        leaf = signed_by(issuer=middle, subject_name=odd)
    assert judge(leaf, middle, identity="CN=release").outcome is Outcome.VERIFIED


def _swapped(certificates: tuple[bytes, ...]) -> Bundle:
    return replace(chain_bundle(LEAF), certificates=certificates)


def test_a_signature_by_another_certificate_is_invalid() -> None:
    other = signed_by()
    for certificates in ((other.der, MIDDLE.der), (other.der, LEAF.der, MIDDLE.der)):
        judged = verify_chain(_swapped(certificates), None, expected(), now=NOW)
        assert judged.outcome is Outcome.SIGNATURE_INVALID


def test_of_two_signers_the_first_is_meant() -> None:
    assert judge(LEAF, signed_by(), MIDDLE).outcome is Outcome.VERIFIED
    assert judge(signed_by(issuer=STRANGER), LEAF, MIDDLE).outcome is Outcome.UNTRUSTED_SIGNER


def test_a_changed_payload_is_invalid_before_anything_else() -> None:
    bundle = chain_bundle(LEAF, MIDDLE)
    changed = replace(bundle, envelope=replace(envelope_by(LEAF.key), payload=PAYLOAD + b" "))
    assert verify_chain(changed, None, expected(), now=NOW).outcome is Outcome.SIGNATURE_INVALID


def test_a_bundle_without_a_certificate_names_nobody() -> None:
    judged = verify_chain(key_bundle(LEAF.key), None, expected(), now=NOW)
    assert judged.outcome is Outcome.UNTRUSTED_SIGNER
    assert "public key" in judged.detail


def test_a_key_of_an_unknown_kind_is_unsupported() -> None:
    for curve in (ec.SECP256K1(), ec.BrainpoolP256R1()):
        assert judge(signed_by(key=ec_key(curve)), MIDDLE).outcome is Outcome.UNSUPPORTED


@pytest.mark.parametrize(
    ("certificates", "outcome"),
    [
        ((b"",), Outcome.UNTRUSTED_SIGNER),
        ((LEAF.pem, MIDDLE.der), Outcome.UNTRUSTED_SIGNER),
        ((LEAF.der + b"\0", MIDDLE.der), Outcome.UNTRUSTED_SIGNER),
        ((LEAF.der[:-1], MIDDLE.der), Outcome.UNTRUSTED_SIGNER),
        ((LEAF.der, MIDDLE.der, b"junk"), Outcome.UNTRUSTED_SIGNER),
        ((LEAF.der + b"\0" * CERTIFICATE_BYTES, MIDDLE.der), Outcome.UNTRUSTED_SIGNER),
        ((LEAF.der, *[MIDDLE.der] * BUNDLE_CERTIFICATE_COUNT), Outcome.COULD_NOT_CHECK),
    ],
)
def test_certificates_that_are_not_readable_prove_nothing(
    certificates: tuple[bytes, ...], outcome: Outcome
) -> None:
    assert verify_chain(_swapped(certificates), None, expected(), now=NOW).outcome is outcome


@pytest.mark.parametrize("number", [0, 1])
def test_one_changed_byte_of_a_certificate_is_never_verified(number: int) -> None:
    holders = (LEAF, MIDDLE)
    for at in range(len(holders[number].der)):
        certificates = [holder.der for holder in holders]
        changed = bytearray(certificates[number])
        changed[at] ^= 1 << at % 8
        certificates[number] = bytes(changed)
        judged = verify_chain(_swapped(tuple(certificates)), None, expected(), now=NOW)
        assert judged.outcome is not Outcome.VERIFIED, at


def test_the_signature_of_a_certificate_has_whole_bytes() -> None:
    leaf = signed_by()
    while leaf.der[-1] & 1:
        leaf = signed_by()
    at = len(leaf.der) - len(leaf.certificate.signature) - 1
    assert leaf.der[at] == 0
    shorter = leaf.der[:at] + b"\x01" + leaf.der[at + 1 :]
    bundle = replace(chain_bundle(leaf), certificates=(shorter, MIDDLE.der))
    assert verify_chain(bundle, None, expected(), now=NOW).outcome is Outcome.UNTRUSTED_SIGNER


def test_a_changed_root_of_the_bundle_changes_nothing_as_it_is_not_believed() -> None:
    changed = ROOT.der[:-1] + bytes([ROOT.der[-1] ^ 1])
    judged = verify_chain(_swapped((LEAF.der, MIDDLE.der, changed)), None, expected(), now=NOW)
    assert judged.outcome is Outcome.VERIFIED


def test_a_maze_of_authorities_takes_little_time() -> None:
    keys = [ec_key() for _ in range(3)]
    names = [issue("maze", authority(), key=key) for key in keys]
    maze = [issue("maze", authority(), names[n % 3], key=keys[n // 3 % 3], days=(-n, 60)) for n in range(15)]
    started = time.perf_counter()
    judged = judge(signed_by(issuer=maze[0]), *maze)
    assert judged.outcome is Outcome.UNTRUSTED_SIGNER
    assert time.perf_counter() - started < 5


# Time

OLD_LEAF = signed_by(days=(-90, -10))
OLD_MIDDLE = issue("middle", authority(0), ROOT, days=(-100, -5))
LONG_LEAF = issue("release", SIGNER, OLD_MIDDLE, days=(-50, 50))


@pytest.mark.parametrize(
    ("chain", "words"),
    [
        ((OLD_LEAF, MIDDLE), "the certificate is valid from 2026-08-22T12:00:00Z to 2026-11-10T12:00:00Z"),
        ((signed_by(days=(1, 10)), MIDDLE), "the certificate is valid from 2026-11-21"),
        ((LONG_LEAF, OLD_MIDDLE), "authority 1 above the certificate is valid"),
    ],
)
def test_without_a_proven_time_the_chain_has_to_be_valid_now(chain: tuple[Holder, ...], words: str) -> None:
    judged = judge(*chain)
    assert judged.outcome is Outcome.EXPIRED
    assert words in judged.detail
    assert judged.payload is None


def test_an_expired_root_is_expired() -> None:
    root = issue("old root", authority(), days=(-100, -1))
    leaf = signed_by(issuer=root)
    assert judge(leaf, roots=(root,)).outcome is Outcome.EXPIRED
    alone = issue("alone", SIGNER, days=(-100, -1))
    assert judge(alone, roots=(alone,)).outcome is Outcome.EXPIRED


def test_certificates_that_were_never_valid_together_lead_nowhere() -> None:
    middle = issue("middle", authority(), ROOT, days=(-5, 100))
    assert judge(signed_by(issuer=middle, days=(-90, -10)), middle).outcome is Outcome.UNTRUSTED_SIGNER


def test_expired_means_that_nothing_else_is_wrong() -> None:
    assert judge(signed_by(issuer=STRANGER, days=(-90, -10)), STRANGER).outcome is Outcome.UNTRUSTED_SIGNER
    assert judge(OLD_LEAF, MIDDLE, identity="other@example.com").outcome is Outcome.UNTRUSTED_SIGNER
    broken = replace(chain_bundle(OLD_LEAF, MIDDLE), envelope=envelope_by(ec_key()))
    assert verify_chain(broken, None, expected(), now=NOW).outcome is Outcome.SIGNATURE_INVALID


def test_a_maze_that_hides_a_valid_path_is_not_called_expired() -> None:
    later = [issue("middle", authority(), MIDDLE, key=MIDDLE.key, days=(-n - 1, 60)) for n in range(14)]
    judged = judge(LEAF, *later, MIDDLE)
    assert judged.outcome in (Outcome.UNTRUSTED_SIGNER, Outcome.VERIFIED)
    foreign = [issue("middle", authority(), MIDDLE, key=MIDDLE.key, days=(-n - 1, 60)) for n in range(15)]
    assert judge(LEAF, *foreign).outcome is Outcome.UNTRUSTED_SIGNER


def test_both_ends_of_the_validity_belong_to_it() -> None:
    bundle = chain_bundle(OLD_LEAF, MIDDLE)
    for proven in (
        NOW - timedelta(days=90),
        NOW - timedelta(days=10),
        NOW - timedelta(days=10, microseconds=-1),
    ):
        assert verify_chain(bundle, None, expected(), proven=proven).outcome is Outcome.VERIFIED
    for proven in (NOW - timedelta(days=90, seconds=1), NOW - timedelta(days=10, seconds=-1)):
        assert verify_chain(bundle, None, expected(), proven=proven).outcome is Outcome.EXPIRED


def test_a_proven_time_makes_an_expired_certificate_good() -> None:
    proven = NOW - timedelta(days=20)
    judged = verify_chain(chain_bundle(OLD_LEAF, MIDDLE), None, expected(), proven=proven, now=NOW)
    assert judged.outcome is Outcome.VERIFIED
    assert judged.signer is not None
    assert judged.signer.signed_at == "2026-10-31T12:00:00Z"


@pytest.mark.parametrize("days", [-91, -9])
def test_a_proven_time_outside_of_the_validity_is_expired(days: int) -> None:
    proven = NOW + timedelta(days=days)
    judged = verify_chain(chain_bundle(OLD_LEAF, MIDDLE), None, expected(), proven=proven, now=NOW)
    assert judged.outcome is Outcome.EXPIRED
    assert "it was used on" in judged.detail


def test_a_timestamp_that_nobody_checked_proves_no_time() -> None:
    bundle = replace(chain_bundle(OLD_LEAF, MIDDLE), timestamp_count=1)
    assert verify_chain(bundle, None, expected(), now=NOW).outcome is Outcome.EXPIRED


def test_the_clock_is_read_when_nobody_says_what_time_it_is() -> None:
    ages = issue("ages", SIGNER, days=(-30, 36_500))
    assert verify_chain(chain_bundle(ages), None, expected(MAIL, ages)).outcome is Outcome.VERIFIED
    past = issue("past", SIGNER, days=(-3_000, -2_900))
    assert verify_chain(chain_bundle(past), None, expected(MAIL, past)).outcome is Outcome.EXPIRED


# Against OpenSSL

needs_openssl = pytest.mark.skipif(shutil.which("openssl") is None, reason="no openssl program")


def openssl_accepts(folder: Path, chain: tuple[Holder, ...]) -> bool:
    """Whether OpenSSL finds a path; it does not look at identity and code signing here."""
    leaf, *others = chain
    (folder / "root.pem").write_bytes(ROOT.pem)
    (folder / "leaf.pem").write_bytes(leaf.pem)
    (folder / "others.pem").write_bytes(b"".join(other.pem for other in others) or leaf.pem)
    command = [
        "openssl", "verify", "-x509_strict", "-purpose", "any", "-no-CApath", "-no-CAstore",
        "-CAfile", "root.pem", "-attime", str(int(NOW.timestamp())), "-untrusted", "others.pem", "leaf.pem",
    ]  # fmt: skip
    done = subprocess.run(command, cwd=folder, capture_output=True, timeout=60, check=False)
    return done.returncode == 0


STRICTER_THAN_OPENSSL = {
    # OpenSSL was not asked for code signing, and takes weaker keys and hashes at its default level.
    "authority first", "root as signer", "serverAuth only", "any purpose", "no purpose", "no key usage",
    "encryption only", "signer may issue", "RSA 1024 signer", "RSA 1024 authority", "P-192 signer",
    "P-192 authority", "SHA-224", "SHA-224 authority", "authority for servers", "too many names",
}  # fmt: skip


@needs_openssl
@pytest.mark.parametrize("attack", sorted(ATTACKS.keys() - STRICTER_THAN_OPENSSL))
def test_openssl_refuses_the_same_paths(tmp_path: Path, attack: str) -> None:
    assert not openssl_accepts(tmp_path, ATTACKS[attack])


@needs_openssl
def test_openssl_refuses_sha1_or_not_and_we_always_do(tmp_path: Path) -> None:
    key, request, signed = (tmp_path / each for each in ("key.pem", "request.pem", "leaf.pem"))
    (tmp_path / "root.pem").write_bytes(ROOT.pem)
    (tmp_path / "root.key").write_bytes(
        ROOT.key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    (tmp_path / "extensions").write_text(
        f"keyUsage=critical,digitalSignature\nextendedKeyUsage=codeSigning\nsubjectAltName=email:{MAIL}\n"
    )
    run(tmp_path, "ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", key)
    run(tmp_path, "req", "-new", "-key", key, "-subj", "/CN=release", "-out", request)
    holder_key = serialization.load_pem_private_key(key.read_bytes(), None)
    for digest, outcome in (("sha256", Outcome.VERIFIED), ("sha1", Outcome.UNTRUSTED_SIGNER)):
        run(
            tmp_path, "x509", "-req", f"-{digest}", "-in", request, "-CA", "root.pem", "-CAkey", "root.key",
            "-set_serial", "7", "-days", "3", "-extfile", "extensions", "-out", signed,
        )  # fmt: skip
        certificate = x509.load_pem_x509_certificate(signed.read_bytes())
        holder = Holder(key=holder_key, certificate=certificate)  # type: ignore[arg-type]
        today = certificate.not_valid_before_utc + timedelta(hours=1)
        judged = verify_chain(chain_bundle(holder), None, expected(), now=today)
        assert judged.outcome is outcome, judged.detail
    assert "SHA1" in judged.detail


def run(folder: Path, *arguments: str | Path) -> None:
    command = ["openssl", *map(str, arguments)]
    subprocess.run(command, cwd=folder, check=True, capture_output=True, timeout=60)


@needs_openssl
@pytest.mark.parametrize("chain", [(LEAF, MIDDLE), (LEAF, MIDDLE, ROOT)])
def test_openssl_accepts_what_we_accept(tmp_path: Path, chain: tuple[Holder, ...]) -> None:
    assert judge(*chain).outcome is Outcome.VERIFIED
    assert openssl_accepts(tmp_path, chain)
