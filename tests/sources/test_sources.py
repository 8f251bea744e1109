"""What the user typed becomes a source, or an error that says what is wrong with it."""

from __future__ import annotations

from pathlib import Path

import pytest

from aibom.domain.errors import Reason, UnreadableError
from aibom.sources import SOURCES, resolve
from aibom.sources.opening import Opening


def test_a_path_is_a_local_source_with_its_excludes(tmp_path: Path) -> None:
    (tmp_path / "a.bin").touch()
    (tmp_path / "b.tmp").touch()
    source = resolve(str(tmp_path), Opening(exclude=("*.tmp",)))
    assert [item.path for item in source.entries()] == ["a.bin"]
    assert (source.excluded, source.target.name) == (1, tmp_path.name)


@pytest.mark.parametrize("target", ["missing", "", "./no such folder/"])
def test_a_path_that_does_not_exist_is_named(target: str) -> None:
    with pytest.raises(UnreadableError, match="no such file or folder: '") as caught:
        resolve(target)
    assert caught.value.reason is Reason.VANISHED


def test_a_path_that_would_confuse_a_terminal_is_escaped() -> None:
    with pytest.raises(UnreadableError) as caught:
        resolve("\x1b[31m\n")
    assert str(caught.value) == "no such file or folder: '\\x1b[31m\\n'"


@pytest.mark.parametrize(
    "target", ["ftp://host/name", "FTP://host/name", "svn://bucket/key", "file:///etc", "a+b.c-1://"]
)
def test_an_unknown_scheme_is_named(target: str) -> None:
    scheme = target.partition(":")[0].lower()
    with pytest.raises(UnreadableError, match=r"not supported in this version") as caught:
        resolve(target)
    assert caught.value.reason is Reason.UNSUPPORTED
    assert str(caught.value).startswith(f"{scheme}:// ")


def test_a_folder_named_like_a_scheme_is_reached_by_a_dot(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "hf:").mkdir()
    monkeypatch.chdir(tmp_path)
    assert resolve("./hf:").target.name == "hf:"


def test_every_scheme_is_listed_once_and_has_its_place() -> None:
    listed = [scheme for kind in SOURCES for scheme in kind.schemes]
    assert len(set(listed)) == len(listed)
    assert [place.scheme for kind in SOURCES for place in kind.places()] == listed
