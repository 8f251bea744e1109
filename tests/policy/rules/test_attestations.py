"""attestations: predicate, builder and level all have to be as demanded."""

from __future__ import annotations

import pytest

from aibom.domain.check import Check, CheckKind, Outcome
from aibom.domain.report import Report
from tests.policy.rules.demands import MET, Unmet, check, estate, findings, model, refused, unmet

SLSA = "https://slsa.dev/provenance/v1"
BUILDER = "https://github.com/acme/builder@v1"
ACME = "https://github.com/acme/*"
SECTION = f"attestations: {{require: [{{predicate: '{SLSA}', builder: '{ACME}', min-level: 2}}]}}"
BARE = f"attestations: {{require: [{{predicate: '{SLSA}'}}]}}"


def attested(identity: str = BUILDER, found: str = SLSA, detail: str = "SLSA_BUILD_LEVEL_2") -> Check:
    return check(CheckKind.PROVENANCE, Outcome.VERIFIED, identity, found=found, detail=detail)


def failed(outcome: Outcome, found: str = SLSA) -> Check:
    return check(CheckKind.PROVENANCE, outcome, found=found)


def of(*checks: Check) -> Report:
    return estate(model(), checks=checks)


@pytest.mark.parametrize("detail", ["SLSA_BUILD_LEVEL_2", "passed, SLSA_LEVEL_3", "SLSA_BUILD_LEVEL_4"])
def test_a_verified_attestation_passes(detail: str) -> None:
    assert unmet(SECTION, of(attested(detail=detail))) == MET


@pytest.mark.parametrize(
    ("one", "met"),
    [
        (attested("https://github.com/evil/builder"), [("https://github.com/evil/builder", True)]),
        (attested(found="https://slsa.dev/provenance/v0.2"), [("", False)]),
        (attested(found=""), [("", False)]),
        (attested(detail="SLSA_BUILD_LEVEL_1"), [("level 1", True)]),
        (attested(detail="SLSA_BUILD_LEVEL_3, SLSA_BUILD_LEVEL_1"), [("level 1", True)]),
        (attested(detail="SLSA_BUILD_LEVEL_UNEVALUATED"), [("no level", False)]),
        (attested(detail="SLSA_BUILD_LEVEL_23"), [("no level", False)]),
        (attested(detail=""), [("no level", False)]),
        (failed(Outcome.UNTRUSTED_SIGNER), [("untrusted-signer", True)]),
        (failed(Outcome.EXPIRED, ""), [("expired", True)]),
        (failed(Outcome.SIGNATURE_INVALID), [("signature-invalid", True)]),
        (failed(Outcome.CONTENT_MISMATCH), [("content-mismatch", True)]),
        (failed(Outcome.COULD_NOT_CHECK), [("could-not-check", False)]),
        (failed(Outcome.UNSUPPORTED), [("unsupported", False)]),
    ],
)
def test_with_any_one_part_wrong_it_does_not(one: Check, met: Unmet) -> None:
    assert unmet(SECTION, of(one)) == met


def test_without_an_attestation_nobody_can_tell() -> None:
    assert unmet(SECTION, of()) == [("", False)]
    signature = check(CheckKind.SIGNATURE, Outcome.VERIFIED, BUILDER, found=SLSA, detail="SLSA_BUILD_LEVEL_3")
    assert unmet(SECTION, of(signature)) == [("", False)]


def test_builder_and_level_are_asked_for_only_where_they_stand() -> None:
    assert unmet(BARE, of(attested("anybody", detail=""))) == MET
    level_0 = f"attestations: {{require: [{{predicate: '{SLSA}', min-level: 0}}]}}"
    assert unmet(level_0, of(attested(detail=""))) == MET


def test_every_demanded_attestation_has_to_be_there() -> None:
    both = f"attestations: {{require: [{{predicate: '{SLSA}'}}, {{predicate: 'https://a.b/test'}}]}}"
    assert unmet(both, of(attested())) == [("", False)]
    assert unmet(both, of(attested(), attested(found="https://a.b/test"))) == MET


def test_one_good_attestation_is_enough_unless_another_shows_a_change() -> None:
    assert unmet(SECTION, of(failed(Outcome.EXPIRED), attested())) == MET
    mismatch = failed(Outcome.CONTENT_MISMATCH)
    assert unmet(SECTION, of(attested(), mismatch)) == [("content-mismatch", True)]
    assert unmet(SECTION, of(failed(Outcome.EXPIRED), attested(detail=""))) == [("no level", False)]


def test_a_finding_says_what_is_expected() -> None:
    (found,) = findings(SECTION, of(attested("https://github.com/evil/builder")))
    assert found.message == "it was built by https://github.com/evil/builder"
    assert found.expected == f"{SLSA} by https://github.com/acme/* at level 2"
    (found,) = findings(BARE, of())
    assert found.expected == SLSA


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ("", "needs require"),
        ("require: []", "empty list"),
        ("require: [{}]", "needs predicate"),
        ("require: [x]", "is a mapping"),
        ("require: [{predicate: slsa}]", "is a URI"),
        ("require: [{predicate: 'https://a b'}]", "is a URI"),
        ("require: [{predicate: 'https://a.b', builder: '**'}]", "matches everything"),
        ("require: [{predicate: 'https://a.b', min-level: 5}]", "from 0 to 4"),
        ("require: [{predicate: 'https://a.b', min-level: -1}]", "from 0 to 4"),
        ("require: [{predicate: 'https://a.b', level: 2}]", "unknown key 'level'"),
    ],
)
def test_bad_settings_are_refused(settings: str, words: str) -> None:
    refused(f"attestations: {{{settings}}}", words)
