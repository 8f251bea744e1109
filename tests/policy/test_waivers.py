"""Exceptions: complete, for one rule and one component with one content, for a time, and in the open."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date, timedelta

import pytest

from aibom.domain.facts import Attribute
from aibom.domain.finding import Finding, Severity, Standing
from aibom.domain.hazard import Hazard, HazardKind
from aibom.domain.report import Report
from aibom.domain.verdict import Verdict, judge
from aibom.domain.waiver import WaiverState, WaiverUse
from aibom.outputs import html, json_report, junit, markdown, sarif, table
from aibom.policy import REQUIREMENTS, RULES, THE_LAST_DAY, PolicyError, judged, parse_policy
from aibom.policy.waivers import NEVER
from tests.builders import sha256, weights
from tests.policy.rules.demands import PATH, PURL, claim, estate, model

DIGEST = f"sha256:{sha256(PATH).value}"
WHOLE = f"v1:sha256:{'a' * 64}"
FIELDS = {
    "rule": "licences", "component": PURL, "digest": DIGEST, "expires": "2026-06-30",
    "reason": "legal review", "approved-by": "lead@acme.com",
}  # fmt: skip
REPORT = estate(model(model_digest=WHOLE, claims=(claim(Attribute.LICENCE, "gpl-3.0"),)))
DEMAND = "licences: {allow: [MIT]}"


def waiver(**fields: str | None) -> str:
    told = {key: value for key, value in {**FIELDS, **fields}.items() if value is not None}
    return f"waivers: [{json.dumps(told)}]"


def judge_on(day: str, *lines: str, report: Report = REPORT) -> Report:
    text = "\n".join(("version: 1", "name: n", *lines))
    return judged(parse_policy(text.encode()), report, date.fromisoformat(day))


def only(report: Report) -> tuple[Finding, WaiverUse]:
    (finding,) = (each for each in report.findings if each.rule == "licences")
    (use,) = report.waivers
    return finding, use


@pytest.mark.parametrize("field", FIELDS)
def test_every_field_is_mandatory(field: str) -> None:
    with pytest.raises(PolicyError, match=rf"^policy:4:11: waivers needs {field}$"):
        judge_on("2026-03-01", DEMAND, waiver(**{field: None}))


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"rule": "licence"}, "'licence' is none of .*, did you mean 'licences'"),
        ({"component": ""}, "component is a text"),
        ({"digest": "sha256:abc"}, "digest is sha256:<64 hex> of a file, or the model digest"),
        ({"digest": f"sha256:{'A' * 64}"}, "digest is sha256:<64 hex>"),
        ({"digest": f"md5:{'a' * 32}"}, "digest is sha256:<64 hex>"),
        ({"expires": "never"}, "expires is a date such as 2027-03-31"),
        ({"reason": " "}, "reason is a text"),
        ({"approved-by": " "}, "approved-by is a text"),
        ({"until": "2026-01-01"}, "unknown key 'until'"),
        ({"starts": "2026-07-01"}, "starts is after expires"),
        ({"starts": "2025-06-29"}, "a waiver lasts at most 365 days"),
    ],
    ids=[
        "rule", "component", "short digest", "capitals", "algorithm", "expires", "reason", "approver", "key",
        "backwards", "long",
    ],
)  # fmt: skip
def test_a_wrong_field_is_refused_with_its_place(fields: dict[str, str], words: str) -> None:
    with pytest.raises(PolicyError, match=rf"^policy:4:[0-9]+: .*{words}"):
        judge_on("2026-03-01", DEMAND, waiver(**fields))


@pytest.mark.parametrize("rule", sorted(NEVER))
def test_what_nobody_may_wave_through_is_refused(rule: str) -> None:
    with pytest.raises(PolicyError, match=rf"^policy:4:20: {rule} cannot be waived$"):
        judge_on("2026-03-01", DEMAND, waiver(rule=rule))


def test_what_nobody_may_wave_through_are_rules() -> None:
    assert {rule.id for rule in (*RULES, *REQUIREMENTS)} >= NEVER
    assert {"digest-mismatch", "dangerous-import", "dangerous-code", "bad-signature"} <= NEVER


@pytest.mark.parametrize(
    ("day", "fields", "state"),
    [
        ("2025-06-29", {}, WaiverState.PENDING),  # a year before it ends
        ("2025-06-30", {}, WaiverState.ACTIVE),
        ("2026-06-16", {}, WaiverState.ACTIVE),
        ("2026-06-17", {}, WaiverState.EXPIRING),
        ("2026-06-30", {}, WaiverState.EXPIRING),
        ("2026-07-01", {}, WaiverState.EXPIRED),
        ("2026-02-28", {"starts": "2026-03-01"}, WaiverState.PENDING),
        ("2026-03-01", {"starts": "2026-03-01"}, WaiverState.ACTIVE),
        ("2026-03-01", {"component": "acme/m"}, WaiverState.ACTIVE),
        ("2026-03-01", {"digest": WHOLE}, WaiverState.ACTIVE),
        ("2026-03-01", {"component": "acme/other"}, WaiverState.UNUSED),
        ("2026-03-01", {"digest": f"sha256:{'0' * 64}"}, WaiverState.UNUSED),
        ("2026-03-01", {"digest": f"v1:sha256:{'0' * 64}"}, WaiverState.UNUSED),
        ("2026-03-01", {"rule": "formats"}, WaiverState.UNUSED),
        ("2026-07-01", {"rule": "formats"}, WaiverState.EXPIRED),
        ("0001-01-01", {"expires": "0001-01-02"}, WaiverState.EXPIRING),
        ("9999-12-30", {"expires": "9999-12-31"}, WaiverState.EXPIRING),
    ],
)
def test_it_is_in_force_on_its_days_and_for_its_content_only(
    day: str, fields: dict[str, str], state: WaiverState
) -> None:
    finding, use = only(judge_on(day, DEMAND, waiver(**fields)))
    in_force = state in (WaiverState.ACTIVE, WaiverState.EXPIRING)
    assert use.state is state
    assert finding.standing is (Standing.WAIVED if in_force else Standing.ACTIVE)
    assert bool(finding.justification) is in_force
    assert use.findings == (rule_of(fields) == "licences" and state is not WaiverState.UNUSED)


def rule_of(fields: dict[str, str]) -> str:
    return fields.get("rule", "licences")


def test_whoever_does_not_say_which_day_it_is_has_no_exceptions() -> None:
    text = f"version: 1\nname: n\n{DEMAND}\n{waiver()}"
    finding, use = only(judged(parse_policy(text.encode()), REPORT))
    assert (finding.standing, use.state, date.max) == (Standing.ACTIVE, WaiverState.EXPIRED, THE_LAST_DAY)


def test_max_waiver_bounds_those_with_a_first_day_and_those_without() -> None:
    with pytest.raises(PolicyError, match="a waiver lasts at most 30 days"):
        judge_on("2026-03-01", DEMAND, "max-waiver: 30d", waiver(starts="2026-05-30"))
    for day, state in (("2026-05-30", WaiverState.PENDING), ("2026-05-31", WaiverState.ACTIVE)):
        assert only(judge_on(day, DEMAND, "max-waiver: 30d", waiver()))[1].state is state
    longer = judge_on("2024-01-01", DEMAND, "max-waiver: 1000d", waiver())
    assert only(longer)[1].state is WaiverState.ACTIVE


def test_other_bytes_under_the_same_name_are_not_waived() -> None:
    (file,) = REPORT.files
    changed = replace(file, digests=(sha256("other bytes"),))
    finding, use = only(judge_on("2026-03-01", DEMAND, waiver(), report=replace(REPORT, files=(changed,))))
    assert (finding.standing, use.state) == (Standing.ACTIVE, WaiverState.UNUSED)


def test_a_finding_about_a_file_is_waived_by_the_digest_of_that_file_alone() -> None:
    two = estate(
        model(files=("a.bin", "b.bin")), files=(weights("a.bin", "pickle"), weights("b.bin", "pickle"))
    )
    for waived, other in (("a.bin", "b.bin"), ("b.bin", "a.bin")):
        text = waiver(rule="formats", digest=f"sha256:{sha256(waived).value}")
        found = judge_on("2026-03-01", "formats: {allow: [onnx]}", text, report=two).findings
        assert {each.location.path: each.standing for each in found if each.rule == "formats"} == {
            waived: Standing.WAIVED,
            other: Standing.ACTIVE,
        }


def test_a_finding_of_a_rule_about_a_file_is_waived_by_its_digest() -> None:
    hazard = Hazard(kind=HazardKind.NATIVE_CODE, message="it is a library", found="ELF")
    files = (weights(PATH, hazards=(hazard,)),)
    report = judge_on("2026-03-01", DEMAND, waiver(rule="native-code"), report=replace(REPORT, files=files))
    assert [each.standing for each in report.findings if each.rule == "native-code"] == [Standing.WAIVED]


def test_a_waived_finding_does_not_count_and_the_next_day_it_does() -> None:
    during = judge_on("2026-06-30", DEMAND, waiver())
    after = judge_on("2026-07-01", DEMAND, waiver())
    assert judge(during, Severity.HIGH, strict=True) is Verdict.PASSED
    assert judge(after, Severity.HIGH, strict=True) is Verdict.VIOLATED


def test_every_output_shows_what_is_waived_with_who_answers_for_it() -> None:
    report = judge_on("2026-06-30", DEMAND, waiver())
    outputs = {
        "json": json_report.render(report),
        "table": table.render(report, fail_on=Severity.HIGH),
        "markdown": markdown.render(report, fail_on=Severity.HIGH),
        "sarif": sarif.render(report, rules=REQUIREMENTS),
        "junit": junit.render(report, fail_on=Severity.HIGH),
        "html": html.render(report, rules=REQUIREMENTS),
    }
    for name, document in outputs.items():
        text = document if isinstance(document, str) else document.decode()
        assert "legal review" in text, name
        assert "lead@acme.com" in text.replace("&#64;", "@").replace("\\@", "@"), name


def test_a_waiver_is_no_longer_than_the_policy_that_it_stands_in_allows() -> None:
    day = date(2026, 6, 30) - timedelta(days=365)
    assert only(judge_on(day.isoformat(), DEMAND, waiver()))[1].state is WaiverState.ACTIVE
