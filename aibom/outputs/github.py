"""Findings as workflow commands of GitHub Actions: annotations of a run and of a pull request."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import Final

from aibom.domain.finding import Finding, Severity, Standing
from aibom.domain.gap import Gap
from aibom.domain.report import Report
from aibom.domain.text import capped, visible
from aibom.domain.verdict import Verdict, judge
from aibom.outputs import summary
from aibom.outputs.quantities import plural

ANNOTATION_COUNT: Final = 10  # of each level; GitHub drops more of one step without a word
PART_CHARS: Final = 1_000  # of each part of a message


class Level(StrEnum):
    """The commands that are written; no other one ever is."""

    ERROR = "error"
    WARNING = "warning"
    NOTICE = "notice"


def render(report: Report, *, fail_on: Severity = Severity.HIGH, strict: bool = False) -> bytes:
    """UTF-8 lines, each of them one command: the verdict, then findings and gaps, most severe first.

    At most `ANNOTATION_COUNT` of each level, the verdict among them; it says how many are left out.
    """
    passed = judge(report, fail_on, strict=strict) is Verdict.PASSED
    own = Level.NOTICE if passed else Level.ERROR
    levels = defaultdict[Level, list[str]](list)
    for level, line in _annotations(report, fail_on, strict=strict):
        levels[level].append(line)
    shown = [line for level in Level for line in levels[level][: ANNOTATION_COUNT - (level is own)]]
    missing = sum(map(len, levels.values())) - len(shown)
    verdict = _part(summary.verdict(report, fail_on, strict=strict))
    left_out = f"{plural(missing, 'annotation')} left out, see the report" if missing else ""
    lines = [_command(own, {"title": "aibom"}, "\n".join(filter(None, (verdict, left_out)))), *shown]
    return "".join(f"{line}\n" for line in lines).encode("utf-8", "replace")


def _annotations(report: Report, fail_on: Severity, *, strict: bool) -> Iterator[tuple[Level, str]]:
    """What somebody answers for (waived, known) is counted by the verdict only."""
    for finding in sorted(report.findings, key=lambda each: -each.severity):
        if finding.counts or finding.standing is Standing.ADVISORY:
            level = _level(finding, fail_on)
            yield level, _finding(finding, level)
    level = Level.ERROR if strict else Level.WARNING
    yield from ((level, _gap(gap, level)) for gap in report.gaps)


def _level(finding: Finding, fail_on: Severity) -> Level:
    """An error is what fails the run."""
    if finding.counts and finding.severity >= fail_on:
        return Level.ERROR
    return Level.WARNING if finding.severity >= Severity.MEDIUM else Level.NOTICE


def _finding(finding: Finding, level: Level) -> str:
    where = finding.location
    place = {"file": where.path, "line": where.line, "col": where.column if where.line else None}
    title = f"{finding.severity.label}: {finding.rule}"
    inside = f" (in {_part(where.inside)})" if where.inside else ""
    told = [_part(finding.message) + inside]
    for label, text in (
        ("found", finding.found),
        ("expected", finding.expected),
        ("what to do", finding.remedy if finding.counts else ""),
    ):
        told += [f"{label}: {_part(text)}"] if text and text not in finding.message else []
    told += [status] if (status := _part(summary.status(finding))) else []
    return _command(level, {**place, "title": title}, "\n".join(told))


def _gap(gap: Gap, level: Level) -> str:
    text = f"not, or not fully, looked at: {gap.reason}: {_part(gap.detail)}"
    return _command(level, {"file": gap.path, "title": "gap"}, text)


def _part(text: str) -> str:
    return capped(visible(text), PART_CHARS)


def _command(level: Level, properties: Mapping[str, str | int | None], message: str) -> str:
    told = (
        f"{name}={_property(str(value))}" for name, value in properties.items() if value not in (None, "")
    )
    return f"::{level} {','.join(told)}::{_data(message)}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(visible(text)).replace(":", "%3A").replace(",", "%2C")
