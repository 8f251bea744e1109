"""`aibom sign` as a user types it, and that no secret of the signer is ever shown."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from aibom.cli.main import _run
from aibom.domain.signing import Material
from aibom.trust.bundle import read_bundle
from aibom.trust.oms import read_manifest
from tests.services.attack import Attack
from tests.services.fake_sigstore import IDENTITY, ISSUER, FakeSigstore
from tests.trust.certificates import MAIL, SIGNER, authority, ec_key, issue, private_pem, public_pem

PASSWORD = "correct-horse-battery-staple"
KEY, OTHER = ec_key(), ec_key()
ROOT = issue("root", authority(), days=(-1000, 1000))
LEAF = issue("release", SIGNER, ROOT, days=(-1, 1000))
LATE = issue("release", SIGNER, ROOT, days=(-900, -800))
Captured = pytest.CaptureFixture[bytes]


@pytest.fixture(autouse=True)
def _own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith(("AIBOM_", "XDG_", "ACTIONS_", "SIGSTORE_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    for name, data in {
        "k.pem": private_pem(KEY),
        "k.pub": public_pem(KEY),
        "locked.pem": private_pem(KEY, PASSWORD.encode()),
        "leaf.pem": private_pem(LEAF.key),
        "leaf.crt": LEAF.pem,
        "late.pem": private_pem(LATE.key),
        "late.crt": LATE.pem,
        "root.crt": ROOT.pem,
    }.items():
        Path(name).write_bytes(data)
    Path("model").mkdir()
    Path("model/weights.bin").write_bytes(b"weights" * 100)
    Path("model/config.json").write_bytes(b"{}")


def sign(*arguments: str, key: str = "k.pem") -> int:
    return _run(["sign", *arguments, "--key", key])


def test_a_model_is_signed_beside_its_files_and_says_so(capfdbinary: Captured) -> None:
    assert sign("model", "model") == 0
    captured = capfdbinary.readouterr()
    size = Path("model/model.sig").stat().st_size
    assert captured.out == b""
    assert captured.err.decode() == f"signed 2 files, wrote model/model.sig ({size:,} bytes)\n"
    assert sign("model", "model", "-q") == 0  # the older signature is no part of the model
    assert capfdbinary.readouterr() == (b"", b"")
    assert _run(["verify", "model", "--key", "k.pub"]) == 0


@pytest.mark.parametrize("flags", [["--hash", "blake3"], ["--hash", "blake2b"], ["--shard-size", "300"]])
def test_what_is_signed_by_another_method_is_verified(flags: list[str]) -> None:
    assert sign("model", "model", *flags) == 0
    assert _run(["verify", "model", "--key", "k.pub"]) == 0
    Path("model/weights.bin").write_bytes(b"weightS" * 100)
    assert _run(["verify", "model", "--key", "k.pub"]) == 1


def test_what_is_ignored_is_said_in_the_signature(capfdbinary: Captured) -> None:
    Path("model/notes").mkdir()
    Path("model/notes/a.txt").write_text("a")
    assert sign("model", "model", "--ignore", "notes/") == 0
    envelope = read_bundle(Path("model/model.sig").read_bytes()).envelope
    assert envelope is not None
    assert read_manifest(envelope.payload).ignore_paths == ("notes",)
    Path("model/notes/a.txt").write_text("b")
    assert _run(["verify", "model", "--key", "k.pub"]) == 0
    assert b"ignored    notes/a.txt\n               the signer left it out" in capfdbinary.readouterr().out


def test_a_model_of_one_file_has_its_signature_beside_it() -> None:
    assert sign("model", "model/weights.bin") == 0
    assert Path("model/weights.bin.sig").is_file()
    assert _run(["verify", "model/weights.bin", "--key", "k.pub"]) == 0


def test_a_file_or_a_bill_of_materials_is_signed_under_its_own_name() -> None:
    assert sign("file", "model/weights.bin") == 0
    assert _run(["verify", "model/weights.bin", "--key", "k.pub"]) == 0
    Path("model/weights.bin.sigstore.json").unlink()
    assert _run(["scan", "model", "-f", "cyclonedx", "-o", "model/x.cdx.json", "-q", "--exit-zero"]) == 0
    assert sign("bom", "model/x.cdx.json") == 0
    assert _run(["verify", "model", "--key", "k.pub"]) == 0
    assert _run(["verify", "model/x.cdx.json", "--key", "k.pub"]) == 0


def test_a_bill_of_materials_that_was_changed_after_it_was_signed_is_told(capfdbinary: Captured) -> None:
    assert _run(["scan", "model", "-f", "cyclonedx", "-o", "model/x.cdx.json", "-q", "--exit-zero"]) == 0
    assert sign("bom", "model/x.cdx.json") == 0
    bill = json.loads(Path("model/x.cdx.json").read_bytes())
    Path("model/x.cdx.json").write_text(json.dumps(bill, indent=7))  # the same document
    assert _run(["verify", "model", "--key", "k.pub"]) == 0
    bill["metadata"]["licenses"] = [{"license": {"id": "MIT"}}]
    Path("model/x.cdx.json").write_text(json.dumps(bill))
    for arguments in (["model"], ["model/x.cdx.json"]):
        capfdbinary.readouterr()
        assert _run(["verify", *arguments, "--key", "k.pub"]) == 1
        assert b"it is not the document that was signed" in capfdbinary.readouterr().out


def test_signature_names_another_place() -> None:
    assert sign("model", "model", "--signature", "elsewhere.json") == 0
    assert not Path("model/model.sig").exists()
    assert _run(["verify", "model", "--signature", "elsewhere.json", "--key", "k.pub"]) == 0


def test_a_certificate_is_in_the_bundle() -> None:
    assert sign("model", "model", "--certificate", "leaf.crt", key="leaf.pem") == 0
    bundle = read_bundle(Path("model/model.sig").read_bytes())
    assert (bundle.material, bundle.certificates) == (Material.CERTIFICATE, (LEAF.der,))
    assert _run(["verify", "model", "--certificate-chain", "root.crt", "--identity", MAIL]) == 0


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["model", "no/such/model", "--key", "k.pem"], "its folder does not exist"),
        (["model", "hf://org/name", "--key", "k.pem"], "hf:/"),
        (["model", "model"], "name one"),
        (["model", "model", "--key", "k.pem", "--keyless"], "name one"),
        (["model", "model", "--keyless", "--certificate", "leaf.crt"], "--certificate needs --key"),
        (["model", "model", "--key", "k.pem", "--certificate-chain", "root.crt"], "needs --certificate"),
        (["model", "model", "--key", "no.pem"], "cannot read 'no.pem'"),
        (["model", "model", "--key", "k.pub"], "not a private key"),
        (["model", "model", "--key", "locked.pem"], "password"),
        (["model", "model", "--key", "k.pem", "--certificate", "leaf.crt"], "certificate"),
        (["model", "model", "--key", "late.pem", "--certificate", "late.crt"], "valid"),
        (["model", "model", "--key", "k.pem", "--signature", "no/such/x.sig"], "its folder does not exist"),
        (["model", "model", "--key", "k.pem", "--hash", "md5"], "'md5' is not one of"),
        (["model", "model", "--key", "k.pem", "--shard-size", "0"], "--shard-size"),
        (["file", "model", "--key", "k.pem"], "no single file"),
        (["bom", "model/config.json", "--key", "k.pem"], "not a CycloneDX document"),
        (["model", "model", "--keyless"], "token"),
        (["nothing", "model"], "nothing"),
    ],
)
def test_a_wrong_word_is_a_usage_error_and_writes_nothing(
    arguments: list[str], words: str, capfdbinary: Captured
) -> None:
    before = sorted(Path().rglob("*"))
    assert _run(["sign", *arguments]) == 2
    captured = capfdbinary.readouterr()
    assert captured.out == b""
    assert words in captured.err.decode()
    assert sorted(Path().rglob("*")) == before


def test_what_cannot_be_read_is_never_left_out_silently(capfdbinary: Captured) -> None:
    Path("model/link.bin").symlink_to("/etc/passwd")
    assert sign("model", "model") == 2
    assert b"link.bin" in capfdbinary.readouterr().err
    assert not Path("model/model.sig").exists()


def test_an_older_signature_stays_whole_when_signing_fails() -> None:
    Path("model/model.sig").write_bytes(b"older")
    Path("model/link.bin").symlink_to("/etc/passwd")
    assert sign("model", "model") == 2
    assert Path("model/model.sig").read_bytes() == b"older"


# Secrets


def shown(capfdbinary: Captured) -> bytes:
    captured = capfdbinary.readouterr()
    return captured.out + captured.err


def crash(*_: object, **__: object) -> bytes:
    raise RuntimeError("a bug")


def test_the_password_of_a_key_is_used_and_never_shown(
    monkeypatch: pytest.MonkeyPatch, capfdbinary: Captured
) -> None:
    monkeypatch.setenv("AIBOM_KEY_PASSWORD", PASSWORD)
    assert sign("model", "model", key="locked.pem") == 0
    assert _run(["verify", "model", "--key", "k.pub"]) == 0
    assert sign("model", "model", key="k.pub") == 2
    assert sign("model", "model", key="k.pem") in (0, 2)  # a password, and a key without one
    monkeypatch.setattr("aibom.workflows.sign.sign_statement", crash)
    assert sign("model", "model", key="locked.pem") == 70
    text = shown(capfdbinary)
    assert b"RuntimeError: a bug" in text
    assert PASSWORD.encode() not in text
    assert PASSWORD.encode() not in Path("model/model.sig").read_bytes()


def test_a_wrong_password_is_not_shown_either(monkeypatch: pytest.MonkeyPatch, capfdbinary: Captured) -> None:
    monkeypatch.setenv("AIBOM_KEY_PASSWORD", f"{PASSWORD}!")
    assert sign("model", "model", key="locked.pem") == 2
    text = shown(capfdbinary)
    assert b"password" in text
    assert PASSWORD.encode() not in text
    assert not Path("model/model.sig").exists()


def test_the_private_key_is_not_shown_by_a_crash(
    monkeypatch: pytest.MonkeyPatch, capfdbinary: Captured
) -> None:
    monkeypatch.setattr("aibom.workflows.sign.sign_statement", crash)
    assert sign("model", "model") == 70
    assert private_pem(KEY).splitlines()[1][:20] not in shown(capfdbinary)


@pytest.fixture
def keyless() -> list[str]:
    return ["sign", "model", "model", "--keyless", "--trust-config", "config.json"]


@pytest.mark.parametrize("place", ["flag", "environment"])
def test_a_token_is_used_and_never_shown(
    place: str, keyless: list[str], monkeypatch: pytest.MonkeyPatch, capfdbinary: Captured
) -> None:
    with FakeSigstore() as services:
        Path("config.json").write_bytes(services.trust_config())
        token = services.token()
        if place == "environment":
            monkeypatch.setenv("AIBOM_IDENTITY_TOKEN", token)
        given = [*keyless, "--identity-token", token] if place == "flag" else keyless
        assert _run(given) == 0
        assert _run(["sign", "--help"]) == _run(["sign", "model", "--help"]) == 0
        assert _run([*given, "--no-such-flag"]) == _run([*given, "--key", "k.pem"]) == 2
        monkeypatch.setattr("aibom.workflows.sign.sign_keyless", crash)
        assert _run(given) == 70
    flags = ["--identity", IDENTITY, "--issuer", ISSUER, "--trust-root", "config.json"]
    assert _run(["verify", "model", *flags]) == 0
    text = shown(capfdbinary) + Path("model/model.sig").read_bytes()
    assert b"RuntimeError: a bug" in text
    assert all(part.encode() not in text for part in token.split(".")[1:])


@pytest.mark.parametrize(
    ("attack", "code"),
    [(Attack(refusal=True), 4), (Attack(no_ct=True), 2), (Attack(wrong_log_key=True), 2)],
    ids=["refusal", "no certificate log", "another log"],
)
def test_services_that_refuse_or_lie_are_an_error_without_the_token(
    attack: Attack, code: int, keyless: list[str], capfdbinary: Captured
) -> None:
    with FakeSigstore(attack) as services:
        Path("config.json").write_bytes(services.trust_config())
        token = services.token()
        assert _run([*keyless, "--identity-token", token]) == code
    text = shown(capfdbinary)
    assert text.startswith(b"Error: not signed: ")
    assert b"Traceback" not in text
    assert token.encode() not in text
    assert token.split(".")[1].encode() not in text
    assert not Path("model/model.sig").exists()


@pytest.mark.parametrize("token", ["nonsense", "a.b.c", "e30.e30.e30", "\u00e9.x.y", " "])
def test_a_token_that_is_none_is_a_usage_error_without_it(
    token: str, keyless: list[str], capfdbinary: Captured
) -> None:
    Path("config.json").write_bytes(FakeSigstore().trust_config())
    secret = f"{token}{PASSWORD}"
    assert _run([*keyless, "--identity-token", secret]) == 2
    text = shown(capfdbinary)
    assert PASSWORD.encode() not in text
    assert b"Traceback" not in text


def test_services_that_are_gone_are_an_error_without_the_token(
    keyless: list[str], capfdbinary: Captured
) -> None:
    with FakeSigstore() as gone:
        Path("config.json").write_bytes(gone.trust_config())
    token = gone.token()
    assert _run([*keyless, "--identity-token", token]) == 4
    text = shown(capfdbinary)
    assert text.startswith(b"Error: not signed: ")
    assert token.split(".")[1].encode() not in text
    assert b"Traceback" not in text


def test_no_secret_is_shown_when_python_itself_is_told_to_be_talkative() -> None:
    env = {**os.environ, "AIBOM_KEY_PASSWORD": PASSWORD, "PYTHONFAULTHANDLER": "1", "PYTHONDEVMODE": "1"}
    done = subprocess.run(
        [sys.executable, "-m", "aibom", "sign", "model", "model", "--key", "locked.pem"],
        env=env, capture_output=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert PASSWORD.encode() not in done.stdout + done.stderr
