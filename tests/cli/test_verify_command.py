"""`aibom verify` as a user types it."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from aibom.cli.main import _run
from aibom.trust.bundle import read_bundle, write_bundle
from aibom.trust.trust_root import embedded
from tests.services.fake_sigstore import IDENTITY, ISSUER, FakeSigstore
from tests.trust.certificates import (
    MAIL,
    SIGNER,
    authority,
    ec_key,
    envelope_by,
    issue,
    private_pem,
    public_pem,
)

KEY, OTHER = ec_key(), ec_key()
SERVICES = FakeSigstore()
ROOT = issue("root", authority(), days=(-1000, 1000))
LEAF = issue("release", SIGNER, ROOT, days=(-1, 1000))
LATE = issue("release", SIGNER, ROOT, days=(-900, -800))
Captured = pytest.CaptureFixture[bytes]


@pytest.fixture(autouse=True)
def _own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith(("AIBOM_", "XDG_", "NO_COLOR", "COLUMNS")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    for name, data in {
        "k.pem": private_pem(KEY),
        "k.pub": public_pem(KEY),
        "other.pub": public_pem(OTHER),
        "leaf.pem": private_pem(LEAF.key),
        "leaf.crt": LEAF.pem,
        "root.crt": ROOT.pem,
        "trust.json": SERVICES.trusted_root(),
    }.items():
        Path(name).write_bytes(data)


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A signed model."""
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "weights.bin").write_bytes(b"weights" * 100)
    (folder / "config.json").write_bytes(b"{}")
    assert _run(["sign", "model", "model", "--key", "k.pem", "-q"]) == 0
    return folder


def payload(model: Path) -> bytes:
    """What the signature of the model says."""
    envelope = read_bundle((model / "model.sig").read_bytes()).envelope
    assert envelope is not None
    return envelope.payload


def document(capfdbinary: Captured, *arguments: str, code: int = 0) -> dict[str, Any]:
    capfdbinary.readouterr()
    assert _run(["verify", "model", *arguments, "-f", "json"]) == code
    return json.loads(capfdbinary.readouterr().out)


def changed(model: Path) -> list[str]:
    (model / "weights.bin").write_bytes(b"Weights" * 100)
    return ["--key", "k.pub"]


def forged(model: Path) -> list[str]:
    signed = json.loads((model / "model.sig").read_bytes())
    envelope = envelope_by(OTHER, payload(model))
    other = json.loads(write_bundle(envelope, None, key_hint="x"))["dsseEnvelope"]["signatures"]
    signed["dsseEnvelope"]["signatures"] = other
    (model / "model.sig").write_text(json.dumps(signed))
    return ["--key", "k.pub"]


def expired(model: Path) -> list[str]:
    envelope = envelope_by(LATE.key, payload(model))
    (model / "model.sig").write_bytes(write_bundle(envelope, None, certificates=(LATE.der,)))
    return ["--certificate-chain", "root.crt", "--identity", MAIL]


def certified(model: Path) -> list[str]:
    flags = ["--key", "leaf.pem", "--certificate", "leaf.crt"]
    assert _run(["sign", "model", "model", *flags, "-q"]) == 0
    return ["--certificate-chain", "root.crt", "--identity", MAIL]


def keyless(model: Path) -> list[str]:
    (model / "model.sig").write_bytes(SERVICES.sign(payload(model)))
    return ["--identity", IDENTITY, "--issuer", ISSUER, "--trust-root", "trust.json"]


def unsigned(model: Path) -> list[str]:
    (model / "model.sig").unlink()
    return ["--key", "k.pub"]


def only_listed(model: Path) -> list[str]:
    (model / "model.sig").unlink()
    assert _run(["scan", "model", "-f", "cyclonedx", "-o", "model/bom.cdx.json", "-q"]) == 0
    return []


def newer(model: Path) -> list[str]:
    bundle = json.loads((model / "model.sig").read_bytes())
    (model / "model.sig").write_text(json.dumps(bundle | {"mediaType": "bundle.v9+json"}))
    return ["--key", "k.pub"]


def cut(model: Path) -> list[str]:
    (model / "model.sig").write_bytes((model / "model.sig").read_bytes()[:-20])
    return ["--key", "k.pub"]


def not_followed(model: Path) -> list[str]:
    (model / "link.bin").symlink_to("/etc/passwd")
    return ["--key", "k.pub"]


def pattern(model: Path) -> list[str]:
    keyless(model)
    expected = [r"release@aibom\.test", r"https://.*\.aibom\.test"]
    return ["--identity", expected[0], "--issuer", expected[1], "--pattern", "--trust-root", "trust.json"]


