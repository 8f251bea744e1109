"""signature: only what somebody signed whom the policy names, and recently enough, passes."""

from __future__ import annotations

import base64
import hashlib
from datetime import date

import pytest

from aibom.domain.check import Check, CheckKind, Outcome
from aibom.domain.report import Report
from aibom.domain.signing import ExpectedChain, ExpectedIdentity, ExpectedKey
from aibom.policy import parse_policy
from aibom.policy.rules.signature import ignored, signers
from tests.policy.rules.demands import MET, TODAY, Unmet, check, estate, findings, model, refused, unmet

ISSUER = "https://token.actions.githubusercontent.com"
RELEASE = "https://github.com/acme/models/.github/workflows/release.yml@refs/tags/"
DER = b"the bytes of a key"
BODY = base64.b64encode(DER).decode()
KEY = f"-----BEGIN PUBLIC KEY-----\\n{BODY}\\n-----END PUBLIC KEY-----\\n"
ROOT = KEY.replace("PUBLIC KEY", "CERTIFICATE")
KEY_NAME = f"sha256:{hashlib.sha256(DER).hexdigest()}"
BY_ISSUER = f"{{issuer: '{ISSUER}', identity: '{RELEASE}*'}}"
BY_KEY = f'{{key: "{KEY}"}}'
BY_CHAIN = f'{{certificate-chain: "{ROOT}", identity: "signer@acme.com"}}'
SECTION = f"signature: {{signers: [{BY_ISSUER}, {BY_KEY}, {BY_CHAIN}], max-age: 365d}}"
AGELESS = f"signature: {{signers: [{BY_ISSUER}]}}"
SIGNED = "2026-02-01T10:00:00Z"


def signed(identity: str = RELEASE + "v1", issuer: str = ISSUER, signed_at: str | None = SIGNED) -> Check:
    return Check(
        subject="model-1",
        kind=CheckKind.SIGNATURE,
        outcome=Outcome.VERIFIED,
        identity=identity,
        issuer=issuer,
        signed_at=signed_at,
    )


def of(*checks: Check) -> Report:
    return estate(model(), checks=checks)


def failed(outcome: Outcome, identity: str = "") -> Check:
    return check(CheckKind.SIGNATURE, outcome, identity)


@pytest.mark.parametrize("one", [signed(), signed(KEY_NAME, ""), signed("signer@acme.com", "CN=Acme Root")])
def test_each_form_of_signer_passes(one: Check) -> None:
    assert unmet(SECTION, of(one)) == MET


@pytest.mark.parametrize(
    ("one", "met"),
    [
        (signed(RELEASE + "v1/x"), [("untrusted-signer: " + RELEASE + "v1/x", True)]),
        (signed("https://github.com/evil"), [("untrusted-signer: https://github.com/evil", True)]),
        (signed(issuer="https://evil.example"), [("untrusted-signer: " + RELEASE + "v1", True)]),
        (signed(issuer=""), [("no issuer", False)]),
        (signed("sha256:" + "0" * 64), [("untrusted-signer: sha256:" + "0" * 64, True)]),
        (signed(signed_at=None), [("no time", False)]),
        (signed(signed_at="yesterday"), [("no time", False)]),
        (signed(signed_at="0001-01-01T00:00:00+14:00"), [("no time", False)]),
        (signed(signed_at="2026-03-03"), [("no time", False)]),
        (signed(signed_at="2025-02-28T23:59:59"), [("signed on 2025-02-28", True)]),
    ],
)
def test_a_verified_signature_by_another_or_of_another_time_does_not(one: Check, met: Unmet) -> None:
    assert unmet(SECTION, of(one)) == met


@pytest.mark.parametrize(
    "moment", ["2025-03-01", "2026-03-01T23:00:00+00:00", "2026-03-02", "2025-02-28T23:30:00-01:00"]
)
def test_the_first_and_the_last_day_count(moment: str) -> None:
    assert unmet(SECTION, of(signed(signed_at=moment))) == MET


def test_without_a_greatest_age_no_time_is_asked_for() -> None:
    assert unmet(AGELESS, of(signed(signed_at=None))) == MET
    assert unmet(AGELESS, of(signed()), date.max) == MET


@pytest.mark.parametrize(
    ("outcome", "decided", "words"),
    [
        (Outcome.UNSIGNED, True, "it is not signed"),
        (Outcome.UNTRUSTED_SIGNER, True, "not by anybody whom the policy names"),
        (Outcome.EXPIRED, True, "was not valid when it signed"),
        (Outcome.CONTENT_MISMATCH, True, "it is not what was signed"),
        (Outcome.SIGNATURE_INVALID, True, "its signature does not hold"),
        (Outcome.UNSUPPORTED, False, "of a kind that is not read"),
        (Outcome.COULD_NOT_CHECK, False, "could not be checked"),
    ],
)
def test_every_other_outcome_has_its_own_message(outcome: Outcome, decided: bool, words: str) -> None:
    (found,) = findings(SECTION, of(failed(outcome)))
    assert (found.found, found.decided) == (outcome, decided)
    assert words in found.message


def test_without_a_check_nobody_can_tell() -> None:
    assert unmet(SECTION, of()) == [("", False)]
    other = check(CheckKind.PROVENANCE, Outcome.VERIFIED, RELEASE + "v1")
    assert unmet(SECTION, of(other)) == [("", False)]


