"""The report as one HTML file that needs nothing else: no server, no network, no script to be read.

Every value goes through `html_cells.shown` and the autoescape of Jinja, whatever the template does with
it. The style and the script are texts of this package; the content security policy of the page allows
them by their SHA-256 and everything else by nothing.
"""

from __future__ import annotations

import base64
import hashlib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Final

import jinja2

from aibom.domain.check import Outcome
from aibom.domain.finding import Severity, Standing
from aibom.domain.report import Report
from aibom.domain.rule_text import RuleText
from aibom.domain.target import Target
from aibom.domain.verdict import Verdict, judge
from aibom.outputs import html_tables, reference_text, summary
from aibom.outputs.html_cells import shown
from aibom.outputs.html_findings import Group, grouped, phrases
from aibom.outputs.html_graph import graph, legend
from aibom.outputs.html_layout import NODE_HEIGHT, NODE_WIDTH
from aibom.outputs.html_subjects import Subjects
from aibom.outputs.quantities import plural, size

_TEMPLATES: Final = files("aibom.outputs") / "templates"
_HEADLINES: Final = {
    Verdict.PASSED: "Passed",
    Verdict.VIOLATED: "Failed",
    Verdict.INCOMPLETE: "Incomplete",
    Verdict.NOTHING: "Nothing to scan",
}
_TONES: Final = {Verdict.PASSED: "good", Verdict.VIOLATED: "bad", Verdict.INCOMPLETE: "warn"}
_STANDINGS: Final = ("active", "undecided", *(each for each in Standing if each is not Standing.ACTIVE))


@dataclass(frozen=True, slots=True, kw_only=True)
class Tile:
    """One number of the overview, with the section that tells more."""

    label: str
    value: str
    note: str
    section: str
    tone: str = ""


def render(
    report: Report,
    *,
    rules: Sequence[RuleText],
    fail_on: Severity = Severity.HIGH,
    strict: bool = False,
) -> bytes:
    """UTF-8 HTML; the same bytes for the same report.

    Of each table at most `html_cells.ROWS` rows are there; a note under it says how many more are not.
    """
    environment = _environment()
    subjects = Subjects(report)
    by_id = {rule.id: rule for rule in rules}
    found, hidden = grouped(report, by_id, subjects)
    drawn = graph(report, subjects)
    components = html_tables.components(report, subjects)
    text = environment.get_template("report.html").render(
        csp=_security_policy(environment),
        report=report,
        title=", ".join(target.name for target in report.targets) or "nothing",
        verdict=_verdict(report, fail_on, strict=strict),
        tiles=list(_tiles(report)),
        filters=_filters(report, found),
        groups=found,
        hidden_findings=hidden,
        components=components,
        present={row.anchor for row in components.rows},
        graph=drawn,
        legend=list(legend(drawn)),
        node=(NODE_WIDTH, NODE_HEIGHT),
        references=html_tables.references(report),
        demands=html_tables.demands(report),
        waivers=html_tables.waivers(report),
        gaps=html_tables.gaps(report),
        told=list(filter(None, (summary.coverage(report), summary.contents(report)))),
        reference_counts=reference_text.counts(report.references),
        facts=list(_facts(report, fail_on, strict=strict)),
        evidence=[
            html_tables.checks(report),
            html_tables.model_digests(report),
            html_tables.files(report, subjects),
        ],
    )
    return text.encode("utf-8", "replace")


@cache
def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.FunctionLoader(lambda name: (_TEMPLATES / name).read_text("utf-8")),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        finalize=_finalize,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals["phrases"] = phrases
    return environment


def _finalize(value: object) -> object:
    """Text as it may be seen. What a macro has rendered already was, and says that it is HTML."""
    return shown(value) if isinstance(value, str) and not hasattr(value, "__html__") else value


def _security_policy(environment: jinja2.Environment) -> str:
    """Nothing is allowed but this very style and this very script."""
    sources = {}
    for name in ("report.css", "report.js"):
        digest = hashlib.sha256(environment.get_template(name).render().encode()).digest()
        sources[name] = f"'sha256-{base64.b64encode(digest).decode()}'"
    return (
        f"default-src 'none'; style-src {sources['report.css']}; script-src {sources['report.js']}; "
        "base-uri 'none'; form-action 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
    )


