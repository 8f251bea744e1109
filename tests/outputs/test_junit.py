"""JUnit: the layout that its readers agree on, XML that any parser takes, and the verdict of the run."""

from __future__ import annotations

import re
from dataclasses import replace
from xml.etree.ElementTree import Element

import junitparser
import pytest
from defusedxml import ElementTree
from hypothesis import given

from aibom.domain.finding import Finding, Severity
from aibom.domain.report import Demand, Report
from aibom.domain.verdict import Verdict, judge
from aibom.outputs import junit
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

COUNTS = {"failure": "failures", "error": "errors", "skipped": "skipped"}
STRICT = pytest.mark.parametrize("strict", [False, True], ids=["lenient", "strict"])


def suites(seen: Report, **more: object) -> dict[str, Element]:
    """The suites by name, after a look at the whole file."""
    document = junit.render(seen, **more)  # type: ignore[arg-type]
    return {each.attrib["name"]: each for each in refuse_unless_junit(document)}


def refuse_unless_junit(document: bytes) -> list[Element]:
    """What the readers of Ant and Jenkins ask for: these attributes, these children, in this order."""
    root = ElementTree.fromstring(document)
    assert (root.tag, root.attrib) == ("testsuites", {})
    for number, suite in enumerate(root):
        told = dict(suite.attrib)
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d", told.pop("timestamp", "2026-01-01T00:00:00"))
        assert told.keys() == {"name", "package", "id", "time", "hostname", "tests", *COUNTS.values()}
        assert told["id"] == str(number)
        assert all(told[key] for key in ("name", "package", "hostname"))
        cases = suite.findall("testcase")
        tags = [each.tag for each in suite]
        assert tags == ["properties", *(["testcase"] * len(cases)), "system-out", "system-err"]
        assert told["tests"] == str(len(cases))
        for tag, count in COUNTS.items():
            assert told[count] == str(len(suite.findall(f"testcase/{tag}")))
        for case in cases:
            refuse_unless_case(case, suite.attrib["name"])
        assert len({case.attrib["name"] for case in cases}) == len(cases)
        for each in suite.findall("properties/*"):
            assert (each.tag, each.keys()) == ("property", ["name", "value"])
    return list(root)


def refuse_unless_case(case: Element, suite: str) -> None:
    assert case.attrib == {"name": case.attrib["name"], "classname": f"aibom.{suite}", "time": "0"}
    assert case.attrib["name"]
    assert len(case) <= 1
    for outcome in case:
        assert outcome.tag in COUNTS
        wanted = {"message"} if outcome.tag == "skipped" else {"message", "type"}
        assert outcome.keys() == wanted or set(outcome.keys()) == wanted
        assert outcome.text


def outcomes(suite: Element) -> dict[str, str]:
    """What became of each case, by its name."""
    return {each.attrib["name"]: next((one.tag for one in each), "passed") for each in suite.iter("testcase")}


def only(one: Finding, **more: object) -> Element:
    """The failure, error or skip of the one finding."""
    found = suites(report(files=(file("a"),), findings=(one,)), **more)[one.rule]
    (outcome,) = found.findall("testcase/*")
    return outcome


@STRICT
@given(seen=judged_reports())
def test_a_run_passes_exactly_if_no_case_fails_or_errs(seen: Report, strict: bool) -> None:
    document = junit.render(seen, strict=strict)
    refuse_unless_junit(document)
    verdict = judge(seen, Severity.HIGH, strict=strict)
    root = ElementTree.fromstring(document)
    failures, errors = list(root.iter("failure")), list(root.iter("error"))
    assert bool(failures) is (verdict is Verdict.VIOLATED)
    assert (not failures and not errors) is (verdict is Verdict.PASSED)


@given(judged_reports())
def test_another_parser_reads_the_same(seen: Report) -> None:
    document = junit.render(seen)
    read = junitparser.JUnitXml.fromstring(document)
    for suite, told in zip(read, ElementTree.fromstring(document), strict=True):
        results = [type(each.result[0]).__name__.lower() if each.result else "passed" for each in suite]
        assert results == list(outcomes(told).values())
        assert [each.name for each in suite] == list(outcomes(told))
        assert (suite.tests, suite.failures, suite.errors, suite.skipped) == tuple(
            int(told.attrib[key]) for key in ("tests", "failures", "errors", "skipped")
        )


@pytest.mark.parametrize("text", HOSTILE_TEXTS, ids=repr)
def test_no_text_of_the_target_breaks_the_file(text: str) -> None:
    one = finding(text, message=text, found=text, expected=text, remedy=text, demand=text, pointer=text)
    found = suites(judged_report(one, gaps=(gap(text, detail=text),)))
    assert len(found) == 4
    assert "\ufffe" not in "".join(found["bad-import"].itertext())


def test_characters_that_are_no_xml_are_written_as_escapes() -> None:
    assert only(finding(message="a\ufffeb\x00c\udc80d\U0001ffffe")).attrib["message"] == (
        "a\\ufffeb\\x00c\\x80d\U0001ffffe"
    )


def test_a_failure_has_what_was_found_and_what_to_do() -> None:
    outcome = only(licence())
    assert outcome.attrib == {"message": "the licence other is not allowed", "type": "high"}
    assert outcome.text == (
        "the licence other is not allowed\nwhere: m/README.md\nfound: other\nexpected: Apache-2.0, MIT\n"
        "section: team.yaml:4:3\nin the bill of materials: /components/0\nwhat to do: take another model"
    )


