"""One open file: the listed version or an error that says why not, whatever happens meanwhile."""

from __future__ import annotations

import errno
import os
import socket
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aibom.domain.errors import Reason, UnreadableError
from aibom.sources.local_file import (
    LINK_COUNT,
    LocalFile,
    etag_of,
    folder_beneath,
    open_beneath,
    resolve_beneath,
)

DATA = bytes(range(256)) * 40


@pytest.fixture
def path(tmp_path: Path) -> Path:
    file = tmp_path / "weights.bin"
    file.write_bytes(DATA)
    return file


def opened(path: Path, etag: str | None = None) -> LocalFile:
    return LocalFile(open_beneath(str(path.parent), path.name), etag)


def refusal(act: Callable[[], object]) -> UnreadableError:
    with pytest.raises(UnreadableError) as caught:
        act()
    return caught.value


def descriptors() -> int:
    return sum(1 for _ in Path("/dev/fd").iterdir())


@given(st.integers(0, len(DATA)), st.integers(0, len(DATA)))
def test_any_range_is_the_files_bytes(
    tmp_path_factory: pytest.TempPathFactory, offset: int, length: int
) -> None:
    path = tmp_path_factory.getbasetemp() / "ranges.bin"
    path.write_bytes(DATA)
    with opened(path) as file:
        if offset + length > len(DATA):
            assert refusal(lambda: file.read_at(offset, length)).reason is Reason.TRUNCATED
        else:
            assert file.read_at(offset, length) == DATA[offset : offset + length]
        buffer = bytearray(length)
        count = file.read_into(offset, memoryview(buffer))
        assert bytes(buffer[:count]) == DATA[offset : offset + length]


def test_the_listed_version_opens_and_is_closed_again(path: Path) -> None:
    before = descriptors()
    with opened(path, etag_of(path.stat())) as file:
        assert file.size == len(DATA)
        assert descriptors() == before + 1
    assert descriptors() == before
    assert refusal(lambda: file.read_at(0, 1)).reason is Reason.IO_ERROR


def test_another_version_than_the_listed_one_is_refused_and_closed(path: Path) -> None:
    listed = etag_of(path.stat())
    path.write_bytes(DATA[::-1])
    before = descriptors()
    assert refusal(lambda: opened(path, listed)).reason is Reason.CHANGED
    assert descriptors() == before


def test_a_copy_with_the_same_size_and_mtime_is_another_version(path: Path, tmp_path: Path) -> None:
    status = path.stat()
    copy = tmp_path / "copy"
    copy.write_bytes(DATA[::-1])
    os.utime(copy, ns=(status.st_atime_ns, status.st_mtime_ns))
    copy.replace(path)
    assert path.stat().st_mtime_ns == status.st_mtime_ns
    assert refusal(lambda: opened(path, etag_of(status))).reason is Reason.CHANGED


def test_a_file_that_shrinks_while_open_is_changed_and_no_crash(path: Path) -> None:
    file = opened(path)
    os.truncate(path, 10)
    assert file.read_at(0, 10) == DATA[:10]
    error = refusal(lambda: file.read_at(5, 100))
    assert (error.reason, error.offset) == (Reason.CHANGED, 10)
    assert refusal(lambda: file.read_into(10, memoryview(bytearray(4)))).reason is Reason.CHANGED
    file.close()


def test_a_file_that_grows_while_open_keeps_its_size_and_is_changed(path: Path) -> None:
    def look() -> None:
        with opened(path) as file, path.open("ab") as more:
            more.write(b"more")
            more.flush()
            assert file.size == len(DATA)
            assert file.read_into(len(DATA), memoryview(bytearray(4))) == 0

    assert refusal(look).reason is Reason.CHANGED


def test_a_change_in_place_is_noticed_at_the_end(path: Path) -> None:
    def look() -> None:
        with opened(path) as file:
            os.utime(path, ns=(1, 1))
            file.read_at(0, 1)

    assert refusal(look).reason is Reason.CHANGED


def test_an_error_of_the_reader_is_not_hidden_by_a_change(path: Path) -> None:
    def look() -> float:
        with opened(path):
            os.utime(path, ns=(1, 1))
            return 1 / 0

    with pytest.raises(ZeroDivisionError):
        look()


def test_unchanged_is_silent_when_nothing_happened(path: Path) -> None:
    with opened(path) as file:
        file.unchanged()
        file.read_at(0, 100)
        file.unchanged()


