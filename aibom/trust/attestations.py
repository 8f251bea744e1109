"""In-toto statements: read with the facts of known predicates, and written for BOMs and verdicts.

Formats: github.com/in-toto/attestation, Statement v0.1 and v1 and spec/predicates; slsa.dev, provenance
v0.2 and v1, verification summary v1. As they ask, members that are not known are ignored.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

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
from aibom.domain.errors import malformed, unsupported
from aibom.domain.limits import MIB
from aibom.readers import json
from aibom.readers.json import Json
from aibom.trust.dsse import STATEMENT
from aibom.trust.fields import Fields, canonical, checked_text, parse

STATEMENT_BYTES: Final = 47 * MIB  # in base64, they fit into a bundle of 64 MiB
STATEMENT_VALUE_COUNT: Final = 1_000_000
SUBJECT_COUNT: Final = 100_000
ENTRY_COUNT: Final = 100_000  # of any list in a predicate

OLD_STATEMENT: Final = "https://in-toto.io/Statement/v0.1"
CYCLONEDX: Final = "https://cyclonedx.org/bom"
SPDX: Final = "https://spdx.dev/Document"
SUMMARY: Final = "https://slsa.dev/verification_summary/v1"


def read_attestation(payload: bytes) -> Attestation:
    """What a payload attests. Every subject has a digest; one of a known algorithm has its exact form.

    Raises malformed (also for a known predicate that lacks what decisions rest on), limit, or
    unsupported (another kind of statement).
    """
    statement = parse(payload, STATEMENT_BYTES, STATEMENT_VALUE_COUNT)
    statement_type, predicate_type = statement.text("_type"), statement.text("predicateType")
    if statement_type not in (STATEMENT, OLD_STATEMENT):
        raise unsupported(f"statement of type {statement_type[:120]!r}")
    subjects = tuple(_subject(entry) for entry in statement.sections("subject", SUBJECT_COUNT))
    if not subjects:
        raise malformed("a statement without subjects")
    read = _reader(predicate_type)
    return Attestation(
        statement_type=statement_type,
        predicate_type=predicate_type,
        subjects=subjects,
        facts=read(statement.section("predicate")) if read else None,
        predicate=canonical(statement.value("predicate")) if statement.has("predicate") else b"",
    )


def _subject(entry: Fields) -> Subject:
    digests = entry.digests("digest")
    if not digests:
        raise malformed(f"{entry.path('digest')} is empty: nothing says which file is meant")
    return Subject(name=entry.text("name", ""), digests=digests)


def _named_by_uri(entry: Fields) -> Subject:
    return Subject(name=entry.text("uri", "") or entry.text("name", ""), digests=entry.digests("digest"))


def _provenance(predicate: Fields) -> Provenance:
    definition, run = predicate.section("buildDefinition"), predicate.section("runDetails")
    metadata = run.optional("metadata")
    materials = tuple(
        _named_by_uri(entry) for entry in definition.sections("resolvedDependencies", ENTRY_COUNT)
    )
    source = _source(definition.optional("externalParameters"))
    return Provenance(
        builder=run.section("builder").text("id"),
        build_type=definition.text("buildType"),
        source=source,
        source_digests=_digests_of(source, materials),
        materials=materials,
        invocation=metadata.text("invocationId", ""),
        started=metadata.text("startedOn", ""),
        finished=metadata.text("finishedOn", ""),
    )


def _source(parameters: Fields) -> str:
    # `workflow` is of GitHub's build types, `source` of slsa-github-generator and Cloud Build. A
    # build type may use either name for something else.
    members = json.members(parameters.document())
    for section, key in (("workflow", "repository"), ("source", "uri"), ("source", "repository")):
        found = json.text(json.members(members.get(section)).get(key))
        if found:
            return checked_text(found, parameters.path(section))
    return ""


def _digests_of(source: str, materials: Sequence[Subject]) -> tuple[tuple[str, str], ...]:
    # `git+https://github.com/o/r@refs/heads/main`: the `@` keeps `r` apart from `r2`.
    plain = source.removeprefix("git+")
    found = {
        material.digests
        for material in materials
        if plain and f"{material.name.removeprefix('git+')}@".startswith(f"{plain}@")
    }
    return found.pop() if len(found) == 1 else ()


def _old_provenance(predicate: Fields) -> Provenance:
    metadata = predicate.optional("metadata")
    source = _named_by_uri(predicate.optional("invocation").optional("configSource"))
    return Provenance(
        builder=predicate.section("builder").text("id"),
        build_type=predicate.text("buildType"),
        source=source.name,
        source_digests=source.digests,
        materials=tuple(_named_by_uri(entry) for entry in predicate.sections("materials", ENTRY_COUNT)),
        invocation=metadata.text("buildInvocationId", ""),
        started=metadata.text("buildStartedOn", ""),
        finished=metadata.text("buildFinishedOn", ""),
    )


def _cyclonedx(predicate: Fields) -> BillOfMaterials:
    if predicate.text("bomFormat") != "CycloneDX":
        raise malformed("predicate.bomFormat is not CycloneDX")
    return BillOfMaterials(
        format="CycloneDX",
        spec_version=predicate.text("specVersion"),
        serial=predicate.text("serialNumber", ""),
    )


def _spdx(predicate: Fields) -> BillOfMaterials:
    # SPDX 3 is a graph in JSON-LD without these members.
    version = predicate.text("spdxVersion", "3" if predicate.has("@graph") else None)
    return BillOfMaterials(
        format="SPDX",
        spec_version=version.removeprefix("SPDX-"),
        serial=predicate.text("documentNamespace", ""),
    )


def _summary(predicate: Fields) -> VerificationSummary:
    verifier, policy = predicate.section("verifier"), predicate.section("policy")
    return VerificationSummary(
        verifier=verifier.text("id"),
        resource=predicate.text("resourceUri"),
        policy=policy.text("uri"),
        passed=predicate.one_of("verificationResult", ("PASSED", "FAILED")) == "PASSED",
        levels=predicate.texts("verifiedLevels", ENTRY_COUNT),
        versions=verifier.optional("version").all_texts(),
        policy_digests=policy.digests("digest"),
        verified_at=predicate.text("timeVerified", ""),
        inputs=tuple(_named_by_uri(entry) for entry in predicate.sections("inputAttestations", ENTRY_COUNT)),
    )


def _suite_result(predicate: Fields) -> SuiteResult:
    return SuiteResult(
        result=predicate.one_of("result", ("PASSED", "WARNED", "FAILED")),
        passed=predicate.texts("passedTests", ENTRY_COUNT),
        warned=predicate.texts("warnedTests", ENTRY_COUNT),
        failed=predicate.texts("failedTests", ENTRY_COUNT),
        url=predicate.text("url", ""),
    )


def _vulnerabilities(predicate: Fields) -> Vulnerabilities:
    scanner = predicate.section("scanner")
    database = scanner.optional("db")
    scanner.value("result")  # an absent list is not a list of none
    found = (
        # v0.1 is documented with the identifier one level deeper, and shown without.
        (entry.section("vulnerability") if entry.has("vulnerability") else entry).text("id")
        for entry in scanner.sections("result", ENTRY_COUNT)
    )
    return Vulnerabilities(
        scanner=scanner.text("uri"),
        found=tuple(sorted(set(found))),
        scanner_version=scanner.text("version", ""),
        database=database.text("uri", ""),
        database_updated=database.text("lastUpdate", ""),
        finished=predicate.optional("metadata").text("scanFinishedOn", ""),
    )


_READERS: Final[dict[str, Callable[[Fields], Predicate]]] = {
    "https://slsa.dev/provenance/v1": _provenance,
    "https://slsa.dev/provenance/v0.2": _old_provenance,
    CYCLONEDX: _cyclonedx,
    SPDX: _spdx,
    SUMMARY: _summary,
    "https://in-toto.io/attestation/test-result/v0.1": _suite_result,
    "https://in-toto.io/attestation/vulns/v0.1": _vulnerabilities,
    "https://in-toto.io/attestation/vulns/v0.2": _vulnerabilities,
}


def _reader(predicate_type: str) -> Callable[[Fields], Predicate] | None:
    # The two of BOMs are also written with the version of the document behind them.
    for versioned in (CYCLONEDX, SPDX):
        if predicate_type.startswith(f"{versioned}/v"):
            return _READERS[versioned]
    return _READERS.get(predicate_type)


def bom_statement(bom: bytes, subjects: Sequence[Subject]) -> bytes:
    """A statement v1 with a CycloneDX document in JSON as its predicate, about `subjects`.

    Equal documents give equal bytes. Raises UnreadableError for another document, and for what
    `read_attestation` would refuse.
    """
    return _statement(CYCLONEDX, subjects, parse(bom, STATEMENT_BYTES, STATEMENT_VALUE_COUNT).document())


def verification_summary(summary: VerificationSummary, subjects: Sequence[Subject]) -> bytes:
    """A statement v1 that says how `subjects` were judged; raises as `bom_statement`."""
    predicate: dict[str, Json] = {
        "verifier": {"id": summary.verifier, "version": dict[str, Json](summary.versions)},
        "resourceUri": summary.resource,
        "policy": {"uri": summary.policy, "digest": dict[str, Json](summary.policy_digests)},
        "inputAttestations": [
            {"uri": used.name, "digest": dict[str, Json](used.digests)} for used in summary.inputs
        ],
        "verificationResult": "PASSED" if summary.passed else "FAILED",
        "verifiedLevels": list[Json](summary.levels) if summary.passed else ["FAILED"],
    }
    if summary.verified_at:
        predicate["timeVerified"] = summary.verified_at
    return _statement(SUMMARY, subjects, predicate)


def _statement(predicate_type: str, subjects: Sequence[Subject], predicate: Json) -> bytes:
    ordered = sorted(subjects, key=lambda subject: (subject.name, subject.digests))
    listed: list[Json] = [
        {"name": subject.name, "digest": dict[str, Json](subject.digests)} for subject in ordered
    ]
    payload = canonical(
        {"_type": STATEMENT, "subject": listed, "predicateType": predicate_type, "predicate": predicate}
    )
    read_attestation(payload)
    return payload