def _verdict(report: Report, fail_on: Severity, *, strict: bool) -> dict[str, str]:
    verdict = judge(report, fail_on, strict=strict)
    _, _, told = summary.verdict(report, fail_on, strict=strict).partition(": ")
    return {"headline": _HEADLINES[verdict], "tone": _TONES.get(verdict, "none"), "told": told}


def _tiles(report: Report) -> Iterator[Tile]:
    counts = Counter(each.severity for each in report.findings if each.counts)
    aside = len(report.findings) - counts.total()
    severities = [f"{counts[each]:,} {each.label}" for each in sorted(counts, reverse=True)]
    worst = max(counts, default=None)
    yield Tile(
        label="Findings",
        value=f"{counts.total():,}",
        note=", ".join([*severities, *([f"{aside:,} set aside"] if aside else [])]) or "none",
        section="findings",
        tone=worst.label if worst else "good",
    )
    kinds = Counter(component.kind.value for component in report.components)
    told = ", ".join(f"{count:,} {kind}" for kind, count in kinds.most_common())
    count = f"{len(report.components):,}"
    yield Tile(label="Components", value=count, note=told or "none", section="components")
    if report.demands:
        failed = sum(each.failed > 0 for each in report.demands)
        undecided = sum(each.undecided > 0 and not each.failed for each in report.demands)
        yield Tile(
            label="Demands kept",
            value=f"{len(report.demands) - failed - undecided:,} of {len(report.demands):,}",
            note=f"{failed:,} not kept, {undecided:,} undecided",
            section="policy",
            tone="bad" if failed else "warn" if undecided else "good",
        )
    cover = report.coverage
    tone = "" if cover.listed == cover.read else "warn"
    note = f"{plural(len(report.gaps), 'gap')}, {size(cover.bytes)}"
    value = f"{cover.read:,} of {cover.listed:,}"
    yield Tile(label="Files read in full", value=value, note=note, section="coverage", tone=tone)
    verified = sum(each.outcome is Outcome.VERIFIED for each in report.checks)
    value = f"{verified:,} of {len(report.checks):,}"
    note = summary.signatures(report) or "no signatures"
    yield Tile(label="Checks verified", value=value, note=note, section="evidence")


def _filters(report: Report, groups: Sequence[Group]) -> dict[str, list[tuple[str, int]]]:
    """What can be chosen: each word that is on the page, with the number of its findings."""
    items = [item for group in groups for item in group.items]
    severities = Counter(item.finding.severity for item in items)
    standings = Counter(word for item in items for word in item.standings)
    rules = Counter(item.finding.rule for item in items)
    kinds = Counter(component.kind.value for component in report.components)
    kinds.update({reference.kind.value: 0 for reference in report.references})
    return {
        "severities": [(each.label, severities[each]) for each in sorted(severities, reverse=True)],
        "standings": [(each, standings[each]) for each in _STANDINGS if standings[each]],
        "rules": sorted(rules.items()),
        "kinds": sorted(kinds.items()),
    }


def _facts(report: Report, fail_on: Severity, *, strict: bool) -> Iterator[tuple[str, str]]:
    yield "Tool", f"{report.tool.name} {report.tool.version}"
    yield "Judged at", report.timestamp or "not recorded, so that the same input gives the same page"
    yield "Policy", report.policy.name
    yield "SHA-256 of the policy", report.policy.sha256
    yield "Fails on", f"findings of severity {fail_on.label} or worse"
    yield "With gaps", "incomplete (--strict)" if strict else "gaps are told, and do not change the verdict"
    for target in report.targets:
        yield "Looked at", _target(target)


def _target(target: Target) -> str:
    ref = reference_text.written(target.ref) if target.ref else ""
    changed = ", with local changes" if target.dirty else ""
    return f"{target.name}{f', {ref}' if ref else ''}{changed}"