Case = tuple[Callable[[Path], list[str]], int, str]
CASES: dict[str, Case] = {
    "a key": (lambda _: ["--key", "k.pub"], 0, "verified"),
    "a chain": (certified, 0, "verified"),
    "an identity": (keyless, 0, "verified"),
    "a pattern": (pattern, 0, "verified"),
    "changed bytes": (changed, 1, "content-mismatch"),
    "a forged signature": (forged, 1, "signature-invalid"),
    "another key": (lambda _: ["--key", "other.pub"], 1, "untrusted-signer"),
    "another identity": (
        lambda model: [*keyless(model)[2:], "--identity", "somebody@aibom.test"], 1, "untrusted-signer",
    ),
    "another issuer": (
        lambda model: [*keyless(model)[:2], "--issuer", f"{ISSUER}/", "--trust-root", "trust.json"],
        1, "untrusted-signer",
    ),
    "the production root": (lambda model: keyless(model)[:4], 1, "untrusted-signer"),
    "a late certificate": (expired, 1, "expired"),
    "no signature": (unsigned, 3, "unsigned"),
    "a bill of materials only": (only_listed, 3, "unsigned"),
    "a newer format": (newer, 4, "unsupported"),
    "half a signature": (cut, 4, "could-not-check"),
    "a link that leads out": (not_followed, 4, "could-not-check"),
}  # fmt: skip


@pytest.mark.parametrize(("prepare", "code", "outcome"), CASES.values(), ids=CASES)
def test_each_outcome_has_its_exit_code_in_both_formats(
    prepare: Callable[[Path], list[str]], code: int, outcome: str, model: Path, capfdbinary: Captured
) -> None:
    flags = prepare(model)
    capfdbinary.readouterr()
    assert _run(["verify", "model", *flags]) == code
    table = capfdbinary.readouterr()
    assert table.err == b""
    verdict = table.out.decode().split("read\n")[-1]
    assert verdict.startswith("VERIFIED: ") is (code == 0)
    assert max(map(len, table.out.decode().splitlines())) <= 80
    assert document(capfdbinary, *flags, code=code)["outcome"] == outcome


def test_a_signature_and_nobody_expected_is_a_usage_error_that_names_the_flags(
    model: Path, capfdbinary: Captured
) -> None:
    assert _run(["verify", "model"]) == 2
    captured = capfdbinary.readouterr()
    assert captured.out == b""
    for word in (b"--key", b"--identity", b"--issuer", b"--certificate-chain", b"aibom inspect"):
        assert word in captured.err
    assert model.is_dir()


def test_an_empty_folder_is_nothing_to_verify(tmp_path: Path, capfdbinary: Captured) -> None:
    (tmp_path / "empty").mkdir()
    assert _run(["verify", "empty"]) == _run(["verify", "empty", "--key", "k.pub"]) == 3
    assert b"`aibom sign` makes" in capfdbinary.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "Missing argument 'TARGET'"),
        (["no/such/model"], "no such file or folder: 'no/such/model'"),
        (["ftp://host/name"], "ftp:// is not supported"),
        (["hf://org/name", "--offline"], "--offline forbids it"),
        (["model", "--key", "no/such.pub"], "cannot read 'no/such.pub'"),
        (["model", "--key", "model/config.json"], "PEM"),
        (["model", "--key", "k.pem"], "private key"),
        (["model", "--key", "root.crt"], "certificate"),
        (["model", "--key", "k.pub", "--identity", MAIL], "--key stands alone"),
        (["model", "--key", "k.pub", "--certificate-chain", "root.crt"], "--key stands alone"),
        (["model", "--identity", MAIL], "--identity and --issuer go together"),
        (["model", "--issuer", ISSUER], "--identity and --issuer go together"),
        (["model", "--certificate-chain", "root.crt"], "needs --identity"),
        (["model", "--certificate-chain", "k.pub", "--identity", MAIL], "not certificates in PEM"),
        (["model", "--identity", ".*", "--issuer", ISSUER, "--pattern"], "anybody"),
        (["model", "--certificate-chain", "root.crt", "--identity", ".*", "--pattern"], "anybody"),
        (["model", "--key", "k.pub", "--trust-root", "model/config.json"], "trust root of media type"),
        (["model", "--key", "k.pub", "--trust-root", "no.json"], "cannot read 'no.json'"),
        (["model", "--key", "k.pub", "--signature", "no.sig"], "no such file or folder: 'no.sig'"),
        (["model", "--key", "k.pub", "--bom", "no.json"], "no such file or folder: 'no.json'"),
        (["model", "--key", "k.pub", "--signature", "model"], "is a directory"),
        (["model", "--key", "k.pub", "--bom", "model"], "is a directory"),
        (["model", "--key", "k.pub", "-o", "no/such/result.json"], "its folder does not exist"),
        (["model", "--key", "k.pub", "-f", "xml"], "'xml' is not one of"),
        (["model", "--key", "k.pub", "--jobs", "0"], "--jobs"),
        (["model", "--keyy", "k.pub"], "--key"),
    ],
)  # fmt: skip
@pytest.mark.usefixtures("model")
def test_a_wrong_word_is_a_usage_error(arguments: list[str], words: str, capfdbinary: Captured) -> None:
    assert _run(["verify", *arguments]) == 2
    captured = capfdbinary.readouterr()
    assert captured.out == b""
    assert words in captured.err.decode()
    assert b"Traceback" not in captured.err


