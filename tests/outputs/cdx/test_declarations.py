"""Signatures in the document: references with digests, claims with their evidence, valid by the schema."""

from __future__ import annotations

import orjson
import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from aibom.domain.check import Check, CheckKind, Outcome
from aibom.domain.digest import Digest, Grade
from aibom.domain.entry import Entry
from aibom.domain.file import File
from aibom.domain.report import Report
from aibom.outputs import cyclonedx, lint, schema
from aibom.outputs.cdx.declarations import declarations, signatures
from aibom.outputs.cdx.index import Index
from tests.outputs.bom_samples import file, model, report, sha256

MODEL = "component:model:m"


def check(outcome: Outcome = Outcome.VERIFIED, **parts: str) -> Check:
    whole = {
        "subject": "model:m",
        "identity": "me@example.com",
        "detail": "why",
        "source": "m/model.sig",
    } | parts
    return Check(kind=CheckKind.SIGNATURE, outcome=outcome, **whole)


def sample(*checks: Check, files: tuple[File, ...] = (file("m/model.sig"),)) -> Report:
    return report(components=(model(files=("m/a.bin",)),), files=(file("m/a.bin"), *files), checks=checks)


def found(*checks: Check, **more: object) -> tuple[dict, list]:
    index = Index.of(sample(*checks, **more))  # type: ignore[arg-type]
    return declarations(index), signatures("model:m", index)


def test_a_verified_signature_is_a_claim_with_evidence_and_a_reference_with_its_digest() -> None:
    stated, references = found(check())
    assert stated == {
        "claims": [
            {
                "bom-ref": "claim:signature:1", "target": MODEL, "predicate": "signed by me@example.com",
                "reasoning": "verified: why", "evidence": ["evidence:signature:1"],
            }
        ],
        "evidence": [
            {
                "bom-ref": "evidence:signature:1", "propertyName": "aibom:check:signature",
                "description": "m/model.sig, checked offline against the digests of the files",
            }
        ],
    }  # fmt: skip
    assert references == [
        {
            "url": "m/model.sig", "type": "digital-signature", "comment": "verified: why",
            "hashes": [{"alg": "SHA-256", "content": sha256("m/model.sig")}],
        }
    ]  # fmt: skip


@pytest.mark.parametrize("outcome", [each for each in Outcome if each is not Outcome.VERIFIED])
def test_what_is_not_verified_is_evidence_against_the_claim(outcome: Outcome) -> None:
    stated, [reference] = found(check(outcome))
    [claim] = stated["claims"]
    assert claim["counterEvidence"] == ["evidence:signature:1"]
    assert "evidence" not in claim
    assert claim["reasoning"] == reference["comment"] == f"{outcome}: why"


def test_without_an_identity_nobody_is_named() -> None:
    stated, _ = found(check(Outcome.COULD_NOT_CHECK, identity=""))
    assert stated["claims"][0]["predicate"] == "signed"


def test_a_component_that_nobody_signed_has_no_claim() -> None:
    assert found(check(Outcome.UNSIGNED, identity="", source="")) == ({}, [])
    digest = Check(
        subject="model:m",
        kind=CheckKind.DIGEST,
        outcome=Outcome.VERIFIED,
        identity="lfs",
        source="m/model.sig",
    )
    assert found(digest) == ({}, [])
    assert found() == ({}, [])


def test_the_verdict_on_the_document_itself_is_no_claim_about_a_component() -> None:
    assert found(check(subject="m/model.sig")) == ({}, [])
    assert found(check(subject="model:unknown")) == ({}, [])


def test_each_signature_has_a_claim_of_its_own() -> None:
    files = (file("m/model.sig"), file("m/other.sig"))
    stated, references = found(check(), check(Outcome.EXPIRED, source="m/other.sig"), files=files)
    refs = [each["bom-ref"] for part in ("claims", "evidence") for each in stated[part]]
    assert len(set(refs)) == len(refs) == 4
    assert [each["url"] for each in references] == ["m/model.sig", "m/other.sig"]
    proofs = {each["bom-ref"]: each["description"] for each in stated["evidence"]}
    second = stated["claims"][1]
    assert proofs[second["counterEvidence"][0]].startswith("m/other.sig")


def test_a_digest_that_is_only_claimed_is_not_told_as_one() -> None:
    claimed = Digest(algorithm="sha256", value="a" * 64, grade=Grade.CLAIMED)
    pointer = File(entry=Entry(path="m/model.sig", size=1), digests=(claimed,))
    _, [reference] = found(check(), files=(pointer,))
    assert "hashes" not in reference


def test_a_document_that_is_not_among_the_files_has_no_reference() -> None:
    stated, references = found(check(), files=())
    assert (len(stated["claims"]), references) == (1, [])


@pytest.mark.parametrize("spec_version", ["1.6", "1.7"])
@pytest.mark.parametrize("path", ["m/model.sig", "a:b.sig", "m/a b#?%.sig", "m/ä\udcff\x1b.sig", "//x.sig"])
def test_the_document_is_valid_whatever_the_file_is_called(path: str, spec_version: str) -> None:
    path = path.lstrip("/") or path
    checks = [check(outcome, source=path, identity="a\x1b\u202e", detail="\x1b") for outcome in Outcome]
    data = cyclonedx.render(sample(*checks, files=(file(path),)), spec_version=spec_version)
    assert schema.errors(data) == []
    assert lint.problems(data) == ()
    assert JsonStrictValidator(SchemaVersion.from_version(spec_version)).validate_str(data.decode()) is None
    document = orjson.loads(data)
    assert len(document["declarations"]["claims"]) == len(Outcome)
    assert b"\\u001b" not in data
