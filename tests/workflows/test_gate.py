"""Who vouches for a model, and may it be used: both verdicts of one look."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from aibom.domain.check import Outcome
from aibom.domain.finding import Severity
from aibom.domain.verdict import Verdict, judge
from aibom.policy import Policy, parse_policy
from aibom.workflows import gate as gate_module
from aibom.workflows import places, verify
from aibom.workflows.gate import Gated, gate
from aibom.workflows.scan import ScanRequest
from aibom.workflows.verify import NobodyExpectedError, VerifyRequest
from tests.workflows.signed_models import EXPECTED, STRANGER, Watched, folder_of, signed, watch

FIXTURES = Path(__file__).parents[2] / "fixtures"
HEAD = "version: 1\nname: mine\n"


def policy_of(public_key: bytes, *more: str) -> Policy:
    pem = "".join(f"        {line}\n" for line in public_key.decode().splitlines())
    sections = "\n".join(more)
    return parse_policy(f"{HEAD}signature:\n  signers:\n    - key: |\n{pem}{sections}\n".encode())


OURS = policy_of(EXPECTED.public_key)
FORMATS = parse_policy(f"{HEAD}formats: {{allow: [gguf]}}\n".encode())


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """With weights that are known, so that there is a component to judge."""
    folder = folder_of(tmp_path / "m")
    shutil.copy(FIXTURES / "safetensors" / "small.safetensors", folder)
    return folder


def gated(model: Path, policy: Policy, **more: object) -> Gated:
    verifying = VerifyRequest(target=str(model), **more)  # type: ignore[arg-type]
    return gate(verifying, ScanRequest(targets=(str(model),), policy=policy))


def verdict(found: Gated) -> Verdict:
    return judge(found.report, Severity.HIGH, strict=False)


def test_the_policy_says_whose_signature_it_has_to_be(model: Path) -> None:
    signed(model)
    found = gated(model, OURS)
    assert found.verification.ok
    assert verdict(found) is Verdict.PASSED
    signed(model, STRANGER)
    found = gated(model, OURS)
    assert not found.verification.ok


def test_a_flag_says_more_than_the_policy(model: Path) -> None:
    signed(model)
    found = gated(model, FORMATS, expected=EXPECTED)
    assert found.verification.ok
    with pytest.raises(NobodyExpectedError):
        gated(model, FORMATS)


def test_a_verified_model_may_be_forbidden_all_the_same(model: Path) -> None:
    signed(model)
    found = gated(model, policy_of(EXPECTED.public_key, "formats: {allow: [gguf]}"))
    assert found.verification.ok
    assert verdict(found) is not Verdict.PASSED
    assert {each.rule for each in found.report.findings} >= {"formats"}


@pytest.mark.parametrize("shard_size", [None, 20])
def test_the_demand_for_a_signature_is_judged_by_what_verify_found(
    model: Path, shard_size: int | None
) -> None:
    signed(model, shard_size=shard_size)
    found = gated(model, OURS)
    [demand] = [each for each in found.report.demands if each.rule == "signature"]
    assert (demand.passed, demand.failed, demand.undecided) == (1, 0, 0)


def test_what_changed_after_signing_fails_both(model: Path) -> None:
    signed(model)
    (model / "weights.bin").write_bytes(b"changed")
    found = gated(model, OURS)
    assert found.verification.outcome is Outcome.CONTENT_MISMATCH


def test_each_file_is_read_once(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (model / "big.safetensors").write_bytes(b"x" * 1_000_000)
    signed(model)
    made: list[Watched] = watch(monkeypatch, places)
    again: list[Watched] = watch(monkeypatch, verify)
    assert gated(model, OURS).verification.ok
    assert made[0].read["big.safetensors"] >= 1_000_000
    assert {path for watched in again for path in watched.read} <= {"model.sig"}


def test_a_file_that_changed_between_both_is_read_again(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    signed(model)
    again: list[Watched] = watch(monkeypatch, verify)
    observe = gate_module.observe

    def then_changed(request: ScanRequest, progress: object) -> object:
        report = observe(request, None)
        (model / "weights.bin").write_bytes(b"changed in between")
        return report

    monkeypatch.setattr(gate_module, "observe", then_changed)
    assert gated(model, OURS).verification.outcome is Outcome.CONTENT_MISMATCH
    assert "weights.bin" in again[0].read
