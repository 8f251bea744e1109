"""Cases are read strictly, and judged as an inventory that says the same would be."""

from __future__ import annotations

from datetime import date

import pytest

from aibom.policy import PolicyError, parse_policy
from aibom.policy.cases import CASE_COUNT, CaseResult, Expected, parse_cases, tried

TODAY = date(2026, 11, 23)
DIGEST = "sha256:" + "a" * 64
HEAD = "version: 1\nname: n\n"


def case(body: str, policy: str, expect: str = "pass", more: str = "") -> CaseResult:
    text = f"cases: [{{name: c, {body}, expect: {expect}{more}}}]"
    (only,) = parse_cases(text.encode(), "cases.yaml")
    assert only.report is not None
    return tried(only, parse_policy((HEAD + policy).encode(), document="p.yaml"), only.report, TODAY)


FORMATS = "formats: {allow: [onnx]}"
LICENCES = "licences: {allow: [MIT]}"
CONTENT = "content: {allow: [safe]}"
SOURCES = "sources: {allow: ['pkg:huggingface/acme/*']}"
BASES = "base-models: {allow: ['pkg:huggingface/acme/*', own]}"
CARD = "model-card: {require: [limitations, description]}"
HASHES = "integrity: {hashes: [sha256]}"
SIGNED = (
    "signature: {max-age: 30d, signers: [{issuer: 'https://i.example', identity: 'https://x.example/a/*'}]}"
)
SLSA = "attestations: {require: [{predicate: 'https://slsa.dev/provenance/v1', builder: b, min-level: 2}]}"
SIGNATURE = "identity: 'https://x.example/a/b', issuer: 'https://i.example', signed-on: 2026-11-20"


@pytest.mark.parametrize(
    ("body", "policy", "found"),
    [
        ("model: {formats: [onnx]}", FORMATS, "pass"),
        ("model: {formats: [onnx, pickle]}", FORMATS, "fail"),
        ("dataset: {formats: [pickle]}", FORMATS, "fail"),
        ("model: {}", FORMATS, "incomplete"),
        ("model: {verdict: safe}", FORMATS, "incomplete"),
        ("model: {licence: mit}", LICENCES, "pass"),
        ("model: {licence: gpl-3.0}", LICENCES, "fail"),
        ("model: {name: m}", LICENCES, "incomplete"),
        ("model: {verdict: safe}", CONTENT, "pass"),
        ("model: {verdict: dangerous}", CONTENT, "fail"),
        ("model: {formats: [pickle]}", CONTENT, "incomplete"),
        ("model: {purl: 'pkg:huggingface/acme/bert@main'}", SOURCES, "pass"),
        ("model: {purl: 'pkg:huggingface/mallory/bert@main'}", SOURCES, "fail"),
        ("model: {name: bert}", SOURCES, "incomplete"),
        ("model: {base-models: ['pkg:huggingface/acme/base@main', own]}", BASES, "pass"),
        ("model: {base-models: ['pkg:huggingface/other/base']}", BASES, "fail"),
        ("model: {base-models: [theirs]}", BASES, "fail"),
        ("model: {}", BASES, "incomplete"),
        ("model: {description: d, card: {limitations: l}}", CARD, "pass"),
        ("model: {description: d}", CARD, "fail"),
        (f"model: {{digest: '{DIGEST}'}}", HASHES, "pass"),
        ("model: {formats: [onnx]}", HASHES, "fail"),
        ("model: {}", HASHES, "incomplete"),
        (f"model: {{signature: {{{SIGNATURE}}}}}", SIGNED, "pass"),
        (f"model: {{signature: {{{SIGNATURE.replace('11-20', '01-20')}}}}}", SIGNED, "fail"),
        (f"model: {{signature: {{{SIGNATURE.replace('/a/b', '/z/b')}}}}}", SIGNED, "fail"),
        ("model: {signature: {outcome: unsigned}}", SIGNED, "fail"),
        ("model: {}", SIGNED, "incomplete"),
        ("model: {attestations: [{predicate: 'https://slsa.dev/provenance/v1', builder: b, level: 3}]}", SLSA,
         "pass"),
        ("model: {attestations: [{predicate: 'https://slsa.dev/provenance/v1', builder: b, level: 1}]}", SLSA,
         "fail"),
        (f"dataset: {{licence: mit, digest: '{DIGEST}'}}", "datasets: {require: [digest, licence]}", "pass"),
        ("dataset: {licence: mit, formats: [csv]}", "datasets: {require: [digest, licence]}", "fail"),
        ("model: {training-data: ['pkg:huggingface/acme/d']}", "datasets: {require: [digest]}", "incomplete"),
    ],
)  # fmt: skip
def test_a_case_is_judged_as_such_an_inventory_would_be(body: str, policy: str, found: str) -> None:
    result = case(body, policy, expect=found)
    assert result.found is Expected(found)
    assert result.as_expected
    assert bool(result.findings) is (found != "pass")
    other = "fail" if found == "pass" else "pass"
    assert not case(body, policy, expect=other).as_expected


