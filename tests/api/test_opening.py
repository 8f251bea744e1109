"""`aibom.verified` and `aibom.open_verified`: signed bytes, or an error that says why not."""

from __future__ import annotations

import gc
import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import aibom
from aibom.api import vouching
from aibom.domain.verification import FileState
from aibom.outputs import cyclonedx
from aibom.trust.signers import key_signer, sign_statement
from tests.api.signed import FILES, KEY, PRIVATE, PUBLIC, STRANGER, model
from tests.hostile import FIXTURES
from tests.trust.certificates import public_pem


def refused(model: aibom.VerifiedModel, name: str) -> aibom.VerificationError:
    with pytest.raises(aibom.VerificationError) as caught:
        model.open(name)
    return caught.value


def state_of(error: aibom.VerificationError) -> FileState:
    (statement,) = error.verification.statements
    (file,) = statement.files
    return file.state


@pytest.mark.parametrize("shard_size", [None, 1, 4, 1000])
def test_every_signed_file_opens_with_its_bytes(tmp_path: Path, shard_size: int | None) -> None:
    found = aibom.verified(model(tmp_path, shard_size=shard_size), key=PUBLIC)
    assert found.names == tuple(sorted(name for name in FILES if FILES[name] or shard_size is None))
    for name in found.names:
        with found.open(name) as file:
            assert file.read() == FILES[name]


def test_the_signature_is_judged_once_for_all_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    judged = []
    original = vouching.judge_signature
    monkeypatch.setattr(vouching, "judge_signature", lambda *given: judged.append(1) or original(*given))
    found = aibom.verified(model(tmp_path), key=PUBLIC)
    for name in FILES:
        found.open(name).close()
    assert judged == [1]


def test_it_says_who_signed(tmp_path: Path) -> None:
    (signer,) = aibom.verified(model(tmp_path), key=PUBLIC).signers
    assert signer.identity.startswith("sha256:")


def test_a_file_has_a_path_for_as_long_as_it_is_open(tmp_path: Path) -> None:
    with aibom.verified(model(tmp_path), key=PUBLIC).open("config.json") as file:
        assert Path(file.path).read_bytes() == b"{}"
        assert file.name == file.path
        assert file.read() == b"{}"
    with pytest.raises(ValueError, match="closed"):
        _ = file.path


def test_a_path_keeps_its_file_open(tmp_path: Path) -> None:
    found = aibom.verified(model(tmp_path), key=PUBLIC)
    path = found.open("config.json").path
    gc.collect()
    with found.open("tokenizer/vocab.txt"):
        assert Path(path).read_bytes() == b"{}"
    path._file.close()


def test_one_file_of_a_signed_folder_opens_alone(tmp_path: Path) -> None:
    folder = model(tmp_path)
    with aibom.open_verified(folder / "config.json", key=PUBLIC) as file:
        assert file.read() == b"{}"
    named = {"key": PUBLIC, "signature": folder / "model.sig"}
    with aibom.open_verified(folder / "tokenizer" / "vocab.txt", **named) as file:
        assert file.read() == b"a\nb\n"


def test_a_signed_file_in_the_place_of_another_one_is_refused(tmp_path: Path) -> None:
    folder = model(tmp_path, {"a.json": b"1", "sub/a.json": b"2", "b.json": b"3"})
    shutil.copy(folder / "a.json", folder / "sub" / "a.json")
    shutil.copy(folder / "a.json", folder / "b.json")
    for name in ("sub/a.json", "b.json"):
        with pytest.raises(aibom.VerificationError):
            aibom.open_verified(folder / name, key=PUBLIC, signature=folder / "model.sig")


@pytest.mark.parametrize("kind", ["model", "file"])
def test_a_file_with_a_signature_of_its_own_opens(tmp_path: Path, kind: str) -> None:
    file = tmp_path / "m.bin"
    file.write_bytes(b"weights")
    aibom.sign(file, key=PRIVATE, kind=kind)
    with aibom.open_verified(file, key=PUBLIC) as opened:
        assert opened.read() == b"weights"
    file.write_bytes(b"weightz")
    with pytest.raises(aibom.VerificationError):
        aibom.open_verified(file, key=PUBLIC)


