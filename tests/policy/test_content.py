"""The four verdicts: which reasons make which, and that the worst one stands."""

from __future__ import annotations

from dataclasses import replace

import pytest

from aibom.domain.confidence import Confidence
from aibom.domain.content import Content, ContentVerdict
from aibom.domain.errors import Reason
from aibom.domain.facts import Capability, FileKind, Import, Use
from aibom.domain.file import File, Unindexed
from aibom.domain.finding import Finding, Severity
from aibom.domain.gap import Gap, Stage
from aibom.domain.hazard import Hazard, HazardKind
from aibom.policy import RULES, Allowlist, Pack, evaluate, judge_contents, parse_policy
from tests.builders import file, report, weights

PACK = Pack(
    name="own",
    version="2026.1",
    sha256="0" * 64,
    entries={
        ("torch", "FloatStorage"): frozenset({Use.REFERENCE}),
        ("acme", "Model"): frozenset({Use.REFERENCE, Use.CONSTRUCT}),
    },
)
ALLOWED = Allowlist(packs=(PACK,))
POLICY = parse_policy(b"version: 1\nname: all\nrules: {digest-mismatch: critical}\n")


def asks(module: str, qualname: str, use: Use = Use.REFERENCE, **more: str) -> Import:
    return Import(module=module, qualname=qualname, offset=2, use=use, **more)  # type: ignore[arg-type]


def hazard(kind: HazardKind, confidence: Confidence = Confidence.HIGH) -> Hazard:
    return Hazard(kind=kind, found="x", message="does x", offset=7, inside="a/b", confidence=confidence)


def gap(path: str, stage: Stage, reason: Reason) -> Gap:
    return Gap(path=path, stage=stage, reason=reason, detail=f"{reason} at {stage}")


def judged(seen: File, *gaps: Gap) -> Content:
    (content,) = judge_contents([seen], gaps, ALLOWED)
    return content


def verdict(seen: File, *gaps: Gap) -> ContentVerdict:
    return judged(seen, *gaps).verdict


def test_weights_that_import_nothing_are_safe() -> None:
    assert verdict(weights("m.safetensors")) is ContentVerdict.SAFE


def test_a_configuration_without_hazards_gets_no_verdict() -> None:
    assert judge_contents([file("config.json", "json-config"), file("notes.txt")], (), ALLOWED) == ()


@pytest.mark.parametrize(
    ("item", "expected"),
    [
        (asks("torch", "FloatStorage"), ContentVerdict.SAFE),
        (asks("acme", "Model"), ContentVerdict.SAFE),
        (asks("acme", "Model", Use.CONSTRUCT), ContentVerdict.SAFE),
        (asks("acme", "Model", Use.CALL), ContentVerdict.UNKNOWN),
        (asks("torch", "FloatStorage", Use.CALL), ContentVerdict.UNKNOWN),
        (asks("acme", "Other"), ContentVerdict.UNKNOWN),
        (asks("acme.Model", "load"), ContentVerdict.UNKNOWN),
        (asks("acme", "Model.load", Use.CALL), ContentVerdict.UNKNOWN),
        (asks("posix", "system", Use.CALL), ContentVerdict.DANGEROUS),
        (asks("posix", "system"), ContentVerdict.DANGEROUS),
        (asks("?", "?"), ContentVerdict.DANGEROUS),
    ],
)
def test_an_import_is_judged_by_its_exact_name_and_use(item: Import, expected: ContentVerdict) -> None:
    assert verdict(weights("m.pt", "pickle", imports=(item,))) is expected


def test_the_packs_that_vouch_are_named_and_dangerous_objections_come_first() -> None:
    imports = (asks("acme", "Other"), asks("acme", "Model"), asks("os", "system", Use.CALL))
    content = judged(weights("m.pt", "pickle", imports=imports))
    assert content.packs == ("own 2026.1",)
    assert [(each.item.name, each.dangerous) for each in content.objections] == [
        ("os.system", True),
        ("acme.Other", False),
    ]


@pytest.mark.parametrize("kind", HazardKind)
def test_a_certain_hazard_is_dangerous_unless_its_code_is_elsewhere(kind: HazardKind) -> None:
    elsewhere = kind in (HazardKind.REMOTE_CODE, HazardKind.CUSTOM_OPERATOR)
    expected = ContentVerdict.UNKNOWN if elsewhere else ContentVerdict.DANGEROUS
    assert verdict(file("x.json", "json-config", hazards=(hazard(kind),))) is expected
    doubtful = (hazard(kind, Confidence.MEDIUM),)
    assert verdict(file("x.json", "json-config", hazards=doubtful)) is ContentVerdict.UNKNOWN


