"""Sidecars are whole or not there, and only for their owner."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from aibom.domain.errors import Reason, UnreadableError
from aibom.sources.evidence_folder import EvidenceFolder


def test_what_is_written_is_read_again_and_has_the_digest(tmp_path: Path) -> None:
    folder = EvidenceFolder(tmp_path / "evidence")
    with folder.create("data/train.csv.rows") as sidecar:
        sidecar.write(b"one")
        sidecar.write(b"two")
        digest = sidecar.finish()
    assert digest == hashlib.sha256(b"onetwo").hexdigest()
    with folder.open("data/train.csv.rows") as reader:
        assert reader.read_at(0, reader.size) == b"onetwo"
    assert (tmp_path / "evidence/data/train.csv.rows").stat().st_mode & 0o777 == 0o600
    assert folder.holds("data/train.csv.rows")
    assert not folder.holds("data/other.rows")


def test_what_is_not_finished_leaves_the_old_sidecar_whole(tmp_path: Path) -> None:
    folder = EvidenceFolder(tmp_path)
    with folder.create("a.rows") as sidecar:
        sidecar.write(b"old")
        sidecar.finish()
    with folder.create("a.rows") as sidecar:
        sidecar.write(b"new")
    assert (tmp_path / "a.rows").read_bytes() == b"old"
    assert [each.name for each in tmp_path.iterdir()] == ["a.rows"]


@pytest.mark.parametrize("name", ["../out.rows", "/etc/out.rows", "a/../../out.rows"])
def test_a_sidecar_never_leaves_the_folder(tmp_path: Path, name: str) -> None:
    folder = EvidenceFolder(tmp_path / "inner")
    with pytest.raises(ValueError, match="path"), folder.create(name):
        pass
    with pytest.raises(ValueError, match="path"), folder.open(name):
        pass


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(b"x")
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder/a.rows").symlink_to(tmp_path / "secret")
    with pytest.raises(UnreadableError), EvidenceFolder(tmp_path / "folder").open("a.rows"):
        pass


@pytest.mark.skipif(os.geteuid() == 0, reason="root writes everywhere")
def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with (
        pytest.raises(UnreadableError, match=r"'a\.rows' cannot be written") as caught,
        EvidenceFolder(tmp_path).create("a.rows"),
    ):
        pass
    assert caught.value.reason is Reason.DENIED


def test_a_file_in_place_of_the_folder_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with (
        pytest.raises(UnreadableError, match="cannot be written"),
        EvidenceFolder(tmp_path / "file").create("a"),
    ):
        pass
