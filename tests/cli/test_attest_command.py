"""`aibom attest` as a user types it."""

from __future__ import annotations

import base64
import hashlib
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from aibom.cli.main import _run
from aibom.cli.packs import policy_pack
from tests.hostile import FIXTURES
from tests.services.fake_sigstore import IDENTITY, ISSUER, FakeSigstore
from tests.trust.certificates import MAIL, SIGNER, authority, ec_key, issue, private_pem, public_pem

EVIL = b"\x80\x04\x8c\x05posix\x8c\x06system\x93\x8c\x07echo hi\x85R."  # names a command; never loaded
Captured = pytest.CaptureFixture[bytes]


@pytest.fixture(autouse=True)
def _own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith(("AIBOM_", "XDG_", "SOURCE_DATE_EPOCH")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))


@pytest.fixture
def place(tmp_path: Path) -> Path:
    folder = tmp_path / "place"
    folder.mkdir()
    weights = (FIXTURES / "safetensors" / "small.safetensors").read_bytes()
    (folder / "model.safetensors").write_bytes(weights)
    return folder


@pytest.fixture
def key(tmp_path: Path) -> Callable[[str], list[str]]:
    """The flag that signs, or the one that verifies."""
    private = ec_key()
    (tmp_path / "k.pem").write_bytes(private_pem(private))
    (tmp_path / "k.pub").write_bytes(public_pem(private))
    return lambda half: ["--key", str(tmp_path / f"k.{half}")]


def flip(file: Path) -> None:
    """Changes the last byte, which is one of a tensor."""
    data = bytearray(file.read_bytes())
    data[-1] ^= 1
    file.write_bytes(data)


def statement(capfdbinary: Captured) -> dict[str, Any]:
    return json.loads(capfdbinary.readouterr().out)


def test_a_clean_model_passes_on_standard_output(place: Path, capfdbinary: Captured) -> None:
    assert _run(["attest", str(place)]) == 0
    captured = capfdbinary.readouterr()
    assert captured.err == b"PASSED for 1 file (failing findings: 0, gaps: 0)\n"
    assert captured.out.count(b"\n") == 1
    told = json.loads(captured.out)
    assert told["_type"] == "https://in-toto.io/Statement/v1"
    assert told["predicateType"] == "https://slsa.dev/verification_summary/v1"
    weights = hashlib.sha256((place / "model.safetensors").read_bytes()).hexdigest()
    assert told["subject"] == [{"name": "model.safetensors", "digest": {"sha256": weights}}]
    assert told["predicate"]["verificationResult"] == "PASSED"
    pack = hashlib.sha256(policy_pack("baseline")).hexdigest()
    assert told["predicate"]["policy"]["digest"] == {"sha256": pack}
    assert told["predicate"]["policy"]["uri"].endswith("#policies/baseline.yaml")


def test_a_bad_model_fails_and_the_statement_is_written_all_the_same(
    place: Path, tmp_path: Path, capfdbinary: Captured
) -> None:
    (place / "old.bin").write_bytes(EVIL)
    result = tmp_path / "vsa.json"
    assert _run(["attest", str(place), "-o", str(result)]) == 1
    captured = capfdbinary.readouterr()
    assert captured.out == b""
    assert captured.err.startswith(b"FAILED for 2 files (failing findings: ")
    assert captured.err.endswith(f", wrote {result}\n".encode())
    predicate = json.loads(result.read_bytes())["predicate"]
    assert (predicate["verificationResult"], predicate["verifiedLevels"]) == ("FAILED", ["FAILED"])


def test_a_gap_fails_when_strict_with_the_exit_code_of_the_scan(place: Path, capfdbinary: Captured) -> None:
    os.mkfifo(place / "pipe")
    assert _run(["attest", str(place)]) == _run(["scan", str(place), "-q"]) == 0
    capfdbinary.readouterr()
    assert _run(["attest", str(place), "--strict"]) == 4
    assert statement(capfdbinary)["predicate"]["verificationResult"] == "FAILED"
    assert _run(["scan", str(place), "-q", "--strict"]) == 4


def test_nothing_to_attest_writes_nothing(tmp_path: Path, capfdbinary: Captured) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    result = tmp_path / "vsa.json"
    assert _run(["attest", str(empty), "-o", str(result)]) == 3
    assert b"holds no files" in capfdbinary.readouterr().err
    os.mkfifo(empty / "model.safetensors")
    assert _run(["attest", str(empty), "-o", str(result)]) == 4
    assert b"no file could be digested" in capfdbinary.readouterr().err
    assert not result.exists()


