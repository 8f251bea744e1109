"""A baseline: the findings of an earlier run, so that a pipeline fails on new ones only."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from aibom.domain.errors import UnreadableError
from aibom.domain.finding import Standing
from aibom.domain.report import Report
from aibom.policy.waivers import NEVER, is_waivable
from aibom.readers import json
from aibom.readers.json import Json, members, text

SCHEMA: Final = "aibom-baseline/1"
REPORT_SCHEMA: Final = "aibom-report/1"
BASELINE_BYTES: Final = 64 << 20
FINGERPRINT_COUNT: Final = 1_000_000
VALUE_COUNT: Final = 8_000_000  # of a report
_FINGERPRINT: Final = re.compile(r"[0-9a-f]{32}\Z")


class BaselineError(ValueError):
    """The document is no baseline, or one of something else; the text says which."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Baseline:
    """What was known, of which targets, by which policy."""

    policy: str
    targets: tuple[str, ...]  # names, sorted
    fingerprints: frozenset[str]


def baseline_of(document: bytes) -> Baseline:
    """The baseline that a JSON report (`aibom scan -f json`) amounts to.

    Findings that nobody may wave through are left out, and so are those that are waived: they come back when
    the waiver ends. Raises `BaselineError`.
    """
    report = _parsed(document, REPORT_SCHEMA, "a JSON report of `aibom scan -f json`")
    findings = [members(each) for each in _list(report.get("findings"))]
    return Baseline(
        policy=_name(members(report.get("policy"))),
        targets=_names(report),
        fingerprints=frozenset(
            _fingerprint(each.get("fingerprint"))
            for each in findings
            if each.get("rule") not in NEVER and each.get("standing") != Standing.WAIVED
        ),
    )


def parse_baseline(document: bytes) -> Baseline:
    """The baseline that `aibom baseline` wrote. Raises `BaselineError`."""
    found = _parsed(document, SCHEMA, "a baseline of `aibom baseline`")
    listed = _list(found.get("fingerprints"))
    return Baseline(
        policy=_text(found.get("policy")),
        targets=tuple(sorted(map(_text, _list(found.get("targets"))))),
        fingerprints=frozenset(map(_fingerprint, listed)),
    )


def apply_baseline(baseline: Baseline, report: Report) -> Report:
    """The report with what was known set aside. Raises `BaselineError` for one of something else."""
    names = tuple(sorted(target.name for target in report.targets))
    if baseline.targets != names:
        raise BaselineError(f"it is of {_told(baseline.targets)}, and this is {_told(names)}")
    if baseline.policy != report.policy.name:
        raise BaselineError(f"it is by the policy {baseline.policy!r}, and this is {report.policy.name!r}")
    findings = tuple(
        replace(each, standing=Standing.KNOWN, justification="it is in the baseline")
        if each.counts and is_waivable(each) and each.fingerprint in baseline.fingerprints
        else each
        for each in report.findings
    )
    return replace(report, findings=findings)


def _parsed(document: bytes, schema: str, what: str) -> Mapping[str, Json]:
    try:
        found = members(json.parse(document, values=VALUE_COUNT))
    except UnreadableError as error:
        raise BaselineError(f"not {what}: {error}") from error
    if found.get("schema") != schema:
        raise BaselineError(f"not {what}: its schema is not {schema}")
    return found


def _names(report: Mapping[str, Json]) -> tuple[str, ...]:
    return tuple(sorted(_name(members(each)) for each in _list(report.get("targets"))))


def _name(named: Mapping[str, Json]) -> str:
    return _text(named.get("name"))


def _text(value: Json) -> str:
    found = text(value) or ""
    if not found.isascii() and found.encode("utf-8", "replace").decode() != found:
        raise BaselineError("a name is no text: it holds half a character")
    return found


def _list(value: Json) -> list[Json]:
    if not isinstance(value, list) or len(value) > FINGERPRINT_COUNT:
        raise BaselineError(f"a list of at most {FINGERPRINT_COUNT:,} entries is missing")
    return value


def _fingerprint(value: Json) -> str:
    if not isinstance(value, str) or not _FINGERPRINT.match(value):
        raise BaselineError("a fingerprint has 32 hexadecimal digits")
    return value


def _told(names: tuple[str, ...]) -> str:
    return ", ".join(map(repr, names)) or "nothing"
