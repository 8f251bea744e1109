"""`aibom.verify`, and the keywords that say whose signature is expected."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

import aibom
from aibom.api.expectation import DOCUMENT_BYTES
from aibom.domain.verification import FileState
from tests.api.signed import PRIVATE, PUBLIC, STRANGER, model


def test_a_model_that_was_signed_with_the_key_is_ok(tmp_path: Path) -> None:
    found = aibom.verify(model(tmp_path), key=PUBLIC)
    assert found.ok
    assert found.outcome == "verified"
    assert found


@pytest.mark.parametrize("kind", [str, Path, os.fsencode])
def test_a_key_is_a_path_or_its_bytes(tmp_path: Path, kind: Any) -> None:
    folder = model(tmp_path / "m")
    key = tmp_path / "key.pub"
    key.write_bytes(PUBLIC)
    assert aibom.verify(folder, key=key.read_bytes() if kind is os.fsencode else kind(key)).ok


def _changed(folder: Path) -> None:
    (folder / "config.json").write_bytes(b"[]")


def _unsigned(folder: Path) -> None:
    (folder / "model.sig").unlink()


def _more(folder: Path) -> None:
    (folder / "more.bin").write_bytes(b"x")


def _garbage(folder: Path) -> None:
    (folder / "model.sig").write_bytes(b"\0\0")


@pytest.mark.parametrize(
    ("change", "key", "outcome"),
    [
        (_changed, PUBLIC, "content-mismatch"),
        (_more, PUBLIC, "content-mismatch"),
        (_unsigned, PUBLIC, "unsigned"),
        (_garbage, PUBLIC, "could-not-check"),
        (lambda folder: None, STRANGER, "untrusted-signer"),
        (lambda folder: None, b"no key", "could-not-check"),
    ],
    ids=["changed", "more", "unsigned", "garbage", "stranger", "no-key"],
)
def test_a_bad_signature_is_a_value_that_is_false_and_no_error(
    tmp_path: Path, change: Any, key: bytes, outcome: str
) -> None:
    change(model(tmp_path))
    found = aibom.verify(tmp_path, key=key)
    assert found.outcome == outcome
    assert not found.ok
    assert not found


def test_extra_files_can_be_allowed(tmp_path: Path) -> None:
    _more(model(tmp_path))
    found = aibom.verify(tmp_path, key=PUBLIC, extra_allowed=True)
    assert found.ok
    (statement,) = found.statements
    assert statement.counts[FileState.EXTRA] == 1


def test_a_signature_in_another_place_is_named(tmp_path: Path) -> None:
    folder = model(tmp_path / "m")
    (folder / "model.sig").rename(tmp_path / "elsewhere.sig")
    assert aibom.verify(folder, key=PUBLIC).outcome == "unsigned"
    assert aibom.verify(folder, key=PUBLIC, signature=tmp_path / "elsewhere.sig").ok


@pytest.mark.parametrize(
    ("whom", "words"),
    [
        ({}, "whose signature"),
        ({"key": PUBLIC, "identity": "a@b.c"}, "stands alone"),
        ({"key": PUBLIC, "certificate_chain": b""}, "stands alone"),
        ({"identity": "a@b.c"}, "go together"),
        ({"issuer": "https://b.c"}, "go together"),
        ({"certificate_chain": b"PEM"}, "goes with identity="),
        ({"certificate_chain": b"PEM", "identity": "a@b.c", "issuer": "x"}, "without issuer="),
        ({"key": PUBLIC.decode()}, "encode it"),
    ],
    ids=["nobody", "key-and-name", "key-and-chain", "name", "issuer", "chain", "chain-and-issuer", "text"],
)
def test_half_a_name_is_refused_with_the_keywords_that_are_missing(
    tmp_path: Path, whom: Any, words: str
) -> None:
    with pytest.raises(ValueError, match=words):
        aibom.verify(model(tmp_path), **whom)


def test_the_text_of_a_key_stands_in_no_error(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="encode it") as caught:
        aibom.sign(tmp_path, key=PRIVATE.decode())
    assert "MIG" not in str(caught.value)


def test_an_unknown_keyword_is_a_type_error(tmp_path: Path) -> None:
    with pytest.raises(TypeError, match="unexpected keyword 'kee'; known are key, identity"):
        aibom.verify(tmp_path, kee=PUBLIC)


def test_a_key_that_is_not_there_or_far_too_large_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        aibom.verify(tmp_path, key=tmp_path / "no.pub")
    large = tmp_path / "large.pub"
    with large.open("wb") as file:
        file.truncate(DOCUMENT_BYTES + 1)
    with pytest.raises(ValueError, match="more than"):
        aibom.verify(tmp_path, key=large)


def test_a_target_that_does_not_exist_is_unreadable(tmp_path: Path) -> None:
    with pytest.raises(aibom.UnreadableError, match="no such file or folder"):
        aibom.verify(tmp_path / "nothing", key=PUBLIC)