@pytest.mark.parametrize(
    ("stage", "reason", "expected"),
    [
        (Stage.READ, Reason.TRUNCATED, ContentVerdict.INCOMPLETE),
        (Stage.READ, Reason.ENCRYPTED, ContentVerdict.INCOMPLETE),
        (Stage.READ, Reason.INTERNAL, ContentVerdict.INCOMPLETE),
        (Stage.READ, Reason.NOT_READ, ContentVerdict.INCOMPLETE),
        (Stage.READ, Reason.LIMIT, ContentVerdict.INCOMPLETE),
        (Stage.READ, Reason.OUTSIDE_TARGET, ContentVerdict.DANGEROUS),
        (Stage.READ, Reason.MISSING, ContentVerdict.SAFE),
        (Stage.DIGEST, Reason.LIMIT, ContentVerdict.SAFE),
    ],
)
def test_a_gap_in_the_look_is_never_safe(stage: Stage, reason: Reason, expected: ContentVerdict) -> None:
    assert verdict(weights("m.pt"), gap("m.pt", stage, reason)) is expected


def test_a_gap_of_another_file_changes_nothing() -> None:
    other = gap("n.pt", Stage.READ, Reason.TRUNCATED)
    assert verdict(weights("m.pt"), other) is ContentVerdict.SAFE


def test_an_error_never_makes_a_verdict_better() -> None:
    broken = gap("m.pt", Stage.READ, Reason.MALFORMED)
    dangerous = weights("m.pt", "pickle", imports=(asks("os", "system", Use.CALL),))
    unknown = weights("m.pt", "pickle", imports=(asks("acme", "Other"),))
    assert verdict(dangerous, broken) is ContentVerdict.DANGEROUS
    assert verdict(unknown, broken) is ContentVerdict.INCOMPLETE
    assert len(judged(unknown, broken).objections) == 1


def test_bytes_that_nothing_explains_are_unknown() -> None:
    hidden = replace(weights("m.safetensors"), unindexed=Unindexed(bytes=9, sha256="a" * 64))
    assert verdict(hidden) is ContentVerdict.UNKNOWN


def findings(rule: str, seen: File, *gaps: Gap) -> list[Finding]:
    contents = judge_contents([seen], gaps, ALLOWED)
    return [
        found
        for found in evaluate(POLICY, report(files=(seen,), gaps=gaps, contents=contents)).findings
        if found.rule == rule
    ]


def test_a_dangerous_import_is_found_with_its_arguments_and_its_place() -> None:
    item = asks("os", "system", Use.CALL, arguments="('echo hi',)", inside="archive/data.pkl")
    (found,) = findings("dangerous-import", weights("m.pt", "torch-zip", imports=(item,)))
    assert found.severity is Severity.CRITICAL
    assert (found.found, found.location.inside, found.location.offset) == ("os.system", "archive/data.pkl", 2)
    assert found.message.startswith("the pickle calls os.system('echo hi',), which ")
    assert not findings("unlisted-import", weights("m.pt", "torch-zip", imports=(item,)))


def test_an_unlisted_import_is_found_and_a_listed_one_is_not() -> None:
    (found,) = findings("unlisted-import", weights("m.pt", "pickle", imports=(asks("acme", "Other"),)))
    assert found.found == "acme.Other (reference)"
    assert not findings("unlisted-import", weights("m.pt", "pickle", imports=(asks("acme", "Model"),)))


def test_only_what_can_run_code_must_be_examined_completely() -> None:
    broken = gap("m", Stage.READ, Reason.TRUNCATED)
    able = weights("m", "pickle", capabilities=frozenset({Capability.IMPORTS_CODE}))
    (found,) = findings("unexamined-content", able, broken)
    assert "truncated at read" in found.message
    assert not findings("unexamined-content", weights("m"), broken)
    assert not findings("unexamined-content", able)


HAZARD_RULES = [rule for rule in RULES if rule.id in set(HazardKind) and not rule.optional]


@pytest.mark.parametrize("rule", HAZARD_RULES, ids=lambda rule: rule.id)
def test_every_kind_of_hazard_is_a_finding_of_the_rule_of_its_name(rule: object) -> None:
    kind = HazardKind(rule.id)  # type: ignore[attr-defined]
    (found,) = findings(kind.value, file("x", "json-config", FileKind.CONFIG, hazards=(hazard(kind),)))
    assert (found.message, found.found) == ("does x", "x")
    assert (found.location.offset, found.location.inside) == (7, "a/b")
    other = next(each for each in HazardKind if each is not kind)
    assert not findings(kind.value, file("x", "json-config", hazards=(hazard(other),)))


def test_every_kind_of_hazard_has_a_rule() -> None:
    assert {kind.value for kind in HazardKind} <= {rule.id for rule in RULES}
