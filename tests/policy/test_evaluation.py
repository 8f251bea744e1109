"""The judgement: three-valued, with a standing for each finding, and the same for the same report."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import date

import pytest

from aibom.domain.check import Check, CheckKind, Outcome
from aibom.domain.facts import Attribute
from aibom.domain.finding import Finding, Severity, Standing
from aibom.domain.gap import Stage
from aibom.domain.hazard import Hazard, HazardKind
from aibom.domain.report import Demand, Report
from aibom.domain.verdict import Verdict, judge
from aibom.policy import evaluate, judged, parse_policy
from tests.builders import weights
from tests.policy.rules.demands import ADAPTER, DATASET, PATH, claim, estate, gap, model

TODAY = date(2026, 3, 1)
MIT = (claim(Attribute.LICENCE, "mit"),)
GPL = (claim(Attribute.LICENCE, "gpl-3.0"),)
PASS, FAIL, UNKNOWN = estate(model(claims=MIT)), estate(model(claims=GPL)), estate(model())
BOTH = ["bad-signature", "signature"]
HAZARD = Hazard(kind=HazardKind.EMBEDDED_CODE, message="it holds code", found="code")


def judge_by(text: str, report: Report, today: date = TODAY) -> Report:
    return judged(parse_policy(f"version: 1\nname: n\n{text}\n".encode()), report, today)


def verdict(text: str, report: Report, fail_on: Severity = Severity.HIGH, today: date = TODAY) -> Verdict:
    return judge(judge_by(text, report, today), fail_on, strict=False)


def licences(report: Report) -> Finding:
    (found,) = (each for each in report.findings if each.rule == "licences")
    return found


@pytest.mark.parametrize(
    ("more", "report", "expected"),
    [
        ("", PASS, Verdict.PASSED),
        ("", FAIL, Verdict.VIOLATED),
        ("", UNKNOWN, Verdict.INCOMPLETE),
        (", unknown: incomplete", UNKNOWN, Verdict.INCOMPLETE),
        (", unknown: fail", UNKNOWN, Verdict.VIOLATED),
        (", unknown: warn", UNKNOWN, Verdict.PASSED),
        (", unknown: warn", FAIL, Verdict.VIOLATED),
        (", mode: warn", FAIL, Verdict.PASSED),
        (", mode: warn", UNKNOWN, Verdict.PASSED),
        (", mode: warn, unknown: fail", UNKNOWN, Verdict.PASSED),
        (", effective-on: 2026-03-01", FAIL, Verdict.VIOLATED),
        (", effective-on: 2026-03-02", FAIL, Verdict.PASSED),
        (", effective-on: 2026-03-02", UNKNOWN, Verdict.PASSED),
        (", severity: medium", FAIL, Verdict.PASSED),
        (", severity: medium", UNKNOWN, Verdict.PASSED),
        (", severity: critical", FAIL, Verdict.VIOLATED),
    ],
)
def test_unknown_is_never_a_pass_unless_the_policy_says_so(
    more: str, report: Report, expected: Verdict
) -> None:
    assert verdict(f"licences: {{allow: [MIT]{more}}}", report) is expected


@pytest.mark.parametrize(
    ("policy", "section", "counts"),
    [
        ("", "", True),
        ("mode: warn", "", False),
        ("mode: warn", "mode: enforce", True),
        ("mode: enforce", "mode: warn", False),
        ("effective-on: 2026-03-02", "", False),
        ("effective-on: 2026-03-01", "", True),
        ("effective-on: 2026-03-02", "effective-on: 2026-01-01", False),
        ("effective-on: 2026-01-01", "effective-on: 2026-03-02", False),
        ("mode: warn\neffective-on: 2026-01-01", "", False),
        ("mode: warn\neffective-on: 2026-03-02", "mode: enforce", False),
    ],
)
def test_the_policy_and_the_section_say_from_when_on_and_whether_it_counts(
    policy: str, section: str, counts: bool
) -> None:
    found = licences(judge_by(f"{policy}\nlicences: {{allow: [MIT], {section}}}", FAIL))
    assert found.counts is counts
    assert bool(found.justification) is not counts


def test_what_does_not_count_says_why() -> None:
    reasons = {
        "effective-on: 2026-03-02": "binds from 2026-03-02 on",
        "mode: warn": "the policy only warns (mode: warn)",
    }
    for text, reason in reasons.items():
        found = licences(judge_by(f"licences: {{allow: [MIT], {text}}}", FAIL))
        assert (found.standing, found.justification) == (Standing.ADVISORY, reason)
    later = licences(
        judge_by("effective-on: 2027-01-01\nlicences: {allow: [MIT], effective-on: 2026-04-01}", FAIL)
    )
    assert later.justification == "binds from 2027-01-01 on"


def test_for_whoever_does_not_say_which_day_it_is_every_deadline_has_passed() -> None:
    policy = parse_policy(b"version: 1\nname: n\nlicences: {allow: [MIT], effective-on: 2999-01-01}\n")
    assert licences(judged(policy, FAIL)).counts


@pytest.mark.parametrize("fail_on", Severity)
@pytest.mark.parametrize("severity", Severity)
def test_the_bound_of_the_severity_holds_for_failed_and_for_undecided(
    severity: Severity, fail_on: Severity
) -> None:
    text = f"licences: {{allow: [MIT], severity: {severity.label}}}"
    bears = severity >= fail_on
    assert verdict(text, FAIL, fail_on) is (Verdict.VIOLATED if bears else Verdict.PASSED)
    assert verdict(text, UNKNOWN, fail_on) is (Verdict.INCOMPLETE if bears else Verdict.PASSED)


def test_a_violation_wins_over_what_is_not_decided() -> None:
    both = estate(model(claims=GPL), model(id="model-2", name="acme/n"))
    assert verdict("licences: {allow: [MIT]}", both) is Verdict.VIOLATED


def test_a_rule_has_the_severity_that_the_policy_gives_it() -> None:
    report = estate(model(), files=(weights(PATH, hazards=(HAZARD,)),))
    severities = {
        text: [each.severity for each in judge_by(text, report).findings if each.rule == "embedded-code"]
        for text in (
            "rules: {embedded-code: low}",
            "rules: {embedded-code: off}",
            "rules: {secret: low}",
        )
    }
    assert list(severities.values()) == [[Severity.LOW], [], [Severity.CRITICAL]]
    warned = judge_by("mode: warn\nrules: {secret: low}", report).findings
    assert [each.standing for each in warned if each.rule == "embedded-code"] == [Standing.ADVISORY]
    # A date is for demands: what is dangerous is dangerous today.
    later = judge_by("effective-on: 2027-01-01\nrules: {secret: low}", report).findings
    assert [each.standing for each in later if each.rule == "embedded-code"] == [Standing.ACTIVE]


def test_demands_count_components_and_not_findings() -> None:
    claims = (*GPL, claim(Attribute.LICENCE_NAME, "other"))
    report = estate(
        model(claims=MIT),
        model(id="b", claims=claims),
        model(id="c", kind=ADAPTER),
        model(id="d", kind=DATASET, claims=MIT),
    )
    found = judge_by("licences: {allow: [MIT]}\nmodel-card: {require: [licence]}", report)
    assert found.demands == (
        Demand(rule="licences", place="policy:3:11", passed=2, failed=1, undecided=1),
        Demand(rule="model-card", place="policy:4:13", passed=2, failed=1, undecided=0),
    )
    assert len([each for each in found.findings if each.rule == "licences"]) == 3


@pytest.mark.parametrize(
    ("section", "counts"),
    [("bom: {require: [tool]}", (1, 0, 0)), ("bom: {require: [timestamp, licences]}", (0, 1, 0)),
     ("references: {require: [pinned]}", (0, 0, 1))],
    ids=["passed", "failed", "undecided"],
)  # fmt: skip
def test_a_demand_on_the_whole_counts_once(section: str, counts: tuple[int, int, int]) -> None:
    report = estate(model(), gaps=(gap("app.py", Stage.DISCOVER), gap("b.py", Stage.DISCOVER)))
    (demand,) = judge_by(section, report).demands
    assert (demand.passed, demand.failed, demand.undecided) == counts


def test_a_finding_names_the_line_of_the_policy_and_the_place_in_the_bill_of_materials() -> None:
    report = estate(model(claims=GPL, pointer="/components/0"))
    found = licences(judge_by("licences: {allow: [MIT]}", report))
    assert (found.demand, found.pointer, found.expected) == ("policy:3:11", "/components/0", "MIT")
    assert found.remedy


def test_findings_stand_in_canonical_order_whatever_the_order_of_the_components() -> None:
    components = [model(id=f"m{n}", name=f"acme/m{n}", files=(f"{n}.bin",), claims=GPL) for n in range(9)]
    text = "licences: {allow: [MIT]}\nformats: {allow: [onnx], severity: low}"
    expected = evaluate(parse_policy(f"version: 1\nname: n\n{text}".encode()), estate(*components), TODAY)
    for seed in range(5):
        random.Random(seed).shuffle(components)
        found = evaluate(parse_policy(f"version: 1\nname: n\n{text}".encode()), estate(*components), TODAY)
        assert found == expected
    ranks = [each.severity for each in expected.findings]
    assert ranks == sorted(ranks, reverse=True)


def test_the_same_finding_has_the_same_fingerprint_on_another_line_and_with_another_severity() -> None:
    one = licences(judge_by("licences: {allow: [MIT]}", FAIL))
    two = licences(judge_by("# a comment\n\nlicences: {allow: [MIT], severity: low}", FAIL))
    assert (one.fingerprint, one.demand) == (two.fingerprint, "policy:3:11")
    assert two.demand != one.demand
    moved = replace(one, location=replace(one.location, line=7), message="said otherwise")
    assert moved.fingerprint == one.fingerprint
    for change in ({"found": "x"}, {"expected": "x"}, {"rule": "formats"}):
        assert replace(one, **change).fingerprint != one.fingerprint


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ("", ["signature"]),
        (", mode: warn", BOTH),
        (", effective-on: 2027-01-01", BOTH),
        (", severity: low", BOTH),
    ],
)
def test_an_unsigned_component_is_told_once_unless_the_section_weighs_less(
    more: str, told: list[str]
) -> None:
    check = Check(subject="m", kind=CheckKind.SIGNATURE, outcome=Outcome.UNSIGNED, identity="", detail="none")
    report = replace(estate(model()), checks=(check,))
    report = replace(report, checks=(replace(check, subject=report.components[0].id),))
    text = f"signature: {{signers: [{{issuer: 'https://a.example', identity: 'b@a.example'}}]{more}}}"
    assert sorted(each.rule for each in judge_by(text, report).findings) == told