def test_what_could_not_be_decided_is_an_error() -> None:
    assert only(UNDECIDED).tag == "error"
    assert only(UNDECIDED).attrib["message"] == "no licence is declared; undecided"


@pytest.mark.parametrize("one", [WAIVED, KNOWN, ADVISORY], ids=lambda each: str(each.standing))
def test_what_does_not_bear_on_the_verdict_is_skipped_and_says_why(one: Finding) -> None:
    outcome = only(one)
    assert outcome.tag == "skipped"
    assert outcome.attrib == {"message": f"{one.message}; {one.standing}: {one.justification}"}


def test_what_is_not_severe_enough_is_skipped() -> None:
    outcome = only(finding(severity=Severity.MEDIUM))
    assert outcome.tag == "skipped"
    assert outcome.attrib["message"].endswith("; medium is below --fail-on high")
    assert only(finding(severity=Severity.MEDIUM), fail_on=Severity.MEDIUM).tag == "failure"


@pytest.mark.parametrize(
    ("findings", "tag"),
    [
        ((), "passed"),
        ((WAIVED, KNOWN), "skipped"),
        ((WAIVED, UNDECIDED), "error"),
        ((UNDECIDED, licence(), WAIVED), "failure"),
    ],
    ids=["nothing", "waived", "undecided", "violated"],
)
def test_a_section_is_a_case_of_its_own_under_a_name_that_stays(
    findings: tuple[Finding, ...], tag: str
) -> None:
    found = suites(judged_report(*findings))
    assert list(found) == ["gaps", "formats", "licences"]
    assert outcomes(found["licences"])["licences"] == tag
    assert len(outcomes(found["licences"])) == 1 + len(findings)
    assert outcomes(found["formats"]) == {"formats": "passed"}
    (section,) = found["licences"].findall("properties/property")
    assert section.attrib == {"name": "section", "value": "team.yaml:4:3"}


def test_a_section_says_how_many_components_keep_it() -> None:
    outcome = suites(judged_report(licence()))["licences"].find("testcase/failure")
    assert outcome is not None
    assert outcome.attrib == {"message": "1 passed, 1 failed", "type": "section"}


def test_two_sections_of_one_rule_are_told_apart() -> None:
    demands = (
        Demand(rule="licences", place="team.yaml:4:3", failed=1),
        Demand(rule="licences", place="base.yaml:7:3", passed=1),
    )
    found = outcomes(suites(judged_report(licence(), demands=demands))["licences"])
    assert list(found.items())[:2] == [("licences", "failure"), ("licences (2)", "passed")]


def test_the_same_finding_twice_has_two_names() -> None:
    found = suites(judged_report(finding(line=3), finding(line=9)))["bad-import"]
    assert list(outcomes(found)) == ["m/model.bin: posix.system", "m/model.bin: posix.system (2)"]


@STRICT
def test_gaps_are_a_suite_and_errors_only_when_they_count(strict: bool) -> None:
    seen = report(files=(file("a"),), gaps=(gap("lost.bin", offset=3),))
    found = suites(seen, strict=strict)["gaps"]
    assert outcomes(found) == {
        "look": "error" if strict else "passed", "lost.bin": "error" if strict else "skipped"
    }  # fmt: skip
    text = found.findall("testcase/*")[-1].text
    assert text == "lost.bin at byte 3: not, or not fully, looked at: malformed: no end"


@pytest.mark.parametrize(
    ("seen", "message"),
    [
        (report(), "the target holds no files"),
        (report(gaps=(gap(),)), "not everything was looked at"),
    ],
    ids=["empty", "nothing read"],
)
def test_a_run_that_looked_at_nothing_is_an_error(seen: Report, message: str) -> None:
    outcome = suites(seen)["gaps"].find("testcase/error")
    assert outcome is not None
    assert outcome.attrib["message"] == message


def test_the_first_suite_says_who_judged_by_what() -> None:
    found = suites(judged_report(finding()))["gaps"]
    told = {each.attrib["name"]: each.attrib["value"] for each in found.iter("property")}
    assert told == {
        "aibom": "1.2.3",
        "policy": "baseline",
        "policy sha256": report().policy.sha256,
        "verdict": "violated",
    }


def test_what_fails_the_run_stays_when_there_is_too_much() -> None:
    waived = (replace(WAIVED, severity=Severity.CRITICAL),) * junit.FINDING_COUNT
    gaps = tuple(gap(f"{n}") for n in range(junit.GAP_COUNT + 2))
    failing = finding(severity=Severity.HIGH)
    found = suites(judged_report(*waived, failing, failing, gaps=gaps))
    assert set(outcomes(found["bad-import"]).values()) == {"failure"}
    told = {each.attrib["name"]: each.attrib["value"] for each in found["gaps"].iter("property")}
    assert told["omitted findings"] == "2"
    assert told["omitted gaps"] == "2"
    assert sum(int(each.attrib["tests"]) for each in found.values()) == 5_000 + 1_000 + 1 + 2


def test_a_case_is_short_whatever_was_found() -> None:
    long = {key: key * 10**6 for key in ("message", "found", "expected", "remedy", "inside")}
    assert len(junit.render(report(findings=(finding("p" * 10**6, **long),)))) < 20 * junit.PART_CHARS


def test_no_time_stands_in_a_reproducible_file() -> None:
    assert "timestamp" in suites(report())["gaps"].attrib
    document = junit.render(report(timestamp=None))
    assert b"timestamp" not in document
    refuse_unless_junit(document)
