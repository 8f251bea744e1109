"""custom: a rule of one's own fires when its expression is true, and decides nothing when that is unknown."""

from __future__ import annotations

import sys

import pytest

from aibom.domain.check import CheckKind, Outcome
from aibom.domain.component import ComponentKind, RelationKind
from aibom.domain.content import Content, ContentVerdict
from aibom.domain.facts import Attribute
from aibom.domain.finding import Severity, Standing
from aibom.domain.report import Report
from aibom.policy import evaluate, expression, parse_policy
from aibom.policy.estate import Estate
from aibom.policy.rules._values import FIELDS
from aibom.policy.rules.custom import RULE_COUNT
from tests.policy.rules.demands import (
    DATASET,
    MET,
    MODEL,
    PATH,
    PURL,
    TODAY,
    Unmet,
    arrow,
    check,
    claim,
    estate,
    findings,
    model,
    refused,
    unmet,
)

RULE = "{id: ACME-001, when: component.parameters > 70e9, message: too large}"
LIBRARY = ComponentKind.LIBRARY
FIRES, UNKNOWN = [("R", True)], [("R", False)]


def section(when: str, more: str = "") -> str:
    return f"custom: [{{id: R, when: {when!r}, message: m{more}}}]"


@pytest.mark.parametrize(
    ("parameters", "met"), [(70_000_000_001, [("ACME-001", True)]), (7, MET), (None, [("ACME-001", False)])]
)
def test_a_rule_fires_when_its_expression_is_true(parameters: int | None, met: Unmet) -> None:
    assert unmet(f"custom: [{RULE}]", estate(model(parameter_count=parameters))) == met


FULL = estate(
    model(
        version="7", parameter_count=7, dtypes=("F32",), model_digest="v1:sha256:abc",
        claims=(
            claim(Attribute.LICENCE, "mit"), claim(Attribute.LICENCE_NAME, "Ours"),
            claim(Attribute.ORGANISATION, "acme"), claim(Attribute.DESCRIPTION, "d"),
            claim(Attribute.TASK, "t"), claim(Attribute.ARCHITECTURE, "A"),
        ),
        relations=(
            arrow(RelationKind.ANCESTOR, "hf acme/base"), arrow(RelationKind.TRAINED_ON, "name secret data"),
        ),
    ),
    checks=(check(CheckKind.SIGNATURE, Outcome.VERIFIED, "x@a.b"),),
    contents=(Content(path=PATH, verdict=ContentVerdict.SAFE),),
)  # fmt: skip
NAMED_ONLY = estate(model(files=(), stated_purl=None))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("kind", "'model'"),
        ("name", "'acme/m'"),
        ("purl", f"'{PURL}'"),
        ("version", "'7'"),
        ("organisation", "'acme'"),
        ("description", "'d'"),
        ("task", "'t'"),
        ("architecture", "'A'"),
        ("licences", "['MIT', 'Ours']"),
        ("formats", "['safetensors']"),
        ("dtypes", "['F32']"),
        ("parameters", "7"),
        ("file_count", "1"),
        ("model_digest", "'v1:sha256:abc'"),
        ("base_models", "['pkg:huggingface/acme/base']"),
        ("datasets", "['secret data']"),
        ("signed", "true"),
        ("content", "'safe'"),
        ("complete", "true"),
        ("digests", "[component.digests[0]]"),
    ],
)
def test_an_expression_sees_what_is_known_and_nothing_else(field: str, value: str) -> None:
    assert unmet(section(f"component.{field} == {value}"), FULL) == FIRES
    assert unmet(section(f"component.{field} != {value}"), FULL) == MET
    always = field in ("kind", "name", "complete")
    assert unmet(section(f"has(component.{field})"), NAMED_ONLY) == (FIRES if always else MET)


def test_every_field_is_tested() -> None:
    tested = test_an_expression_sees_what_is_known_and_nothing_else.pytestmark[0].args[1]  # type: ignore[attr-defined]
    assert [each for each, _ in tested if each != "digests"] == [each for each in FIELDS if each != "digests"]


@pytest.mark.parametrize(
    ("when", "judged"),
    [
        ("component.formats == ['x']", estate(model(), files=())),
        ("component.digests == ['x']", estate(model(), files=())),
        ("component.content == 'safe'", estate(model())),
        ("component.base_models == ['x']", estate(model(relations=(arrow(RelationKind.ANCESTOR, "gone"),)))),
        ("component.base_models == ['x']", estate(model(claims=(claim(Attribute.BASE_MODEL, "/data/x"),)))),
        ("component.signed", estate(model(), checks=(check(CheckKind.SIGNATURE, Outcome.UNSUPPORTED),))),
        ("component.parameters > 3", estate(model(claims=(claim(Attribute.PARAMETER_COUNT, "7b"),)))),
        ("component.parameters > 3", estate(model(parameter_count=2**63))),
        ("component.name", estate(model(name="true"))),
        ("component.licences", estate(model(claims=(claim(Attribute.LICENCE, "mit"),)))),
        ("component.file_count / (component.file_count - 1) > 3", estate(model())),
        ("component.name > 3", estate(model())),
    ],
    ids=[
        "formats", "digests", "content", "base-outside", "base-unresolved", "signature", "count-as-text",
        "count-too-large", "text-result", "list-result", "division-by-zero", "wrong-type",
    ],
)  # fmt: skip
def test_what_nobody_can_tell_is_undecided(when: str, judged: Report) -> None:
    assert unmet(section(when), judged) == UNKNOWN