def test_an_expected_rule_has_to_be_among_the_findings() -> None:
    body = "model: {formats: [pickle], licence: mit}"
    assert case(body, FORMATS, "fail", ", rules: [formats]").as_expected
    wrong = case(body, FORMATS, "fail", ", rules: [formats, licences]")
    assert (wrong.found, wrong.missing, wrong.as_expected) == (Expected.FAIL, ("licences",), False)


def test_a_rule_that_only_warns_may_be_named_where_a_pass_is_expected() -> None:
    assert case(
        "model: {formats: [pickle]}", FORMATS[:-1] + ", mode: warn}", more=", rules: [formats]"
    ).as_expected


@pytest.mark.parametrize(("day", "found"), [("2027-03-31", "pass"), ("2027-04-01", "fail")])
def test_a_case_has_a_day_of_its_own(day: str, found: str) -> None:
    waiver = (
        f"{{rule: formats, component: m, digest: '{DIGEST}', expires: 2027-03-31, reason: r, approved-by: a}}"
    )
    body = f"model: {{name: m, formats: [pickle], digest: '{DIGEST}'}}"
    assert case(body, f"{FORMATS}\nwaivers: [{waiver}]", found, f", today: {day}").as_expected


def test_a_case_names_a_bill_of_materials_and_its_place() -> None:
    (only,) = parse_cases(b"cases:\n  - name: c\n    bom: a/b.json\n    expect: pass\n", "cases.yaml")
    assert only.bom is not None
    assert (only.place, only.bom.text(), only.bom.place) == ("cases.yaml:2:5", "a/b.json", "cases.yaml:3:10")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "cases.yaml:1:1: the document is empty"),
        ("- a", "cases.yaml:1:1: the document is a mapping"),
        ("cases: []", "cases.yaml:1:8: cases is an empty list"),
        ("case: []", "cases.yaml:1:1: unknown key 'case', did you mean 'cases'?"),
        ("cases: [{name: c}]", "cases.yaml:1:9: cases needs expect"),
        ("cases: [{name: c, expect: pass}]", "cases.yaml:1:9: a case has one of bom, model, dataset"),
        ("cases: [{name: c, expect: pass, model: {}, bom: b}]", "a case has one of"),
        ("cases: [{name: c, expect: good, model: {}}]", "'good' is none of pass, fail, incomplete"),
        ("cases: [{name: c, expect: pass, model: {format: a}}]", "1:41: unknown key 'format', did you mean"),
        ("cases: [{name: c, expect: pass, model: {formats: []}}]", "formats is an empty list"),
        ("cases: [{name: c, expect: pass, model: {digest: abc}}]", "digest is sha256:<64 hex>"),
        ("cases: [{name: c, expect: pass, model: {verdict: fine}}]", "'fine' is none of safe"),
        ("cases: [{name: c, expect: pass, model: {card: {colour: red}}}]", "unknown key 'colour'"),
        ("cases: [{name: c, expect: pass, model: {signature: {}}}]", "signature that is verified names its"),
        ("cases: [{name: c, expect: pass, model: {base-models: ['pkg:']}}]", "a package URL is such as"),
        ("cases: [{name: c, expect: pass, model: {base-models: ['https://u:p@h']}}]", "credentials"),
        ("cases: [{name: c, expect: pass, rules: [nope], model: {}}]", "'nope' is none of"),
        ("cases: [{name: c, expect: pass, today: soon, model: {}}]", "today is a date such as"),
        ("cases: [{name: c, expect: pass, bom: 5}]", "bom is a text"),
        ("cases:\n- {name: c, expect: pass, model: {}}\n" * 2, "key 'cases' stands in line 1, too"),
        ("cases: &a [*a]", "anchors and aliases are not taken"),
        ("cases: [" + "{name: c, expect: pass, model: {}}," * (CASE_COUNT + 1) + "]", "more than 1,000"),
    ],
    ids=lambda value: value[:60] if isinstance(value, str) else None,
)  # fmt: skip
def test_a_bad_cases_file_is_refused_with_its_place(text: str, words: str) -> None:
    with pytest.raises(PolicyError) as refused:
        parse_cases(text.encode(), "cases.yaml")
    assert words in str(refused.value)
    assert str(refused.value).startswith("cases.yaml:")
