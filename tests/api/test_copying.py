"""A copy holds the bytes that were digested: races while it is made, and attempts to change it later."""

from __future__ import annotations

import contextlib
import hashlib
import mmap
import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import aibom
from aibom.api import copying
from aibom.domain.limits import CHUNK_BYTES
from aibom.sources.local_file import LocalFile
from tests.api.signed import PUBLIC, model

SIZE = 3 * CHUNK_BYTES + 17
GOOD = (hashlib.sha256(b"good").digest() * (SIZE // 32 + 1))[:SIZE]
EVIL = bytes(SIZE)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return model(tmp_path / "m", {"a.bin": GOOD})


def _spool(path: Path) -> Path:
    place = path / "spool"
    place.mkdir()
    return place


@pytest.fixture(params=["memory", "folder"])
def directory(request: pytest.FixtureRequest, tmp_path: Path) -> Path | None:
    return _spool(tmp_path) if request.param == "folder" else None


def patched(path: Path, data: bytes, offset: int = 0) -> None:
    """Other bytes in the same file, of the same length, with the same time of change."""
    status = path.stat()
    with path.open("r+b") as file:
        file.seek(offset)
        file.write(data)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


@pytest.fixture
def between(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[int, Callable[[], None]]]:
    """What happens right before the chunk at an offset is read."""
    hooks: dict[int, Callable[[], None]] = {}
    original = copying.Copying.read_into

    def read_into(self: copying.Copying, offset: int, buffer: memoryview) -> int:
        hooks.pop(offset, lambda: None)()
        return original(self, offset, buffer)

    monkeypatch.setattr(copying.Copying, "read_into", read_into)
    yield hooks
    assert not hooks, "everything that was planned did happen"


@pytest.fixture(params=["times", "no times"])
def times(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> bool:
    """Whether the file system tells that a file was written to; not every one does."""
    if request.param == "no times":
        monkeypatch.setattr(LocalFile, "unchanged", lambda self: None)
    return request.param == "times"


@pytest.mark.usefixtures("times")
def test_a_file_that_is_rewritten_before_it_was_read_to_its_end_is_refused(
    folder: Path, directory: Path | None, between: dict[int, Callable[[], None]]
) -> None:
    between[CHUNK_BYTES] = lambda: patched(folder / "a.bin", EVIL)
    with pytest.raises(aibom.VerificationError):
        aibom.verified(folder, key=PUBLIC).open("a.bin", directory=directory)


@pytest.mark.usefixtures("times")
def test_a_file_that_is_rewritten_and_put_right_again_is_refused(
    folder: Path, directory: Path | None, between: dict[int, Callable[[], None]]
) -> None:
    between[CHUNK_BYTES] = lambda: patched(folder / "a.bin", EVIL)
    between[2 * CHUNK_BYTES] = lambda: patched(folder / "a.bin", GOOD)
    with pytest.raises(aibom.VerificationError):
        aibom.verified(folder, key=PUBLIC).open("a.bin", directory=directory)


def test_a_file_of_which_the_read_part_is_rewritten_is_never_opened_with_those_bytes(
    folder: Path, directory: Path | None, times: bool, between: dict[int, Callable[[], None]]
) -> None:
    between[CHUNK_BYTES] = lambda: patched(folder / "a.bin", EVIL[:CHUNK_BYTES])
    found = aibom.verified(folder, key=PUBLIC)
    if times:
        with pytest.raises(aibom.VerificationError, match="changed while it was read"):
            found.open("a.bin", directory=directory)
    else:
        with found.open("a.bin", directory=directory) as file:
            assert file.read() == GOOD


@pytest.mark.parametrize("change", [lambda path: os.truncate(path, 5), lambda path: path.unlink()])
def test_a_file_that_goes_away_while_it_is_read_is_refused(
    folder: Path, between: dict[int, Callable[[], None]], change: Callable[[Path], None]
) -> None:
    between[2 * CHUNK_BYTES] = lambda: change(folder / "a.bin")
    with pytest.raises(aibom.VerificationError):
        aibom.verified(folder, key=PUBLIC).open("a.bin")


def test_a_file_that_changes_places_all_the_time_is_refused_or_right(folder: Path, tmp_path: Path) -> None:
    evil, good = tmp_path / "evil", tmp_path / "good"
    stop = threading.Event()

    def swap() -> None:
        while not stop.is_set():
            for path, data in ((evil, EVIL), (good, GOOD)):
                path.write_bytes(data)
                path.replace(folder / "a.bin")
            patched(folder / "a.bin", EVIL)
            patched(folder / "a.bin", GOOD)

    thread = threading.Thread(target=swap)
    thread.start()
    try:
        for _ in range(30):
            with (
                contextlib.suppress(aibom.VerificationError),
                aibom.verified(folder, key=PUBLIC).open("a.bin") as file,
            ):
                assert file.read() == GOOD
    finally:
        stop.set()
        thread.join()


def test_what_happens_to_the_original_does_not_reach_an_open_file(
    folder: Path, directory: Path | None
) -> None:
    with aibom.verified(folder, key=PUBLIC).open("a.bin", directory=directory) as file:
        patched(folder / "a.bin", EVIL)
        assert file.read(40) == GOOD[:40]
        (folder / "a.bin").unlink()
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
            assert mapped[:] == GOOD
        file.seek(0)
        assert file.read() == GOOD


def test_a_copy_in_memory_cannot_be_written_resized_or_mapped_for_writing(folder: Path) -> None:
    with aibom.verified(folder, key=PUBLIC).open("a.bin") as file:
        with pytest.raises(OSError, match="Bad file descriptor"):
            os.pwrite(file.fileno(), b"x", 0)
        # Whoever opens it anew may, and the seal forbids it all the same.
        writable = os.open(file.path, os.O_RDWR)
        try:
            with pytest.raises(PermissionError):
                os.pwrite(writable, b"x", 0)
            for size in (0, SIZE + 1):
                with pytest.raises(PermissionError):
                    os.ftruncate(writable, size)
            with pytest.raises(PermissionError):
                mmap.mmap(writable, 0, access=mmap.ACCESS_WRITE)
        finally:
            os.close(writable)
        assert file.read() == GOOD


def test_a_copy_in_a_folder_has_no_name_and_leaves_nothing(folder: Path, tmp_path: Path) -> None:
    spool = _spool(tmp_path)
    with aibom.verified(folder, key=PUBLIC).open("a.bin", directory=spool) as file:
        assert not list(spool.iterdir())
        assert os.fstat(file.fileno()).st_dev == spool.stat().st_dev
        assert os.fstat(file.fileno()).st_nlink == 0
    assert not list(spool.iterdir())


def test_without_anonymous_memory_the_copy_lies_in_the_temporary_folder(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(os, "memfd_create")
    with aibom.verified(folder, key=PUBLIC).open("a.bin") as file:
        assert file.read() == GOOD
        assert os.fstat(file.fileno()).st_nlink == 0


def test_a_folder_for_the_copy_that_is_not_there_is_the_systems_error(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        aibom.verified(folder, key=PUBLIC).open("a.bin", directory=tmp_path / "nothing")


def test_neither_success_nor_refusal_leaves_a_descriptor_open(folder: Path) -> None:
    def opened() -> int:
        return len(list(Path("/proc/self/fd").iterdir()))

    found = aibom.verified(folder, key=PUBLIC)
    before = opened()
    with found.open("a.bin"):
        assert opened() == before + 1
    patched(folder / "a.bin", EVIL)
    with pytest.raises(aibom.VerificationError):
        aibom.verified(folder, key=PUBLIC).open("a.bin")
    assert opened() == before
