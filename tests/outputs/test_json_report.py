"""The JSON report: every field of a judged report, and nothing of the target unescaped."""

from __future__ import annotations

import re
from datetime import date

import orjson
from hypothesis import given

from aibom.domain.finding import Standing
from aibom.domain.report import Report
from aibom.domain.waiver import WaiverState
from aibom.outputs import json_report
from tests.outputs.judged_samples import (
    ADVISORY,
    KNOWN,
    UNDECIDED,
    WAIVED,
    judged_report,
    judged_reports,
    licence,
    waiver,
)


def told(seen: Report) -> dict:
    document: dict = orjson.loads(json_report.render(seen))
    return document


@given(judged_reports())
def test_any_report_is_json_without_raw_text_of_the_target(seen: Report) -> None:
    document = json_report.render(seen)
    assert document == json_report.render(seen)
    assert document.endswith(b"}\n")
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f\u202e\ufeff]", document.decode())
    found = orjson.loads(document)
    assert found["schema"] == "aibom-report/1"
    assert [len(found[key]) for key in ("findings", "demands", "waivers", "gaps")] == [
        len(seen.findings), len(seen.demands), len(seen.waivers), len(seen.gaps)
    ]  # fmt: skip


def test_every_field_of_a_finding_is_told() -> None:
    one = licence(
        Standing.WAIVED, justification="until then", decided=False, line=3, column=4, inside="cell 1"
    )
    (found,) = told(judged_report(one))["findings"]
    assert found == {
        "rule": "licences",
        "severity": "high",
        "confidence": "high",
        "subject": "model:m",
        "path": "m/README.md",
        "line": 3,
        "column": 4,
        "offset": None,
        "inside": "cell 1",
        "message": "the licence other is not allowed",
        "found": "other",
        "expected": "Apache-2.0, MIT",
        "remedy": "take another model",
        "decided": False,
        "standing": "waived",
        "justification": "until then",
        "demand": "team.yaml:4:3",
        "pointer": "/components/0",
        "fingerprint": one.fingerprint,
    }


def test_every_standing_is_in_the_report() -> None:
    found = told(judged_report(licence(), UNDECIDED, WAIVED, KNOWN, ADVISORY))["findings"]
    assert [(each["standing"], each["decided"]) for each in found] == [
        ("active", True), ("active", False), ("waived", True), ("known", True), ("advisory", True)
    ]  # fmt: skip
    assert [bool(each["justification"]) for each in found] == [False, False, True, True, True]


def test_sections_are_counted() -> None:
    assert told(judged_report())["demands"] == [
        {"rule": "formats", "place": "team.yaml:9:3", "passed": 2, "failed": 0, "undecided": 0},
        {"rule": "licences", "place": "team.yaml:4:3", "passed": 1, "failed": 1, "undecided": 0},
    ]


def test_waivers_have_their_state_and_their_days() -> None:
    pending = waiver(WaiverState.PENDING, starts=date(2026, 2, 1), reason="so\x1bon")
    first, second = told(judged_report(waivers=(waiver(), pending)))["waivers"]
    assert first == {
        "rule": "licences",
        "component": "pkg:huggingface/acme/m@0123456789abcdef0123456789abcdef01234567",
        "digest": "sha256:" + "a" * 64,
        "state": "active",
        "findings": 1,
        "starts": None,
        "expires": "2026-03-31",
        "reason": "legal has agreed",
        "approvedBy": "Ada",
        "place": "team.yaml:30:5",
    }
    assert (second["state"], second["starts"], second["reason"]) == ("pending", "2026-02-01", "so\\x1bon")