def test_a_document_that_is_too_large_is_not_read_and_could_not_be_checked(
    model: Path, capfdbinary: Captured
) -> None:
    with (model / "model.sig").open("wb") as file:
        file.truncate(100_000_000)
    assert _run(["verify", "model", "--key", "k.pub"]) == 4
    captured = capfdbinary.readouterr()
    assert b"100,000,000 bytes, at most 67,108,864" in captured.out + captured.err


def test_json_has_every_file_the_signer_and_nothing_else_on_standard_output(
    model: Path, capfdbinary: Captured
) -> None:
    (model / "weights.bin").unlink()
    (model / "new.bin").write_bytes(b"new")
    found = document(capfdbinary, "--key", "k.pub", code=1)
    assert (found["schema"], found["target"]) == ("aibom-verification/1", "model")
    (statement,) = found["statements"]
    assert (statement["name"], statement["kind"]) == ("model.sig", "signature")
    assert statement["signer"]["identity"] == f"sha256:{statement['signer']['keySha256']}"
    states = {file["path"]: file["state"] for file in statement["files"]}
    assert states == {
        "config.json": "verified", "model.sig": "ignored", "new.bin": "extra", "weights.bin": "missing",
    }  # fmt: skip
    assert found["bytes"] == 2


@pytest.mark.usefixtures("model")
def test_the_same_run_gives_the_same_bytes_and_no_path_of_this_machine(
    tmp_path: Path, capfdbinary: Captured
) -> None:
    shutil.copytree("model", "elsewhere/model")
    outputs = set()
    for place in ("model", "elsewhere/model", str(tmp_path / "model")):
        assert _run(["verify", place, "--key", "k.pub", "-f", "json", "--jobs", "1"]) == 0
        outputs.add(capfdbinary.readouterr().out)
    assert len(outputs) == 1
    assert str(tmp_path).encode() not in outputs.pop()


@pytest.mark.usefixtures("model")
def test_o_writes_a_file_without_colours_and_says_so(capfdbinary: Captured) -> None:
    result = Path("result.txt")
    flags = ["--key", "k.pub", "-o", str(result), "--color", "always"]
    assert _run(["verify", "model", *flags]) == 0
    captured = capfdbinary.readouterr()
    assert captured.out == b""
    assert captured.err.decode() == f"wrote result.txt ({result.stat().st_size:,} bytes)\n"
    assert b"\x1b" not in result.read_bytes()
    assert _run(["verify", "model", *flags, "-f", "json", "-q"]) == 0
    assert capfdbinary.readouterr() == (b"", b"")
    assert json.loads(result.read_bytes())["outcome"] == "verified"


@pytest.mark.usefixtures("model")
def test_colours_are_for_terminals_and_who_asks(capfdbinary: Captured) -> None:
    for flags, painted in ((["--color", "always"], True), ([], False), (["--color", "never"], False)):
        assert _run(["verify", "model", "--key", "k.pub", *flags]) == 0
        assert (b"\x1b[32m" in capfdbinary.readouterr().out) is painted


def test_verified_files_are_counted_and_shown_when_asked_for(model: Path, capfdbinary: Captured) -> None:
    for number in range(60):
        (model / f"extra-{number:02}").touch()
    assert _run(["verify", "model", "--key", "k.pub"]) == 1
    shown = capfdbinary.readouterr().out.decode()
    assert "2 verified, 60 extra, 1 ignored" in shown
    assert shown.count("extra      extra-") == 50
    assert "... and 11 files more; `-f json` shows all" in shown
    assert "verified   config.json" not in shown
    assert _run(["verify", "model", "--key", "k.pub", "--all"]) == 1
    assert "verified   config.json" in capfdbinary.readouterr().out.decode()


