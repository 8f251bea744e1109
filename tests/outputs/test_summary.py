"""The one-line verdict and the phrases about sections, waivers and standing."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given

from aibom.domain.finding import Finding, Severity
from aibom.domain.report import Demand, Report
from aibom.domain.verdict import Verdict, judge
from aibom.domain.waiver import WaiverState
from aibom.outputs import summary
from tests.outputs.bom_samples import file, report
from tests.outputs.judged_samples import (
    ADVISORY,
    KNOWN,
    UNDECIDED,
    WAIVED,
    finding,
    gap,
    judged_report,
    judged_reports,
    licence,
    waiver,
)

WORDS = {
    Verdict.PASSED: "PASSED policy baseline: ",
    Verdict.VIOLATED: "FAILED: ",
    Verdict.INCOMPLETE: "INCOMPLETE: ",
    Verdict.NOTHING: "NOTHING TO SCAN: ",
}


@given(judged_reports())
def test_the_line_starts_with_the_verdict(seen: Report) -> None:
    for strict in (False, True):
        told = summary.verdict(seen, Severity.HIGH, strict=strict)
        assert told.startswith(WORDS[judge(seen, Severity.HIGH, strict=strict)])


@pytest.mark.parametrize(
    ("findings", "line"),
    [
        ((), "PASSED policy baseline: no findings"),
        ((finding(severity=Severity.LOW),), "PASSED policy baseline: 1 finding below high"),
        ((WAIVED, KNOWN, ADVISORY), "PASSED policy baseline: no findings, 1 advisory, 1 waived, 1 known"),
        ((licence(), finding()), "FAILED: 2 findings at or above high"),
        ((licence(), UNDECIDED, WAIVED), "FAILED: 1 finding at or above high, 1 undecided, 1 waived"),
        ((UNDECIDED,), "INCOMPLETE: no findings, 1 undecided"),
        ((replace(WAIVED, decided=False),), "PASSED policy baseline: no findings, 1 waived"),
        (
            (licence(severity=Severity.LOW, decided=False),),
            "PASSED policy baseline: 1 finding below high",
        ),
    ],
    ids=[
        "nothing",
        "low",
        "aside",
        "violated",
        "violated and more",
        "undecided",
        "undecided and waived",
        "undecided and low",
    ],
)
def test_the_verdict_counts_what_bears_on_it_and_what_does_not(
    findings: tuple[Finding, ...], line: str
) -> None:
    assert summary.verdict(judged_report(*findings), Severity.HIGH, strict=False) == line


def test_gaps_are_counted_whether_they_fail_the_run_or_not() -> None:
    seen = report(files=(file("a"),), gaps=(gap(),))
    assert summary.verdict(seen, Severity.HIGH, strict=False) == "PASSED policy baseline: no findings, 1 gap"
    assert summary.verdict(seen, Severity.HIGH, strict=True) == "INCOMPLETE: no findings, 1 gap"


def test_a_section_is_counted_by_component() -> None:
    demands = (
        Demand(rule="formats", place="p:1:1"),
        Demand(rule="licences", place="p:2:1", passed=1_000, failed=2, undecided=3),
    )
    assert list(summary.demands(report(demands=demands))) == [
        ("formats", "nothing to judge"),
        ("licences", "1,000 passed, 2 failed, 3 undecided"),
    ]


@pytest.mark.parametrize("state", WaiverState)
def test_a_waiver_says_state_day_reason_and_who_answers_for_it(state: WaiverState) -> None:
    told = summary.waiver(waiver(state, component="m\x1b", reason="why\n", approved_by="Ada\u202e"))
    assert told == f"{state} until 2026-03-31: licences of m\\x1b (Ada\\u202e: why\\x0a)"


@pytest.mark.parametrize(
    ("one", "status"),
    [
        (licence(), ""),
        (UNDECIDED, "undecided"),
        (KNOWN, "known: in the baseline"),
        (licence(KNOWN.standing, decided=False, justification="in\nit"), "known: in\\x0ait"),
    ],
    ids=["violation", "undecided", "known", "known and undecided"],
)
def test_the_status_says_what_the_severity_does_not(one: Finding, status: str) -> None:
    assert summary.status(one) == status
