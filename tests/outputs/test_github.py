"""Workflow commands: three names only, ten of each, the verdict first, and values come back as they were."""

from __future__ import annotations

import re
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aibom.domain.finding import Finding, Severity
from aibom.domain.report import Report
from aibom.domain.text import capped, visible
from aibom.domain.verdict import Verdict, judge
from aibom.outputs import github
from tests.outputs.bom_samples import file, report
from tests.outputs.judged_samples import (
    ADVISORY,
    HOSTILE_TEXTS,
    KNOWN,
    UNDECIDED,
    WAIVED,
    finding,
    gap,
    judged_report,
    judged_reports,
    licence,
)
from tests.outputs.runner import Command, command, lines_of


def commands(seen: Report, **more: object) -> list[Command]:
    """Every line as the runner of GitHub reads it; each has to be a command."""
    found = [command(line) for line in lines_of(github.render(seen, **more))]  # type: ignore[arg-type]
    assert None not in found
    return [each for each in found if each is not None]


def annotation(one: Finding, **more: object) -> Command:
    """What stands below the verdict."""
    (_, told) = commands(judged_report(one), **more)
    return told


@given(judged_reports())
def test_any_report_gives_annotations_and_no_other_command(seen: Report) -> None:
    for strict in (False, True):
        told = commands(seen, strict=strict)
        assert {each.name for each in told} <= {"error", "warning", "notice"}
        assert all(each.properties.keys() <= {"file", "line", "col", "title"} for each in told)
        passed = judge(seen, Severity.HIGH, strict=strict) is Verdict.PASSED
        assert any(each.name == "error" for each in told) is not passed


@pytest.mark.parametrize("text", HOSTILE_TEXTS, ids=repr)
def test_a_value_comes_back_as_it_is_shown_elsewhere(text: str) -> None:
    told = annotation(finding(text, message=text, found="", remedy=""))
    shown = capped(visible(text), github.PART_CHARS)
    assert told.message == shown
    assert told.properties == {"file": shown, "title": "critical: bad-import"}


def test_an_annotation_says_where_what_and_what_to_do() -> None:
    told = annotation(finding("app.py", line=7, column=3, found="one", expected="two", inside="cell 3"))
    assert told == Command(
        name="error",
        properties={"file": "app.py", "line": "7", "col": "3", "title": "critical: bad-import"},
        message=(
            "the pickle calls posix.system('id') (in cell 3)\nfound: one\nexpected: two\n"
            "what to do: do not load the file"
        ),
    )


def test_the_line_is_spelled_as_github_documents_it() -> None:
    line = github.render(judged_report(finding("a,b:c%.py", line=7, found="", remedy=""))).splitlines()[1]
    assert line == (
        b"::error file=a%2Cb%3Ac%25.py,line=7,title=critical%3A bad-import::the pickle calls "
        b"posix.system('id')"
    )


def test_the_verdict_comes_first() -> None:
    first, _ = commands(judged_report(finding(), WAIVED, KNOWN))
    assert first == Command(
        name="error",
        properties={"title": "aibom"},
        message="FAILED: 1 finding at or above high, 1 waived, 1 known",
    )
    (only,) = commands(judged_report(WAIVED, KNOWN))
    assert only == Command(
        name="notice",
        properties={"title": "aibom"},
        message="PASSED policy baseline: no findings, 1 waived, 1 known",
    )
    assert commands(report())[0].name == "error"  # nothing was scanned


@pytest.mark.parametrize(
    ("severity", "fail_on", "name"),
    [
        (Severity.CRITICAL, Severity.HIGH, "error"),
        (Severity.HIGH, Severity.HIGH, "error"),
        (Severity.HIGH, Severity.CRITICAL, "warning"),
        (Severity.MEDIUM, Severity.MEDIUM, "error"),
        (Severity.MEDIUM, Severity.HIGH, "warning"),
        (Severity.LOW, Severity.HIGH, "notice"),
        (Severity.INFO, Severity.INFO, "error"),
    ],
    ids=lambda each: each if isinstance(each, str) else each.label,
)
def test_an_error_is_what_fails_the_run(severity: Severity, fail_on: Severity, name: str) -> None:
    told = commands(judged_report(finding(severity=severity)), fail_on=fail_on)
    assert name in [each.name for each in told if each.properties["title"] != "aibom"]


def test_an_advisory_finding_warns_and_says_why() -> None:
    told = annotation(ADVISORY)
    assert told.name == "warning"
    assert told.message.endswith("\nadvisory: the policy only warns (mode: warn)")
    assert "what to do" not in told.message


def test_what_could_not_be_decided_is_an_error_and_says_so() -> None:
    told = annotation(UNDECIDED)
    assert told.name == "error"
    assert told.message.endswith("\nundecided")


def test_a_gap_is_an_error_only_when_gaps_count() -> None:
    seen = report(files=(file("a"),), gaps=(gap("lost.bin", offset=3),))
    assert [each.name for each in commands(seen)] == ["notice", "warning"]
    verdict, told = commands(seen, strict=True)
    assert (verdict.name, told.name) == ("error", "error")
    assert told.properties == {"file": "lost.bin", "title": "gap"}
    assert told.message == "not, or not fully, looked at: malformed: no end"


def test_no_more_than_github_shows_and_the_worst_of_them() -> None:
    levels = (Severity.LOW, Severity.MEDIUM, Severity.HIGH, Severity.CRITICAL)
    many = [finding(f"{level.label}-{n}", severity=level) for level in levels for n in range(8)]
    told = commands(judged_report(*many))
    assert Counter(each.name for each in told) == {"error": 10, "warning": 8, "notice": 8}
    assert told[0].message.endswith("\n7 annotations left out, see the report")
    assert [each.properties["file"] for each in told[1:10]] == [
        *(f"critical-{n}" for n in range(8)), "high-0"
    ]  # fmt: skip
    assert "left out" not in commands(judged_report(*many[:8]))[0].message


def test_a_message_is_short_whatever_was_found() -> None:
    long = {key: key * 10**6 for key in ("message", "found", "expected", "remedy", "inside")}
    assert len(annotation(finding(**long)).message) < 6 * github.PART_CHARS


@given(st.text(":,%\r\n=A0D23"))
def test_a_command_means_what_it_was_written_for(text: str) -> None:
    line = github._command(github.Level.ERROR, {"title": "t"}, text)
    assert not re.search(r"[\r\n]", line)
    assert command(line) == Command(name="error", properties={"title": "t"}, message=text)


def test_no_line_break_ends_a_command_early() -> None:
    data = github.render(judged_report(licence(message="a\nb\r\n::debug::c")))
    assert len(lines_of(data)) == 2
