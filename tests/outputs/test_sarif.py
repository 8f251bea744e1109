"""SARIF: what GitHub accepts, no place outside of the target, no markup from it, the same bytes."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from urllib.parse import unquote_to_bytes, urlsplit

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aibom.domain.confidence import Confidence
from aibom.domain.content import Content, ContentVerdict
from aibom.domain.controls import CONTROLS, FRAMEWORKS
from aibom.domain.errors import Reason
from aibom.domain.finding import Finding, Severity
from aibom.domain.gap import Stage
from aibom.domain.ref import PinnedRef, Ref
from aibom.domain.report import Report
from aibom.domain.rule_text import RuleText
from aibom.domain.target import Target
from aibom.domain.taxonomies import ATLAS, CWE
from aibom.outputs import sarif
from aibom.outputs.sarif_location import MESSAGE_CHARS, relative_uri
from aibom.policy import REQUIREMENTS, RULES
from aibom.policy.requirement import Requirement
from tests.outputs.bom_samples import COMMIT, file, report
from tests.outputs.bom_strategies import reports, texts
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
)

GOLDEN = Path(__file__).parent.parent / "golden" / "sarif"
TEXTS = tuple(
    RuleText(
        id=rule.id,
        title=rule.title,
        why=rule.why,
        remedy=rule.remedy,
        severity=rule.severity,
        atlas=rule.atlas,
        cwe=rule.cwe,
    )
    for rule in (*RULES, *REQUIREMENTS)
)
# Fixed, so that the golden files do not change with the words of a rule.
FIXED = (
    RuleText(
        id="bad-import",
        title="Loading the file runs a program",
        why="A pickle calls what it likes, `os.system` for instance. See __reduce__.",
        remedy="do not load the file",
        severity=Severity.CRITICAL,
        atlas=("AML.T0011.000", "AML.T0018.002"),
        cwe=(502, 94),
    ),
    RuleText(
        id="disagreement",
        title="Two files disagree",
        why="At least one of them is wrong.",
        remedy="ask the publisher",
        severity=Severity.MEDIUM,
        confidence=Confidence.MEDIUM,
    ),
)
HOSTILE = (
    "C:\\x", "//host/x", "/etc/passwd", "a b#c?.pt", "файл.pt", "..", "a/../../b", "../x", ".", "./a", "",
    "line\nbreak", "tab\t", "nul\0", "hf://org/name", "javascript:alert(1)", "file:///etc/passwd", "a:b",
    "%2e%2e/x", "%2F", "\\\\server\\share", "byte\udc80", "lone\ud800", "\u202ertl", "a//b", "folder/",
    "..\\..\\x", "name?query=1", "x#fragment", "~root", "a;b", "[v1]", "{0}", "...", "‥/x",
)  # fmt: skip
HEX = re.compile(r"(?:[A-Za-z0-9._~-]|%[0-9A-F]{2})+\Z")


def refuse_unless_relative(uri: str) -> None:
    """What GitHub and RFC 3986 ask of a path below the repository; neither validator looks for it."""
    parts = urlsplit(uri)
    assert (parts.scheme, parts.netloc, parts.query, parts.fragment) == ("", "", "", "")
    assert uri == "." or all(HEX.match(each) for each in uri.removesuffix("/").split("/"))
    once = unquote_to_bytes(uri).decode("utf-8", "replace").split("/")
    assert uri == "." or not {"..", ".", ""} & set(once[:-1] if uri.endswith("/") else once)


def uris(value: object) -> Iterator[str]:
    """Every `artifactLocation.uri` of a document, wherever it stands."""
    if isinstance(value, dict):
        if "uriBaseId" in value and "uri" in value:
            yield value["uri"]
        for each in value.values():
            yield from uris(each)
    elif isinstance(value, list):
        for each in value:
            yield from uris(each)


def full_report(**more: object) -> Report:
    """Every kind of place, of target and of gap."""
    parts: dict[str, object] = {
        "targets": (
            Target(
                name="repo",
                ref=PinnedRef(scheme="git", location="https://github.com/acme/repo.git", revision=COMMIT),
                dirty=False,
                attributes=(("branch", "main"),),
            ),
        ),
        "files": (file("app.py"), file("m/model.bin"), file("m/model.pt")),
        "findings": (
            finding(offset=12),
            finding("m/model.pt", offset=3, inside="archive/data.pkl"),
            finding("app.py", line=7, column=3, message="the code calls exec [x](1) {0}", found="exec"),
            finding(
                "m/config.json",
                rule="disagreement",
                severity=Severity.MEDIUM,
                message="two values",
                found="a",
                expected="b",
            ),
        ),
        "gaps": (gap("m/lost.bin", offset=9), gap("folder/", stage=Stage.LIST, reason=Reason.DENIED)),
        "contents": (
            Content(path="m/model.bin", verdict=ContentVerdict.DANGEROUS),
            Content(path="m/model.pt", verdict=ContentVerdict.UNKNOWN),
        ),
    }
    return report(**(parts | more))


def run_of(seen: Report, rules: tuple[RuleText, ...] = FIXED, **more: object) -> dict:
    document = orjson.loads(sarif.render(seen, rules=rules, **more))  # type: ignore[arg-type]
    assert document["version"] == "2.1.0"
    (run,) = document["runs"]
    return run


def result_of(*found: Finding) -> dict:
    return run_of(report(findings=found))["results"][0]


def notices(run: dict) -> list[dict]:
    return run["invocations"][0]["toolExecutionNotifications"]


GOLDEN_REPORTS = {
    "dated": full_report(timestamp="2026-01-02T12:00:00Z"),
    "reproducible": full_report(timestamp=None),
    "judged": judged_report(WAIVED, licence(), UNDECIDED, KNOWN, ADVISORY),
}


@pytest.mark.parametrize("kind", GOLDEN_REPORTS)
def test_every_byte_is_that_of_the_golden_file(kind: str) -> None:
    path = GOLDEN / f"{kind}.sarif"
    document = sarif.render(GOLDEN_REPORTS[kind], rules=FIXED)
    if os.environ.get("AIBOM_UPDATE_GOLDEN") == "1":
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(document)
    assert document.decode() == path.read_text("utf-8")


@pytest.mark.parametrize("path", HOSTILE)
def test_no_path_becomes_anything_but_a_relative_uri(path: str) -> None:
    run = run_of(report(findings=(finding(path, offset=1),), gaps=(gap(path),)))
    found = list(uris(run))
    assert len(found) == 4  # artifact, location, related location, notification
    for uri in found:
        refuse_unless_relative(uri)


@pytest.mark.parametrize(
    "uri",
    ["/a", "//host/a", "hf://org/name", "C:/x", "a:b", "../a", "a/../b", "a b", "a?b", "a#b", "a\\b",
     "%2e%2e/x", "%2Fa", "a/%2E", "", "./a", "файл"],
)  # fmt: skip
def test_the_check_of_uris_refuses_what_is_not_relative(uri: str) -> None:
    with pytest.raises(AssertionError):
        refuse_unless_relative(uri)


@given(st.text(st.characters(), max_size=20))
def test_a_path_of_any_characters_stays_below_the_target(path: str) -> None:
    refuse_unless_relative(relative_uri(path))


@given(st.lists(st.text("ab%2e \\:é", min_size=1, max_size=4), min_size=1, max_size=3).map("/".join))
def test_different_paths_have_different_uris_that_lead_back(path: str) -> None:
    assert unquote_to_bytes(relative_uri(path)).decode() == path


@given(reports())
def test_any_report_gives_a_file_without_raw_text_of_the_target(seen: Report) -> None:
    document = sarif.render(seen, rules=FIXED)
    assert document == sarif.render(seen, rules=FIXED)
    text = document.decode()
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f\u202e\ufeff]", text)
    for uri in uris(orjson.loads(document)):
        refuse_unless_relative(uri)


@given(judged_reports())
def test_exactly_what_does_not_count_is_suppressed(seen: Report) -> None:
    results = run_of(seen)["results"]
    assert sum("suppressions" not in each for each in results) == sum(each.counts for each in seen.findings)
    counting = ["suppressions" not in each for each in results]
    assert counting == sorted(counting, reverse=True)


@pytest.mark.parametrize("one", [WAIVED, KNOWN, ADVISORY], ids=lambda each: str(each.standing))
def test_a_suppression_says_why(one: Finding) -> None:
    reason = f"{one.standing}: {one.justification}"
    assert result_of(one)["suppressions"] == [{"kind": "external", "justification": reason}]
    assert "suppressions" not in result_of(licence())


def test_a_result_has_its_line_of_the_policy_and_its_place_in_the_bill_of_materials() -> None:
    assert result_of(licence())["properties"] == {
        "severity": "high",
        "confidence": "high",
        "found": "other",
        "expected": "Apache-2.0, MIT",
        "demand": "team.yaml:4:3",
        "pointer": "/components/0",
    }


def test_what_could_not_be_decided_is_a_result_that_says_so() -> None:
    result = result_of(UNDECIDED)
    assert result["level"] == "error"
    assert result["properties"]["undecided"] is True
    assert result["message"]["text"] == (
        "no licence is declared. Expected: Apache-2.0, MIT. Undecided: too little is known to say that the "
        "policy is kept. What to do: take another model."
    )


@given(texts, texts, texts)
def test_no_text_of_the_target_acts_as_a_placeholder_or_a_link(message: str, found: str, remedy: str) -> None:
    text = result_of(finding(message=message, found=found, remedy=remedy))["message"]["text"]
    assert "](" not in text
    assert not re.search(r"(?<!\{)(?:\{\{)*\{\d+\}", text)
    assert text


def test_a_link_and_a_placeholder_of_the_target_are_taken_apart() -> None:
    text = result_of(finding(message="calls [here](http://evil) with {0}", found=""))["message"]["text"]
    assert text == "calls [here] (http://evil) with {{0}}. What to do: do not load the file."


def test_a_message_says_what_was_found_where_and_what_to_do() -> None:
    text = result_of(finding(offset=5, inside="a!b", found="one", expected="two"))["message"]["text"]
    assert text == (
        "the pickle calls posix.system('id') (in a!b, at byte 5). Found: one. Expected: two. "
        "What to do: do not load the file."
    )


def test_a_message_is_short_whatever_was_found() -> None:
    long = {key: key * 10**6 for key in ("message", "found", "expected", "inside", "remedy")}
    assert len(result_of(finding(**long))["message"]["text"]) < 6 * MESSAGE_CHARS
    document = sarif.render(report(findings=(finding(**long),), gaps=(gap(detail="d" * 10**6),)), rules=FIXED)
    assert len(document) < 30 * MESSAGE_CHARS


def test_a_line_is_told_as_such() -> None:
    result = result_of(finding("a.py", line=7, column=3))
    assert result["locations"][0]["physicalLocation"]["region"] == {"startLine": 7, "startColumn": 3}
    assert "relatedLocations" not in result


def test_a_byte_has_a_region_of_its_own_beside_the_start_of_the_file() -> None:
    result = result_of(finding(offset=12))
    start = {"startLine": 1, "startColumn": 1, "endLine": 1, "endColumn": 1}
    assert result["locations"][0]["physicalLocation"]["region"] == start
    (byte,) = result["relatedLocations"]
    assert byte["physicalLocation"]["region"] == {"byteOffset": 12, "byteLength": 1}


def test_an_offset_in_something_unpacked_is_no_offset_of_the_file() -> None:
    result = result_of(finding("m.pt", offset=12, inside="archive/data.pkl"))
    assert "relatedLocations" not in result
    assert result["properties"]["byteOffset"] == 12
    (member,) = result["locations"][0]["logicalLocations"]
    assert member["fullyQualifiedName"] == "m.pt!archive/data.pkl"


def test_fingerprints_are_those_of_the_findings_and_each_alert_has_its_own() -> None:
    same = (finding(offset=1), finding(offset=2), finding(offset=3, found="other"))
    results = run_of(report(findings=same))["results"]
    prints = [result["partialFingerprints"] for result in results]
    assert [each["aibom/v1"] for each in prints] == [found.fingerprint for found in same]
    assert len({each["primaryLocationLineHash"] for each in prints}) == 3


@pytest.mark.parametrize(
    ("severity", "level"),
    [
        (Severity.CRITICAL, "error"),
        (Severity.HIGH, "error"),
        (Severity.MEDIUM, "warning"),
        (Severity.LOW, "note"),
        (Severity.INFO, "note"),
    ],
)
def test_the_level_follows_the_severity_of_the_finding(severity: Severity, level: str) -> None:
    assert result_of(finding(severity=severity))["level"] == level


def test_the_most_severe_results_stay_and_the_cut_is_told() -> None:
    minor = [finding(f"{n}", severity=Severity.LOW, found=str(n)) for n in range(sarif.RESULT_COUNT + 7)]
    run = run_of(report(findings=(*minor, finding("worst"))))
    assert len(run["results"]) == len(run["artifacts"]) == sarif.RESULT_COUNT
    assert run["artifacts"][0]["location"]["uri"] == "worst"
    assert run["properties"]["omittedFindings"] == 8
    assert run["properties"]["findings"] == {
        "critical": 1, "high": 0, "medium": 0, "low": sarif.RESULT_COUNT + 7, "info": 0
    }  # fmt: skip
    (notice,) = notices(run)
    assert notice["message"]["text"].startswith("8 of 5008 findings are not in this file")


def test_what_bears_on_the_verdict_stays_when_there_is_too_much() -> None:
    many = [WAIVED] * sarif.RESULT_COUNT
    run = run_of(report(findings=(*many, licence(severity=Severity.LOW))))
    assert run["results"][0]["level"] == "note"
    assert run["properties"]["omittedFindings"] == 1


def test_gaps_are_notifications_and_their_cut_is_told() -> None:
    many = tuple(gap(f"{n}") for n in range(sarif.NOTIFICATION_COUNT + 2))
    run = run_of(report(gaps=many))
    told = notices(run)
    assert len(told) == sarif.NOTIFICATION_COUNT + 1
    assert told[-1]["message"]["text"].startswith("2 of 1002 gaps are not in this file")
    assert run["properties"]["omittedGaps"] == 2
    assert told[0]["properties"] == {"stage": "read", "reason": "malformed"}


def test_a_crash_of_ours_is_an_error_and_no_warning() -> None:
    levels = [each["level"] for each in notices(run_of(report(gaps=(gap(), gap(reason=Reason.INTERNAL)))))]
    assert levels == ["warning", "error"]


def test_indexes_lead_to_the_rule_and_to_the_artifact() -> None:
    run = run_of(full_report())
    for result in run["results"]:
        assert run["tool"]["driver"]["rules"][result["ruleIndex"]]["id"] == result["ruleId"]
        place = result["locations"][0]["physicalLocation"]["artifactLocation"]
        assert run["artifacts"][place["index"]]["location"]["uri"] == place["uri"]


def test_only_files_of_results_are_artifacts_with_the_digest_that_was_computed() -> None:
    run = run_of(full_report())
    assert [each["location"]["uri"] for each in run["artifacts"]] == [
        "m/model.bin", "m/model.pt", "app.py", "m/config.json"
    ]  # fmt: skip
    assert run["artifacts"][0]["hashes"] == {"sha-256": file("m/model.bin").sha256}
    assert "hashes" not in run["artifacts"][3]  # never looked at


def test_the_run_says_verdict_policy_and_what_loading_the_files_would_run() -> None:
    found = run_of(full_report())["properties"]
    assert found["verdict"] == "violated"
    assert found["policy"] == {"name": "baseline", "sha256": report().policy.sha256}
    assert found["contents"] == {"safe": 0, "unknown": 1, "incomplete": 0, "dangerous": 1}
    clean = replace(full_report(), findings=())
    assert run_of(clean)["properties"]["verdict"] == "passed"
    assert run_of(clean, strict=True)["properties"]["verdict"] == "incomplete"
    assert run_of(report())["properties"]["verdict"] == "nothing to scan"


def test_a_clean_commit_is_named_and_its_place_in_the_target() -> None:
    (named,) = run_of(full_report())["versionControlProvenance"]
    assert named == {
        "repositoryUri": "https://github.com/acme/repo.git",
        "revisionId": COMMIT,
        "branch": "main",
        "mappedTo": {"uriBaseId": "%SRCROOT%"},
    }


def target(ref: Ref | None, **more: object) -> Target:
    return Target(name="t", ref=ref, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "place",
    [
        target(None),
        target(Ref(scheme="git", location="https://example.org/r", revision="main")),
        target(PinnedRef(scheme="git", location="https://example.org/r", revision=COMMIT), dirty=True),
        target(PinnedRef(scheme="git", location="not an address", revision=COMMIT)),
        target(PinnedRef(scheme="oci", location="registry.example.org/m", revision=COMMIT)),
    ],
)
def test_what_is_no_unchanged_commit_of_a_known_place_is_not_named(place: Target) -> None:
    assert "versionControlProvenance" not in run_of(report(targets=(place,)))


def test_models_of_the_hub_and_several_targets_have_their_own_place() -> None:
    hub = PinnedRef(scheme="hf", location="org/name", revision=COMMIT)
    inner = PinnedRef(scheme="git", location="https://example.org/r", revision=COMMIT, subpath="models")
    first, second = run_of(report(targets=(target(hub), target(inner))))["versionControlProvenance"]
    assert first["repositoryUri"] == "https://huggingface.co/org/name"
    assert first["mappedTo"] == {"uri": "t/", "uriBaseId": "%SRCROOT%"}
    assert "mappedTo" not in second  # the repository starts above the target


def test_no_time_stands_in_a_reproducible_file() -> None:
    assert "startTimeUtc" in run_of(report())["invocations"][0]
    text = sarif.render(report(timestamp=None), rules=FIXED)
    assert not re.search(rb"\d{4}-\d\d-\d\dT", text)


def test_no_absolute_place_can_be_told() -> None:
    base = run_of(full_report())["originalUriBaseIds"]
    assert base == {"%SRCROOT%": {"description": {"text": "The scanned place."}}}


@pytest.mark.parametrize("rule", TEXTS, ids=lambda rule: rule.id)
def test_every_rule_keeps_the_limits_of_github(rule: RuleText) -> None:
    (told,) = run_of(report(), rules=(rule,))["tool"]["driver"]["rules"]
    assert re.fullmatch(r"(?:[A-Z][a-z]+)+", told["name"])
    assert len(told["name"]) <= 255
    assert told["shortDescription"]["text"].endswith(".")
    assert len(told["shortDescription"]["text"]) <= 1024
    assert len(told["fullDescription"]["text"]) <= 1024
    assert len(told["properties"]["tags"]) <= 10
    assert len(set(told["properties"]["tags"])) == len(told["properties"]["tags"])
    assert told["properties"]["tags"][0] == "security"
    assert told["properties"]["precision"] in ("high", "medium", "low")
    assert "{" not in told["help"]["text"] + told["help"]["markdown"]
    for words in (rule.title, rule.remedy, f"aibom explain {rule.id}"):
        assert words in told["help"]["text"]


@pytest.mark.parametrize("rule", REQUIREMENTS, ids=lambda rule: rule.id)
def test_a_requirement_has_its_controls_as_tags_and_in_its_help(rule: Requirement) -> None:
    (told,) = run_of(report(), rules=(rule,), controls={rule.id: rule.controls})["tool"]["driver"]["rules"]
    tags = told["properties"]["tags"]
    assert len(set(tags)) == len(tags) <= 20  # GitHub refuses more
    assert rule.controls
    for framework, control in rule.controls:
        assert f"external/{framework}/{control.replace(' ', '-')}" in tags
        evidence = f"{FRAMEWORKS[framework]}, {control}: {CONTROLS[framework][control]}"
        assert f"Evidence about {evidence}." in told["help"]["text"]
        assert f"- Evidence about {evidence}\n" in told["help"]["markdown"]
    assert not any(re.search(r"\s", tag) for tag in tags)


def test_scores_fall_into_the_classes_of_github() -> None:
    ranges = {"critical": (9.1, 10), "high": (7, 8.9), "medium": (4, 6.9), "low": (0.1, 3.9), "info": (0, 0)}
    for severity in Severity:
        rule = replace(FIXED[0], severity=severity)
        (told,) = run_of(report(), rules=(rule,))["tool"]["driver"]["rules"]
        low, high = ranges[severity.label]
        assert low <= float(told["properties"]["security-severity"]) <= high


def test_markup_in_the_words_of_a_rule_is_shown_and_not_obeyed() -> None:
    markdown = run_of(report())["tool"]["driver"]["rules"][0]["help"]["markdown"]
    assert "`os.system`" in markdown
    assert r"\_\_reduce\_\_" in markdown


def test_relationships_lead_to_the_taxa_of_the_run() -> None:
    run = run_of(report(), rules=TEXTS)
    taxa = {each["guid"]: each["id"] for part in run["taxonomies"] for each in part["taxa"]}
    guids = {part["guid"] for part in run["taxonomies"]}
    assert {part["guid"] for part in run["tool"]["driver"]["supportedTaxonomies"]} == guids
    for told, rule in zip(run["tool"]["driver"]["rules"], TEXTS, strict=True):
        targets = [each["target"] for each in told.get("relationships", ())]
        assert [each["id"] for each in targets] == [*rule.atlas, *map(str, rule.cwe)]
        assert all(taxa[each["guid"]] == each["id"] for each in targets)
        assert {each["toolComponent"]["guid"] for each in targets} <= guids
    assert set(taxa.values()) == set(ATLAS) | set(map(str, CWE)), "a name that no rule uses"
