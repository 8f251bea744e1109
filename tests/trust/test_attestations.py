"""Attestations: statements of both versions, the predicates that are known, and what is written."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aibom.domain.attestation import (
    Attestation,
    BillOfMaterials,
    Predicate,
    Provenance,
    Subject,
    SuiteResult,
    VerificationSummary,
    Vulnerabilities,
)
from aibom.domain.errors import Reason, UnreadableError
from aibom.trust.attestations import bom_statement, read_attestation, verification_summary
from tests.hostile import flips, truncations

A, B, C = (pair * 32 for pair in ("aa", "bb", "cc"))
V1, V01 = "https://in-toto.io/Statement/v1", "https://in-toto.io/Statement/v0.1"
SLSA1, SLSA02 = "https://slsa.dev/provenance/v1", "https://slsa.dev/provenance/v0.2"
BOM, SPDX = "https://cyclonedx.org/bom", "https://spdx.dev/Document"
VSA = "https://slsa.dev/verification_summary/v1"
TESTS = "https://in-toto.io/attestation/test-result/v0.1"
VULNS = "https://in-toto.io/attestation/vulns/v0.2"
WEIGHTS = {"name": "w.bin", "digest": {"sha256": A}}


def made(predicate_type: str, predicate: Any, *subjects: Any, version: str = V1) -> bytes:
    return json.dumps(
        {
            "_type": version,
            "subject": subjects or [WEIGHTS],
            "predicateType": predicate_type,
            "predicate": predicate,
        }
    ).encode()


def outcome(payload: bytes) -> Attestation | UnreadableError:
    try:
        return read_attestation(payload)
    except UnreadableError as error:
        return error


PROVENANCE: dict[str, Any] = {
    "buildDefinition": {
        "buildType": "https://actions.github.io/buildtypes/workflow/v1",
        "externalParameters": {
            "workflow": {"ref": "refs/heads/main", "repository": "https://github.com/o/r", "path": "r.yml"}
        },
        "resolvedDependencies": [
            {"uri": "git+https://github.com/o/r2@refs/heads/main", "digest": {"gitCommit": "2" * 40}},
            {"uri": "git+https://github.com/o/r@refs/heads/main", "digest": {"gitCommit": "1" * 40}},
        ],
    },
    "runDetails": {
        "builder": {"id": "https://github.com/actions/runner/github-hosted"},
        "metadata": {
            "invocationId": "https://github.com/o/r/actions/runs/1",
            "startedOn": "2026-01-01T00:00:00Z",
        },
    },
}
MATERIALS = (
    Subject(name="git+https://github.com/o/r2@refs/heads/main", digests=(("gitCommit", "2" * 40),)),
    Subject(name="git+https://github.com/o/r@refs/heads/main", digests=(("gitCommit", "1" * 40),)),
)
OLD_PROVENANCE: dict[str, Any] = {
    "builder": {"id": "https://builder"},
    "buildType": "https://type",
    "invocation": {"configSource": {"uri": "git+https://github.com/o/r", "digest": {"sha1": "1" * 40}}},
    "metadata": {"buildInvocationId": "7", "buildFinishedOn": "2026-01-01T00:00:00Z", "reproducible": False},
    "materials": [{"uri": "pkg:x", "digest": {"sha256": B}}],
}
SUMMARY: dict[str, Any] = {
    "verifier": {"id": "https://verifier", "version": {"aibom": "1.0"}},
    "timeVerified": "2026-01-01T00:00:00Z",
    "resourceUri": "pkg:huggingface/o/m@1",
    "policy": {"uri": "https://policy", "digest": {"sha256": C}},
    "inputAttestations": [{"uri": "model.sig", "digest": {"sha256": B}}],
    "verificationResult": "PASSED",
    "verifiedLevels": ["SLSA_BUILD_LEVEL_3"],
    "dependencyLevels": {"SLSA_BUILD_LEVEL_3": 5},
}
SCAN: dict[str, Any] = {
    "scanner": {
        "uri": "pkg:x/trivy", "version": "0.19.2",
        "db": {"uri": "pkg:db", "lastUpdate": "2026-01-01T00:00:00Z"},
        "result": [{"id": "CVE-2"}, {"vulnerability": {"id": "CVE-1"}}, {"id": "CVE-2", "severity": []}],
    },
    "metadata": {"scanFinishedOn": "2026-01-02T00:00:00Z"},
}  # fmt: skip


@pytest.mark.parametrize(
    ("predicate_type", "predicate", "facts"),
    [
        (SLSA1, PROVENANCE, Provenance(
            builder="https://github.com/actions/runner/github-hosted",
            build_type="https://actions.github.io/buildtypes/workflow/v1",
            source="https://github.com/o/r", source_digests=(("gitCommit", "1" * 40),), materials=MATERIALS,
            invocation="https://github.com/o/r/actions/runs/1", started="2026-01-01T00:00:00Z",
        )),
        (SLSA02, OLD_PROVENANCE, Provenance(
            builder="https://builder", build_type="https://type",
            source="git+https://github.com/o/r", source_digests=(("sha1", "1" * 40),),
            materials=(Subject(name="pkg:x", digests=(("sha256", B),)),),
            invocation="7", finished="2026-01-01T00:00:00Z",
        )),
        *((uri, {"bomFormat": "CycloneDX", "specVersion": "1.6", "serialNumber": "urn:uuid:1", "version": 1},
           BillOfMaterials(format="CycloneDX", spec_version="1.6", serial="urn:uuid:1"))
          for uri in (BOM, f"{BOM}/v1.4")),
        *((uri, {"spdxVersion": "SPDX-2.3", "documentNamespace": "https://ns"},
           BillOfMaterials(format="SPDX", spec_version="2.3", serial="https://ns"))
          for uri in (SPDX, f"{SPDX}/v2.3")),
        (SPDX, {"@context": "x", "@graph": []}, BillOfMaterials(format="SPDX", spec_version="3")),
        (VSA, SUMMARY, VerificationSummary(
            verifier="https://verifier", versions=(("aibom", "1.0"),), resource="pkg:huggingface/o/m@1",
            policy="https://policy", policy_digests=(("sha256", C),), passed=True,
            levels=("SLSA_BUILD_LEVEL_3",), verified_at="2026-01-01T00:00:00Z",
            inputs=(Subject(name="model.sig", digests=(("sha256", B),)),),
        )),
        (TESTS, {"result": "WARNED", "configuration": [], "passedTests": ["a"], "warnedTests": ["b"],
                 "url": "u"},
         SuiteResult(result="WARNED", passed=("a",), warned=("b",), url="u")),
        *((uri, SCAN, Vulnerabilities(
            scanner="pkg:x/trivy", found=("CVE-1", "CVE-2"), scanner_version="0.19.2", database="pkg:db",
            database_updated="2026-01-01T00:00:00Z", finished="2026-01-02T00:00:00Z",
        )) for uri in (VULNS, VULNS.replace("0.2", "0.1"))),
        ("https://example.com/other", {"a": 1}, None),
        ("https://cyclonedx.org/bomb", {"a": 1}, None),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)  # fmt: skip
@pytest.mark.parametrize("version", [V1, V01])
def test_the_facts_of_a_predicate_are_read(
    predicate_type: str, predicate: dict[str, Any], facts: Predicate | None, version: str
) -> None:
    attestation = read_attestation(made(predicate_type, predicate, version=version))
    assert attestation.facts == facts
    assert (attestation.statement_type, attestation.predicate_type) == (version, predicate_type)
    assert attestation.subjects == (Subject(name="w.bin", digests=(("sha256", A),)),)
    assert json.loads(attestation.predicate) == predicate


def test_subjects_keep_their_order_and_every_digest() -> None:
    named = {"name": "a", "digest": {"sha512": "ab" * 64, "sha256": A}}
    commit = {"uri": "git+https://x", "digest": {"gitCommit": "1" * 40}}
    subjects = read_attestation(made("x", {}, named, commit)).subjects
    assert subjects[0].digests == (("sha256", A), ("sha512", "ab" * 64))
    assert (subjects[0].sha256(), subjects[1].sha256(), subjects[1].name) == (A, None, "")


def test_a_statement_may_lack_a_predicate_that_is_not_known() -> None:
    payload = json.dumps({"_type": V1, "subject": [WEIGHTS], "predicateType": "x"}).encode()
    assert (read_attestation(payload).facts, read_attestation(payload).predicate) == (None, b"")


@pytest.mark.parametrize(
    ("parameters", "source"),
    [
        ({"source": {"uri": "git+https://github.com/o/r@refs/heads/main"}}, MATERIALS[1].digests),
        ({"workflow": {"repository": "https://github.com/o/r"}}, MATERIALS[1].digests),
        ({"workflow": {"repository": "https://github.com/o"}}, ()),
        ({"workflow": {"repository": "https://github.com/o/r@refs/heads"}}, ()),
        ({"workflow": "r.yml", "source": ["x"]}, ()),  # other build types
        ({}, ()),
    ],
)
def test_a_source_has_the_digest_of_its_own_material_only(parameters: Any, source: Any) -> None:
    definition = {**PROVENANCE["buildDefinition"], "externalParameters": parameters}
    facts = read_attestation(made(SLSA1, {**PROVENANCE, "buildDefinition": definition})).facts
    assert isinstance(facts, Provenance)
    assert facts.source_digests == source


def test_a_source_with_two_digests_has_none() -> None:
    twice = [{"uri": "git+https://github.com/o/r@a", "digest": {"gitCommit": n * 40}} for n in "12"]
    definition = {**PROVENANCE["buildDefinition"], "resolvedDependencies": twice}
    facts = read_attestation(made(SLSA1, {**PROVENANCE, "buildDefinition": definition})).facts
    assert isinstance(facts, Provenance)
    assert (facts.source, facts.source_digests) == ("https://github.com/o/r", ())


def without(document: dict[str, Any], path: str) -> dict[str, Any]:
    head, _, rest = path.partition(".")
    kept = {key: value for key, value in document.items() if key != head}
    return {**kept, head: without(document[head], rest)} if rest else kept


MALFORMED, LIMIT, UNSUPPORTED = Reason.MALFORMED, Reason.LIMIT, Reason.UNSUPPORTED

REFUSED: list[tuple[bytes, Reason, str]] = [
    (made("x", {}, version="https://in-toto.io/Statement/v2"), UNSUPPORTED, "statement of type"),
    (made("x", {}).replace(b'"subject"', b'"subjects"'), MALFORMED, "a statement without subjects"),
    (made("x", {}, {"name": "a", "digest": {}}), MALFORMED, "nothing says which file is meant"),
    (made("x", {}, {"name": "a"}), MALFORMED, "nothing says which file is meant"),
    (made("x", {}, {"name": "a", "digest": {"sha256": A.upper()}}), MALFORMED, r"\[0\].digest.sha256 is not"),
    (made("x", {}, {"name": "a", "digest": {"sha256": A[:10]}}), MALFORMED, "is not a sha256 digest"),
    (made("x", {}, {"name": "a", "digest": {"sha256": f"sha256:{A}"}}), MALFORMED, "is not a sha256 digest"),
    (made("x", {}, {"name": "a", "digest": {"sha256": 5}}), MALFORMED, "is not text"),
    (made("x", {}, {"name": "a", "digest": [A]}), MALFORMED, "digest is not a JSON object"),
    (made("x", {}, {"name": ["a"], "digest": {"sha256": A}}), MALFORMED, r"subject\[0\].name is not text"),
    (made("x", {}, "a"), MALFORMED, r"subject\[0\] is not a JSON object"),
    (made("x", {}, *[WEIGHTS] * 100_001), LIMIT, "subject has 100001 entries"),
    (made("x", {}).replace(b'"w.bin"', b'"w.bin", "name": "v.bin"'), MALFORMED, "duplicate key 'name'"),
    (made("x", {"a": float("nan")}), MALFORMED, "not a value of JSON"),
    (made("x", {"a": "\ud800"}), MALFORMED, "not a value of JSON"),
    (made("x", {"a": 1}).replace(b"1}", b"[" * 70), LIMIT, "nested deeper"),
    (b"", MALFORMED, "not JSON"),
    (b"null", MALFORMED, "not a JSON object"),
    # Known predicates that lack what a decision rests on
    (made(SLSA1, "x"), MALFORMED, "predicate is not a JSON object"),
    (made(SLSA1, None), MALFORMED, "predicate is missing"),
    *((made(SLSA1, without(PROVENANCE, path)), MALFORMED, f"predicate.{path} is missing")
      for path in ("buildDefinition", "buildDefinition.buildType", "runDetails.builder.id")),
    *((made(SLSA02, without(OLD_PROVENANCE, path)), MALFORMED, f"predicate.{path} is missing")
      for path in ("builder", "builder.id", "buildType")),
    *((made(VSA, without(SUMMARY, path)), MALFORMED, f"predicate.{path} is missing")
      for path in ("verifier.id", "policy.uri", "resourceUri", "verificationResult")),
    (made(VSA, {**SUMMARY, "verificationResult": "passed"}), MALFORMED, "'passed', not one of PASSED"),
    (made(VSA, {**SUMMARY, "verificationResult": True}), MALFORMED, "verificationResult is not text"),
    (made(VSA, {**SUMMARY, "verifiedLevels": "SLSA_BUILD_LEVEL_3"}), MALFORMED, "Levels is not a list"),
    (made(TESTS, {}), MALFORMED, "predicate.result is missing"),
    (made(TESTS, {"result": "OK"}), MALFORMED, "'OK', not one of PASSED"),
    (made(TESTS, {"result": "PASSED", "failedTests": [1]}), MALFORMED, "failedTests\\[\\] is not text"),
    *((made(VULNS, without(SCAN, path)), MALFORMED, f"predicate.{path} is missing")
      for path in ("scanner", "scanner.uri", "scanner.result")),
    (made(VULNS, {"scanner": {"uri": "x", "result": [{}]}}), MALFORMED, r"result\[0\].id is missing"),
    (made(BOM, {"bomFormat": "SPDX"}), MALFORMED, "bomFormat is not CycloneDX"),
    (made(f"{BOM}/v1.4", {"specVersion": "1.4"}), MALFORMED, "bomFormat is missing"),
    (made(SPDX, {}), MALFORMED, "spdxVersion is missing"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("payload", "reason", "words"), REFUSED, ids=[f"{n}: {words}" for n, (_, _, words) in enumerate(REFUSED)]
)
def test_a_statement_that_says_too_little_is_refused(payload: bytes, reason: Reason, words: str) -> None:
    with pytest.raises(UnreadableError, match=words) as caught:
        read_attestation(payload)
    assert caught.value.reason is reason


@pytest.mark.parametrize("payload", [made(SLSA1, PROVENANCE), made(VSA, SUMMARY), made(VULNS, SCAN)])
def test_damaged_statements_raise_nothing_else(payload: bytes) -> None:
    assert all(isinstance(outcome(cut), UnreadableError) for cut in truncations(payload))
    for data in flips(payload, 400):
        outcome(data)


SUBJECTS = (
    Subject(name="b.safetensors", digests=(("sha256", B),)),
    Subject(name="a.safetensors", digests=(("blake3", A), ("sha256", A))),
)
MINIMAL = b'{"bomFormat":"CycloneDX","specVersion":"1.6"}'


def test_a_bom_is_the_predicate_of_a_statement_about_the_weights() -> None:
    bom = b'{"specVersion": "1.6", "bomFormat": "CycloneDX", "components": [{"name": "\\u00fc", "x": 1.50}]}'
    payload = bom_statement(bom, SUBJECTS)
    attestation = read_attestation(payload)
    assert (attestation.statement_type, attestation.predicate_type) == (V1, BOM)
    assert attestation.subjects == SUBJECTS[::-1]
    assert json.loads(attestation.predicate) == json.loads(bom)
    assert b'"name":"\xc3\xbc","x":1.5' in payload


def test_the_layout_of_a_bom_and_the_order_of_subjects_do_not_change_the_statement() -> None:
    indented = json.dumps(json.loads(MINIMAL), indent=4).encode()
    assert bom_statement(indented, SUBJECTS) == bom_statement(MINIMAL, SUBJECTS[::-1])


@pytest.mark.parametrize(
    ("bom", "subjects", "words"),
    [
        (MINIMAL, (), "without subjects"),
        (MINIMAL, (Subject(name="a", digests=()),), "nothing says which file"),
        (MINIMAL, (Subject(name="a", digests=(("sha256", "0"),)),), "is not a sha256 digest"),
        (b"<bom/>", SUBJECTS, "not JSON"),
        (b'{"spdxVersion": "SPDX-2.3"}', SUBJECTS, "bomFormat is missing"),
        (b'{"bomFormat": "CycloneDX", "bomFormat": "CycloneDX"}', SUBJECTS, "duplicate key"),
        (MINIMAL[:-1] + b', "x": 1e999}', SUBJECTS, "not a value of JSON"),
    ],
)
def test_another_document_or_no_subject_is_not_attested(
    bom: bytes, subjects: tuple[Subject, ...], words: str
) -> None:
    with pytest.raises(UnreadableError, match=words):
        bom_statement(bom, subjects)


TEXTS = st.text(st.characters(codec="utf-8"), max_size=8)
NAMED = st.builds(
    Subject, name=TEXTS, digests=st.binary(min_size=32, max_size=32).map(lambda d: (("sha256", d.hex()),))
)
SUMMARIES = st.builds(
    VerificationSummary,
    verifier=TEXTS,
    resource=TEXTS,
    policy=TEXTS,
    passed=st.just(value=True),
    levels=st.lists(TEXTS, max_size=2).map(tuple),
    versions=st.dictionaries(TEXTS, TEXTS, max_size=2).map(lambda found: tuple(sorted(found.items()))),
    policy_digests=st.just((("sha256", C),)),
    verified_at=TEXTS,
    inputs=st.lists(NAMED, max_size=2).map(tuple),
)


@given(SUMMARIES, st.lists(NAMED, min_size=1, max_size=3))
def test_a_summary_is_read_back_as_it_was_written(
    summary: VerificationSummary, subjects: list[Subject]
) -> None:
    payload = verification_summary(summary, subjects)
    attestation = read_attestation(payload)
    assert attestation.facts == summary
    assert set(attestation.subjects) == set(subjects)
    assert verification_summary(summary, subjects[::-1]) == payload


def test_a_verdict_that_is_not_a_pass_claims_no_level() -> None:
    summary = VerificationSummary(
        verifier="v", resource="r", policy="p", passed=False, levels=("SLSA_BUILD_LEVEL_3",)
    )
    assert read_attestation(verification_summary(summary, SUBJECTS)).facts == replace(
        summary, levels=("FAILED",)
    )
