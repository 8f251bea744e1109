"""Signatures in a scan: what they cover, what does not hold, and who is covered by nobody."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import orjson
import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from safetensors.numpy import save_file

from aibom.domain.attestation import Subject, VerificationSummary
from aibom.domain.check import Check, CheckKind, Outcome
from aibom.domain.component import Component, ComponentKind, IdentityBasis
from aibom.domain.digest import Digest, Grade
from aibom.domain.errors import Reason
from aibom.domain.gap import Gap, Stage
from aibom.domain.limits import PROBE_BYTES, WHOLE_FILE_BYTES
from aibom.domain.report import Report
from aibom.domain.signing import Expected, ExpectedKey, Judged
from aibom.outputs import cyclonedx, lint, schema
from aibom.policy import parse_policy
from aibom.sources import resolve
from aibom.trust.attestations import verification_summary
from aibom.workflows import places
from aibom.workflows import signatures as workflow
from aibom.workflows.scan import ScanRequest, scan
from aibom.workflows.signatures import Signatures
from tests.workflows.signed_models import (
    EXPECTED,
    HAND,
    STRANGER,
    Watched,
    folder_of,
    listing,
    sha256,
    signed,
    signed_bom,
    signed_file,
    watch,
)  # fmt: skip

PACK = parse_policy(b"version: 1\nname: mine\nrules: {bad-signature: critical}\n")


@pytest.fixture
def model(tmp_path: Path) -> Path:
    folder = tmp_path / "m"
    folder.mkdir()
    save_file({"w": np.ones(4, np.float32)}, folder / "model.safetensors")
    (folder / "config.json").write_text('{"model_type": "bert"}')
    return folder


def scanned(*targets: Path, expected: Expected | None = EXPECTED, **more: object) -> Report:
    names = tuple(map(str, targets))
    return scan(ScanRequest(targets=names, policy=PACK, expected=expected, **more))  # type: ignore[arg-type]


def signatures(report: Report) -> set[tuple[str, str, Outcome]]:
    """Subject (a component by its name), source, outcome."""
    names = {component.id: f"<{component.name}>" for component in report.components}
    return {
        (names.get(each.subject, each.subject), each.source, each.outcome)
        for each in report.checks
        if each.kind is CheckKind.SIGNATURE
    }


def of_model(report: Report) -> set[Outcome]:
    [component] = [each for each in report.components if each.kind is ComponentKind.MODEL]
    return {each.outcome for each in report.checks if each.subject == component.id}


def findings(report: Report) -> list[str]:
    return sorted(each.found for each in report.findings if each.rule == "bad-signature")


def details(report: Report) -> str:
    return "\n".join(check.detail for check in report.checks)


def listed(model: Path, **changes: object) -> Path:
    files = {path.name: path.read_bytes() for path in sorted(model.iterdir())}
    out = model / "m.cdx.json"
    out.write_text(json.dumps(listing(files, **changes)))
    return out


def test_a_signed_model_is_verified_and_nothing_is_found(model: Path) -> None:
    signed(model)
    report = scanned(model)
    assert signatures(report) == {
        ("model.sig", "model.sig", Outcome.VERIFIED), ("<m>", "model.sig", Outcome.VERIFIED),
    }  # fmt: skip
    assert findings(report) == []
    assert all(each.identity.startswith("sha256:") for each in report.checks)


def test_a_changed_file_is_a_mismatch_and_one_finding(model: Path) -> None:
    signed(model)
    (model / "config.json").write_text('{"model_type": "gpt2"}')
    report = scanned(model)
    assert of_model(report) == {Outcome.CONTENT_MISMATCH}
    assert [each.split()[0] for each in findings(report)] == ["content-mismatch"]
    assert "1 changed" in details(report)


def test_an_extra_file_is_a_mismatch(model: Path) -> None:
    signed(model)
    (model / "evil.py").write_text("1")
    assert Outcome.CONTENT_MISMATCH in of_model(scanned(model))


def test_a_signer_who_left_the_weights_out_does_not_cover_the_model(model: Path) -> None:
    signed(model, ignored=("model.safetensors",))
    report = scanned(model)
    assert signatures(report) == {("model.sig", "model.sig", Outcome.VERIFIED), ("<m>", "", Outcome.UNSIGNED)}
    signed(model, ignored=("other",))
    assert of_model(scanned(model)) == {Outcome.VERIFIED}


def test_somebody_else_is_no_signer(model: Path) -> None:
    signed(model, STRANGER)
    report = scanned(model)
    assert of_model(report) == {Outcome.UNTRUSTED_SIGNER}
    assert [each.split()[0] for each in findings(report)] == ["untrusted-signer"]


def test_a_model_without_a_signature_is_unsigned_only_when_somebody_is_expected(model: Path) -> None:
    assert signatures(scanned(model)) == {("<m>", "", Outcome.UNSIGNED)}
    assert findings(scanned(model)) == ["unsigned"]
    assert "aibom sign" in details(scanned(model))
    assert signatures(scanned(model, expected=None)) == set()


def test_without_an_expectation_a_signature_is_told_and_not_verified(model: Path) -> None:
    signed(model)
    report = scanned(model, expected=None)
    assert of_model(report) == {Outcome.COULD_NOT_CHECK}
    assert findings(report) == []
    assert "it was not said whose" in details(report)


@pytest.mark.parametrize(
    ("bundle", "outcome"),
    [
        (b'{"mediaType": "application/x"}', Outcome.UNSUPPORTED),
        (b"{}", Outcome.COULD_NOT_CHECK),
        (b"garbage", Outcome.COULD_NOT_CHECK),
    ],
)
def test_a_signature_that_cannot_be_judged_does_not_let_the_model_pass(
    model: Path, bundle: bytes, outcome: Outcome
) -> None:
    (model / "model.sig").write_bytes(bundle)
    report = scanned(model)
    assert signatures(report) == {("model.sig", "model.sig", outcome), ("<m>", "", Outcome.UNSIGNED)}
    assert findings(report) == ["unsigned"]


def test_a_signature_of_a_good_kind_that_is_not_supported_covers_nothing(model: Path) -> None:
    signed(model, hash_type="blake3")
    report = scanned(model)
    assert signatures(report) == {
        ("model.sig", "model.sig", Outcome.UNSUPPORTED), ("<m>", "", Outcome.UNSIGNED),
    }  # fmt: skip
    assert "aibom verify" in details(report)
    signed(model, shard_size=10)
    assert Outcome.UNSUPPORTED in {outcome for _, _, outcome in signatures(scanned(model))}


@pytest.mark.parametrize("outcome", Outcome)
def test_only_a_verdict_on_the_signer_or_the_bytes_decides(
    model: Path, monkeypatch: pytest.MonkeyPatch, outcome: Outcome
) -> None:
    signed(model)
    if outcome is not Outcome.VERIFIED:
        judged = Judged(outcome=outcome, detail="why")
        monkeypatch.setattr(workflow, "judge_signature", lambda *parts: judged)
    is_open = outcome in (Outcome.UNSUPPORTED, Outcome.COULD_NOT_CHECK)
    report = scanned(model)
    assert of_model(report) == ({outcome, Outcome.UNSIGNED} if is_open else {outcome})
    assert bool(findings(report)) is (outcome is not Outcome.VERIFIED)


def test_files_of_other_programs_are_no_signatures(model: Path) -> None:
    folder_of(model, {"x.sig": b"\x89PGP"})
    assert signatures(scanned(model)) == {("<m>", "", Outcome.UNSIGNED)}


def test_a_large_document_could_not_be_checked(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    signed(model)
    monkeypatch.setattr(workflow, "BUNDLE_BYTES", 10)
    report = scanned(model)
    assert ("model.sig", "model.sig", Outcome.COULD_NOT_CHECK) in signatures(report)
    assert "at most 10" in details(report)


def test_an_expected_key_that_is_none_verifies_nothing(model: Path) -> None:
    signed(model)
    report = scanned(model, expected=ExpectedKey(public_key=b"no key"))
    assert signatures(report) == {
        ("model.sig", "model.sig", Outcome.COULD_NOT_CHECK), ("<m>", "", Outcome.UNSIGNED),
    }  # fmt: skip


def test_several_signatures_are_each_told(model: Path) -> None:
    signed(model)
    signed(model, STRANGER, model / "other.sig")
    report = scanned(model)
    assert signatures(report) == {
        ("model.sig", "model.sig", Outcome.VERIFIED), ("<m>", "model.sig", Outcome.VERIFIED),
        ("other.sig", "other.sig", Outcome.UNTRUSTED_SIGNER), ("<m>", "other.sig", Outcome.UNTRUSTED_SIGNER),
    }  # fmt: skip
    assert [each.split()[0] for each in findings(report)] == ["untrusted-signer"]


def test_each_folder_is_judged_by_its_own_signature(tmp_path: Path, model: Path) -> None:
    other = tmp_path / "n"
    other.mkdir()
    save_file({"v": np.zeros(4, np.float32)}, other / "model.safetensors")
    (other / "config.json").write_text('{"model_type": "bert"}')
    signed(model)
    for report in (scanned(tmp_path), scanned(model, other)):
        assert signatures(report) == {
            ("m/model.sig", "m/model.sig", Outcome.VERIFIED), ("<m>", "m/model.sig", Outcome.VERIFIED),
            ("<n>", "", Outcome.UNSIGNED),
        }  # fmt: skip


def test_a_signed_file_covers_a_model_of_that_file_only(tmp_path: Path, model: Path) -> None:
    alone = tmp_path / "alone"
    alone.mkdir()
    save_file({"w": np.ones(4, np.float32)}, alone / "one.safetensors")
    signed_file(alone / "one.safetensors")
    assert of_model(scanned(alone)) == {Outcome.VERIFIED}
    signed_file(model / "model.safetensors")
    report = scanned(model)
    assert of_model(report) == {Outcome.UNSIGNED}
    name = "model.safetensors.sigstore.json"
    assert (name, name, Outcome.VERIFIED) in signatures(report)


def test_signed_bytes_that_changed_or_are_gone(model: Path) -> None:
    signed_file(model / "config.json")
    (model / "config.json").write_text('{"model_type": "gpt2"}')
    report = scanned(model)
    name = "config.json.sigstore.json"
    assert signatures(report) == {(name, name, Outcome.CONTENT_MISMATCH), ("<m>", "", Outcome.UNSIGNED)}
    (model / "config.json").unlink()
    report = scanned(model)
    assert (name, name, Outcome.COULD_NOT_CHECK) in signatures(report)
    assert "not here" in details(report)


def test_a_signed_bill_of_materials_covers_a_model_with_all_its_files(model: Path) -> None:
    name = signed_bom(listed(model)).name
    report = scanned(model)
    assert signatures(report) == {(name, name, Outcome.VERIFIED), ("<m>", name, Outcome.VERIFIED)}
    (model / "config.json").write_text('{"model_type": "gpt2"}')
    assert of_model(scanned(model)) == {Outcome.UNSIGNED}


def test_names_count_in_a_signed_bill_of_materials(model: Path) -> None:
    (model / "generation_config.json").write_text("{}")
    name = signed_bom(listed(model)).name
    assert of_model(scanned(model)) == {Outcome.VERIFIED}
    (model / "x").write_bytes((model / "config.json").read_bytes())
    (model / "generation_config.json").rename(model / "config.json")
    (model / "x").rename(model / "generation_config.json")
    report = scanned(model)
    assert of_model(report) == {Outcome.UNSIGNED}
    assert (name, name, Outcome.VERIFIED) in signatures(report)


def test_a_statement_covers_a_model_all_of_whose_weights_it_names(model: Path) -> None:
    weights = (model / "model.safetensors").read_bytes()
    summary = VerificationSummary(verifier="https://v", resource="file:m", policy="https://p", passed=True)

    def state(*contents: bytes) -> set[Outcome]:
        subjects = [Subject(name="x", digests=(("sha256", sha256(data)),)) for data in contents]
        (model / "vsa.sigstore.json").write_bytes(HAND.statement(verification_summary(summary, subjects)))
        return of_model(scanned(model))

    assert state(weights, b"more") == {Outcome.VERIFIED}
    assert state(b"more") == {Outcome.UNSIGNED}
    (model / "model.safetensors").rename(model / "model-00001-of-00002.safetensors")
    second = model / "model-00002-of-00002.safetensors"
    save_file({"v": np.ones(4, np.float32)}, second)
    assert state(weights) == {Outcome.UNSIGNED}
    assert state(weights, second.read_bytes()) == {Outcome.VERIFIED}


def test_what_is_attested_about_a_model_is_told_with_its_predicate_and_level(model: Path) -> None:
    summary = VerificationSummary(
        verifier="https://v",
        resource="file:m",
        policy="https://p",
        passed=True,
        levels=("SLSA_BUILD_LEVEL_2",),
    )
    subject = Subject(name="x", digests=(("sha256", sha256((model / "model.safetensors").read_bytes())),))
    (model / "vsa.sigstore.json").write_bytes(HAND.statement(verification_summary(summary, [subject])))
    report = scanned(model)
    [found] = [check for check in report.checks if check.kind is CheckKind.PROVENANCE]
    assert found.outcome is Outcome.VERIFIED
    assert found.found == "https://slsa.dev/verification_summary/v1"
    assert found.detail == "SLSA_BUILD_LEVEL_2"
    assert found.source == "vsa.sigstore.json"
    signed(model)
    (model / "vsa.sigstore.json").unlink()
    assert not [check for check in scanned(model).checks if check.kind is CheckKind.PROVENANCE]


def test_a_signed_verdict_that_says_failed_covers_no_model(model: Path) -> None:
    summary = VerificationSummary(verifier="https://v", resource="file:m", policy="https://p", passed=False)
    digest = sha256((model / "model.safetensors").read_bytes())
    subject = Subject(name="x", digests=(("sha256", digest),))
    (model / "vsa.sigstore.json").write_bytes(HAND.statement(verification_summary(summary, [subject])))
    assert of_model(scanned(model)) == {Outcome.UNSIGNED}


@pytest.mark.parametrize("spec_version", ["1.6", "1.7"])
def test_the_verdicts_stand_in_a_valid_bill_of_materials(model: Path, spec_version: str) -> None:
    signed(model)
    signed(model, STRANGER, model / "a:b ä.sig")
    data = cyclonedx.render(scanned(model), spec_version=spec_version)
    assert schema.errors(data) == []
    assert lint.problems(data) == ()
    assert JsonStrictValidator(SchemaVersion.from_version(spec_version)).validate_str(data.decode()) is None
    document = orjson.loads(data)
    [component] = [each for each in document["components"] if each["name"] == "m"]
    references = [each for each in component["externalReferences"] if each["type"] == "digital-signature"]
    assert [each["url"] for each in references] == ["a%3Ab%20%C3%A4.sig", "model.sig"]
    assert references[1]["hashes"] == [
        {"alg": "SHA-256", "content": sha256((model / "model.sig").read_bytes())}
    ]
    claims = {each["reasoning"].split(":")[0]: each for each in document["declarations"]["claims"]}
    evidence = {each["bom-ref"] for each in document["declarations"]["evidence"]}
    assert {each["target"] for each in claims.values()} == {component["bom-ref"]}
    assert set(claims["verified"]["evidence"]) < evidence
    assert set(claims["untrusted-signer"]["counterEvidence"]) < evidence


def test_with_an_expectation_the_files_are_read_no_more_often(
    model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (model / "big.bin").write_bytes(b"x" * 1_000_000)
    signed(model)
    signed_bom(listed(model))
    made: list[Watched] = watch(monkeypatch, places)
    plain = scanned(model, expected=None, jobs=2)
    report = scanned(model, jobs=2)
    assert Outcome.VERIFIED in of_model(report)
    before, after = made[0].read, made[1].read
    assert before == after
    for path in ("big.bin", "model.safetensors", "config.json", "m.cdx.json"):
        size = (model / path).stat().st_size
        # What is too large to be held is looked at first, to see what it is.
        assert after[path] == size + (PROBE_BYTES if size > WHOLE_FILE_BYTES else 0)
    # How old a file is may change from one scan to the next, and whether it may be kept with it.
    assert [(file.path, file.digests) for file in plain.files] == [
        (file.path, file.digests) for file in report.files
    ]


# What only the values decide


def component(*paths: str, kind: ComponentKind = ComponentKind.MODEL, name: str = "x") -> Component:
    return Component(id=name, kind=kind, name=name, basis=IdentityBasis.DECLARED, files=paths)


@pytest.mark.parametrize("kind", ComponentKind)
def test_only_models_adapters_and_datasets_have_to_be_signed(kind: ComponentKind) -> None:
    found = Signatures(files={}, components=(component("a", kind=kind),), expected=EXPECTED).checks([])
    wanted = kind in (ComponentKind.MODEL, ComponentKind.ADAPTER, ComponentKind.DATASET)
    assert [each.outcome for each in found] == [Outcome.UNSIGNED] * wanted


def test_what_could_not_be_read_is_neither_missing_nor_unseen(model: Path) -> None:
    (model / "sub").mkdir()
    (model / "sub" / "a.txt").write_text("1")
    signed(model)
    report = scanned(model)
    files = {each.path: each for each in report.files}

    def checked(*gaps: str, without: str = "") -> set[Outcome]:
        lost = tuple(Gap(path=path, stage=Stage.OPEN, reason=Reason.DENIED, detail="denied") for path in gaps)
        found = Signatures(
            files={path: each for path, each in files.items() if path != without},
            components=report.components,
            expected=EXPECTED,
            gaps=lost,
        ).checks([("", resolve(str(model)))])
        return {each.outcome for each in found if each.source == each.subject}

    assert checked() == {Outcome.VERIFIED}
    assert checked(without="sub/a.txt") == {Outcome.CONTENT_MISMATCH}
    assert checked("sub/a.txt", without="sub/a.txt") == {Outcome.COULD_NOT_CHECK}
    assert checked("sub/", without="sub/a.txt") == {Outcome.COULD_NOT_CHECK}
    assert checked("more") == {Outcome.COULD_NOT_CHECK}
    assert checked("sub/a.txt") == {Outcome.VERIFIED}  # digested; what is in it is another matter


def test_a_claimed_digest_is_never_taken_for_one_that_was_computed(model: Path) -> None:
    signed(model)
    report = scanned(model)
    files = {each.path: each for each in report.files}
    claims = tuple(replace(each, grade=Grade.CLAIMED) for each in files["config.json"].digests)
    assert {type(each) for each in claims} == {Digest}
    files["config.json"] = replace(files["config.json"], digests=claims)
    found = Signatures(files=files, components=report.components, expected=EXPECTED).checks(
        [("", resolve(str(model)))]
    )
    assert Outcome.CONTENT_MISMATCH in {each.outcome for each in found}
    assert Outcome.VERIFIED not in {each.outcome for each in found}


def test_checks_are_in_order_and_name_the_document(model: Path) -> None:
    signed(model, to=model / "b.sig")
    signed(model, to=model / "a.sig")
    found: tuple[Check, ...] = tuple(
        each for each in scanned(model).checks if each.kind is CheckKind.SIGNATURE
    )
    assert list(found) == sorted(found, key=lambda each: (each.subject, each.source))
    assert {each.source for each in found} == {"a.sig", "b.sig"}
