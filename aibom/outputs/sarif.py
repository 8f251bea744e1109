"""Findings as SARIF 2.1.0 (OASIS), within what GitHub code scanning accepts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from typing import Final

import orjson

from aibom.domain.content import ContentVerdict
from aibom.domain.errors import Reason
from aibom.domain.file import File
from aibom.domain.finding import Finding, Severity
from aibom.domain.gap import Gap
from aibom.domain.ref import is_commit
from aibom.domain.report import Report
from aibom.domain.rule_text import RuleText
from aibom.domain.target import Target
from aibom.domain.text import capped, visible
from aibom.domain.verdict import judge
from aibom.outputs.cdx.refs import HUB
from aibom.outputs.cdx.text import Json, url
from aibom.outputs.inert import inert_json
from aibom.outputs.sarif_location import (
    BASE,
    MESSAGE_CHARS,
    artifact_location,
    byte_location,
    location,
    relative_uri,
)
from aibom.outputs.sarif_rules import LEVELS, NO_CONTROLS, Controls, descriptor, supported, taxonomies

RESULT_COUNT: Final = 5_000  # GitHub shows no more of one run, and refuses more than 25,000
NOTIFICATION_COUNT: Final = 1_000

_SCHEMA: Final = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_GAP: Final = {"id": "gap"}
_CUT: Final = {"id": "cut"}
_UNDECIDED: Final = "Undecided: too little is known to say that the policy is kept."


def render(
    report: Report,
    *,
    rules: Sequence[RuleText],
    controls: Controls = NO_CONTROLS,
    fail_on: Severity = Severity.HIGH,
    strict: bool = False,
) -> bytes:
    """UTF-8 JSON with a newline at the end; the same bytes for the same report.

    `controls` has what requirements give evidence about, by the id of the rule. At most `RESULT_COUNT`
    results, those that bear on the verdict first, then by severity, and `NOTIFICATION_COUNT` gaps. What
    was left out is told by a notification and in the properties of the run.
    """
    driver = _driver(report, rules, controls)
    verdict = judge(report, fail_on, strict=strict)
    document = {"$schema": _SCHEMA, "version": "2.1.0", "runs": [_run(report, rules, driver, verdict)]}
    return inert_json(orjson.dumps(document, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))


def _run(report: Report, rules: Sequence[RuleText], driver: Json, verdict: str) -> Json:
    worst_first = sorted(report.findings, key=lambda finding: (not finding.counts, -finding.severity))
    shown = worst_first[:RESULT_COUNT]
    paths: dict[str, str] = {}  # by URI, because no two artifacts may be the same
    for finding in shown:
        paths.setdefault(relative_uri(finding.location.path), finding.location.path)
    run: Json = {
        "tool": {"driver": driver},
        "invocations": [_invocation(report)],
        "taxonomies": taxonomies(rules),
        "originalUriBaseIds": {BASE: {"description": {"text": "The scanned place."}}},
        "artifacts": _artifacts(report, paths.values()),
        "results": list(_results(shown, rules, list(paths))),
        "columnKind": "utf16CodeUnits",
        "language": "en",
        "properties": _summary(report, verdict),
    }
    provenance = list(_provenance(report))
    return {**run, "versionControlProvenance": provenance} if provenance else run


def _driver(report: Report, rules: Sequence[RuleText], controls: Controls) -> Json:
    return {
        "name": report.tool.name,
        "version": report.tool.version,
        "rules": [descriptor(rule, controls.get(rule.id, ())) for rule in rules],
        "supportedTaxonomies": supported(),
    }


def _results(
    findings: Sequence[Finding], rules: Sequence[RuleText], artifacts: Sequence[str]
) -> Iterator[Json]:
    rule_places = {rule.id: place for place, rule in enumerate(rules)}
    artifact_places = {uri: place for place, uri in enumerate(artifacts)}
    seen = Counter[str]()
    for finding in findings:
        seen[finding.fingerprint] += 1
        place = artifact_location(finding.location.path)
        place["index"] = artifact_places[relative_uri(finding.location.path)]
        result = _result(finding, place, seen[finding.fingerprint])
        if finding.rule in rule_places:
            result["ruleIndex"] = rule_places[finding.rule]
        yield result


def _result(finding: Finding, artifact: Json, occurrence: int) -> Json:
    result: Json = {
        "ruleId": finding.rule,
        "level": LEVELS[finding.severity],
        "message": {"text": _message(finding)},
        "locations": [location(finding.location, artifact)],
        # GitHub tells alerts apart by the second one only, which must be another for each of them.
        "partialFingerprints": {
            "aibom/v1": finding.fingerprint,
            "primaryLocationLineHash": f"{finding.fingerprint}:{occurrence}",
        },
        "properties": _details(finding),
    }
    if not finding.counts:
        reason = f"{finding.standing}: {_shown(finding.justification)}"
        result["suppressions"] = [{"kind": "external", "justification": reason}]
    byte = byte_location(finding.location, artifact)
    return {**result, "relatedLocations": [byte]} if byte else result


def _details(finding: Finding) -> Json:
    values = {
        "severity": finding.severity.label,
        "confidence": finding.confidence.label,
        "found": _shown(finding.found),
        "expected": _shown(finding.expected),
        "undecided": None if finding.decided else True,
        "demand": _shown(finding.demand),
        "pointer": _shown(finding.pointer),
        "inside": _shown(finding.location.inside),
        "byteOffset": finding.location.offset,
    }
    return {name: value for name, value in values.items() if value not in ("", None)}


def _message(finding: Finding) -> str:
    """First what is wrong, because GitHub may show the first sentence only; then what to do."""
    where = finding.location
    place = [f"in {_shown(where.inside)}"] if where.inside else []
    place += [] if where.offset is None else [f"at byte {where.offset}"]
    first = f"{_shown(finding.message)} ({', '.join(place)})" if place else _shown(finding.message)
    parts = [first or finding.rule]
    for label, text in (("Found: ", finding.found), ("Expected: ", finding.expected)):
        if text and text not in finding.message:
            parts.append(label + _shown(text))
    parts += [] if finding.decided else [_UNDECIDED]
    parts += [f"What to do: {_shown(finding.remedy)}"] if finding.remedy else []
    return _literal(" ".join(map(_sentence, parts)))


def _shown(text: str) -> str:
    return capped(visible(text), MESSAGE_CHARS)


def _sentence(text: str) -> str:
    return text if text.endswith((".", "!", "?")) else f"{text}."


def _literal(text: str) -> str:
    """The text without placeholders and links (SARIF 2.1.0, 3.11.5 and 3.11.6)."""
    return text.replace("](", "] (").replace("{", "{{").replace("}", "}}")


def _artifacts(report: Report, paths: Collection[str]) -> list[Json]:
    wanted = set(paths)
    files = {file.path: file for file in report.files if file.path in wanted}
    return [_artifact(path, files.get(path)) for path in paths]


def _artifact(path: str, file: File | None) -> Json:
    found: Json = {"location": artifact_location(path), "roles": ["analysisTarget"]}
    if file is None:
        return found
    hashes = {"hashes": {"sha-256": file.sha256}} if file.sha256 else {}
    return {**found, "length": file.entry.size, **hashes}


def _invocation(report: Report) -> Json:
    notices = [_notice(gap) for gap in report.gaps[:NOTIFICATION_COUNT]]
    notices += _cuts(report)
    started = {"startTimeUtc": report.timestamp} if report.timestamp else {}
    return {"executionSuccessful": True, **started, "toolExecutionNotifications": notices}


def _notice(gap: Gap) -> Json:
    where = "" if gap.offset is None else f" (at byte {gap.offset})"
    text = f"{_shown(gap.path)} was not, or not fully, looked at: {gap.reason}: {_shown(gap.detail)}{where}"
    return {
        "descriptor": _GAP,
        "level": "error" if gap.reason is Reason.INTERNAL else "warning",
        "message": {"text": _literal(_sentence(text))},
        "locations": [{"physicalLocation": {"artifactLocation": artifact_location(gap.path)}}],
        "properties": {"stage": gap.stage, "reason": gap.reason},
    }


def _cuts(report: Report) -> Iterator[Json]:
    kinds = (("findings", len(report.findings), RESULT_COUNT), ("gaps", len(report.gaps), NOTIFICATION_COUNT))
    for name, count, limit in kinds:
        if count > limit:
            text = f"{count - limit} of {count} {name} are not in this file; the JSON report has all of them."
            yield {"descriptor": _CUT, "level": "warning", "message": {"text": text}}


def _summary(report: Report, verdict: str) -> Json:
    contents = Counter(content.verdict for content in report.contents)
    severities = Counter(finding.severity for finding in report.findings)
    return {
        "verdict": verdict,
        "policy": {"name": visible(report.policy.name), "sha256": report.policy.sha256},
        "findings": {each.label: severities[each] for each in sorted(Severity, reverse=True)},
        "contents": {each.label: contents[each] for each in ContentVerdict},
        "files": {
            "listed": report.coverage.listed,
            "read": report.coverage.read,
            "partial": report.coverage.partial,
            "unread": report.coverage.unread,
            "excluded": report.coverage.excluded,
        },
        "gaps": len(report.gaps),
        "omittedFindings": max(0, len(report.findings) - RESULT_COUNT),
        "omittedGaps": max(0, len(report.gaps) - NOTIFICATION_COUNT),
    }


def _provenance(report: Report) -> Iterator[Json]:
    """The commits that were scanned, as far as they can be told and nothing was changed since."""
    alone = len(report.targets) == 1
    for target in report.targets:
        ref, address = target.ref, _repository(target)
        if ref is None or address is None or target.dirty or not is_commit(ref.revision):
            continue
        found: Json = {"repositoryUri": address, "revisionId": ref.revision}
        branch = dict(target.attributes).get("branch")
        if branch:
            found["branch"] = visible(branch)
        if not ref.subpath:
            base = {"uriBaseId": BASE} if alone else artifact_location(f"{target.name}/")
            found["mappedTo"] = base
        yield found


def _repository(target: Target) -> str | None:
    """The web address of a repository, without credentials; None for other places."""
    if target.ref is None:
        return None
    if target.ref.scheme in HUB:
        return url(HUB[target.ref.scheme] + target.ref.location)
    return url(target.ref.location) if target.ref.scheme in ("git", "https") else None