def test_extra_files_are_told_and_allowed_when_asked_for(model: Path, capfdbinary: Captured) -> None:
    (model / "README.md").write_text("new")
    assert _run(["verify", "model", "--key", "k.pub"]) == 1
    assert _run(["verify", "model", "--key", "k.pub", "--allow-extra"]) == 0
    allowed = capfdbinary.readouterr().out.decode().partition("FAILED")[2]
    assert "    extra      README.md\n               nobody signed it\n" in allowed
    assert "VERIFIED: " in allowed


def test_hostile_names_are_shown_as_escapes(tmp_path: Path, model: Path, capfdbinary: Captured) -> None:
    names = [b"\x1b[2J.bin", b"a\nVERIFIED: b", b"\xff.bin", "\u202egnp.exe".encode()]
    for name in names:
        (model / os.fsdecode(name)).write_bytes(b"x")
    assert _run(["verify", "model", "--key", "k.pub"]) == 1
    shown = capfdbinary.readouterr().out.decode()
    for escaped in (r"\x1b[2J.bin", r"a\x0aVERIFIED: b", r"\xff.bin", r"\u202egnp.exe"):
        assert f"extra      {escaped}\n" in shown
    assert not {"\x1b", "\u202e"} & set(shown)
    paths = [
        file["path"] for file in document(capfdbinary, "--key", "k.pub", code=1)["statements"][0]["files"]
    ]
    assert {r"\x1b[2J.bin", r"\xff.bin"} <= set(paths)
    folder = tmp_path / os.fsdecode(b"m\x1b[2J\xff")
    model.rename(folder)
    assert _run(["verify", str(folder), "--key", "k.pub"]) == 1
    assert rb"m\x1b[2J\xff" in capfdbinary.readouterr().out


def test_hostile_text_in_a_signature_is_shown_as_escapes(model: Path, capfdbinary: Captured) -> None:
    bundle = json.loads((model / "model.sig").read_bytes()) | {"mediaType": "\x1b]0;x\x07\u202e"}
    (model / "model.sig").write_text(json.dumps(bundle))
    assert _run(["verify", "model", "--key", "k.pub"]) == 4
    shown = capfdbinary.readouterr().out.decode()
    assert shown.replace("\n", "").isprintable()
    assert r"\x1b]0;x" in shown


@pytest.mark.usefixtures("model")
def test_flags_can_come_from_the_environment(monkeypatch: pytest.MonkeyPatch, capfdbinary: Captured) -> None:
    monkeypatch.setenv("AIBOM_KEY", "k.pub")
    assert _run(["verify", "model"]) == 0
    monkeypatch.setenv("AIBOM_KEY", "other.pub")
    assert _run(["verify", "model"]) == 1
    monkeypatch.setenv("AIBOM_SIGNATURE", "no.sig")
    assert _run(["verify", "model"]) == 2
    assert b"no.sig" in capfdbinary.readouterr().err


def test_the_digest_of_the_trust_root_is_in_the_evidence(model: Path, capfdbinary: Captured) -> None:
    flags = keyless(model)
    for code, more, digest in (
        (0, flags[4:], read_sha256("trust.json")),
        (1, [], embedded("production").sha256),
        (1, ["--staging"], embedded("staging").sha256),
    ):
        (statement,) = document(capfdbinary, *flags[:4], *more, code=code)["statements"]
        assert statement["signer"]["evidence"]["trust root sha256"] == digest


def read_sha256(path: str) -> str:
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()


@pytest.mark.usefixtures("model")
def test_a_closed_pipe_is_not_an_error(tmp_path: Path) -> None:
    done = subprocess.run(
        f"{sys.executable} -m aibom verify model --key k.pub -f json | head -c 10",
        shell=True, cwd=tmp_path, capture_output=True, check=False,
    )  # fmt: skip
    assert (done.stderr, len(done.stdout)) == (b"", 10)


@pytest.mark.usefixtures("model")
def test_a_full_device_is_an_error_of_one_line() -> None:
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [sys.executable, "-m", "aibom", "verify", "model", "--key", "k.pub"],
            stdout=full, stderr=subprocess.PIPE, check=False,
        )  # fmt: skip
    assert done.returncode == 4
    assert (b"No space left" in done.stderr, done.stderr.count(b"\n")) == (True, 1)


# One file