@pytest.mark.parametrize(
    ("outcomes", "met"),
    [
        ((Outcome.UNSIGNED,), MET),
        ((Outcome.UNTRUSTED_SIGNER,), MET),
        ((Outcome.VERIFIED, Outcome.COULD_NOT_CHECK), FIRES),
        ((Outcome.VERIFIED, Outcome.CONTENT_MISMATCH), MET),
        ((Outcome.UNSIGNED, Outcome.COULD_NOT_CHECK), UNKNOWN),
    ],
    ids=["unsigned", "untrusted", "verified", "broken", "unchecked"],
)
def test_signed_means_verified_and_nothing_broken(outcomes: tuple[Outcome, ...], met: Unmet) -> None:
    checks = tuple(check(CheckKind.SIGNATURE, each, "x") for each in outcomes)
    assert unmet(section("component.signed"), estate(model(), checks=checks)) == met


def test_the_worst_content_counts_even_when_a_file_was_not_judged() -> None:
    one = model(files=(PATH, "m/other.bin"))
    for verdict, met in ((ContentVerdict.DANGEROUS, FIRES), (ContentVerdict.SAFE, UNKNOWN)):
        judged = estate(one, contents=(Content(path=PATH, verdict=verdict),))
        assert unmet(section("component.content == 'dangerous'"), judged) == met


@pytest.mark.parametrize(
    ("applies", "kind", "met"),
    [
        ("", MODEL, FIRES),
        ("", DATASET, FIRES),
        ("", LIBRARY, MET),
        (", applies-to: [dataset]", MODEL, MET),
        (", applies-to: [dataset, library]", LIBRARY, FIRES),
    ],
    ids=["model", "dataset", "library", "other", "named"],
)
def test_a_rule_is_about_models_and_datasets_or_what_it_names(
    applies: str, kind: ComponentKind, met: Unmet
) -> None:
    assert unmet(section("true", applies), estate(model(kind=kind))) == met


def test_a_finding_says_which_rule_how_bad_and_what_to_do() -> None:
    (found,) = findings(section("true", ", severity: low, remedy: ask"), estate(model()))
    assert (found.severity, found.message, found.found, found.remedy) == (Severity.LOW, "m", "R", "ask")
    (found,) = findings(section("true"), estate(model()))
    assert (found.severity, found.remedy) == (
        Severity.HIGH,
        "do what the message says, or take another component",
    )
    (found,) = findings(section("component.version == ''"), estate(model()))
    assert found.message == "the rule R could not be decided: m"


def test_the_section_can_be_a_mapping_that_also_says_how_it_counts() -> None:
    text = f"custom: {{rules: [{RULE}], mode: warn, severity: low}}"
    (found,) = findings(text, estate(model(parameter_count=80_000_000_000)))
    assert (found.severity, found.standing) == (Severity.LOW, Standing.ADVISORY)


def test_each_rule_is_told_and_the_section_counts_components() -> None:
    text = f"custom: [{RULE}, {{id: B, when: 'component.name == ''acme/m''', message: n}}]"
    policy = parse_policy(f"version: 1\nname: n\n{text}\n".encode())
    found = evaluate(policy, estate(model(parameter_count=7), model(id="2", name="x")), TODAY)
    assert [(each.found, each.decided) for each in found.findings] == [("ACME-001", False), ("B", True)]
    (demand,) = found.demands
    assert (demand.passed, demand.failed, demand.undecided) == (0, 1, 1)


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ("when: 'true', message: m", "needs id"),
        ("id: A, message: m", "needs when"),
        ("id: A, when: 'true'", "needs message"),
        ("id: A, when: 'true', message: m, wen: x", "unknown key 'wen', did you mean 'when'"),
        ("id: '1 a', when: 'true', message: m", "id is a letter"),
        ("id: A, when: 'true', message: m, severity: bad", "is none of"),
        ("id: A, when: 'true', message: m, applies-to: [models]", "did you mean 'model'"),
        ("id: A, when: 'true', message: m, applies-to: []", "empty list"),
        ("id: A, when: true, message: m", "when is a text"),
        ("id: A, when: 'true &&', message: m", "when: Syntax error: .* at 1:8 of the expression"),
        ("id: A, when: component.nam == '', message: m", "did you mean 'component.name'"),
        ("id: A, when: 'true', message: m, remedy: ''", "remedy is a text"),
        (f"id: A, when: '{'true || ' * 200}true', message: m", "longer than 1,024 characters"),
    ],
    ids=[
        "no-id", "no-when", "no-message", "key", "id", "severity", "kind", "no-kind", "boolean", "syntax",
        "field", "remedy", "huge",
    ],
)  # fmt: skip
def test_bad_rules_are_refused_with_their_place(rule: str, words: str) -> None:
    refused(f"custom: [{{{rule}}}]", words)


def test_bad_lists_of_rules_are_refused() -> None:
    refused(f"custom: [{RULE}, {RULE}]", "two custom rules are called ACME-001")
    refused("custom: []", "empty list")
    refused("custom: {}", "needs rules")
    many = ", ".join(f"{{id: R{n}, when: 'true', message: m}}" for n in range(RULE_COUNT + 1))
    refused(f"custom: [{many}]", f"more than {RULE_COUNT} custom rules")


def test_without_the_extra_a_policy_with_custom_rules_is_refused_and_no_other(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "cel_expr_python", None)
    expression._environments.cache_clear()
    refused(f"custom: [{RULE}]", r"when: expressions need the extra cel: pip install 'aibom\[cel\]'")
    assert unmet("formats: {allow: [safetensors]}", estate(model())) == MET


def test_what_no_expression_asks_for_is_not_looked_up() -> None:
    policy = parse_policy(f"version: 1\nname: n\n{section('component.version == string(7)')}\n".encode())
    judge, subjects = policy.sections[0].each, Estate(estate(model(version="8")), TODAY).subjects
    assert judge is not None
    assert judge(subjects[0]) == []
    assert "files" not in vars(subjects[0].estate)
