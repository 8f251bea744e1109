"""A baseline sets aside what was known, of the same target by the same policy, and nothing else."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aibom.domain.facts import Attribute
from aibom.domain.finding import Severity, Standing
from aibom.domain.hazard import Hazard, HazardKind
from aibom.domain.report import PolicyUse, Report
from aibom.domain.target import Target
from aibom.domain.verdict import Verdict, judge
from aibom.outputs import baseline_json, json_report
from aibom.policy import judged, parse_policy
from aibom.policy.baseline import (
    SCHEMA,
    Baseline,
    BaselineError,
    apply_baseline,
    baseline_of,
    parse_baseline,
)
from aibom.policy.waivers import NEVER
from tests.builders import sha256, weights
from tests.policy.rules.demands import PATH, PURL, claim, estate, model

TODAY = date(2026, 3, 1)
POLICY = "version: 1\nname: n\nlicences: {allow: [MIT]}\nformats: {allow: [safetensors]}\n"
GPL = (claim(Attribute.LICENCE, "gpl-3.0"),)
WAIVER = (
    f"waivers: [{{rule: licences, component: '{PURL}', digest: 'sha256:{sha256(PATH).value}', "
    "expires: 2026-04-01, reason: r, approved-by: a}]"
)


def report(*hazards: Hazard, format_: str = "safetensors", policy: str = POLICY) -> Report:
    found = estate(model(claims=GPL), files=(weights(PATH, format_, hazards=hazards),))
    parsed = parse_policy(policy.encode())
    return judged(parsed, replace(found, policy=parsed.use), TODAY)


def standings(found: Report) -> dict[str, Standing]:
    return {each.rule: each.standing for each in found.findings}


def known(found: Report) -> Baseline:
    return baseline_of(json_report.render(found))


def test_what_is_known_does_not_count_and_what_is_new_does() -> None:
    baseline = known(report())
    assert standings(apply_baseline(baseline, report())) == {"licences": Standing.KNOWN}
    assert judge(apply_baseline(baseline, report()), Severity.HIGH, strict=False) is Verdict.PASSED
    later = apply_baseline(baseline, report(format_="pickle"))
    assert standings(later) == {"licences": Standing.KNOWN, "formats": Standing.ACTIVE}
    assert judge(later, Severity.HIGH, strict=False) is Verdict.VIOLATED


def test_a_line_of_the_policy_may_move() -> None:
    moved = report(policy=POLICY.replace("licences", "# a comment\n\nlicences"))
    assert standings(apply_baseline(known(report()), moved)) == {"licences": Standing.KNOWN}


def test_it_is_written_and_read_without_loss_and_always_the_same() -> None:
    found = known(report(format_="pickle"))
    data = baseline_json.render(found.policy, found.targets, found.fingerprints)
    assert parse_baseline(data) == found
    assert data == baseline_json.render(found.policy, found.targets, sorted(found.fingerprints, reverse=True))
    assert len(data.splitlines()) == 9 + len(found.fingerprints)


@pytest.mark.parametrize("kind", [kind for kind in HazardKind if kind.value in NEVER])
def test_what_nobody_may_wave_through_is_never_known(kind: HazardKind) -> None:
    dangerous = report(Hazard(kind=kind, message="it is bad", found="x"))
    (fingerprint,) = (each.fingerprint for each in dangerous.findings if each.rule == kind.value)
    baseline = known(dangerous)
    assert fingerprint not in baseline.fingerprints
    forged = replace(baseline, fingerprints=baseline.fingerprints | {fingerprint})
    assert standings(apply_baseline(forged, dangerous))[kind.value] is Standing.ACTIVE


def test_what_may_not_be_set_aside_stays_whatever_its_rule() -> None:
    found = report()
    firm = replace(found, findings=tuple(replace(each, waivable=False) for each in found.findings))
    assert standings(apply_baseline(known(found), firm)) == {"licences": Standing.ACTIVE}


def test_what_is_waived_is_not_known_and_comes_back_when_the_waiver_ends() -> None:
    waived = report(policy=POLICY + WAIVER)
    assert standings(waived) == {"licences": Standing.WAIVED}
    assert known(waived).fingerprints == frozenset()
    assert standings(apply_baseline(known(report()), waived)) == {"licences": Standing.WAIVED}


@pytest.mark.parametrize(
    ("parts", "words"),
    [
        ({"targets": (Target(name="other"),)}, "it is of 'place', and this is 'other'"),
        ({"targets": (Target(name="place"), Target(name="b"))}, "and this is 'b', 'place'"),
        ({"targets": ()}, "and this is nothing"),
        ({"policy": PolicyUse(name="strict", sha256="0" * 64)}, "by the policy 'n', and this is 'strict'"),
    ],
    ids=["target", "more targets", "no target", "policy"],
)
def test_a_baseline_of_something_else_is_refused(parts: dict[str, object], words: str) -> None:
    with pytest.raises(BaselineError, match=words):
        apply_baseline(known(report()), replace(report(), **parts))  # type: ignore[arg-type]


def test_the_digest_of_the_policy_may_change() -> None:
    found = report()
    other = replace(found, policy=replace(found.policy, sha256="0" * 64))
    assert standings(apply_baseline(known(found), other)) == {"licences": Standing.KNOWN}


@pytest.mark.parametrize(
    ("document", "words"),
    [
        (b"", "not a baseline of `aibom baseline`: not JSON"),
        (b"[]", "its schema is not aibom-baseline/1"),
        (b'{"schema": "aibom-report/1"}', "its schema is not aibom-baseline/1"),
        (b'{"schema": "aibom-baseline/2"}', "its schema is not aibom-baseline/1"),
        (b'{"schema": "aibom-baseline/1"}', "a list of at most"),
        (b'{"schema": "aibom-baseline/1", "fingerprints": [], "fingerprints": []}', "duplicate key"),
        (b'{"schema": "aibom-baseline/1", "targets": [], "fingerprints": [7]}', "32 hexadecimal digits"),
        (b'{"schema": "aibom-baseline/1", "targets": [], "fingerprints": ["*"]}', "32 hexadecimal digits"),
        (
            b'{"schema": "aibom-baseline/1", "policy": "\\ud800", "targets": [], "fingerprints": []}',
            "a name is no text",
        ),
        (b"[" * 10_000, "nested deeper"),
    ],
    ids=["empty", "list", "report", "version", "no list", "twice", "number", "star", "surrogate", "deep"],
)
def test_what_is_no_baseline_is_refused(document: bytes, words: str) -> None:
    with pytest.raises(BaselineError, match=words):
        parse_baseline(document)


def test_what_is_no_report_makes_no_baseline() -> None:
    data = baseline_json.render("n", ["t"], [])
    with pytest.raises(BaselineError, match="its schema is not aibom-report/1"):
        baseline_of(data)


@given(st.dictionaries(st.sampled_from(["policy", "targets", "fingerprints", "findings"]), st.recursive(
    st.none() | st.integers() | st.text(max_size=3), lambda each: st.lists(each, max_size=2), max_leaves=4
)))  # fmt: skip
def test_nothing_but_the_error_leaves(parts: dict[str, object]) -> None:
    for read, schema in ((parse_baseline, SCHEMA), (baseline_of, "aibom-report/1")):
        refused = False
        try:
            read(json.dumps({"schema": schema, **parts}).encode())
        except BaselineError:
            refused = True
        assert refused or parts.keys() >= {"targets"}