def test_flags_name_the_verifier_and_the_resource(place: Path, capfdbinary: Captured) -> None:
    uris = ["--verifier-id", "https://a.example/v", "--resource-uri", "pkg:huggingface/a/b@1"]
    assert _run(["attest", str(place), "-q", *uris]) == 0
    told = statement(capfdbinary)["predicate"]
    assert told["verifier"]["id"] == "https://a.example/v"
    assert told["resourceUri"] == "pkg:huggingface/a/b@1"


def test_the_time_is_the_one_of_the_environment(
    place: Path, monkeypatch: pytest.MonkeyPatch, capfdbinary: Captured
) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1767225600")
    assert _run(["attest", str(place)]) == 0
    first = capfdbinary.readouterr().out
    assert json.loads(first)["predicate"]["timeVerified"] == "2026-01-01T00:00:00Z"
    assert _run(["attest", str(place)]) == 0
    assert capfdbinary.readouterr().out == first


def test_no_digest_of_an_earlier_run_is_used(
    place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfdbinary: Captured
) -> None:
    monkeypatch.setenv("AIBOM_CACHE_DIR", str(tmp_path / "cache"))
    weights = place / "model.safetensors"
    before = weights.stat()
    assert _run(["scan", str(place), "-q"]) == 0
    kept = {path: path.read_bytes() for path in (tmp_path / "cache").iterdir()}
    assert kept
    capfdbinary.readouterr()
    flip(weights)
    os.utime(weights, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert _run(["attest", str(place)]) == 0
    (subject,) = statement(capfdbinary)["subject"]
    assert subject["digest"]["sha256"] == hashlib.sha256(weights.read_bytes()).hexdigest()
    assert {path: path.read_bytes() for path in (tmp_path / "cache").iterdir()} == kept


def test_a_bill_of_materials_can_be_the_predicate(place: Path, capfdbinary: Captured) -> None:
    assert _run(["attest", str(place), "--predicate", "cyclonedx"]) == 0
    told = statement(capfdbinary)
    assert told["predicateType"] == "https://cyclonedx.org/bom"
    assert told["predicate"]["bomFormat"] == "CycloneDX"
    assert [subject["name"] for subject in told["subject"]] == ["model.safetensors"]
    (place / "old.bin").write_bytes(EVIL)
    assert _run(["attest", str(place), "--predicate", "cyclonedx"]) == 1
    assert len(statement(capfdbinary)["subject"]) == 2


@pytest.mark.parametrize("predicate", ["summary", "cyclonedx"])
def test_what_a_key_signs_is_verified_against_the_model(
    predicate: str, place: Path, tmp_path: Path, key: Callable[[str], list[str]], capfdbinary: Captured
) -> None:
    bundle = tmp_path / "vsa.sigstore.json"
    signed = ["attest", str(place), "--predicate", predicate, *key("pem"), "-o", str(bundle)]
    assert _run(signed) == 0
    verified = ["verify", str(place), "--signature", str(bundle), *key("pub"), "-f", "json", "-q"]
    assert _run(verified) == 0
    assert statement(capfdbinary)["outcome"] == "verified"
    flip(place / "model.safetensors")
    assert _run(verified) == 1
    assert statement(capfdbinary)["outcome"] == "content-mismatch"


def test_what_is_signed_can_be_inspected(
    place: Path, tmp_path: Path, key: Callable[[str], list[str]], capfdbinary: Captured
) -> None:
    bundle = tmp_path / "vsa.sigstore.json"
    assert _run(["attest", str(place), *key("pem"), "-o", str(bundle)]) == 0
    assert _run(["inspect", str(bundle)]) == 0
    told = capfdbinary.readouterr().out.decode()
    weights = hashlib.sha256((place / "model.safetensors").read_bytes()).hexdigest()
    for words in (
        "a bare key",
        "https://slsa.dev/verification_summary/v1",
        f"model.safetensors sha256:{weights}",
    ):
        assert words in told


@pytest.mark.parametrize(
    "command",
    [["attest"], ["attest", "--predicate", "cyclonedx"], ["sign", "model"]],
    ids=["summary", "cyclonedx", "sign"],
)
def test_a_result_in_the_model_can_be_replaced_and_is_no_part_of_what_is_signed(
    command: list[str], place: Path, key: Callable[[str], list[str]]
) -> None:
    flag = "--signature" if command[0] == "sign" else "-o"
    bundle = place / "a[1].sigstore.json"
    for _ in range(2):
        assert _run([*command, str(place), *key("pem"), flag, str(bundle)]) == 0
        assert _run(["verify", str(place), *key("pub"), "-q"]) == 0


@pytest.mark.parametrize("command", [["attest"], ["sign", "model"]], ids=["attest", "sign"])
@pytest.mark.parametrize("target", ["", "model.safetensors"], ids=["folder", "file"])
def test_a_file_of_the_target_is_never_replaced(
    command: list[str], target: str, place: Path, key: Callable[[str], list[str]], capfdbinary: Captured
) -> None:
    flag = "--signature" if command[0] == "sign" else "-o"
    weights = place / "model.safetensors"
    before = weights.read_bytes()
    assert _run([*command, str(place / target), *key("pem"), flag, str(weights)]) == 2
    assert b"is a file of the target" in capfdbinary.readouterr().err
    assert weights.read_bytes() == before


def test_what_a_certificate_signs_is_verified_by_its_root(place: Path, tmp_path: Path) -> None:
    root = issue("root", authority(), days=(-1000, 1000))
    leaf = issue("release", SIGNER, root, days=(-1, 1000))
    (tmp_path / "k.pem").write_bytes(private_pem(leaf.key))
    (tmp_path / "c.pem").write_bytes(leaf.pem)
    (tmp_path / "r.pem").write_bytes(root.pem)
    bundle = str(tmp_path / "vsa.sigstore.json")
    held = ["--key", str(tmp_path / "k.pem"), "--certificate", str(tmp_path / "c.pem")]
    assert _run(["attest", str(place), *held, "-o", bundle]) == 0
    expected = ["--certificate-chain", str(tmp_path / "r.pem"), "--identity", MAIL]
    assert _run(["verify", str(place), "--signature", bundle, *expected]) == 0


def test_what_an_identity_signs_is_verified_by_name_and_issuer(place: Path, tmp_path: Path) -> None:
    bundle = str(tmp_path / "vsa.sigstore.json")
    with FakeSigstore() as services:
        config = tmp_path / "config.json"
        config.write_bytes(services.trust_config())
        flags = ["--keyless", "--trust-config", str(config), "--identity-token", services.token()]
        assert _run(["attest", str(place), *flags, "-o", bundle]) == 0
    expected = ["--identity", IDENTITY, "--issuer", ISSUER, "--trust-root", str(config)]
    assert _run(["verify", str(place), "--signature", bundle, *expected]) == 0


def test_every_flag_that_says_who_signs_can_be_a_variable(
    place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bundle = str(tmp_path / "vsa.sigstore.json")
    with FakeSigstore() as services:
        config = tmp_path / "config.json"
        config.write_bytes(services.trust_config())
        monkeypatch.setenv("AIBOM_KEYLESS", "1")
        monkeypatch.setenv("AIBOM_TRUST_CONFIG", str(config))
        monkeypatch.setenv("AIBOM_IDENTITY_TOKEN", services.token())
        assert _run(["attest", str(place), "-o", bundle]) == 0
    expected = ["--identity", IDENTITY, "--issuer", ISSUER, "--trust-root", str(config)]
    assert _run(["verify", str(place), "--signature", bundle, *expected]) == 0


def test_a_forgotten_variable_is_named(
    place: Path, key: Callable[[str], list[str]], monkeypatch: pytest.MonkeyPatch, capfdbinary: Captured
) -> None:
    monkeypatch.setenv("AIBOM_KEYLESS", "1")
    assert _run(["attest", str(place), *key("pem")]) == 2
    assert b"(set in the environment: AIBOM_KEYLESS)" in capfdbinary.readouterr().err


def test_a_variable_for_keyless_signing_alone_signs_nothing(
    place: Path, monkeypatch: pytest.MonkeyPatch, capfdbinary: Captured
) -> None:
    monkeypatch.setenv("AIBOM_STAGING", "1")
    monkeypatch.setenv("AIBOM_IDENTITY_TOKEN", "a token")
    assert _run(["attest", str(place)]) == 0
    assert statement(capfdbinary)["_type"] == "https://in-toto.io/Statement/v1"


def test_the_token_of_a_pipeline_is_asked_for_when_it_is_used(
    place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config, tokens = tmp_path / "config.json", []
    with FakeSigstore() as services:
        config.write_bytes(services.trust_config())

        def ambient() -> str:
            tokens.append("expired" if not tokens else services.token())
            return tokens[-1]

        monkeypatch.setattr("aibom.cli.hands.ambient_token", ambient)
        assert _run(["attest", str(place), "--keyless", "--trust-config", str(config)]) == 0
    assert len(tokens) == 2


def test_a_service_that_is_gone_is_no_mistake_of_the_user(
    place: Path, tmp_path: Path, capfdbinary: Captured
) -> None:
    with FakeSigstore() as services:
        config, token = tmp_path / "config.json", services.token()
        config.write_bytes(services.trust_config())
    flags = ["--keyless", "--trust-config", str(config), "--identity-token", token]
    assert _run(["attest", str(place), *flags]) == 4
    captured = capfdbinary.readouterr()
    assert captured.out == b""
    assert captured.err.startswith(b"Error: not attested: ")
    assert token.encode() not in captured.err


def test_a_password_that_is_missing_or_wrong_names_its_variable(
    place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfdbinary: Captured
) -> None:
    (tmp_path / "k.pem").write_bytes(private_pem(ec_key(), b"right"))
    signed = ["attest", str(place), "--key", str(tmp_path / "k.pem")]
    for password, code in (("", 2), ("wrong", 2), ("right", 0)):
        monkeypatch.setenv("AIBOM_KEY_PASSWORD", password)
        assert _run(signed) == code
        assert (b"AIBOM_KEY_PASSWORD" in capfdbinary.readouterr().err) is (code == 2)


def test_a_failed_verdict_is_signed_and_says_failed(
    place: Path, tmp_path: Path, key: Callable[[str], list[str]], capfdbinary: Captured
) -> None:
    (place / "old.bin").write_bytes(EVIL)
    assert _run(["attest", str(place), *key("pem")]) == 1
    payload = base64.b64decode(statement(capfdbinary)["dsseEnvelope"]["payload"])
    assert json.loads(payload)["predicate"]["verificationResult"] == "FAILED"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["no/such/place"], "no such file or folder"),
        (["{place}", "-o", "no/such/vsa.json"], "its folder does not exist"),
        (["{place}", "--verifier-id", "me"], "no URI"),
        (["{place}", "--verifier-id", "https://a b"], "no URI"),
        (["{place}", "--verifier-id", "https://a\n"], "no URI"),
        (["{place}", "--resource-uri", "urn:" + "a" * 3_000], "no URI"),
        (["{place}", "--certificate", "c.pem"], "name one"),
        (["{place}", "--certificate-chain", "c.pem"], "name one"),
        (["{place}", "--key", "k.pem", "--keyless"], "name one"),
        (["{place}", "--keyless", "--certificate", "c.pem"], "--certificate needs --key"),
        (["{place}", "--key", "k.pem", "--certificate-chain", "c.pem"], "needs --certificate"),
        (["{place}", "--key", "no/such/key.pem"], "cannot read"),
        (["{place}", "--key", "{place}/model.safetensors"], "not a private key"),
        (["{place}", "--key", ""], "cannot read"),
        (["{place}", "--pkcs11-module", "m.so"], "name one"),
        (["{place}", "--key", "k.pem", "--staging"], "--staging is for --keyless"),
        (["{place}", "--identity-token", "t"], "name one"),
        (["{place}", "--keyless", "--staging", "--trust-config", "c.json"], "--staging or --trust-config"),
        (["{place}", "-o", "{place}"], "it is a folder"),
        (["{place}", "--keyy", "k.pem"], "Did you mean one of: '--key'"),
        (["{place}", "--keyless", "--offline"], "--offline forbids it"),
        (["hf://org/name", "--offline"], "--offline forbids it"),
        (["{place}", "--predicate", "spdx"], "'spdx' is not one of"),
    ],
)
def test_a_wrong_word_is_a_usage_error_and_writes_nothing(
    arguments: list[str], words: str, place: Path, capfdbinary: Captured
) -> None:
    assert _run(["attest", *(each.replace("{place}", str(place)) for each in arguments)]) == 2
    captured = capfdbinary.readouterr()
    assert captured.out == b""
    assert words in captured.err.decode()


def test_offline_opens_no_socket(
    place: Path, key: Callable[[str], list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: object, **__: object) -> None:
        raise AssertionError("a socket was opened")

    monkeypatch.setattr("socket.socket.__init__", refused)
    monkeypatch.setattr("socket.getaddrinfo", refused)
    assert _run(["attest", str(place), "--offline", *key("pem")]) == 0