@pytest.mark.parametrize("other", [Outcome.UNSIGNED, Outcome.UNTRUSTED_SIGNER, Outcome.COULD_NOT_CHECK])
def test_one_good_signature_is_enough(other: Outcome) -> None:
    assert unmet(SECTION, of(failed(other), signed())) == MET
    assert unmet(SECTION, of(signed(), failed(other))) == MET


@pytest.mark.parametrize("other", [Outcome.CONTENT_MISMATCH, Outcome.SIGNATURE_INVALID])
def test_one_that_shows_a_change_outweighs_a_good_one(other: Outcome) -> None:
    assert unmet(SECTION, of(signed(), failed(other), failed(Outcome.UNSUPPORTED))) == [(other, True)]


def test_one_that_could_not_be_checked_may_be_the_good_one() -> None:
    checks = failed(Outcome.EXPIRED), failed(Outcome.UNSUPPORTED), failed(Outcome.COULD_NOT_CHECK)
    assert unmet(SECTION, of(*checks)) == [("unsupported", False)]


def test_a_finding_says_who_is_expected_and_why_it_failed() -> None:
    one = check(CheckKind.SIGNATURE, Outcome.EXPIRED, detail="in 2020")
    (found,) = findings(SECTION, of(one))
    assert found.message == "the certificate of its signer was not valid when it signed: in 2020"
    assert found.expected == f"{RELEASE}* or {KEY_NAME} or signer@acme.com"


def test_the_verifier_gets_the_signers_of_the_policy() -> None:
    section = parse_policy(f"version: 1\nname: n\n{SECTION}".encode()).section("signature")
    assert section is not None
    pattern = r"https://github\.com/acme/models/\.github/workflows/release\.yml@refs/tags/[^/]*"
    issuer = ISSUER.replace(".", r"\.")
    assert signers(section.settings) == (
        ExpectedIdentity(identity=pattern, issuer=issuer, pattern=True),
        ExpectedKey(public_key=KEY.replace("\\n", "\n").encode()),
        ExpectedChain(roots=ROOT.replace("\\n", "\n").encode(), identity="signer@acme.com"),
    )
    assert ignored(section.settings) == ()


def test_a_literal_identity_is_no_pattern_and_a_chain_may_have_one() -> None:
    literal = "{issuer: 'https://a.b', identity: 'x@a.b'}"
    text = f"signature: {{signers: [{literal}, {BY_CHAIN}], ignored: ['*.md']}}"
    text = text.replace("signer@acme.com", "*@acme.com")
    section = parse_policy(f"version: 1\nname: n\n{text}".encode()).section("signature")
    assert section is not None
    one, two = signers(section.settings)
    assert one == ExpectedIdentity(identity="x@a.b", issuer="https://a.b")
    assert isinstance(two, ExpectedChain)
    assert (two.identity, two.pattern) == (r"[^/]*@acme\.com", True)
    assert [glob.text for glob in ignored(section.settings)] == ["*.md"]


def test_signers_are_what_the_verifier_understands() -> None:
    from aibom.trust.identity import matches  # noqa: PLC0415 - only here

    section = parse_policy(f"version: 1\nname: n\n{SECTION}".encode()).section("signature")
    assert section is not None
    expected = signers(section.settings)[0]
    assert isinstance(expected, ExpectedIdentity)
    assert matches(RELEASE + "v1", expected.identity, pattern=True)
    assert not matches(RELEASE + "v1/x", expected.identity, pattern=True)
    assert matches(ISSUER, expected.issuer, pattern=True)
    assert TODAY.year == 2026


@pytest.mark.parametrize(
    ("signer", "words"),
    [
        ("{}", "a signer is issuer and identity"),
        ("{identity: a@b.c}", "a signer is issuer and identity"),
        ("{issuer: 'https://a.b'}", "a signer is issuer and identity"),
        ("{issuer: 'https://a.b', identity: a@b.c, key: x}", "a signer is"),
        ("{issuer: 'https://*.b', identity: a@b.c}", "without a star"),
        ("{issuer: 'https://a.b', identity: '**'}", "matches everything"),
        ("{issuer: 'https://a.b', identity: 'https://**'}", "lets anybody in"),
        ("{issuer: 'https://a.b', identity: '*@**'}", "lets anybody in"),
        ("{issuer: 'https://a.b', identity: 'https://*'}", "lets anybody in"),
        ("{issuer: 'https://a.b', identity: 'spiffe://**'}", "lets anybody in"),
        ("{key: x}", "BEGIN PUBLIC KEY"),
        (f'{{key: "{ROOT}"}}', "BEGIN PUBLIC KEY"),
        (f'{{key: "{KEY}"}}'.replace(BODY, "a"), "not Base64"),
        (f'{{certificate-chain: "{KEY}", identity: a@b.c}}', "BEGIN CERTIFICATE"),
        ("{signer: x}", "unknown key 'signer'"),
    ],
)
def test_bad_signers_are_refused(signer: str, words: str) -> None:
    refused(f"signature: {{signers: [{signer}]}}", words)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ("max-age: 365d", "needs signers"),
        ("signers: []", "empty list"),
        (f"signers: [{BY_ISSUER}], max-age: 1y", "number of days"),
        (f"signers: [{BY_ISSUER}], ignored: []", "empty list"),
        (f"signers: [{BY_ISSUER}], ignored: ['**']", "matches everything"),
        (f"signers: [{BY_ISSUER}], max_age: 1d", "did you mean 'max-age'"),
    ],
)
def test_bad_settings_are_refused(settings: str, words: str) -> None:
    refused(f"signature: {{{settings}}}", words)
