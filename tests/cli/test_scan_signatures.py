"""`aibom scan` with an expected signer: the verdict in the table, the JSON and the exit code."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from aibom.cli.main import _run
from aibom.trust.bundle import read_bundle
from tests.hostile import FIXTURES
from tests.services.fake_sigstore import IDENTITY, ISSUER, FakeSigstore
from tests.trust.certificates import ec_key, private_pem, public_pem

KEY, OTHER = ec_key(), ec_key()
SERVICES = FakeSigstore()
Captured = pytest.CaptureFixture[bytes]
EXPECTED = ["--key", "k.pub"]


@pytest.fixture(autouse=True)
def _place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith(("AIBOM_", "XDG_", "SOURCE_DATE")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    Path("k.pem").write_bytes(private_pem(KEY))
    Path("k.pub").write_bytes(public_pem(KEY))
    Path("other.pub").write_bytes(public_pem(OTHER))
    Path("model").mkdir()
    shutil.copyfile(FIXTURES / "safetensors" / "small.safetensors", "model/model.safetensors")
    Path("model/config.json").write_text('{"model_type": "bert", "architectures": ["BertModel"]}')
    assert _run(["sign", "model", "model", "--key", "k.pem", "-q"]) == 0


def report(capfdbinary: Captured, *flags: str, code: int = 0) -> dict[str, Any]:
    capfdbinary.readouterr()
    assert _run(["scan", "model", *flags, "-f", "json"]) == code
    return json.loads(capfdbinary.readouterr().out)


def outcomes(found: dict[str, Any]) -> set[str]:
    return {check["outcome"] for check in found["checks"] if check["kind"] == "signature"}


def rules(found: dict[str, Any]) -> set[str]:
    return {finding["rule"] for finding in found["findings"]}


def shown(capfdbinary: Captured, *flags: str, code: int = 0) -> list[str]:
    capfdbinary.readouterr()
    assert _run(["scan", "model", *flags]) == code
    lines = capfdbinary.readouterr().out.decode().splitlines()
    assert max(map(len, lines)) <= 80
    return [line for line in lines if line.startswith("signatures: ")]


def test_a_good_signature_by_the_expected_key_passes_and_is_told(capfdbinary: Captured) -> None:
    (line,) = shown(capfdbinary, *EXPECTED)
    assert "verified" in line
    found = report(capfdbinary, *EXPECTED)
    assert outcomes(found) == {"verified"}
    assert "bad-signature" not in rules(found)
    subjects = {check["subject"] for check in found["checks"] if check["outcome"] == "verified"}
    assert {component["id"] for component in found["components"]} & subjects


def test_changed_bytes_are_a_finding_and_exit_with_1(capfdbinary: Captured) -> None:
    data = bytearray(Path("model/model.safetensors").read_bytes())
    data[-1] ^= 1
    Path("model/model.safetensors").write_bytes(data)
    (line,) = shown(capfdbinary, *EXPECTED, code=1)
    assert "content-mismatch" in line
    found = report(capfdbinary, *EXPECTED, code=1)
    assert "content-mismatch" in outcomes(found)
    assert "verified" not in outcomes(found)
    assert "bad-signature" in rules(found)
    assert report(capfdbinary, *EXPECTED, "--exit-zero")["checks"] == found["checks"]


@pytest.mark.parametrize("name", ["new.bin", "sub/new.safetensors", "model.safetensors.py"])
def test_a_file_that_nobody_signed_is_a_finding(name: str, capfdbinary: Captured) -> None:
    Path("model", name).parent.mkdir(exist_ok=True)
    Path("model", name).write_bytes(b"new")
    found = report(capfdbinary, *EXPECTED, code=1)
    assert "content-mismatch" in outcomes(found)
    assert "bad-signature" in rules(found)


def test_a_missing_file_is_a_finding(capfdbinary: Captured) -> None:
    Path("model/config.json").unlink()
    assert "content-mismatch" in outcomes(report(capfdbinary, *EXPECTED, code=1))


def test_another_signer_is_a_finding(capfdbinary: Captured) -> None:
    (line,) = shown(capfdbinary, "--key", "other.pub", code=1)
    assert "untrusted-signer" in line


def test_no_signature_is_no_pass_when_somebody_is_expected(capfdbinary: Captured) -> None:
    Path("model/model.sig").unlink()
    assert _run(["scan", "model", *EXPECTED]) == 1
    found = report(capfdbinary, *EXPECTED, code=1)
    assert outcomes(found) == {"unsigned"}
    assert "bad-signature" in rules(found)


def test_a_signature_that_cannot_be_read_is_no_pass(capfdbinary: Captured) -> None:
    signature = Path("model/model.sig").read_bytes()
    Path("model/model.sig").write_bytes(signature[:-30])
    found = report(capfdbinary, *EXPECTED, code=1)
    assert "verified" not in outcomes(found)
    Path("model/model.sig").write_bytes(signature.replace(b"v0.3+json", b"v0.9+json"))
    assert "unsupported" in outcomes(report(capfdbinary, *EXPECTED, code=1))


def test_nobody_expected_is_told_and_never_verified(capfdbinary: Captured) -> None:
    found = report(capfdbinary)
    assert outcomes(found) == {"could-not-check"}
    assert "bad-signature" not in rules(found)


def test_an_identity_is_expected_as_well(capfdbinary: Captured) -> None:
    envelope = read_bundle(Path("model/model.sig").read_bytes()).envelope
    assert envelope is not None
    Path("model/model.sig").write_bytes(SERVICES.sign(envelope.payload))
    Path("trust.json").write_bytes(SERVICES.trusted_root())
    flags = ["--identity", IDENTITY, "--issuer", ISSUER, "--trust-root", "trust.json"]
    assert outcomes(report(capfdbinary, *flags)) == {"verified"}
    other = report(capfdbinary, *flags[:2], "--issuer", "https://x.test", *flags[4:], code=1)
    assert "untrusted-signer" in outcomes(other)
    assert "untrusted-signer" in outcomes(report(capfdbinary, *flags[:4], code=1))  # the production root


def test_no_digest_of_an_earlier_run_stands_for_the_bytes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfdbinary: Captured
) -> None:
    monkeypatch.setenv("AIBOM_CACHE_DIR", str(tmp_path / "cache"))
    report(capfdbinary)
    weights = Path("model/model.safetensors")
    data, status = bytearray(weights.read_bytes()), weights.stat()
    data[-1] ^= 1
    weights.write_bytes(data)
    os.utime(weights, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert "content-mismatch" in outcomes(report(capfdbinary, *EXPECTED, code=1))


def test_the_verdict_is_in_the_bill_of_materials(capfdbinary: Captured) -> None:
    capfdbinary.readouterr()
    assert _run(["scan", "model", *EXPECTED, "-f", "cyclonedx"]) == 0
    assert b"verified" in capfdbinary.readouterr().out


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (["--identity", IDENTITY], "--identity and --issuer go together"),
        (["--key", "no.pub"], "cannot read 'no.pub'"),
        (["--key", "k.pem"], "private key"),
        ([*EXPECTED, "--issuer", ISSUER, "--identity", IDENTITY], "--key stands alone"),
        (["--certificate-chain", "k.pub", "--identity", IDENTITY], "not certificates"),
        ([*EXPECTED, "--trust-root", "k.pub"], "not JSON"),
    ],
)
def test_half_an_expectation_is_a_usage_error(flags: list[str], words: str, capfdbinary: Captured) -> None:
    assert _run(["scan", "model", *flags]) == 2
    captured = capfdbinary.readouterr()
    assert captured.out == b""
    assert words in captured.err.decode()
