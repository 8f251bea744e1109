"""What is attested about which files, and that no verdict is better than that of the scan."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from aibom import __version__
from aibom.domain.attestation import Attestation, BillOfMaterials, VerificationSummary
from aibom.domain.errors import Reason, UnreadableError
from aibom.domain.finding import Severity
from aibom.domain.verdict import Verdict, judge
from aibom.outputs import cyclonedx
from aibom.policy import parse_policy
from aibom.trust import attestations
from aibom.trust.attestations import read_attestation
from aibom.workflows.attest import Attested, AttestRequest, attest
from aibom.workflows.scan import ScanRequest, scan
from tests.hostile import FIXTURES

PACK = b"version: 1\nname: my policy\nrules: {dangerous-import: critical, unindexed-bytes: medium}\n"
POLICY = parse_policy(PACK)
EVIL = b"\x80\x04\x8c\x05posix\x8c\x06system\x93\x8c\x07echo hi\x85R."  # names a command; never loaded
POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"a" * 64 + b"\nsize 12345\n"
NOON = "2026-11-23T12:00:00Z"


def request(place: Path, **more: object) -> AttestRequest:
    looked = ScanRequest(targets=(str(place),), policy=POLICY, timestamp=NOON, reread=True)
    return AttestRequest(scan=looked, **more)  # type: ignore[arg-type]


def read(attested: Attested) -> Attestation:
    assert attested.statement is not None
    return read_attestation(attested.statement)


def summary(attested: Attested) -> VerificationSummary:
    facts = read(attested).facts
    assert isinstance(facts, VerificationSummary)
    return facts


def subjects(attested: Attested) -> dict[str, str | None]:
    return {subject.name: subject.sha256() for subject in read(attested).subjects}


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.fixture
def place(tmp_path: Path) -> Path:
    folder = tmp_path / "my model"
    (folder / "sub").mkdir(parents=True)
    save_file({"w": np.ones(4, np.float32)}, folder / "model.safetensors")
    save_file({"w": np.zeros(4, np.float32)}, folder / "sub" / "other.safetensors")
    (folder / "config.json").write_text('{"model_type": "bert"}')
    (folder / "README.md").write_text("# A model\n")
    return folder


def test_a_clean_model_passes_and_its_weights_are_the_subjects(place: Path) -> None:
    attested = attest(request(place))
    assert attested.verdict is Verdict.PASSED
    names = ("model.safetensors", "sub/other.safetensors")
    assert subjects(attested) == {name: sha256(place / name) for name in names}
    assert (attested.subjects, attested.findings) == (2, 0)


def test_the_summary_says_who_judged_what_by_which_policy_and_when(place: Path) -> None:
    assert summary(attest(request(place))) == VerificationSummary(
        verifier=f"pkg:pypi/aibom@{__version__}",
        resource="file:my%20model",
        policy=f"pkg:pypi/aibom@{__version__}#policies/baseline.yaml",
        passed=True,
        levels=("SLSA_BUILD_LEVEL_UNEVALUATED",),
        versions=(("aibom", __version__),),
        policy_digests=(("sha256", hashlib.sha256(PACK).hexdigest()),),
        verified_at=NOON,
    )
    own = {"verifier": "https://a.example/v", "resource": "hf:a/b@1", "policy": "file:mine.yaml"}
    named = summary(attest(request(place, **own)))
    assert (named.verifier, named.resource, named.policy) == tuple(own.values())


def test_a_finding_fails_and_the_statement_says_so(place: Path) -> None:
    (place / "old.bin").write_bytes(EVIL)
    attested = attest(request(place))
    assert attested.verdict is Verdict.VIOLATED
    assert attested.findings > 0
    told = summary(attested)
    assert (told.passed, told.levels) == (False, ("FAILED",))
    assert subjects(attested)["old.bin"] == sha256(place / "old.bin")


def test_a_finding_in_a_file_that_is_no_subject_fails_all_the_same(place: Path) -> None:
    template = json.dumps({"chat_template": "{{ ''.__class__.__mro__[1].__subclasses__() }}"})
    (place / "tokenizer_config.json").write_text(template)
    attested = attest(request(place))
    assert sorted(subjects(attested)) == ["model.safetensors", "sub/other.safetensors"]
    assert not summary(attested).passed


@pytest.mark.parametrize(("strict", "passed"), [(False, True), (True, False)])
def test_a_gap_fails_when_strict(place: Path, strict: bool, passed: bool) -> None:
    os.mkfifo(place / "pipe.safetensors")
    attested = attest(request(place, strict=strict))
    assert attested.gaps == 1
    assert summary(attested).passed is passed
    assert "pipe.safetensors" not in subjects(attested)


@pytest.mark.parametrize("folder", sorted(p.name for p in FIXTURES.iterdir() if p.is_dir()))
@pytest.mark.parametrize("strict", [False, True])
def test_no_statement_passes_what_the_scan_does_not_pass(folder: str, strict: bool) -> None:
    wanted = request(FIXTURES / folder, strict=strict)
    verdict = judge(scan(wanted.scan), Severity.HIGH, strict=strict)
    attested = attest(wanted)
    assert attested.verdict is verdict
    assert attested.statement is None or summary(attested).passed is (verdict is Verdict.PASSED)


def test_weights_that_cannot_be_read_are_subjects_by_their_name(place: Path) -> None:
    (place / "broken.gguf").write_bytes(b"GGUF")
    attested = attest(request(place))
    assert subjects(attested)["broken.gguf"] == sha256(place / "broken.gguf")


def test_a_pointer_is_no_subject(place: Path) -> None:
    (place / "big.safetensors").write_bytes(POINTER)
    assert sorted(subjects(attest(request(place)))) == ["model.safetensors", "sub/other.safetensors"]


def test_pointers_alone_are_nothing_to_attest(tmp_path: Path) -> None:
    (tmp_path / "big.safetensors").write_bytes(POINTER)
    assert attest(request(tmp_path)).statement is None


def test_without_weights_every_file_is_a_subject(tmp_path: Path) -> None:
    (tmp_path / "train.csv").write_text("a,b\n1,2\n")
    (tmp_path / "README.md").write_text("# Data\n")
    assert sorted(subjects(attest(request(tmp_path)))) == ["README.md", "train.csv"]


def test_an_empty_folder_has_no_statement(tmp_path: Path) -> None:
    attested = attest(request(tmp_path))
    assert (attested.verdict, attested.statement) == (Verdict.NOTHING, None)


def test_one_file_is_attested_by_its_name(place: Path) -> None:
    attested = attest(request(place / "model.safetensors"))
    assert subjects(attested) == {"model.safetensors": sha256(place / "model.safetensors")}
    assert summary(attested).resource == "file:model.safetensors"


def test_a_name_that_is_not_text_is_escaped(tmp_path: Path) -> None:
    folder = Path(os.fsdecode(bytes(tmp_path) + b"/m\xff#?"))
    folder.mkdir()
    save_file({"w": np.ones(1, np.float32)}, tmp_path / "w")
    (tmp_path / "w").rename(os.fsdecode(bytes(folder) + b"/w\xfe\n.safetensors"))
    attested = attest(request(folder))
    assert summary(attested).resource == "file:m%FF%23%3F"
    assert list(subjects(attested)) == [r"w\xfe\x0a.safetensors"]


def test_a_bill_of_materials_is_attested_about_the_same_files(place: Path) -> None:
    attested = attest(request(place, bom=cyclonedx.render))
    told = read(attested)
    assert isinstance(told.facts, BillOfMaterials)
    assert (told.predicate_type, told.facts.format) == ("https://cyclonedx.org/bom", "CycloneDX")
    assert subjects(attested) == subjects(attest(request(place)))
    assert attested.verdict is Verdict.PASSED


def test_equal_scans_give_equal_bytes(place: Path) -> None:
    assert attest(request(place)).statement == attest(request(place)).statement


def test_more_files_than_a_statement_holds_are_refused(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attestations, "SUBJECT_COUNT", 1)
    with pytest.raises(UnreadableError) as error:
        attest(request(place))
    assert error.value.reason is Reason.LIMIT
