"""GitLab: what its Code Quality report asks for, one fingerprint each, only what bears on the verdict."""

from __future__ import annotations

import re

import orjson
import pytest
from hypothesis import given

from aibom.domain.finding import Finding, Severity
from aibom.domain.report import Report
from aibom.outputs import gitlab
from tests.outputs.bom_samples import report
from tests.outputs.judged_samples import (
    ADVISORY,
    KNOWN,
    UNDECIDED,
    WAIVED,
    finding,
    judged_report,
    judged_reports,
    licence,
)

# https://docs.gitlab.com/ci/testing/code_quality/#code-quality-report-format
SEVERITIES = ["info", "minor", "major", "critical", "blocker"]


def issues(*findings: Finding) -> list[dict]:
    found: list[dict] = orjson.loads(gitlab.render(report(findings=findings)))
    return found


def refuse_unless_code_quality(document: bytes) -> list[dict]:
    """What the documentation of GitLab asks for, and its parser by its own schema."""
    found: list[dict] = orjson.loads(document)
    assert isinstance(found, list)
    for issue in found:
        assert issue.keys() == {"description", "check_name", "fingerprint", "severity", "location"}
        assert all(isinstance(issue[key], str) and issue[key] for key in ("check_name", "fingerprint"))
        assert isinstance(issue["description"], str)
        assert issue["severity"] in SEVERITIES
        assert issue["location"].keys() == {"path", "lines"}
        assert isinstance(issue["location"]["path"], str)
        assert not issue["location"]["path"].startswith("./")
        assert issue["location"]["path"]
        assert type(issue["location"]["lines"]["begin"]) is int
        assert issue["location"]["lines"]["begin"] >= 1
    assert len({issue["fingerprint"] for issue in found}) == len(found)
    return found


@given(judged_reports())
def test_any_report_keeps_the_format_and_the_number_of_what_counts(seen: Report) -> None:
    document = gitlab.render(seen)
    assert not document.startswith(b"\xef\xbb\xbf")
    assert not re.search(rb"[\x00-\x09\x0b-\x1f\x7f]", document)
    assert len(refuse_unless_code_quality(document)) == sum(each.counts for each in seen.findings)


def test_what_somebody_answers_for_is_left_out() -> None:
    told = refuse_unless_code_quality(gitlab.render(judged_report(WAIVED, KNOWN, ADVISORY, licence())))
    assert [each["fingerprint"] for each in told] == [licence().fingerprint]


def test_nothing_found_is_an_empty_list() -> None:
    assert gitlab.render(report()) == b"[]\n"


@pytest.mark.parametrize(
    ("severity", "word"),
    list(zip(Severity, SEVERITIES, strict=True)),
    ids=[each.label for each in Severity],
)
def test_severities_have_the_words_of_gitlab(severity: Severity, word: str) -> None:
    assert issues(finding(severity=severity))[0]["severity"] == word


def test_an_issue_says_rule_place_and_what_to_do() -> None:
    (told,) = issues(finding("app.py", line=7, inside="cell 3"))
    assert told == {
        "description": "the pickle calls posix.system('id') (in cell 3); what to do: do not load the file",
        "check_name": "bad-import",
        "fingerprint": finding("app.py", inside="cell 3").fingerprint,
        "severity": "blocker",
        "location": {"path": "app.py", "lines": {"begin": 7}},
    }


def test_what_could_not_be_decided_says_so() -> None:
    assert issues(UNDECIDED)[0]["description"].startswith("undecided; no licence is declared;")


def test_the_target_itself_has_a_path() -> None:
    assert issues(finding(""))[0]["location"]["path"] == "."


def test_the_same_finding_twice_is_two_issues() -> None:
    first, second = issues(finding(offset=1), finding(offset=2))
    assert first["fingerprint"] == finding().fingerprint
    assert second["fingerprint"] == f"{finding().fingerprint}:2"


def test_a_description_is_short_whatever_was_found() -> None:
    (told,) = issues(finding(message="m" * 10**6, remedy="r" * 10**6, inside="i" * 10**6))
    assert len(told["description"]) < 4 * gitlab.DESCRIPTION_CHARS
