"""`aibom inspect` as a user types it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from aibom.cli.main import _run
from aibom.domain.attestation import Subject
from aibom.domain.signing import Manifest, MessageSignature, Resource
from aibom.trust.attestations import bom_statement
from aibom.trust.bundle import write_bundle
from aibom.trust.oms import write_manifest
from aibom.trust.public_key import oms_hint
from tests.services.fake_sigstore import IDENTITY, FakeSigstore
from tests.trust.certificates import MAIL, SIGNER, ec_key, envelope_by, issue

KEY = ec_key()
DIGEST = "ab" * 32
FILES = tuple(Resource(name=name, algorithm="sha256", digest=DIGEST) for name in ("a.bin", "b.bin"))
MODEL = write_manifest(Manifest(name="model", resources=FILES, ignore_paths=("notes",)))
Captured = pytest.CaptureFixture[bytes]


@pytest.fixture(autouse=True)
def _own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith(("AIBOM_", "XDG_")):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


def told(capfdbinary: Captured, data: bytes) -> list[tuple[str, str]]:
    """The rows of a bundle, which are the same as the lines."""
    Path("b.sigstore.json").write_bytes(data)
    assert _run(["inspect", "b.sigstore.json", "--json"]) == 0
    captured = capfdbinary.readouterr()
    assert captured.err == b""
    found = json.loads(captured.out)
    assert found["verified"] is False
    rows = [(row["name"], row["value"]) for row in found["says"]]
    assert _run(["inspect", "b.sigstore.json"]) == 0
    captured = capfdbinary.readouterr()
    assert captured.err == b"nothing of this is verified; `aibom verify` does that\n"
    width = max(len(name) for name, _ in rows)
    assert captured.out.decode() == "".join(f"{name:{width}}  {value}\n" for name, value in rows)
    return rows


def key_bundle(payload: bytes) -> bytes:
    return write_bundle(envelope_by(KEY, payload), None, key_hint=oms_hint(KEY.public_key()))


def test_a_model_signature_tells_the_model_and_what_is_not_covered(capfdbinary: Captured) -> None:
    rows = told(capfdbinary, key_bundle(MODEL))
    assert ("signed with", f"a bare key, hint {oms_hint(KEY.public_key())}") in rows
    assert ("model", "model, 2 files, sha256 by files") in rows
    assert ("not covered", "notes") in rows
    assert any(value.endswith(f"sha256:{sha256(MODEL).hexdigest()}") for _, value in rows)


def test_a_certificate_and_a_keyless_signature_tell_who_they_say_signed(capfdbinary: Captured) -> None:
    leaf = issue("release", SIGNER)
    rows = told(capfdbinary, write_bundle(envelope_by(leaf.key, MODEL), None, certificates=(leaf.der,)))
    assert any(name == "certificate" and MAIL in value for name, value in rows)
    rows = told(capfdbinary, FakeSigstore().sign(MODEL))
    assert ("signed with", "a certificate of Fulcio (keyless)") in rows
    assert any(name == "certificate" and IDENTITY in value for name, value in rows)
    assert any(name == "log entry" and value.startswith("dsse 0.0.1, with inclusion") for name, value in rows)


def test_an_attestation_tells_its_subjects_and_how_many_more_there_are(capfdbinary: Captured) -> None:
    bill = b'{"bomFormat": "CycloneDX", "specVersion": "1.6"}'
    subjects = [Subject(name=f"{n:02}.bin", digests=(("sha256", DIGEST),)) for n in range(25)]
    rows = told(capfdbinary, key_bundle(bom_statement(bill, subjects)))
    assert ("predicate", "https://cyclonedx.org/bom") in rows
    assert ("subject", f"00.bin sha256:{DIGEST}") in rows
    assert ("subject", "... and 5 more") in rows


def test_a_signature_over_a_file_tells_the_digest(capfdbinary: Captured) -> None:
    digest = sha256(b"a file").digest()
    message = MessageSignature(signature=KEY.sign(b"a file", _ecdsa()), digest=digest)
    rows = told(capfdbinary, write_bundle(None, message, key_hint="k"))
    assert ("signs a file", f"sha256:{digest.hex()}") in rows


def _ecdsa() -> Any:
    from cryptography.hazmat.primitives import hashes  # noqa: PLC0415 - one use
    from cryptography.hazmat.primitives.asymmetric import ec  # noqa: PLC0415

    return ec.ECDSA(hashes.SHA256())


def test_a_payload_that_cannot_be_read_is_told_and_no_error(capfdbinary: Captured) -> None:
    rows = told(capfdbinary, key_bundle(b'{"_type": "\x1b[2J'))
    assert rows[-1][0] == "not read"
    assert "\x1b" not in rows[-1][1]


def test_hostile_text_is_shown_as_escapes(capfdbinary: Captured) -> None:
    names = ["\x1b[2J", "a\nnothing  b", "\u202egnp.exe"]
    listed = tuple(sorted((Resource(name=name, algorithm="sha256", digest=DIGEST) for name in names),
                          key=lambda each: each.name))  # fmt: skip
    payload = write_manifest(Manifest(name="m\x1b]0;x\x07", resources=listed, ignore_paths=("\u202ex",)))
    rows = told(capfdbinary, key_bundle(payload))
    assert all(value.isprintable() for _, value in rows)
    assert ("not covered", r"\u202ex") in rows
    bill = b'{"bomFormat": "CycloneDX", "specVersion": "1.6"}'
    statement = bom_statement(bill, [Subject(name=name, digests=(("sha256", DIGEST),)) for name in names])
    rows = told(capfdbinary, key_bundle(statement))
    assert all(value.isprintable() for _, value in rows)
    assert ("subject", f"\\x1b[2J sha256:{DIGEST}") in rows


def test_a_digest_algorithm_can_be_hostile_as_well(capfdbinary: Captured) -> None:
    statement = json.dumps(
        {
            "_type": "https://in-toto.io/Statement/v1",
            "subject": [{"name": "a", "digest": {"\x1b[2J": "\u202e"}}],
            "predicateType": "https://example.com/\x07",
            "predicate": {},
        }
    ).encode()
    assert all(value.isprintable() for _, value in told(capfdbinary, key_bundle(statement)))


def test_a_hostile_file_name_is_shown_as_escapes(capfdbinary: Captured) -> None:
    name = os.fsdecode(b"\x1b[2J\xff\n.json")
    Path(name).write_text("{")
    assert _run(["inspect", name]) == 2
    captured = capfdbinary.readouterr()
    assert captured.out == b""
    assert captured.err.startswith(rb"Error: \x1b[2J\xff\x0a.json: not JSON")
    assert captured.err.count(b"\n") == 1


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "not JSON"),
        (b"{}", "mediaType is missing"),
        (b'{"mediaType": "a/b"}', "media type 'a/b'"),
        (b'{"payloadType": "x"}', "without a sigstore bundle around it"),
        (b'{"a": 1, "a": 2}', "duplicate key 'a'"),
        (b'{"a":' * 100, "deeper than"),
        (b"\xff\xfe", "not UTF-8"),
        (None, "is a directory"),
    ],
    ids=["empty", "no bundle", "another type", "an envelope", "two keys", "deep", "no text", "a folder"],
)
def test_what_is_no_bundle_is_an_error_of_one_line(
    content: bytes | None, words: str, capfdbinary: Captured
) -> None:
    Path("x").mkdir() if content is None else Path("x").write_bytes(content)
    assert _run(["inspect", "x"]) == 2
    captured = capfdbinary.readouterr()
    assert captured.out == b""
    assert words in captured.err.decode()
    assert b"Traceback" not in captured.err


@pytest.mark.parametrize("arguments", [[], ["no.json"], ["x", "y"], ["--yaml", "x"], ["hf://a/b"]])
def test_a_wrong_word_is_a_usage_error(arguments: list[str], capfdbinary: Captured) -> None:
    assert _run(["inspect", *arguments]) == 2
    captured = capfdbinary.readouterr()
    assert captured.out == b""
    assert captured.err.splitlines()[-1].startswith(b"Error: ")


def test_a_file_that_is_too_large_is_not_read(capfdbinary: Captured) -> None:
    with Path("large.json").open("wb") as file:
        file.truncate(100_000_000)
    assert _run(["inspect", "large.json"]) in (2, 4)
    assert b"at most 67,108,864" in capfdbinary.readouterr().err


def test_a_pipe_does_not_block(capfdbinary: Captured) -> None:
    os.mkfifo("pipe.json")
    assert _run(["inspect", "pipe.json"]) in (2, 4)
    assert b"FIFO" in capfdbinary.readouterr().err


def test_a_closed_pipe_is_not_an_error_and_a_full_device_is(tmp_path: Path) -> None:
    Path("b.json").write_bytes(key_bundle(MODEL))
    done = subprocess.run(
        f"set -o pipefail; {sys.executable} -m aibom inspect b.json --json | head -c 3",
        shell=True, executable="/bin/bash", cwd=tmp_path, capture_output=True, check=False,
    )  # fmt: skip
    assert (done.stdout, done.stderr, done.returncode) == (b"{\n ", b"", 0)
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [sys.executable, "-m", "aibom", "inspect", "b.json"],
            stdout=full, stderr=subprocess.PIPE, check=False,
        )  # fmt: skip
    assert done.returncode == 4
    assert done.stderr.startswith(b"Error: cannot write the result: No space left")
