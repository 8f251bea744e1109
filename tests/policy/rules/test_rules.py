"""Each rule: what violates it, what does not, and what it says."""

from __future__ import annotations

from dataclasses import replace

import pytest

from aibom.domain.check import Check, CheckKind, Outcome
from aibom.domain.component import Claim, Component, ComponentKind, IdentityBasis, Origin
from aibom.domain.errors import Reason
from aibom.domain.facts import Attribute, FileKind
from aibom.domain.file import File, Unindexed
from aibom.domain.finding import Finding, Severity
from aibom.domain.gap import Gap, Stage
from aibom.domain.report import Report
from aibom.policy import RULES, evaluate, parse_policy
from aibom.policy.rules import by_id
from tests.builders import file, report, says, tensor, weights

EVERYTHING = parse_policy(b"version: 1\nname: all\nrules: {digest-mismatch: critical}\n")


def findings(rule: str, seen: Report) -> list[Finding]:
    return [found for found in evaluate(EVERYTHING, seen).findings if found.rule == rule]


def component(*claims: Claim, files: tuple[str, ...] = ("m/a",)) -> Component:
    return Component(
        id="model-1",
        kind=ComponentKind.MODEL,
        name="m",
        basis=IdentityBasis.INFERRED,
        claims=claims,
        files=files,
    )


def claim(attribute: Attribute, value: str, source: str, **details: str) -> Claim:
    return Claim(statement=says(attribute, value, **details), origin=Origin.CARD, source=source)


@pytest.mark.parametrize(
    ("outcome", "expected"),
    [(Outcome.CONTENT_MISMATCH, 1), (Outcome.VERIFIED, 0), (Outcome.COULD_NOT_CHECK, 0)],
)
def test_digest_mismatch_is_found_when_the_check_says_so(outcome: Outcome, expected: int) -> None:
    check = Check(
        subject="blob",
        kind=CheckKind.DIGEST,
        outcome=outcome,
        identity="claimed sha256",
        expected="aa",
        found="bb",
    )
    found = findings("digest-mismatch", report(checks=(check,)))
    assert len(found) == expected
    if found:
        assert (found[0].severity, found[0].expected, found[0].found) == (Severity.CRITICAL, "aa", "bb")


def test_format_mismatch_names_both_formats() -> None:
    disguised = replace(file("model.safetensors", "pickle", FileKind.WEIGHTS), promised="safetensors")
    (found,) = findings("format-mismatch", report(files=(disguised,)))
    assert found.message == "named like safetensors, but it is pickle"
    assert findings("format-mismatch", report(files=(file("a.pkl", "pickle", FileKind.WEIGHTS),))) == []


@pytest.mark.parametrize(("count", "expected"), [(0, 0), (1, 1)])
def test_unindexed_bytes_are_found_when_there_are_any(count: int, expected: int) -> None:
    hiding = replace(
        file("m.gguf", "gguf", FileKind.WEIGHTS), unindexed=Unindexed(bytes=count, sha256="d" * 64)
    )
    assert len(findings("unindexed-bytes", report(files=(hiding,)))) == expected


def test_a_missing_shard_is_a_missing_part_and_another_gap_is_not() -> None:
    missing = Gap(path="m-2", stage=Stage.ASSEMBLE, reason=Reason.MISSING, detail="not there")
    denied = replace(missing, reason=Reason.DENIED)
    assert len(findings("missing-part", report(gaps=(missing,)))) == 1
    assert findings("missing-part", report(gaps=(denied,))) == []


def test_a_path_out_of_the_folder_inside_a_file_is_found_and_a_link_is_not() -> None:
    inside = Gap(
        path="m.onnx", stage=Stage.READ, reason=Reason.OUTSIDE_TARGET, detail="external data in ../../etc"
    )
    assert len(findings("outside-reference", report(gaps=(inside,)))) == 1
    assert findings("outside-reference", report(gaps=(replace(inside, stage=Stage.LIST),))) == []


