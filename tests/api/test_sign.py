"""`aibom.sign`: where the signature goes, and that others accept it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import aibom
from tests.api.signed import KEY, PRIVATE, PUBLIC
from tests.hostile import FIXTURES
from tests.trust.certificates import private_pem


def test_a_folder_is_signed_in_its_own_model_sig(tmp_path: Path) -> None:
    (tmp_path / "a.bin").write_bytes(b"abc")
    signed = aibom.sign(tmp_path, key=PRIVATE)
    assert (tmp_path / "model.sig").read_bytes() == signed.bundle
    assert (signed.files, signed.bytes) == (1, 3)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.bin", "model.sig"]
    assert aibom.verify(tmp_path, key=PUBLIC).ok


@pytest.mark.parametrize(("kind", "name"), [("model", "a.bin.sig"), ("file", "a.bin.sigstore.json")])
def test_the_signature_of_a_file_lies_beside_it(tmp_path: Path, kind: Any, name: str) -> None:
    file = tmp_path / "a.bin"
    file.write_bytes(b"abc")
    signed = aibom.sign(file, key=PRIVATE, kind=kind)
    assert (tmp_path / name).read_bytes() == signed.bundle
    assert aibom.verify(file, key=PUBLIC).ok


def test_a_bill_of_materials_is_signed_as_a_statement_about_its_files(tmp_path: Path) -> None:
    bom = tmp_path / "m.cdx.json"
    bom.write_text(json.dumps({"bomFormat": "CycloneDX", "specVersion": "1.6", "components": []}), "utf-8")
    aibom.sign(bom, key=PRIVATE, kind="bom")
    assert json.loads((tmp_path / "m.cdx.json.sigstore.json").read_bytes())["dsseEnvelope"]


def test_a_signature_can_go_elsewhere_and_takes_the_place_of_an_older_one(tmp_path: Path) -> None:
    folder, out = tmp_path / "m", tmp_path / "out.sig"
    folder.mkdir()
    (folder / "a.bin").write_bytes(b"abc")
    out.write_bytes(b"old")
    aibom.sign(folder, key=PRIVATE, signature=out)
    assert aibom.verify(folder, key=PUBLIC, signature=out).ok
    assert not (folder / "model.sig").exists()


@pytest.mark.parametrize("password", ["geheim", b"geheim"])
def test_a_password_is_text_or_bytes(tmp_path: Path, password: str | bytes) -> None:
    (tmp_path / "a.bin").write_bytes(b"abc")
    with pytest.raises(aibom.UnreadableError, match="password"):
        aibom.sign(tmp_path, key=private_pem(KEY, b"geheim"))
    aibom.sign(tmp_path, key=private_pem(KEY, b"geheim"), password=password)
    assert aibom.verify(tmp_path, key=PUBLIC).ok


def test_what_is_left_out_is_not_covered(tmp_path: Path) -> None:
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "run.txt").write_bytes(b"1")
    (tmp_path / "a.bin").write_bytes(b"abc")
    assert aibom.sign(tmp_path, key=PRIVATE, ignore=["logs/"]).files == 1
    (tmp_path / "logs" / "run.txt").write_bytes(b"2")
    assert aibom.verify(tmp_path, key=PUBLIC).ok


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"kind": "folder"}, "kind= is model, bom or file"),
        ({"kind": "file", "shard_size": 10}, "are for models"),
        ({"kind": "bom", "ignore": ["x"]}, "are for models"),
        ({"shard_size": 0}, "positive number"),
        ({"certificate_chain": b""}, "needs certificate="),
    ],
    ids=["kind", "shards", "ignore", "zero", "chain"],
)
def test_keywords_that_do_not_fit_are_refused(given: Any, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        aibom.sign(FIXTURES / "safetensors" / "small.safetensors", key=PRIVATE, **given)


def test_a_failure_leaves_neither_a_signature_nor_a_temporary_file(tmp_path: Path) -> None:
    (tmp_path / "a.bin").write_bytes(b"abc")
    (tmp_path / "model.sig").mkdir()
    with pytest.raises(OSError, match="directory"):
        aibom.sign(tmp_path / "a.bin", key=PRIVATE, signature=tmp_path / "model.sig")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.bin", "model.sig"]