def test_a_signed_bill_of_materials_covers_the_files_that_it_lists(tmp_path: Path) -> None:
    shutil.copy(FIXTURES / "safetensors" / "small.safetensors", tmp_path / "m.safetensors")
    bom = tmp_path / "m.cdx.json"
    bom.write_bytes(cyclonedx.render(aibom.scan(tmp_path, reproducible=True)))
    aibom.sign(bom, key=PRIVATE, kind="bom")
    found = aibom.verified(tmp_path, key=PUBLIC)
    assert found.names == ("m.safetensors",)
    with found.open("m.safetensors") as file:
        assert file.read() == (tmp_path / "m.safetensors").read_bytes()
    (tmp_path / "m.safetensors").write_bytes(b"other")
    assert state_of(refused(aibom.verified(tmp_path, key=PUBLIC), "m.safetensors")) is FileState.CHANGED


def _longer(path: Path) -> None:
    path.write_bytes(path.read_bytes() + b"x")


def _shorter(path: Path) -> None:
    os.truncate(path, 3)


def _flipped(path: Path) -> None:
    path.write_bytes(b"F" + path.read_bytes()[1:])


def _gone(path: Path) -> None:
    path.unlink()


def _folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def _pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def _link_outside(path: Path) -> None:
    path.rename(path.parent.parent / "outside")
    path.symlink_to("../outside")


_CHANGES = [_longer, _shorter, _flipped, _gone, _folder, _pipe, _link_outside]


@pytest.mark.parametrize("shard_size", [None, 2])
@pytest.mark.parametrize("before", [True, False])
@pytest.mark.parametrize("change", _CHANGES)
def test_a_file_that_was_changed_before_or_after_the_verification_is_refused(
    tmp_path: Path, change: Callable[[Path], None], before: bool, shard_size: int | None
) -> None:
    folder = model(tmp_path / "m", {"a.bin": b"first", "b.bin": b"second"}, shard_size=shard_size)
    if before:
        change(folder / "a.bin")
    found = aibom.verified(folder, key=PUBLIC)
    if not before:
        change(folder / "a.bin")
    error = refused(found, "a.bin")
    assert error.verification.outcome in ("content-mismatch", "could-not-check")
    assert str(error).startswith("a.bin: ")
    assert str(error).endswith("(model.sig)")
    with found.open("b.bin") as file:
        assert file.read() == b"second"


def test_a_link_to_another_file_of_the_model_opens_what_was_signed_under_its_name(tmp_path: Path) -> None:
    blobs = tmp_path / "blobs"
    blobs.mkdir()
    (blobs / "1").write_bytes(b"weights")
    (tmp_path / "m.bin").symlink_to("blobs/1")
    aibom.sign(tmp_path, key=PRIVATE)
    with aibom.verified(tmp_path, key=PUBLIC).open("m.bin") as file:
        assert file.read() == b"weights"
    (tmp_path / "m.bin").unlink()
    (blobs / "2").write_bytes(b"others")
    (tmp_path / "m.bin").symlink_to("blobs/2")
    assert state_of(refused(aibom.verified(tmp_path, key=PUBLIC), "m.bin")) is FileState.CHANGED


@pytest.mark.parametrize(
    "name", ["more.bin", "model.sig", "./config.json", "../m/config.json", "CONFIG.JSON", "", "tokenizer"]
)
def test_a_name_that_is_not_signed_is_refused(tmp_path: Path, name: str) -> None:
    folder = model(tmp_path / "m")
    (folder / "more.bin").write_bytes(b"x")
    error = refused(aibom.verified(folder, key=PUBLIC), name)
    assert state_of(error) is FileState.EXTRA
    assert error.verification.outcome == "content-mismatch"
    assert "not among the signed files" in str(error)