def test_two_sources_with_different_licences_are_a_conflict() -> None:
    seen = component(
        claim(Attribute.LICENCE, "apache-2.0", "README.md"), claim(Attribute.LICENCE, "MIT", "LICENSE")
    )
    (found,) = findings("metadata-conflict", report(components=(seen,)))
    assert found.message == "m: licence is MIT in LICENSE, but Apache-2.0 in README.md"


@pytest.mark.parametrize(
    "claims",
    [
        # the same licence in two spellings
        (claim(Attribute.LICENCE, "apache-2.0", "a"), claim(Attribute.LICENCE, "Apache License 2.0", "b")),
        # a choice of licences in one file
        (claim(Attribute.LICENCE, "mit", "a"), claim(Attribute.LICENCE, "apache-2.0", "a")),
        (claim(Attribute.LICENCE, "mit", "a"), claim(Attribute.LICENCE, "apache-2.0", "a"),
         claim(Attribute.LICENCE, "MIT", "b")),
        # where it was loaded from is not what it was made from
        (claim(Attribute.BASE_MODEL, "x/y", "a", relation="name_or_path"),
         claim(Attribute.BASE_MODEL, "z/w", "b")),
        # several values are normal
        (claim(Attribute.LANGUAGE, "en", "a"), claim(Attribute.LANGUAGE, "de", "b")),
    ],
)  # fmt: skip
def test_what_is_not_a_conflict(claims: tuple[Claim, ...]) -> None:
    assert findings("metadata-conflict", report(components=(component(*claims),))) == []


def container(path: str, format_name: str, **digests: bytes) -> File:
    seen = weights(path, format_name, tensors=tuple(tensor(name) for name in digests))
    return replace(seen, tensor_digests=tuple(digests.values()))


def test_containers_with_different_weights_disagree() -> None:
    one = container("m/a.safetensors", "safetensors", w=b"1" * 32, x=b"2" * 32)
    other = container("m/b.bin", "torch-zip", w=b"9" * 32, y=b"2" * 32)
    seen = report(files=(one, other), components=(component(files=(one.path, other.path)),))
    (found,) = findings("containers-disagree", seen)
    assert (
        "1 tensors differ between its safetensors and its torch-zip files, the first is 'w (F32)'"
        in found.message
    )


def test_containers_with_the_same_or_no_common_weights_agree() -> None:
    one = container("m/a.safetensors", "safetensors", w=b"1" * 32)
    same = container("m/b.bin", "torch-zip", w=b"1" * 32, extra=b"3" * 32)
    seen = report(files=(one, same), components=(component(files=(one.path, same.path)),))
    assert findings("containers-disagree", seen) == []


def test_every_rule_explains_itself() -> None:
    ids = [rule.id for rule in RULES]
    assert ids == sorted(set(ids))
    for rule in RULES:
        assert rule.title
        assert rule.why
        assert rule.remedy
        assert by_id(rule.id) is rule
    assert by_id("no-such-rule") is None


def test_findings_come_worst_first_and_a_rule_can_be_off() -> None:
    hiding = replace(file("m.gguf", "gguf", FileKind.WEIGHTS), unindexed=Unindexed(bytes=1, sha256="d" * 64))
    disguised = replace(file("z", "pickle", FileKind.WEIGHTS), promised="safetensors")
    seen = report(files=(hiding, disguised))
    assert [f.rule for f in evaluate(EVERYTHING, seen).findings] == ["format-mismatch", "unindexed-bytes"]
    off = parse_policy(b"version: 1\nname: n\nrules: {format-mismatch: off, unindexed-bytes: critical}\n")
    assert [(f.rule, f.severity) for f in evaluate(off, seen).findings] == [
        ("unindexed-bytes", Severity.CRITICAL)
    ]


def test_a_fingerprint_survives_a_move_of_the_line_and_not_of_the_file() -> None:
    hiding = replace(file("m.gguf", "gguf", FileKind.WEIGHTS), unindexed=Unindexed(bytes=1, sha256="d" * 64))
    (found,) = findings("unindexed-bytes", report(files=(hiding,)))
    moved = replace(found, location=replace(found.location, line=7))
    elsewhere = replace(found, location=replace(found.location, path="n.gguf"))
    assert moved.fingerprint == found.fingerprint != elsewhere.fingerprint
