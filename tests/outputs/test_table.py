"""The table: readable in 80 columns, nothing scanned reaches the terminal raw."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aibom.domain.component import Component, ComponentKind, IdentityBasis, Relation, RelationKind
from aibom.domain.errors import Reason
from aibom.domain.facts import Attribute, FileKind
from aibom.domain.finding import Finding, Severity
from aibom.domain.gap import Gap, Stage
from aibom.domain.ref import Ref
from aibom.domain.report import Report
from aibom.domain.target import Target
from aibom.domain.waiver import WaiverState
from aibom.inventory import assemble
from aibom.outputs import table
from aibom.policy import evaluate, parse_policy
from tests.builders import TARGET, card, file, no_digest, report, says, weights
from tests.outputs.judged_samples import ADVISORY, KNOWN, UNDECIDED, WAIVED, judged_report, licence, waiver

POLICY = parse_policy(b"version: 1\nname: n\nrules: {unindexed-bytes: low}\n")


def rich_report() -> Report:
    files = (
        card(
            "m/README.md",
            "model",
            says(Attribute.LICENCE, "apache-2.0"),
            says(Attribute.BASE_MODEL, "org/base"),
        ),
        replace(file("m/evil.safetensors", "pickle", FileKind.WEIGHTS), promised="safetensors"),
        weights("m/model.safetensors"),
    )
    gap = Gap(
        path="m/lost.bin", stage=Stage.OPEN, reason=Reason.DENIED, detail="permission denied", offset=12
    )
    seen = report(
        files=files, gaps=(gap,), components=assemble(files, (gap,), (TARGET,), no_digest).components
    )
    return replace(seen, findings=evaluate(POLICY, seen).findings)


def text(seen: Report, **more: object) -> str:
    return table.render(seen, **more).decode()  # type: ignore[arg-type]


def test_the_table_says_what_matters() -> None:
    shown = text(rich_report())
    for words in (
        "Apache-2.0",
        "claims base org/base, not verified",
        "safetensors, 6 parameters, F32, INCOMPLETE",
        "high format-mismatch: m/evil.safetensors",
        "m/lost.bin at byte 12: permission-denied",
        "4 files listed: 3 read, 0 read in part, 1 not read",
        "FAILED: 1 finding at or above high, 1 gap",
    ):
        assert words in shown


def test_an_empty_place_is_not_a_pass() -> None:
    assert "NOTHING TO SCAN" in text(report())


def test_findings_below_the_level_pass_and_are_counted() -> None:
    assert "PASSED policy baseline: 1 finding below critical, 1 gap" in text(
        rich_report(), fail_on=Severity.CRITICAL
    )


@pytest.mark.parametrize("width", [40, 80, 140])
def test_no_line_is_wider_than_the_terminal(width: int) -> None:
    long = Component(
        id="c", kind=ComponentKind.MODEL, name="名前" * 60, basis=IdentityBasis.CONTENT_PROVEN,
        relations=(Relation(kind=RelationKind.ANCESTOR, target=Ref(scheme="hf", location="o/" + "b" * 90)),),
    )  # fmt: skip
    shown = text(report(components=(long,)), width=width).splitlines()
    components = [line for line in shown if line.startswith("  model")]
    assert components
    for line in components:
        assert table._cells(line) <= max(width, 50)


def test_colours_only_when_asked() -> None:
    assert "\x1b[" not in text(rich_report())
    assert "\x1b[31mhigh\x1b[0m" in text(rich_report(), color=True)


@given(st.text(max_size=60))
def test_no_control_or_surrogate_of_a_name_reaches_the_output(name: str) -> None:
    hostile = "\x1b[2J\u202e\n\udcff" + name
    gap = Gap(path=hostile, stage=Stage.OPEN, reason=Reason.DENIED, detail=hostile)
    component = Component(id="c", kind=ComponentKind.MODEL, name=hostile, basis=IdentityBasis.INFERRED)
    seen = report(gaps=(gap,), components=(component,), targets=(Target(name=hostile),))
    rendered = text(seen)
    assert "\x1b" not in rendered
    assert "\u202e" not in rendered
    assert "\\x1b" in rendered


def test_long_lists_are_cut_and_say_so() -> None:
    gaps = tuple(Gap(path=f"f{n}", stage=Stage.OPEN, reason=Reason.DENIED, detail="no") for n in range(30))
    assert "... and 10 gaps more" in text(report(gaps=gaps))


def test_a_finding_of_a_section_says_which_line_of_the_policy_asks_for_it() -> None:
    assert "  high licences: m/README.md [team.yaml:4:3]\n" in text(judged_report(licence()))


@pytest.mark.parametrize(
    ("one", "status"),
    [
        (WAIVED, "waived: until 2026-03-31 by Ada: legal has agreed"),
        (KNOWN, "known: in the baseline"),
        (ADVISORY, "advisory: the policy only warns (mode: warn)"),
    ],
    ids=lambda each: str(each.standing) if isinstance(each, Finding) else "",
)
def test_what_does_not_count_is_shown_with_the_reason_and_without_a_remedy(one: Finding, status: str) -> None:
    shown = text(judged_report(one), width=140)
    assert f"      {one.message}\n      {status}\n" in shown
    assert one.remedy not in shown
    assert "\x1b[2mhigh\x1b[0m licences" in text(judged_report(one), color=True)


def test_what_could_not_be_decided_says_so_and_what_to_do() -> None:
    shown = text(judged_report(UNDECIDED))
    assert "no licence is declared\n      undecided\n      what to do: take another model\n" in shown


def test_sections_are_counted_and_waivers_have_their_state() -> None:
    seen = judged_report(waivers=(waiver(), waiver(WaiverState.EXPIRED, reason="too late")))
    shown = text(seen, width=140)
    assert "Policy baseline\n  formats   2 passed\n  licences  1 passed, 1 failed\n" in shown
    assert "Waivers (2)\n  active until 2026-03-31: licences of pkg:huggingface/acme/m@" in shown
    assert "\n  expired until 2026-03-31: licences of " in shown
    assert "(Ada: too late)" in shown


def test_without_a_policy_of_sections_nothing_is_told_about_them() -> None:
    shown = text(judged_report(demands=(), waivers=()))
    assert "\nPolicy" not in shown
    assert "Waivers" not in shown
