"""What a bundle says of itself, of every kind, and nothing of it is called verified."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from aibom.domain.attestation import Subject, VerificationSummary
from aibom.domain.errors import UnreadableError
from aibom.trust.attestations import bom_statement, verification_summary
from aibom.trust.bundle import read_bundle
from aibom.trust.signers import certificate_signer
from aibom.workflows.inspect import inspect
from aibom.workflows.sign import HeldKey
from tests.services.fake_sigstore import FakeSigstore
from tests.trust.certificates import MAIL, PAYLOAD, SIGNER, authority, issue, private_pem
from tests.workflows.signed_models import (
    FILES,
    HAND,
    STRANGER,
    folder_of,
    listing,
    sha256,
    signed,
    signed_file,
)  # fmt: skip


def told(path: Path, name: str) -> list[str]:
    return [text for label, text in inspect(path) if label == name]


def written(place: Path, data: bytes) -> Path:
    path = place / "x.sigstore.json"
    path.write_bytes(data)
    return path


def test_a_model_signature_says_key_model_and_what_it_does_not_cover(tmp_path: Path) -> None:
    path = signed(folder_of(tmp_path / "m"), STRANGER, ignored=("logs",), shard_size=30)
    [payload] = told(path, "payload")
    bundle = read_bundle(path.read_bytes())
    assert bundle.envelope is not None
    assert payload == f"application/vnd.in-toto+json, sha256:{sha256(bundle.envelope.payload)}"
    assert inspect(path) == [
        ("bundle", "application/vnd.dev.sigstore.bundle.v0.3+json"),
        ("signed with", f"a bare key, hint {bundle.key_hint}"),
        ("payload", payload),
        ("statement", "https://in-toto.io/Statement/v1"),
        ("predicate", "https://model_signing/signature/v1.0"),
        ("model", "m, 3 files, sha256 by shards"),
        ("not covered", "logs"),
    ]


def test_many_paths_that_are_not_covered_are_counted(tmp_path: Path) -> None:
    path = signed(folder_of(tmp_path / "m"), ignored=tuple(f"logs{number}" for number in range(25)))
    paths = told(path, "not covered")
    assert len(paths) == 21
    assert paths[-1] == "... and 5 more"


def test_a_key_without_a_hint_is_a_bare_key(tmp_path: Path) -> None:
    document = json.loads(HAND.statement(PAYLOAD))
    document["verificationMaterial"]["publicKey"] = {}
    assert told(written(tmp_path, json.dumps(document).encode()), "signed with") == ["a bare key"]


def test_a_signed_file_says_which_bytes(tmp_path: Path) -> None:
    folder_of(tmp_path)
    path = signed_file(tmp_path / "weights.bin")
    assert told(path, "signs a file") == [f"sha256:{sha256(FILES['weights.bin'])}"]
    document = json.loads(path.read_bytes())
    del document["messageSignature"]["messageDigest"]
    assert told(written(tmp_path, json.dumps(document).encode()), "signs a file") == [
        "of which it states no digest"
    ]


def test_certificates_are_described_also_when_one_is_not_readable(tmp_path: Path) -> None:
    root = issue("root", authority(), days=(-60, 36_500))
    leaf = issue("leaf", SIGNER, root, days=(-30, 36_500))
    hand = HeldKey(signer=certificate_signer(private_pem(leaf.key), None, leaf.pem))
    path = written(tmp_path, hand.statement(PAYLOAD))
    assert told(path, "signed with") == ["a certificate"]
    [text] = told(path, "certificate")
    assert MAIL in text
    document = json.loads(path.read_bytes())
    document["verificationMaterial"]["x509CertificateChain"]["certificates"] *= 2
    document["verificationMaterial"]["x509CertificateChain"]["certificates"][1] = {"rawBytes": "AAAA"}
    path.write_text(json.dumps(document))
    assert "not readable" in told(path, "certificate")[1]


@pytest.mark.parametrize("rekor", [1, 2])
def test_logs_and_clocks_of_a_keyless_signature_are_told(tmp_path: Path, rekor: int) -> None:
    path = written(tmp_path, FakeSigstore(rekor=rekor).sign(PAYLOAD))
    assert told(path, "signed with") == ["a certificate of Fulcio (keyless)"]
    [entry] = told(path, "log entry")
    assert "with inclusion proof" in entry
    assert ("integrated at" in entry) is (rekor == 1)
    assert told(path, "RFC 3161 timestamps") == ([] if rekor == 1 else ["1"])


def test_a_log_entry_without_proof_is_told(tmp_path: Path) -> None:
    document = json.loads(FakeSigstore().sign(PAYLOAD))
    del document["verificationMaterial"]["tlogEntries"][0]["inclusionProof"]
    assert "without inclusion proof" in told(written(tmp_path, json.dumps(document).encode()), "log entry")[0]


def test_subjects_are_told_and_many_are_counted(tmp_path: Path) -> None:
    bom = json.dumps(listing({})).encode()
    digest = hashlib.sha256(b"").hexdigest()
    subjects = [Subject(name=f"{n:02}", digests=(("sha1", "a" * 40), ("sha256", digest))) for n in range(23)]
    lines = told(written(tmp_path, HAND.statement(bom_statement(bom, subjects))), "subject")
    assert lines[0] == f"00 sha1:{'a' * 40} sha256:{digest}"
    assert lines[20:] == ["... and 3 more"]
    assert told(tmp_path / "x.sigstore.json", "predicate") == ["https://cyclonedx.org/bom"]
    exact = told(written(tmp_path, HAND.statement(bom_statement(bom, subjects[:20]))), "subject")
    assert len(exact) == 20
    assert "more" not in exact[-1]


def test_the_facts_of_a_known_predicate_are_told(tmp_path: Path) -> None:
    summary = VerificationSummary(
        verifier="https://example.com/v",
        resource="file:m",
        policy="https://example.com/p",
        passed=False,
        versions=(("aibom", "1"),),
        inputs=tuple(Subject(name=f"{n}", digests=(("sha256", "a" * 64),)) for n in range(21)),
    )
    subject = Subject(name="m", digests=(("sha256", "b" * 64),))
    path = written(tmp_path, HAND.statement(verification_summary(summary, [subject])))
    assert told(path, "passed") == ["no"]
    assert told(path, "policy") == ["https://example.com/p"]
    assert told(path, "levels") == ["FAILED"]
    assert told(path, "versions") == ["aibom:1"]
    assert told(path, "inputs")[::20] == [f"0 sha256:{'a' * 64}", "... and 1 more"]
    assert told(path, "verified at") == []


@pytest.mark.parametrize("payload", [b"", b"{}", b'{"_type": "x", "predicateType": "y"}'])
def test_a_payload_that_is_no_statement_is_told(tmp_path: Path, payload: bytes) -> None:
    bundle = json.loads(HAND.statement(payload or b"no JSON"))
    path = written(tmp_path, json.dumps(bundle).encode())
    assert told(path, "not read")
    assert told(path, "payload")


def test_a_manifest_that_is_none_is_told(tmp_path: Path) -> None:
    statement = {
        "_type": "https://in-toto.io/Statement/v1", "predicateType": "https://model_signing/signature/v1.0",
        "subject": [{"name": "m", "digest": {"sha256": "a" * 64}}], "predicate": {},
    }  # fmt: skip
    path = written(tmp_path, HAND.statement(json.dumps(statement).encode()))
    assert told(path, "predicate") == ["https://model_signing/signature/v1.0"]
    assert told(path, "not read")


@pytest.mark.parametrize("data", [b"", b"no JSON", b"{}", b'{"mediaType": "x"}'])
def test_what_is_no_bundle_is_an_error(tmp_path: Path, data: bytes) -> None:
    with pytest.raises(UnreadableError):
        inspect(written(tmp_path, data))


def test_a_folder_or_nothing_is_an_error(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "no"):
        with pytest.raises(UnreadableError):
            inspect(path)
