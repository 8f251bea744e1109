"""The JSON of `aibom verify`: the golden bytes, every member, and nothing invisible."""

from __future__ import annotations

import os
from pathlib import Path

import orjson

from aibom.domain.check import Check, CheckKind, Outcome
from aibom.domain.signing import Material, Signer
from aibom.domain.target import Target, Tool
from aibom.domain.verification import FileState, FileVerdict, Statement, Verification
from aibom.outputs import verification_json

GOLDEN = Path(__file__).parent.parent / "golden" / "verification" / "mismatch.json"
HOSTILE = "a\x1b[31m\u202e\udcff"
SIGNER = Signer(
    material=Material.KEYLESS,
    identity="release@example.com",
    issuer="https://issuer.example.com",
    key_sha256="a" * 64,
    signed_at="2026-11-20T12:00:00Z",
    evidence=(("algorithm", "ECDSA P-256"), ("log index", "7")),
)


def statement(
    outcome: Outcome = Outcome.VERIFIED,
    *files: FileVerdict,
    name: str = "model.sig",
    kind: CheckKind = CheckKind.SIGNATURE,
    signer: Signer | None = SIGNER,
    detail: str = "1 verified",
) -> Statement:
    check = Check(subject=name, kind=kind, outcome=outcome, identity="somebody", detail=detail)
    return Statement(name=name, check=check, signer=signer, files=files)


def verification(*statements: Statement, name: str = "my model") -> Verification:
    tool = Tool(name="aibom", version="1.2.3")
    return Verification(target=Target(name=name), tool=tool, statements=statements, bytes=1_234_567)


FILES = (
    FileVerdict(
        path="a.bin",
        state=FileState.CHANGED,
        detail="the bytes are not those that were signed",
        expected="sha256:" + "a" * 64,
        found="sha256:" + "b" * 64,
    ),
    *(FileVerdict(path=f"{state}.txt", state=state) for state in FileState),
)
MISMATCH = verification(
    statement(Outcome.CONTENT_MISMATCH, *FILES, detail="the files are not those"),
    statement(
        Outcome.COULD_NOT_CHECK, name="m.cdx.json", kind=CheckKind.DIGEST, signer=None, detail="it is no JSON"
    ),
)


def read(found: Verification) -> dict:
    return orjson.loads(verification_json.render(found))


def test_every_byte_is_that_of_the_golden_file() -> None:
    document = verification_json.render(MISMATCH)
    if os.environ.get("AIBOM_UPDATE_GOLDEN") == "1":
        GOLDEN.parent.mkdir(parents=True, exist_ok=True)
        GOLDEN.write_bytes(document)
    assert document == GOLDEN.read_bytes()
    assert document == verification_json.render(MISMATCH)
    assert document.endswith(b"}\n")


def test_every_member_is_told() -> None:
    document = read(MISMATCH)
    assert {key: value for key, value in document.items() if key != "statements"} == {
        "schema": "aibom-verification/1",
        "tool": {"name": "aibom", "version": "1.2.3"},
        "target": "my model",
        "outcome": "content-mismatch",
        "bytes": 1_234_567,
    }
    signature, bom = document["statements"]
    assert signature["signer"] == {
        "material": "keyless",
        "identity": "release@example.com",
        "issuer": "https://issuer.example.com",
        "keySha256": "a" * 64,
        "signedAt": "2026-11-20T12:00:00Z",
        "evidence": {"algorithm": "ECDSA P-256", "log index": "7"},
    }
    assert [file["state"] for file in signature["files"]] == ["changed", *FileState]
    assert set(signature["files"][0]) == {"path", "state", "detail", "expected", "found"}
    assert signature["files"][0]["found"] == "sha256:" + "b" * 64
    assert {key: bom[key] for key in ("name", "kind", "outcome", "detail", "signer", "files")} == {
        "name": "m.cdx.json", "kind": "digest", "outcome": "could-not-check", "detail": "it is no JSON",
        "signer": None, "files": [],
    }  # fmt: skip


def test_without_statements_it_is_unsigned() -> None:
    assert read(verification()) | {"tool": None} == {
        "schema": "aibom-verification/1", "tool": None, "target": "my model", "outcome": "unsigned",
        "bytes": 1_234_567, "statements": [],
    }  # fmt: skip


def test_every_outcome_is_its_own_word() -> None:
    for outcome in Outcome:
        document = read(verification(statement(outcome)))
        assert (document["outcome"], document["statements"][0]["outcome"]) == (outcome.value, outcome.value)


def test_nothing_invisible_reaches_the_document() -> None:
    signer = Signer(material=Material.KEY, identity=HOSTILE, issuer=HOSTILE, evidence=((HOSTILE, HOSTILE),))
    file = FileVerdict(path=HOSTILE, state=FileState.EXTRA, detail=HOSTILE)
    found = verification(
        statement(Outcome.CONTENT_MISMATCH, file, name=HOSTILE, signer=signer, detail=HOSTILE), name=HOSTILE
    )
    data = verification_json.render(found)
    assert b"\x1b" not in data
    text = orjson.dumps(orjson.loads(data)).decode()
    for bad in ("\\u001b", "\u202e", "\\udcff"):
        assert bad not in text
    assert text.count("\\\\x1b") == 9
