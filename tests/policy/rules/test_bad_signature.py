"""Which signatures are findings: each bad one once, and each component that nobody signed."""

from __future__ import annotations

import pytest

from aibom.domain.check import Check, CheckKind, Outcome
from aibom.domain.component import Component, ComponentKind, IdentityBasis
from aibom.domain.finding import Finding, Severity
from aibom.policy.rules.bad_signature import RULE
from tests.builders import report

BAD = {
    Outcome.CONTENT_MISMATCH: "the files are not those that were signed",
    Outcome.SIGNATURE_INVALID: "the signature is not one of what it stands beside",
    Outcome.UNTRUSTED_SIGNER: "somebody else signed than is expected",
    Outcome.EXPIRED: "the certificate of the signer was not valid",
    Outcome.UNSIGNED: "a signer is expected, and nobody signed it",
}
MODEL = Component(
    id="model:m",
    kind=ComponentKind.MODEL,
    name="m",
    basis=IdentityBasis.DECLARED,
    files=("m/a.bin", "m/b.bin"),
)


def check(outcome: Outcome, subject: str = "model.sig", source: str = "model.sig", **more: str) -> Check:
    parts = {"identity": "me@example.com"} | more
    return Check(subject=subject, kind=CheckKind.SIGNATURE, outcome=outcome, source=source, **parts)


def findings(*checks: Check) -> list[Finding]:
    return list(RULE.check(report(checks=checks, components=(MODEL,))))


@pytest.mark.parametrize("outcome", Outcome)
def test_only_signatures_that_do_not_hold_are_findings(outcome: Outcome) -> None:
    found = findings(check(outcome))
    assert [each.message for each in found] == ([BAD[outcome]] if outcome in BAD else [])
    for each in found:
        assert (each.rule, each.severity, each.location.path) == (
            "bad-signature",
            Severity.CRITICAL,
            "model.sig",
        )
        assert each.found == f"{outcome} me@example.com"
        assert "aibom verify" in each.remedy


def test_the_reason_of_the_check_is_told_when_there_is_one() -> None:
    assert findings(check(Outcome.EXPIRED, detail="over since May"))[0].message == "over since May"


def test_a_bad_signature_is_one_finding_however_many_components_it_is_about() -> None:
    about = [check(Outcome.CONTENT_MISMATCH, subject=name) for name in ("model.sig", "model:m", "model:n")]
    [found] = findings(*about)
    assert found.subject == "model.sig"


def test_each_unsigned_component_is_a_finding_at_its_first_file() -> None:
    found = findings(
        check(Outcome.UNSIGNED, subject="model:m", source="", identity=""),
        check(Outcome.UNSIGNED, subject="model:x", source="", identity=""),
    )
    assert [(each.subject, each.location.path, each.found) for each in found] == [
        ("model:m", "m/a.bin", "unsigned"),
        ("model:x", "model:x", "unsigned"),
    ]


def test_other_checks_are_no_signatures() -> None:
    for kind in (CheckKind.DIGEST, CheckKind.PROVENANCE, CheckKind.LINEAGE):
        assert not findings(
            Check(subject="a", kind=kind, outcome=Outcome.CONTENT_MISMATCH, identity="", source="a")
        )


def test_the_rule_is_described() -> None:
    assert RULE.id == "bad-signature"
    assert 347 in RULE.cwe
