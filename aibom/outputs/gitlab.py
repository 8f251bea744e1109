"""Findings as a Code Quality report of GitLab: what a merge request shows beside its changes."""

from __future__ import annotations

from collections import Counter
from typing import Final

import orjson

from aibom.domain.finding import Finding, Severity
from aibom.domain.report import Report
from aibom.domain.text import capped, visible
from aibom.outputs.cdx.text import Json
from aibom.outputs.inert import inert_json

DESCRIPTION_CHARS: Final = 1_000  # of each part of a description

_SEVERITIES: Final = {
    Severity.CRITICAL: "blocker",
    Severity.HIGH: "critical",
    Severity.MEDIUM: "major",
    Severity.LOW: "minor",
    Severity.INFO: "info",
}


def render(report: Report) -> bytes:
    """UTF-8 JSON with a newline at the end; a list of the findings that bear on the verdict.

    GitLab has no word for a finding that somebody answers for, so those are left out.
    """
    seen = Counter[str]()
    issues = []
    for finding in report.findings:
        if finding.counts:
            seen[finding.fingerprint] += 1
            issues.append(_issue(finding, seen[finding.fingerprint]))
    return inert_json(orjson.dumps(issues, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))


def _issue(finding: Finding, occurrence: int) -> Json:
    # Of two issues with the same fingerprint GitLab shows one.
    again = f":{occurrence}" if occurrence > 1 else ""
    return {
        "description": _description(finding),
        "check_name": finding.rule,
        "fingerprint": finding.fingerprint + again,
        "severity": _SEVERITIES[finding.severity],
        "location": {
            "path": visible(finding.location.path) or ".",
            "lines": {"begin": finding.location.line or 1},  # GitLab asks for one
        },
    }


def _description(finding: Finding) -> str:
    where = f" (in {_shown(finding.location.inside)})" if finding.location.inside else ""
    parts = [] if finding.decided else ["undecided"]
    parts += [_shown(finding.message) + where]
    parts += [f"what to do: {_shown(finding.remedy)}"] if finding.remedy else []
    return "; ".join(parts)


def _shown(text: str) -> str:
    return capped(visible(text), DESCRIPTION_CHARS)
