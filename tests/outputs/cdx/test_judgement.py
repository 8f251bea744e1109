"""What a policy says of a model, in its bill of materials."""

from __future__ import annotations

import json

import pytest

from aibom.domain.report import Report
from aibom.outputs import cyclonedx, lint, schema
from tests.outputs.bom_samples import NOON
from tests.outputs.judged_samples import ADVISORY, KNOWN, UNDECIDED, WAIVED, finding, judged_report


def judged() -> Report:
    return judged_report(finding(), WAIVED, KNOWN, ADVISORY, UNDECIDED, timestamp=NOON)


def properties(data: bytes) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for each in json.loads(data)["metadata"]["properties"]:
        found.setdefault(each["name"], []).append(each["value"])
    return found


@pytest.mark.parametrize("spec_version", ["1.6", "1.7"])
def test_a_judged_report_is_a_valid_document(spec_version: str) -> None:
    data = cyclonedx.render(judged(), spec_version=spec_version)
    assert schema.errors(data) == []
    assert lint.problems(data) == lint.problems(cyclonedx.render(judged_report(), spec_version=spec_version))


def test_what_does_not_count_says_why() -> None:
    report = judged()
    told = properties(cyclonedx.render(report))
    aside = [found for found in report.findings if not (found.counts and found.decided)]
    assert len(told["aibom:finding:standing"]) == len(aside) > 0
    for each, value in zip(aside, told["aibom:finding:standing"], strict=True):
        standing = "undecided" if each.counts else each.standing
        assert value == f"{each.fingerprint}|{standing}|{each.justification}"


def test_sections_and_waivers_are_told() -> None:
    report = judged()
    told = properties(cyclonedx.render(report))
    assert told["aibom:policy:demand"] == [
        f"{each.rule}|{each.passed}|{each.failed}|{each.undecided}" for each in report.demands
    ]
    assert len(told["aibom:policy:waiver"]) == len(report.waivers) > 0
    first = report.waivers[0]
    assert told["aibom:policy:waiver"][0].startswith(f"{first.state}|{first.waiver.rule}|")


def test_the_annotation_of_a_finding_says_its_standing() -> None:
    document = json.loads(cyclonedx.render(judged()))
    texts = [each["text"] for each in document["annotations"] if each["text"].startswith("finding: ")]
    for each in judged().findings:
        if not each.counts:
            assert any(f"; {each.standing}: {each.justification}" in text for text in texts)
