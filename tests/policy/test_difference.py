"""Two policies are compared setting by setting, and by what becomes of an inventory."""

from __future__ import annotations

from datetime import date

import pytest

from aibom.domain.component import Component, ComponentKind, IdentityBasis
from aibom.domain.hazard import Hazard, HazardKind
from aibom.policy import judged, parse_policy
from aibom.policy.difference import ChangeKind, changes, verdict_changes
from tests import builders

HEAD = "version: 1\nname: n\n"
TODAY = date(2026, 11, 23)
WAIVER = (
    "{rule: formats, component: m, digest: 'sha256:" + "a" * 64 + "', expires: 2027-01-01, reason: r,"
    " approved-by: a}"
)


def between(old: str, new: str) -> list[tuple[str, str, str, str]]:
    before = parse_policy((HEAD + old).encode(), document="old")
    after = parse_policy((HEAD + new).encode(), document="new")
    return [(each.kind.value, each.what, each.old, each.new) for each in changes(before, after)]


FORMATS = "formats: {allow: [onnx]}\n"


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (FORMATS, FORMATS, []),
        (FORMATS, "formats:\n  # the same in other words\n  allow:\n    - onnx\n", []),
        (FORMATS, FORMATS + "rules: {digest-mismatch: critical}", []),
        (FORMATS, "formats: {allow: [gguf, onnx]}", [("added", "formats.allow[gguf]", "", "gguf")]),
        ("formats: {allow: [gguf, onnx]}", FORMATS, [("removed", "formats.allow[gguf]", "gguf", "")]),
        (FORMATS, FORMATS + "licences: {allow: [MIT]}", [
            ("added", "licences", "", "demanded"), ("added", "licences.allow[MIT]", "", "MIT"),
        ]),
        (FORMATS + "licences: {allow: [MIT]}", FORMATS, [
            ("removed", "licences", "demanded", ""), ("removed", "licences.allow[MIT]", "MIT", ""),
        ]),
        (FORMATS, "formats: {allow: [onnx], unknown: fail}", [
            ("changed", "formats.unknown", "incomplete", "fail")
        ]),
        (FORMATS, "formats: {allow: [onnx], severity: low}", [
            ("changed", "formats.severity", "high", "low")
        ]),
        (FORMATS, "formats: {allow: [onnx], mode: warn}", [("added", "formats.mode", "", "warn")]),
        (FORMATS, "formats: {allow: [onnx], effective-on: 2027-01-01}", [
            ("added", "formats.effective-on", "", "2027-01-01")
        ]),
        (FORMATS, FORMATS + "mode: warn", [("changed", "mode", "enforce", "warn")]),
        (FORMATS, FORMATS + "effective-on: 2027-01-01", [("added", "effective-on", "", "2027-01-01")]),
        (FORMATS, FORMATS + "rules: {digest-mismatch: low}", [
            ("changed", "rules.digest-mismatch", "critical", "low")
        ]),
        (FORMATS, FORMATS + "rules: {secret: low}", [("changed", "rules.secret", "off", "low")]),
        (FORMATS, FORMATS + f"waivers: [{WAIVER}]", [
            ("added", f"waivers.formats[m sha256:{'a' * 64}]", "", "until 2027-01-01 by a: r")
        ]),
        (FORMATS + f"waivers: [{WAIVER}]", FORMATS + f"waivers: [{WAIVER.replace('2027-01', '2027-02')}]", [
            ("changed", f"waivers.formats[m sha256:{'a' * 64}]", "until 2027-01-01 by a: r",
             "until 2027-02-01 by a: r")
        ]),
    ],
    ids=[
        "same", "same in other words", "a rule with its own severity", "entry added", "entry removed",
        "section added", "section removed", "unknown", "severity", "section mode", "section day", "mode",
        "day", "rule lowered", "rule switched on", "waiver added", "waiver prolonged",
    ],
)  # fmt: skip
def test_what_differs_is_told_by_setting(old: str, new: str, expected: list[object]) -> None:
    assert between(old, new) == expected


def test_a_change_names_both_places() -> None:
    old = parse_policy((HEAD + "integrity: {grade: claimed, hashes: [sha256]}").encode(), document="old")
    new = parse_policy((HEAD + "integrity: {hashes: [sha256],\n  grade: computed}").encode(), document="new")
    (change,) = changes(old, new)
    assert (change.kind, change.what) == (ChangeKind.CHANGED, "integrity.grade")
    assert (change.old_place, change.new_place) == ("old:3:20", "new:4:10")


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (FORMATS, FORMATS, []),
        (FORMATS, "formats: {allow: [pickle]}", [("formats", "fails", "passes")]),
        (FORMATS, "formats: {allow: [onnx], mode: warn}", [("formats", "fails", "advisory")]),
        (FORMATS, "licences: {allow: [MIT]}", [
            ("formats", "fails", "not asked"), ("licences", "not asked", "unknown"),
        ]),
        ("licences: {allow: [MIT]}", "licences: {allow: [MIT], unknown: fail}", [
            ("licences", "unknown", "fails")
        ]),
    ],
    ids=["same", "allowed", "only warned about", "another section", "unknown fails"],
)  # fmt: skip
def test_verdicts_that_change_are_told_by_component_and_rule(
    old: str, new: str, expected: list[object]
) -> None:
    component = Component(
        id="c", kind=ComponentKind.MODEL, name="bert", basis=IdentityBasis.DECLARED, files=("m",)
    )
    report = builders.report(files=(builders.weights("m", "pickle"),), components=(component,))
    before, after = parse_policy((HEAD + old).encode()), parse_policy((HEAD + new).encode())
    found = verdict_changes(before, judged(before, report, TODAY), after, judged(after, report, TODAY))
    assert [(each.rule, each.old, each.new) for each in found] == expected
    assert {each.subject for each in found} <= {"bert"}


def test_a_rule_that_is_switched_off_is_not_asked() -> None:
    hazard = Hazard(kind=HazardKind.NATIVE_CODE, message="x", found="x")
    report = builders.report(files=(builders.weights("m", "pickle", hazards=(hazard,)),))
    before = parse_policy((HEAD + "rules: {secret: off}").encode())
    after = parse_policy((HEAD + "rules: {native-code: off}").encode())
    (change,) = verdict_changes(before, judged(before, report), after, judged(after, report))
    assert (change.subject, change.rule, change.old, change.new) == ("m", "native-code", "fails", "not asked")
