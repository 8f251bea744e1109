"""Phrases that the table and the Markdown report share: one component, one size, the verdict."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from aibom.domain.check import CheckKind, Outcome
from aibom.domain.component import Component, ComponentKind
from aibom.domain.content import ContentVerdict
from aibom.domain.facts import Attribute
from aibom.domain.file import File
from aibom.domain.finding import Finding, Location, Severity, Standing
from aibom.domain.gap import Gap
from aibom.domain.licences import spdx_of
from aibom.domain.report import Report
from aibom.domain.text import visible
from aibom.domain.verdict import Verdict, judge
from aibom.domain.waiver import WaiverUse
from aibom.outputs.quantities import plural, size

_SCALES = ((10**12, "T"), (10**9, "B"), (10**6, "M"), (10**3, "K"))


def parameters(count: int) -> str:
    """A number of parameters as model cards write it: 124M, 7.2B."""
    for scale, letter in _SCALES:
        if count >= scale:
            return f"{count / scale:.3g}{letter}"
    return str(count)


def licence(component: Component) -> str:
    """The declared licences, or `none declared`: an absent licence must be seen."""
    stated = component.claimed(Attribute.LICENCE)
    values = [spdx_of(claim.value) or claim.value for claim in stated]
    values += [claim.value for claim in component.claimed(Attribute.LICENCE_NAME)]
    return ", ".join(visible(value) for value in dict.fromkeys(values)) or "none declared"


def details(component: Component, files: dict[str, File]) -> str:
    """Format, shards, parameters, element types; rows for a dataset; bases."""
    own = [files[path] for path in component.files if path in files]
    parts = [*_formats(own, component)]
    if component.parameter_count:
        parts.append(f"{parameters(component.parameter_count)} parameters")
    quantisation = component.first(Attribute.QUANTISATION)
    if quantisation:
        parts.append(visible(quantisation))
    elif component.dtypes:
        parts.append(" ".join(visible(dtype) for dtype in component.dtypes[:4]))
    rows = component.first(Attribute.ROW_COUNT) if component.kind is ComponentKind.DATASET else None
    if rows:
        parts.append(f"{rows} rows")
    if not component.complete:
        parts.append("INCOMPLETE")
    return ", ".join(parts)


def _formats(files: list[File], component: Component) -> list[str]:
    wanted = ("data",) if component.kind is ComponentKind.DATASET else ("weights",)
    formats = [file.format for file in files if file.facts and file.facts.kind in wanted and file.format]
    counted = dict.fromkeys(formats)
    return [f"{name} x{formats.count(name)}" if formats.count(name) > 1 else name for name in counted]


def bases(component: Component) -> list[str]:
    """Each declared ancestor with its relation, marked as a claim."""
    lines = []
    for relation in component.relations:
        if relation.kind == "ancestor" and relation.target is not None:
            how = f" ({visible(relation.detail)})" if relation.detail else ""
            lines.append(f"{visible(relation.target.location)}{how}")
    return lines


def coverage(report: Report) -> str:
    """One line that accounts for every listed entry."""
    found = report.coverage
    text = f"{plural(found.listed, 'file')} listed: {found.read:,} read, {found.partial:,} read in part, "
    text += f"{found.unread:,} not read"
    if found.header_only:
        text += f"; of {found.header_only:,} the header only"
    if found.excluded:
        text += f"; {found.excluded:,} excluded"
    return f"{text} ({size(found.bytes)})"


def contents(report: Report) -> str:
    """One line that counts what loading the files would run; empty when no file is loaded."""
    counts = Counter(content.verdict for content in report.contents)
    told = [f"{counts[verdict]:,} {verdict.label}" for verdict in ContentVerdict if counts[verdict]]
    return f"content of {plural(counts.total(), 'file')}: {', '.join(told)}" if told else ""


def signatures(report: Report) -> str:
    """One line that counts what became of the signatures; empty when there are none."""
    own = [check for check in report.checks if check.kind is CheckKind.SIGNATURE]
    counts = Counter(c.outcome for c in own if c.subject == c.source or c.outcome is Outcome.UNSIGNED)
    told = [f"{counts[outcome]:,} {outcome}" for outcome in Outcome if counts[outcome]]
    return f"signatures: {', '.join(told)}" if told else ""


def rows(report: Report) -> str:
    """One line that counts the rows that have a fingerprint; empty when none was asked for."""
    if not report.rows:
        return ""
    count = sum(each.fingerprint.rows for each in report.rows)
    files = sum(len(each.files) for each in report.rows)
    return f"rows: {plural(count, 'row')} of {plural(files, 'file')} fingerprinted"


def demands(report: Report) -> Iterator[tuple[str, str]]:
    """Each section of the policy and how many components keep it: `licences`, `3 pass, 1 fails`."""
    for demand in report.demands:
        counts = ((demand.passed, "passed"), (demand.failed, "failed"), (demand.undecided, "undecided"))
        yield (
            demand.rule,
            ", ".join(f"{count:,} {word}" for count, word in counts if count) or "nothing to judge",
        )


def waiver(use: WaiverUse) -> str:
    """What became of a waiver, in one line."""
    waiver = use.waiver
    what = f"{use.state} until {waiver.expires}: {waiver.rule} of {visible(waiver.component)}"
    return f"{what} ({visible(waiver.approved_by)}: {visible(waiver.reason)})"


def status(finding: Finding) -> str:
    """What a reader has to know beside the severity; empty for a plain violation."""
    if finding.counts:
        return "" if finding.decided else "undecided"
    return f"{finding.standing}: {visible(finding.justification)}"


def place(location: Location) -> str:
    """Path and line, and what lies inside of it: `app.py:12`, `model.pt!archive/data.pkl`."""
    line = f":{location.line}" if location.line is not None else ""
    return visible("!".join(filter(None, (location.path, location.inside)))) + line


def gap_line(gap: Gap) -> str:
    """File, offset and reason in one line."""
    place = visible(gap.path) + (f" at byte {gap.offset}" if gap.offset is not None else "")
    return f"{place}: {gap.reason}: {visible(gap.detail)}"


def verdict(report: Report, fail_on: Severity, *, strict: bool) -> str:
    """The verdict in one line; gaps are named even when the policy is kept."""
    found = judge(report, fail_on, strict=strict)
    gaps = f", {plural(len(report.gaps), 'gap')}" if report.gaps else ""
    undecided = sum(each.counts and not each.decided and each.severity >= fail_on for each in report.findings)
    aside = (f", {undecided:,} undecided" if undecided else "") + _aside(report)
    if found is Verdict.VIOLATED:
        count = sum(each.severity >= fail_on and each.counts and each.decided for each in report.findings)
        return f"FAILED: {plural(count, 'finding')} at or above {fail_on.label}{aside}{gaps}"
    if found is Verdict.NOTHING:
        return "NOTHING TO SCAN: the target holds no files"
    below = sum(each.counts and (each.decided or each.severity < fail_on) for each in report.findings)
    findings = f"{plural(below, 'finding')} below {fail_on.label}" if below else "no findings"
    if found is Verdict.INCOMPLETE:
        return f"INCOMPLETE: {findings}{aside}{gaps}"
    return f"PASSED policy {visible(report.policy.name)}: {findings}{aside}{gaps}"


def _aside(report: Report) -> str:
    """Findings that do not bear on the verdict, by their standing."""
    counts = Counter(each.standing for each in report.findings if not each.counts)
    return "".join(f", {counts[standing]:,} {standing}" for standing in Standing if counts[standing])