def test_reads_that_come_in_pieces_are_joined(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = os.pread
    with opened(path) as file:
        monkeypatch.setattr(os, "pread", lambda fd, length, offset: whole(fd, min(length, 7), offset))
        assert file.read_at(3, 1_000) == DATA[3:1_003]


def test_a_disk_error_is_an_io_error_with_its_offset(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> bytes:
        raise OSError(errno.EIO, "Input/output error")

    with opened(path) as file:
        monkeypatch.setattr(os, "pread", broken)
        monkeypatch.setattr(os, "preadv", broken)
        for act in (lambda: file.read_at(5, 1), lambda: file.read_into(5, memoryview(bytearray(1)))):
            error = refusal(act)
            assert (error.reason, error.offset) == (Reason.IO_ERROR, 5)
            assert error.message == "cannot be read: input/output error"


def make_fifo(path: Path) -> None:
    os.mkfifo(path)


def make_folder(path: Path) -> None:
    path.mkdir()


def make_device(path: Path) -> None:
    path.symlink_to("/dev/null")
    path.unlink()
    os.mknod(path, 0o020666, os.makedev(1, 3))


@pytest.mark.parametrize(
    ("make", "reason", "words"),
    [
        (make_fifo, Reason.SPECIAL_FILE, "a FIFO"),
        (make_device, Reason.SPECIAL_FILE, "a character device"),
        (make_folder, Reason.CHANGED, "a folder"),
    ],
)
def test_what_is_no_regular_file_is_refused_without_waiting(
    tmp_path: Path, make: Callable[[Path], None], reason: Reason, words: str
) -> None:
    try:
        make(tmp_path / "x")
    except PermissionError:
        pytest.skip("devices need privileges")
    error = refusal(lambda: opened(tmp_path / "x"))
    assert error.reason is reason
    assert words in error.message


def test_a_socket_a_link_and_a_missing_file_do_not_open(tmp_path: Path, path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "socket"))
        with pytest.raises(OSError, match="No such device"):
            opened(tmp_path / "socket")
    (tmp_path / "link").symlink_to(path)
    with pytest.raises(OSError, match="symbolic links"):
        opened(tmp_path / "link")
    with pytest.raises(FileNotFoundError):
        opened(tmp_path / "missing")


def test_a_folder_beneath_is_reached_through_no_link(tmp_path: Path) -> None:
    (tmp_path / "a/b").mkdir(parents=True)
    (tmp_path / "a/link").symlink_to("b")
    before = descriptors()
    with folder_beneath(str(tmp_path), "a/b") as folder:
        assert os.fstat(folder).st_ino == (tmp_path / "a/b").stat().st_ino
    with pytest.raises(NotADirectoryError), folder_beneath(str(tmp_path), "a/link"):
        pass
    with pytest.raises(FileNotFoundError), folder_beneath(str(tmp_path), "a/b/c"):
        pass
    assert descriptors() == before


@pytest.mark.parametrize(
    ("link", "leads"),
    [
        ("file", "folder/file"),
        ("../folder/./file", "folder/file"),
        ("..", ""),
        ("../../{base}", ""),
        ("../../{base}/folder/file", "folder/file"),
        ("{root}/folder/file", "folder/file"),
        ("../chain", "folder/file"),
    ],
)
def test_links_are_followed_as_the_system_does(tmp_path: Path, link: str, leads: str) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder/file").touch()
    (tmp_path / "chain").symlink_to("folder/file")
    (tmp_path / "folder/link").symlink_to(link.format(base=tmp_path.name, root=tmp_path))
    assert resolve_beneath(str(tmp_path), "folder/link") == leads
    assert (tmp_path / "folder/link").resolve() == tmp_path / leads


@pytest.mark.parametrize(
    "link",
    ["/etc/passwd", "../..", "../../x", "../../{base}x", "../../../../../../etc/passwd", "/", "../out"],
)
def test_links_that_lead_out_are_refused_without_a_look(
    tmp_path: Path, link: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "out").symlink_to("/nonexistent")
    (tmp_path / "folder/link").symlink_to(link.format(base=tmp_path.name))
    looked: list[str] = []
    readlink = os.readlink
    monkeypatch.setattr(os, "readlink", lambda path: looked.append(path) or readlink(path))
    error = refusal(lambda: resolve_beneath(str(tmp_path), "folder/link"))
    assert error.reason is Reason.OUTSIDE_TARGET
    assert all(path.startswith(f"{tmp_path}/") for path in looked)


def test_loops_and_chains_that_the_system_would_not_follow_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to("b")
    (tmp_path / "b").symlink_to("a")
    (tmp_path / "0").touch()
    for number in range(1, 2_000):
        (tmp_path / str(number)).symlink_to(str(number - 1))
    assert refusal(lambda: resolve_beneath(str(tmp_path), "a")).reason is Reason.LINK_LOOP
    assert refusal(lambda: resolve_beneath(str(tmp_path), "1999")).reason is Reason.LINK_LOOP
    assert resolve_beneath(str(tmp_path), str(LINK_COUNT)) == "0"


def test_a_link_over_very_many_names_is_over_the_limit(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "long").symlink_to("a/../" * 800 + "a")
    assert refusal(lambda: resolve_beneath(str(tmp_path), "long")).reason is Reason.LIMIT