@pytest.mark.usefixtures("model")
def test_one_file_of_a_signed_model_is_verified_without_the_others(capfdbinary: Captured) -> None:
    assert _run(["verify", "model/weights.bin", "--key", "k.pub"]) == 0
    assert b"1 verified\n" in capfdbinary.readouterr().out
    Path("model/weights.bin").write_bytes(b"changed")
    assert _run(["verify", "model/weights.bin", "--key", "k.pub"]) == 1
    Path("model/new.bin").write_bytes(b"{}")  # the bytes of another signed file
    assert _run(["verify", "model/new.bin", "--key", "k.pub"]) == 1


def test_a_signed_file_is_verified_and_does_not_vouch_for_its_neighbours(capfdbinary: Captured) -> None:
    for name in ("a.bin", "b.bin"):
        Path("files", name).parent.mkdir(exist_ok=True)
        Path("files", name).write_bytes(name.encode())
    assert _run(["sign", "file", "files/a.bin", "--key", "k.pem"]) == 0
    assert _run(["verify", "files/a.bin", "--key", "k.pub"]) == 0
    assert _run(["verify", "files", "--key", "k.pub"]) == 3
    shown = capfdbinary.readouterr().out
    assert b"extra      b.bin\n" in shown
    assert b"\nVERIFIED" not in shown.split(b"b.bin")[-1]
    assert _run(["sign", "file", "files/b.bin", "--key", "k.pem"]) == 0
    assert _run(["verify", "files", "--key", "k.pub"]) == 0
    Path("files/b.bin").write_bytes(b"changed")
    assert _run(["verify", "files", "--key", "k.pub"]) == 1


def test_a_bill_of_materials_is_held_against_one_file_as_well(capfdbinary: Captured) -> None:
    Path("a.bin").write_bytes(b"weights")
    assert _run(["sign", "file", "a.bin", "--key", "k.pem"]) == 0
    bill: dict[str, Any] = {"bomFormat": "CycloneDX", "specVersion": "1.6"}
    listed = {"type": "file", "name": "a.bin", "hashes": [{"alg": "SHA-256", "content": "0" * 64}]}
    for components, code in (([], 4), ([listed], 1)):
        Path("x.cdx.json").write_text(json.dumps(bill | {"components": components}))
        assert _run(["verify", "a.bin", "--bom", "x.cdx.json", "--key", "k.pub"]) == code
    listed["hashes"] = [{"alg": "SHA-256", "content": read_sha256("a.bin").upper()}]
    Path("x.cdx.json").write_text(json.dumps(bill | {"components": [listed]}))
    assert _run(["verify", "a.bin", "--bom", "x.cdx.json", "--key", "k.pub"]) == 0
    assert b"x.cdx.json: verified" in capfdbinary.readouterr().out


def policy_file(*more: str) -> Path:
    pem = "".join(f"        {line}\n" for line in Path("k.pub").read_text().splitlines())
    text = f"version: 1\nname: mine\nsignature:\n  signers:\n    - key: |\n{pem}" + "".join(more)
    Path("policy.yaml").write_text(text)
    return Path("policy.yaml")


def test_a_policy_says_who_signs_and_what_else_has_to_be(model: Path, capfdbinary: Captured) -> None:
    fixture = Path(__file__).parents[2] / "fixtures" / "safetensors" / "small.safetensors"
    shutil.copy(fixture, model)
    assert _run(["sign", "model", str(model), "--key", "k.pem", "-q"]) == 0
    assert _run(["verify", str(model), "--policy", str(policy_file())]) == 0
    told = capfdbinary.readouterr().out.decode()
    assert "VERIFIED" in told
    assert "PASSED policy mine" in told
    forbidding = str(policy_file("formats: {allow: [gguf]}\n"))
    assert _run(["verify", str(model), "--policy", forbidding, "-f", "json"]) == 1
    document = json.loads(capfdbinary.readouterr().out)
    assert document["outcome"] == "verified"
    assert document["policy"]["verdict"] == "violated"
    assert {each["rule"] for each in document["policy"]["findings"]} == {"formats"}
    (model / "small.safetensors").write_bytes(b"changed")
    assert _run(["verify", str(model), "--policy", forbidding]) == 1
    assert "content-mismatch" in capfdbinary.readouterr().out.decode()


def test_a_policy_that_is_none_is_a_usage_error(model: Path, capfdbinary: Captured) -> None:
    assert _run(["sign", "model", str(model), "--key", "k.pem", "-q"]) == 0
    Path("policy.yaml").write_text("version: 1\nname: n\nfromats: {allow: [x]}\n")
    assert _run(["verify", str(model), "--policy", "policy.yaml"]) == 2
    assert (
        "policy.yaml:3:1: unknown key 'fromats', did you mean 'formats'?"
        in capfdbinary.readouterr().err.decode()
    )
