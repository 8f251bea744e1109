"""Markdown: what the table says, in cells that nothing scanned can leave."""

from __future__ import annotations

import re

import pytest
from hypothesis import given

from aibom.domain.errors import Reason
from aibom.domain.finding import Finding
from aibom.domain.gap import Gap, Stage
from aibom.domain.report import Report
from aibom.domain.waiver import WaiverState
from aibom.outputs import markdown
from tests.builders import report
from tests.outputs.judged_samples import (
    ADVISORY,
    KNOWN,
    UNDECIDED,
    WAIVED,
    judged_report,
    judged_reports,
    licence,
    waiver,
)
from tests.outputs.test_table import rich_report

COLUMNS = {"Findings": 5, "Policy": 2, "Waivers": 6, "Components": 6, "Gaps": 3}


def text(seen: Report) -> str:
    return markdown.render(seen).decode()


def rows(shown: str, title: str) -> list[str]:
    """The lines of one table, without its header."""
    _, _, rest = shown.partition(f"\n## {title}")
    return rest.partition("\n\n")[2].partition("\n\n")[0].splitlines()[2:]


def test_hostile_names_stay_one_cell() -> None:
    gap = Gap(path="a|b](http://x)<script>`@team", stage=Stage.OPEN, reason=Reason.DENIED, detail="d")
    rendered = text(report(gaps=(gap,)))
    assert r"a\|b\]\(http\://x\)\<script\>\`\@team" in rendered
    (row,) = [line for line in rendered.splitlines() if "script" in line]
    assert row.replace(r"\|", "").count("|") == 4


@given(judged_reports())
def test_no_text_of_any_report_leaves_its_cell_or_acts_as_markup(seen: Report) -> None:
    shown = text(seen)
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f]", shown)
    assert not re.search(r"(?<!\\)[<`@]", shown)
    for title, columns in COLUMNS.items():
        for row in rows(shown, title):
            assert len(re.findall(r"(?<!\\)\|", row)) == columns + 1


def test_it_says_what_the_table_says() -> None:
    rendered = text(rich_report())
    assert "**FAILED\\: 1 finding at or above high, 1 gap**" in rendered
    assert "## Components (2)" in rendered
    assert "| high | format-mismatch |" in rendered


def test_a_finding_has_the_line_of_the_policy_and_the_remedy() -> None:
    (row,) = rows(text(judged_report(licence())), "Findings")
    assert row.startswith(r"| high | licences \[team.yaml\:4\:3\] | m/README.md | the licence other")
    assert row.endswith(" | take another model |")


@pytest.mark.parametrize("one", [WAIVED, KNOWN, ADVISORY], ids=lambda each: str(each.standing))
def test_what_does_not_count_is_shown_with_the_reason_and_without_a_remedy(one: Finding) -> None:
    (row,) = rows(text(judged_report(one)), "Findings")
    reason = re.sub(r"([():])", r"\\\1", f"{one.standing}: {one.justification}")
    assert row.endswith(f"| {one.message}; {reason} |  |")


def test_what_could_not_be_decided_says_so() -> None:
    (row,) = rows(text(judged_report(UNDECIDED)), "Findings")
    assert row.endswith("| no licence is declared; undecided | take another model |")


def test_sections_and_waivers_have_tables() -> None:
    shown = text(judged_report(waivers=(waiver(WaiverState.EXPIRING), waiver(WaiverState.UNUSED))))
    assert rows(shown, "Policy") == ["| formats | 2 passed |", "| licences | 1 passed, 1 failed |"]
    first, second = rows(shown, "Waivers")
    assert first.startswith(r"| expiring | licences | pkg\:huggingface/acme/m\@")
    assert first.endswith(" | 2026-03-31 | Ada | legal has agreed |")
    assert second.startswith("| unused |")


def test_long_tables_are_cut_and_say_so() -> None:
    shown = text(judged_report(*[licence(found=str(n)) for n in range(502)]))
    assert "## Findings (502)" in shown
    assert "\n2 more are in the JSON report.\n" in shown
