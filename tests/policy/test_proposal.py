"""A proposed policy holds what was seen, today's estate passes it, and nobody's name becomes a pattern."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aibom.domain.component import (
    Claim,
    Component,
    ComponentKind,
    IdentityBasis,
    Origin,
    Relation,
    RelationKind,
)
from aibom.domain.confidence import Confidence
from aibom.domain.content import Content, ContentVerdict
from aibom.domain.facts import Attribute, FileKind
from aibom.domain.file import File
from aibom.domain.finding import Location, Severity
from aibom.domain.hazard import Hazard, HazardKind
from aibom.domain.ref import Ref
from aibom.domain.reference import Flag, Reference
from aibom.domain.report import Report
from aibom.domain.verdict import Verdict, judge
from aibom.policy import Policy, judged, parse_policy
from aibom.policy.proposal import propose, quoted
from aibom.policy.setting import Setting
from aibom.readers import located_yaml
from tests import builders

COMMIT = "0123456789abcdef0123456789abcdef01234567"
HEAD = "version: 1\nname: n\n"


def component(number: int, purl: str | None = None, **parts: object) -> Component:
    parts.setdefault("kind", ComponentKind.MODEL)
    return Component(
        id=f"c{number}", name=f"m{number}", basis=IdentityBasis.DECLARED, stated_purl=purl, **parts,  # type: ignore[arg-type]
    )  # fmt: skip


def licence(value: str, attribute: Attribute = Attribute.LICENCE_NAME) -> Claim:
    return Claim(statement=builders.says(attribute, value), origin=Origin.CARD, source="README.md")


def base(location: str, scheme: str = "hf") -> Relation:
    return Relation(kind=RelationKind.ANCESTOR, target=Ref(scheme=scheme, location=location))


def sections(report: Report) -> dict[str, dict[str, object]]:
    policy = parse_policy(propose(report).document)
    return {
        section.requirement.id: {key: plain(setting) for key, setting in section.settings.items()}
        for section in policy.sections
    }


def plain(setting: Setting) -> object:
    value = setting.located.value
    return [each.located.value for each in setting.items()] if isinstance(value, list) else value


def verdict(report: Report) -> Verdict:
    policy = parse_policy(propose(report).document)
    return judge(judged(policy, report), Severity.HIGH, strict=False)


def estate() -> Report:
    files = (builders.weights("a/model.safetensors"), builders.weights("b/model.onnx", "onnx"))
    return builders.report(
        files=files,
        components=(
            component(1, f"pkg:huggingface/acme/bert@{COMMIT}", files=("a/model.safetensors",),
                      claims=(licence("apache-2.0", Attribute.LICENCE), licence("d", Attribute.DESCRIPTION)),
                      relations=(base("google/bert"),)),
            component(2, f"pkg:huggingface/acme/gpt@{COMMIT}", files=("b/model.onnx",),
                      claims=(licence("MIT", Attribute.LICENCE), licence("d", Attribute.DESCRIPTION))),
        ),
        contents=tuple(Content(path=file.path, verdict=ContentVerdict.SAFE) for file in files),
    )  # fmt: skip


def test_a_proposal_holds_what_was_seen() -> None:
    found = sections(estate())
    assert found["sources"] == {"allow": ["pkg:huggingface/acme/*"]}
    assert found["formats"] == {"allow": ["onnx", "safetensors"]}
    assert found["licences"] == {"allow": ["Apache-2.0", "MIT"]}
    assert found["content"] == {"allow": ["safe"]}
    assert found["base-models"] == {"allow": ["pkg:huggingface/google/*"], "undeclared": "allow"}
    assert found["integrity"] == {"hashes": ["sha256"], "revision": "pinned", "coverage": "complete"}
    assert found["model-card"] == {"require": ["description", "licence"]}
    assert not found.keys() & {"signature", "attestations", "lineage", "datasets", "references"}


def test_todays_estate_passes_and_another_one_does_not() -> None:
    today = estate()
    assert verdict(today) is Verdict.PASSED
    policy = parse_policy(propose(today).document)
    stranger = component(3, f"pkg:huggingface/mallory/bert@{COMMIT}")
    more = dataclasses.replace(today, components=(*today.components, stranger))
    assert judge(judged(policy, more), Severity.HIGH, strict=False) is Verdict.VIOLATED


def test_each_section_says_in_a_comment_what_was_seen() -> None:
    text = propose(estate()).document.decode()
    assert "# Formats of weights and data: safetensors (1), onnx (1).\nformats:\n" in text
    assert "signature, attestations, datasets, references, lineage" in " ".join(text.split("\n# "))


def test_what_is_not_known_only_warns_and_says_so() -> None:
    report = builders.report(
        files=(builders.weights("m"),),
        components=(component(1, files=("m",), claims=(licence("own"),)), component(2)),
    )
    policy = parse_policy(propose(report).document)
    section = policy.section("licences")
    assert section is not None
    assert section.unknown == "warn"
    assert b"# Undecided: 1." in propose(report).document
    assert verdict(report) is Verdict.PASSED


def test_a_section_that_the_estate_does_not_keep_is_left_out() -> None:
    report = builders.report(
        files=(builders.weights("m", "pickle"),), components=(component(1, files=("m",)),),
        contents=(Content(path="m", verdict=ContentVerdict.DANGEROUS),),
    )  # fmt: skip
    assert "content" not in sections(report)


def test_an_empty_estate_gives_a_policy_without_demands() -> None:
    report = builders.report()
    policy = parse_policy(propose(report).document)
    assert policy.sections == ()


def test_a_rule_that_finds_something_is_lowered_and_what_cannot_be_waived_is_told() -> None:
    hazards = (
        Hazard(kind=HazardKind.NATIVE_CODE, message="x", found="x"),
        Hazard(kind=HazardKind.DANGEROUS_CODE, message="x", found="x"),
    )
    report = builders.report(files=(builders.weights("m", "pickle", hazards=hazards),))
    found = propose(report)
    policy = parse_policy(found.document)
    assert policy.severity("native-code", Severity.HIGH) is Severity.MEDIUM
    assert policy.severity("dangerous-code", Severity.HIGH) is Severity.HIGH
    assert {each.rule for each in found.unmet} == {"dangerous-code"}


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        (frozenset(), {"require": ["pinned"], "forbid": ["remote-code", "unsafe-load", "http"]}),
        (frozenset({Flag.UNPINNED, Flag.HTTP}), {"forbid": ["remote-code", "unsafe-load", "floating-tag"]}),
    ],
    ids=["pinned", "careless"],
)  # fmt: skip
def test_of_references_what_all_of_them_keep_is_demanded(flags: frozenset[Flag], expected: object) -> None:
    reference = Reference(
        kind=ComponentKind.MODEL, target=Ref(scheme="hf", location="acme/bert"), loader="load",
        location=Location(path="app.py", line=1), flags=flags, confidence=Confidence.HIGH,
    )  # fmt: skip
    found = sections(builders.report(references=(reference,), components=(component(1),)))["references"]
    assert found.keys() == expected.keys()  # type: ignore[attr-defined]
    assert all(set(values) <= set(found[key]) for key, values in expected.items())  # type: ignore[attr-defined, call-overload]


@pytest.mark.parametrize(
    "purl",
    [
        "pkg:huggingface/**/x@main",
        "pkg:huggingface/%2A%2A/x@main",
        "pkg:huggingface/%252A%252A/x@main",
        "pkg:huggingface/a%2A/x",
        "pkg:huggingface/a/x?vcs_url=**",
        "pkg:huggingface/a/x?vcs_url=%2A%2A",
        "pkg:generic/x?download_url=%252A",
    ],
)
def test_a_star_in_somebodys_name_never_becomes_a_pattern(purl: str) -> None:
    report = builders.report(
        components=(component(1, purl, relations=(base("**", "name"), base("a*b", "name"))),)
    )
    assert "*" not in str(sections(report).get("sources", ""))
    assert "base-models" not in sections(report)


@pytest.mark.parametrize(
    ("purl", "pattern"),
    [
        (f"pkg:huggingface/gpt2@{COMMIT}", "pkg:huggingface/gpt2"),
        ("pkg:huggingface/a/b/c@main", "pkg:huggingface/a/b/*"),
        ("pkg:oci/bert@1?repository_url=r.example/bert", "pkg:oci/bert?repository_url=r.example/bert"),
        ("pkg:huggingface/acme/data@main?repo_type=dataset", "pkg:huggingface/acme/*"),
    ],
)
def test_a_place_is_proposed_by_its_namespace(purl: str, pattern: str) -> None:
    report = builders.report(components=(component(1, purl),))
    assert sections(report)["sources"] == {"allow": [pattern]}
    assert verdict(report) is not Verdict.VIOLATED


@given(
    st.text(max_size=30)
    | st.sampled_from(["off", "true", "null", "1", "1e3", "- a", "a: b", "#", "''", "a\nb", "~"])
)
def test_a_quoted_text_is_read_back_as_the_same_text(text: str) -> None:
    if any(0xD800 <= ord(char) <= 0xDFFF for char in text):
        return
    value = located_yaml.parse(f"- {quoted(text)}\n".encode(), 10_000).value
    assert isinstance(value, list)
    assert value[0].value == text


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.text(min_size=1, max_size=12),  # licence
            st.text(alphabet="ab*%/@?#:.2A\n \u202e", max_size=14),  # place
            st.sampled_from(["safetensors", "pickle", "a: b", "none", "*", "\u2028", "x" * 5000]),
            st.sampled_from(list(ContentVerdict)),
        ),
        max_size=4,
    )
)
def test_whatever_is_there_the_proposal_is_a_policy_that_it_passes(
    things: list[tuple[str, str, str, ContentVerdict]],
) -> None:
    files: list[File] = []
    components = []
    contents = []
    for number, (text, place, format_, level) in enumerate(things):
        files.append(builders.file(f"f{number}", format_, FileKind.WEIGHTS))
        purl = f"pkg:huggingface/{place}" if place else None
        components.append(component(number, purl, files=(f"f{number}",), claims=(licence(text),)))
        contents.append(Content(path=f"f{number}", verdict=level))
    report = builders.report(files=tuple(files), components=tuple(components), contents=tuple(contents))
    found = propose(report, "a\n: b")
    policy: Policy = parse_policy(found.document)
    assert policy.name == "a\n: b"
    active = [
        each for each in judged(policy, report).findings if each.counts and each.severity >= Severity.HIGH
    ]
    assert {each.rule for each in active} == {each.rule for each in found.unmet}
    assert all(len(line) <= 5200 for line in found.document.decode().splitlines())