@pytest.mark.parametrize("shard_size", [None, 2])
def test_a_file_without_a_signature_of_its_name_is_refused_in_the_same_words(
    tmp_path: Path, shard_size: int | None
) -> None:
    folder = model(tmp_path, shard_size=shard_size)
    (folder / "more.bin").write_bytes(b"x")
    with pytest.raises(aibom.VerificationError, match="not among the signed files"):
        aibom.open_verified(folder / "more.bin", key=PUBLIC)


def test_nothing_is_opened_for_another_key(tmp_path: Path) -> None:
    with pytest.raises(aibom.VerificationError, match="untrusted-signer") as caught:
        aibom.verified(model(tmp_path), key=STRANGER)
    assert caught.value.verification.outcome == "untrusted-signer"


def test_one_bad_signature_beside_a_good_one_is_enough_to_refuse(tmp_path: Path) -> None:
    folder = model(tmp_path)
    (folder / "config.json.sigstore.json").write_bytes(b"{}")
    with pytest.raises(aibom.VerificationError, match=r"config.json.sigstore.json"):
        aibom.verified(folder, key=PUBLIC)
    aibom.verified(folder, key=PUBLIC, signature=folder / "model.sig")


def test_a_model_without_a_signature_is_refused_with_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "a.bin").write_bytes(b"x")
    with pytest.raises(aibom.VerificationError, match="unsigned: no signature is there; sign it"):
        aibom.verified(tmp_path, key=PUBLIC)
    with pytest.raises(aibom.VerificationError, match="unsigned"):
        aibom.open_verified(tmp_path / "a.bin", key=PUBLIC)


def test_nobody_in_particular_is_not_enough(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="say whose signature"):
        aibom.verified(model(tmp_path))


def test_a_folder_is_no_file_and_what_is_not_there_is_unreadable(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="use verified"):
        aibom.open_verified(model(tmp_path), key=PUBLIC)
    with pytest.raises(aibom.UnreadableError, match="no such file"):
        aibom.open_verified(tmp_path / "no.bin", key=PUBLIC)
    with pytest.raises(aibom.UnreadableError, match="no such file"):
        aibom.verified(tmp_path, key=PUBLIC, signature=tmp_path / "no.sig")


def test_a_verdict_signed_by_the_right_key_vouches_for_no_file(tmp_path: Path) -> None:
    statement = (
        b'{"_type":"https://in-toto.io/Statement/v1","predicateType":"https://in-toto.io/attestation/'
        b'test-result/v0.1","predicate":{"result":"FAILED","configuration":[]},"subject":[{"name":"a.bin",'
        b'"digest":{"sha256":"2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881"}}]}'
    )
    (tmp_path / "a.bin").write_bytes(b"x")
    (tmp_path / "a.bin.sigstore.json").write_bytes(sign_statement(key_signer(PRIVATE), statement))
    found = aibom.verified(tmp_path, key=PUBLIC)
    assert found.names == ()
    assert "not among" in str(refused(found, "a.bin"))


_NAMES = st.text("ab.é ", min_size=1, max_size=6).filter(lambda name: name.strip(". ") and name != ".git")


@given(
    files=st.dictionaries(_NAMES, st.binary(max_size=64), min_size=1, max_size=4),
    shard_size=st.none() | st.integers(1, 70),
    place=st.integers(0, 63),
    bit=st.integers(0, 7),
)
def test_what_was_signed_opens_and_any_flipped_bit_is_refused(
    files: dict[str, bytes], shard_size: int | None, place: int, bit: int
) -> None:
    with tempfile.TemporaryDirectory() as temporary:
        folder = model(Path(temporary), files, shard_size=shard_size)
        found = aibom.verified(folder, key=public_pem(KEY))
        for name in found.names:
            with found.open(name) as file:
                assert file.read() == files[name]
        for name in found.names:
            data = bytearray(files[name])
            if data:
                data[place % len(data)] ^= 1 << bit
                (folder / name).write_bytes(data)
                with pytest.raises(aibom.VerificationError):
                    found.open(name)
                with pytest.raises(aibom.VerificationError):
                    aibom.verified(folder, key=PUBLIC).open(name)
