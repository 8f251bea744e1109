"""A local folder: every name becomes an entry or a gap, and what opens is what was listed."""

from __future__ import annotations

import errno
import os
import shutil
import socket
import time
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aibom.domain.entry import Entry
from aibom.domain.errors import Reason, UnreadableError
from aibom.domain.gap import Gap, Stage
from aibom.sources import local
from aibom.sources.local import LocalSource

Items = dict[str, Entry | Gap]


def listed(path: Path, *exclude: str) -> Items:
    """By path, after a check of what holds for every listing."""
    items = list(LocalSource(path, exclude).entries())
    paths = [item.path for item in items]
    assert paths == sorted(set(paths))
    assert all(item.stage is Stage.LIST for item in items if isinstance(item, Gap))
    return dict(zip(paths, items, strict=True))


def gaps(path: Path) -> dict[str, Reason]:
    return {name: item.reason for name, item in listed(path).items() if isinstance(item, Gap)}


def content(source: LocalSource, entry: Entry) -> bytes:
    with source.open(entry) as file:
        return file.read_at(0, file.size)


def made(root: Path, *paths: str) -> Path:
    """Files whose content is their path."""
    for path in paths:
        file = root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(os.fsencode(path))
    return root


def test_every_file_is_listed_in_order_of_its_whole_path_and_opens(tmp_path: Path) -> None:
    paths = ["a-b", "a.b", "a/b", "a/b-c/d", "a0", "A", "b/a", "empty/x", "é", "a/b/"[:-1] + "2"]
    made(tmp_path, *paths)
    (tmp_path / "nothing in here").mkdir()
    source = LocalSource(tmp_path)
    entries = [item for item in source.entries() if isinstance(item, Entry)]
    assert [entry.path for entry in entries] == sorted(paths)
    for entry in entries:
        assert content(source, entry) == os.fsencode(entry.path)
        assert entry.size == len(os.fsencode(entry.path))
    assert source.excluded == 0


@pytest.mark.parametrize(
    "name", [b"new\nline", b"\xff\xfe", b"x" * 255, b" ", b"a\\b", b"...", b"\x1b[31m", b"-rf"]
)
def test_any_name_that_the_system_allows_is_listed_and_opens(tmp_path: Path, name: bytes) -> None:
    made(tmp_path, os.fsdecode(name), os.fsdecode(b"in/" + name))
    source = LocalSource(tmp_path)
    entries = [item for item in source.entries() if isinstance(item, Entry)]
    assert {os.fsencode(entry.path) for entry in entries} == {name, b"in/" + name}
    assert all(content(source, entry) == os.fsencode(entry.path) for entry in entries)


NAMES = st.binary(min_size=1, max_size=6).filter(
    lambda n: not set(n) & {0, 47} and n not in (b".", b"..", b".git")
)
TREES = st.recursive(
    st.sampled_from(["file", "fifo", "out", "up", "self", "dangling"]),
    lambda inner: st.dictionaries(NAMES, inner, max_size=4),
    max_leaves=12,
)


def grow(path: Path, tree: object) -> int:
    """Makes the tree, returns how many names are no folders."""
    links = {"out": "/etc/passwd", "up": "..", "self": path.name, "dangling": "no such file"}
    if isinstance(tree, dict):
        path.mkdir(exist_ok=True)
        return sum(grow(path / os.fsdecode(name), inner) for name, inner in tree.items())
    if tree == "file":
        path.touch()
    elif tree == "fifo":
        os.mkfifo(path)
    else:
        path.symlink_to(links[str(tree)])
    return 1


@settings(max_examples=60, deadline=None)
@given(tree=st.dictionaries(NAMES, TREES, max_size=6))
def test_names_are_entries_plus_gaps_sorted_and_unique(
    tmp_path_factory: pytest.TempPathFactory, tree: dict[bytes, object]
) -> None:
    root = tmp_path_factory.mktemp("tree")
    names = grow(root, tree)
    assert len(listed(root)) == names
    shutil.rmtree(root)


def test_a_link_to_a_file_inside_is_an_entry_under_its_own_path(tmp_path: Path) -> None:
    made(tmp_path, "blobs/real")
    (tmp_path / "link").symlink_to("blobs/real")
    (tmp_path / "absolute").symlink_to(tmp_path / "blobs/real")
    items = listed(tmp_path)
    assert [*items] == ["absolute", "blobs/real", "link"]
    etags = {item.etag for item in items.values() if isinstance(item, Entry)}
    assert len(etags) == 1
    source = LocalSource(tmp_path)
    for item in items.values():
        assert isinstance(item, Entry)
        assert content(source, item) == b"blobs/real"


def test_a_link_to_a_folder_inside_is_followed_and_its_files_open(tmp_path: Path) -> None:
    made(tmp_path, "v1/a", "v1/sub/b")
    (tmp_path / "latest").symlink_to("v1")
    source = LocalSource(tmp_path)
    entries = [item for item in source.entries() if isinstance(item, Entry)]
    assert [entry.path for entry in entries] == ["latest/a", "latest/sub/b", "v1/a", "v1/sub/b"]
    assert content(source, entries[1]) == b"v1/sub/b"


def test_links_that_loop_are_gaps(tmp_path: Path) -> None:
    made(tmp_path, "a/b/file")
    (tmp_path / "a/b/up").symlink_to("..")
    (tmp_path / "a/b/top").symlink_to(tmp_path)
    (tmp_path / "a/here").symlink_to(".")
    (tmp_path / "self").symlink_to("self")
    (tmp_path / "x").symlink_to("y")
    (tmp_path / "y").symlink_to("x")
    assert gaps(tmp_path) == dict.fromkeys(
        ["a/b/top", "a/b/up", "a/here", "self", "x", "y"], Reason.LINK_LOOP
    )


def test_two_folders_that_link_to_each_other_end(tmp_path: Path) -> None:
    made(tmp_path, "a/1", "b/2")
    (tmp_path / "a/b").symlink_to("../b")
    (tmp_path / "b/a").symlink_to("../a")
    assert [*listed(tmp_path)] == ["a/1", "a/b/2", "a/b/a", "b/2", "b/a/1", "b/a/b"]
    assert gaps(tmp_path) == {"a/b/a": Reason.LINK_LOOP, "b/a/b": Reason.LINK_LOOP}


def test_links_that_double_at_every_level_are_bounded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(local, "LINKED_FOLDER_COUNT", 100)
    for level in range(40):
        folder = tmp_path / f"{level:02}"
        folder.mkdir()
        for name in ("a", "b"):
            (folder / name).symlink_to(f"../{level + 1:02}")
    made(tmp_path, "40/end")
    found = listed(tmp_path)
    assert len(found) < 300
    assert any(isinstance(item, Gap) and item.reason is Reason.LIMIT for item in found.values())


def test_links_that_lead_out_dangle_or_cannot_be_followed_are_gaps(tmp_path: Path) -> None:
    root = made(tmp_path / "target", "file")
    made(tmp_path, "secret", "folder/x")
    (root / "out").symlink_to("../secret")
    (root / "absolute").symlink_to("/etc/passwd")
    (root / "folder").symlink_to("../folder")
    (root / "missing").symlink_to("/nonexistent/x")
    (root / "dangling").symlink_to("no such file")
    (root / "through a file").symlink_to("file/x")
    assert gaps(root) == {
        **dict.fromkeys(["absolute", "folder", "missing", "out"], Reason.OUTSIDE_TARGET),
        **dict.fromkeys(["dangling", "through a file"], Reason.VANISHED),
    }
    dangling = listed(root)["dangling"]
    assert isinstance(dangling, Gap)
    assert dangling.detail == "a link that points to nothing"


def test_special_files_are_gaps_also_behind_a_link(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "link").symlink_to("fifo")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "socket"))
        assert gaps(tmp_path) == dict.fromkeys(["fifo", "link", "socket"], Reason.SPECIAL_FILE)


def deny(monkeypatch: pytest.MonkeyPatch, name: str, code: int = errno.EACCES) -> None:
    """Root may read everything, so the refusal has to be made up."""
    really = os.open

    def refuse(path: str, flags: int, mode: int = 0o777, *, dir_fd: int | None = None) -> int:
        if path == name:
            raise OSError(code, os.strerror(code))
        return really(path, flags, mode, dir_fd=dir_fd)

    monkeypatch.setattr(os, "open", refuse)


def test_a_folder_that_may_not_be_read_is_one_gap(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made(tmp_path, "private/x", "private/sub/y", "private-too", "public")
    deny(monkeypatch, "private")
    items = listed(tmp_path)
    assert [*items] == ["private-too", "private/", "public"]
    gap = items["private/"]
    assert isinstance(gap, Gap)
    assert gap.reason is Reason.DENIED
    assert gap.detail == "the folder cannot be listed: permission denied"


def test_a_target_that_may_not_be_read_is_a_gap_and_not_empty(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = LocalSource(tmp_path)
    deny(monkeypatch, str(tmp_path))
    assert [(g.path, g.reason) for g in source.entries() if isinstance(g, Gap)] == [(".", Reason.DENIED)]


def test_a_folder_that_breaks_off_keeps_what_was_seen_and_is_a_gap(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made(tmp_path, "in/a", "in/b", "in/c")
    really = os.scandir

    class Broken:
        def __init__(self, folder: int) -> None:
            self.names = really(folder)

        def __enter__(self) -> Iterator[os.DirEntry[str]]:
            for count, name in enumerate(sorted(self.names, key=lambda n: n.name)):
                if count == 2:
                    raise OSError(errno.EIO, "Input/output error")
                yield name

        def __exit__(self, *_: object) -> None:
            self.names.close()

    inside = (tmp_path / "in").stat().st_ino
    monkeypatch.setattr(
        os, "scandir", lambda folder: (Broken if os.fstat(folder).st_ino == inside else really)(folder)
    )
    assert [*listed(tmp_path)] == ["in/", "in/a", "in/b"]
    assert gaps(tmp_path) == {"in/": Reason.IO_ERROR}


def test_folders_below_the_depth_limit_are_a_gap(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(local, "PATH_DEPTH", 3)
    made(tmp_path, "1/2/file", "1/2/3/file")
    assert [*listed(tmp_path)] == ["1/2/3/", "1/2/file"]
    assert gaps(tmp_path) == {"1/2/3/": Reason.LIMIT}


def test_a_folder_with_too_many_names_is_one_gap_whatever_their_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(local, "ENTRY_COUNT", 10)
    made(tmp_path, "a", *(f"many/{n}" for n in range(20)), "z")
    assert [*listed(tmp_path)] == ["a", "many/", "z"]
    assert gaps(tmp_path) == {"many/": Reason.LIMIT}


def test_a_path_longer_than_the_system_takes_is_listed_and_opens(tmp_path: Path) -> None:
    folder, names = os.open(tmp_path, os.O_RDONLY), []
    for level in range(60):
        name = f"{level:02}" + "x" * 98
        os.mkdir(name, dir_fd=folder)
        outer, folder = folder, os.open(name, os.O_RDONLY, dir_fd=folder)
        os.close(outer)
        names.append(name)
    os.close(os.open("end", os.O_CREAT | os.O_WRONLY, dir_fd=folder))
    os.close(folder)
    source = LocalSource(tmp_path)
    (entry,) = source.entries()
    assert isinstance(entry, Entry)
    assert len(entry.path) > 6_000
    assert content(source, entry) == b""
    shutil.rmtree(tmp_path)


def test_the_inside_of_git_folders_is_left_out_and_counted(tmp_path: Path) -> None:
    made(
        tmp_path, ".git/config", ".git/objects/x", "sub/.git/config", "sub/file", "module/.git", ".gitignore"
    )
    source = LocalSource(tmp_path)
    assert [item.path for item in source.entries()] == [".gitignore", "module/.git", "sub/file"]
    assert source.excluded == 2


@pytest.mark.parametrize(
    ("patterns", "left", "excluded"),
    [
        (["*.tmp"], ["a.bin", "build/c.bin", "build/sub/d.bin", "x/build/e.bin"], 2),
        (["build"], ["a.bin", "a.tmp", "x/build/e.bin"], 1),
        (["build/"], ["a.bin", "a.tmp", "x/build/e.bin"], 1),
        (["build/*"], ["a.bin", "a.tmp", "x/build/e.bin"], 3),
        (["*/build", "a.???"], ["build/b.tmp", "build/c.bin", "build/sub/d.bin"], 3),
        (["*"], [], 4),
        (["A.BIN", "sub", "[", "*.tmp"], ["a.bin", "build/c.bin", "build/sub/d.bin", "x/build/e.bin"], 2),
    ],
)  # fmt: skip
def test_excluded_names_are_counted_and_their_folders_not_entered(
    tmp_path: Path, patterns: list[str], left: list[str], excluded: int
) -> None:
    made(tmp_path, "a.bin", "a.tmp", "build/b.tmp", "build/c.bin", "build/sub/d.bin", "x/build/e.bin")
    source = LocalSource(tmp_path, tuple(patterns))
    assert [item.path for item in source.entries()] == left
    assert source.excluded == excluded
    assert [item.path for item in source.entries()] == left
    assert source.excluded == excluded


def test_no_file_of_the_target_steers_the_listing(tmp_path: Path) -> None:
    made(tmp_path, "a", "sub/b")
    for name in (".gitignore", ".dockerignore", ".aibomignore", "sub/.gitignore"):
        (tmp_path / name).write_text("*\n")
    assert {"a", "sub/b"} < set(listed(tmp_path))


def test_a_single_file_is_the_whole_target(tmp_path: Path) -> None:
    made(tmp_path, "a.bin", "b.bin")
    source = LocalSource(tmp_path / "a.bin")
    (entry,) = source.entries()
    assert isinstance(entry, Entry)
    assert entry.path == source.target.name == "a.bin"
    assert content(source, entry) == b"a.bin"
    assert [*LocalSource(tmp_path / "a.bin", ("*.bin",)).entries()] == []


def test_a_single_file_behind_a_link_keeps_the_name_that_was_given(tmp_path: Path) -> None:
    made(tmp_path, "store/0123")
    (tmp_path / "model.bin").symlink_to("store/0123")
    source = LocalSource(tmp_path / "model.bin")
    (entry,) = source.entries()
    assert isinstance(entry, Entry)
    assert entry.path == source.target.name == "model.bin"
    assert content(source, entry) == b"store/0123"


def test_a_special_file_as_target_is_a_gap(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    assert gaps(tmp_path / "fifo") == {"fifo": Reason.SPECIAL_FILE}


def test_the_target_has_the_name_of_the_folder_and_no_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "model").mkdir()
    (tmp_path / "link").symlink_to("model")
    monkeypatch.chdir(tmp_path / "model")
    for path in (Path(), tmp_path / "link", tmp_path / "model/../model"):
        assert LocalSource(path).target.name == "model"
    assert LocalSource(Path("/")).target.name == "root"


@pytest.mark.parametrize("name", ["missing", "file/x", "nul\0", "\ud800"])
def test_a_target_that_does_not_exist_is_said_so(tmp_path: Path, name: str) -> None:
    made(tmp_path, "file")
    with pytest.raises(UnreadableError, match="no such file or folder: ") as caught:
        LocalSource(tmp_path / name)
    assert caught.value.reason is Reason.VANISHED


def test_a_target_whose_links_loop_is_said_so(tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to("loop")
    with pytest.raises(UnreadableError, match="cannot be scanned: too many levels of symbolic links"):
        LocalSource(tmp_path / "loop")


def replaced_by_other_bytes(file: Path) -> None:
    file.write_bytes(b"other")


def replaced_by_a_folder(file: Path) -> None:
    file.unlink()
    file.mkdir()


def replaced_by_a_link_out(file: Path) -> None:
    file.unlink()
    file.symlink_to("/etc/passwd")


def replaced_by_a_link_inside(file: Path) -> None:
    file.rename(file.parent / "moved")
    made(file.parent, "other")
    file.symlink_to("other")


def replaced_by_a_fifo(file: Path) -> None:
    file.unlink()
    os.mkfifo(file)


def removed(file: Path) -> None:
    file.unlink()


def folder_removed(file: Path) -> None:
    shutil.rmtree(file.parent)


def folder_replaced_by_a_file(file: Path) -> None:
    shutil.rmtree(file.parent)
    file.parent.touch()


def folder_replaced_by_a_link_out(file: Path) -> None:
    outside = file.parent.parent.parent / "outside"
    file.parent.rename(outside)
    file.parent.symlink_to(outside)


@pytest.mark.parametrize(
    ("act", "reason"),
    [
        (replaced_by_other_bytes, Reason.CHANGED),
        (replaced_by_a_folder, Reason.CHANGED),
        (replaced_by_a_link_out, Reason.OUTSIDE_TARGET),
        (replaced_by_a_link_inside, Reason.CHANGED),
        (replaced_by_a_fifo, Reason.SPECIAL_FILE),
        (removed, Reason.VANISHED),
        (folder_removed, Reason.VANISHED),
        (folder_replaced_by_a_file, Reason.VANISHED),
        (folder_replaced_by_a_link_out, Reason.OUTSIDE_TARGET),
    ],
)
def test_what_changed_since_the_listing_does_not_open(
    tmp_path: Path, act: Callable[[Path], None], reason: Reason
) -> None:
    root = made(tmp_path / "target", "folder/file")
    source = LocalSource(root)
    (entry,) = source.entries()
    assert isinstance(entry, Entry)
    act(root / "folder/file")
    with pytest.raises(UnreadableError) as caught:
        source.open(entry)
    assert caught.value.reason is reason
    assert str(tmp_path) not in caught.value.message


def test_a_file_that_may_not_be_read_is_denied_when_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = LocalSource(made(tmp_path, "file"))
    (entry,) = source.entries()
    assert isinstance(entry, Entry)
    deny(monkeypatch, "file")
    with pytest.raises(UnreadableError, match="cannot be opened: permission denied") as caught:
        source.open(entry)
    assert caught.value.reason is Reason.DENIED


def test_a_file_that_vanishes_between_its_name_and_its_look_is_a_gap(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made(tmp_path, "a", "folder/b")
    really = LocalSource(tmp_path)
    entries = local._Walk._entry

    def late(walk: local._Walk, path: str, status: os.stat_result) -> Entry:
        shutil.rmtree(tmp_path / "folder", ignore_errors=True)
        return entries(walk, path, status)

    monkeypatch.setattr(local._Walk, "_entry", late)
    found = {item.path: item for item in really.entries()}
    assert isinstance(found["a"], Entry)
    assert isinstance(found["folder/"], Gap)
    assert found["folder/"].reason is Reason.VANISHED


def test_a_young_file_is_not_cacheable_and_an_older_one_is(tmp_path: Path) -> None:
    source = LocalSource(made(tmp_path, "file"))
    (young,) = source.entries()
    time.sleep(0.15)
    (older,) = source.entries()
    assert isinstance(young, Entry)
    assert isinstance(older, Entry)
    assert (young.cacheable, older.cacheable) == (False, True)
    assert young.etag == older.etag


def test_many_files_take_little_memory_and_time(tmp_path: Path) -> None:
    for number in range(20):
        made(tmp_path, f"{number}/0")
        for name in range(1, 100):
            os.link(tmp_path / f"{number}/0", tmp_path / f"{number}/{name}")
    source = LocalSource(tmp_path)
    tracemalloc.start()
    started = time.process_time()
    count = sum(1 for _ in source.entries())
    spent, (_, peak) = time.process_time() - started, tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert count == 2_000
    assert spent < 1  # a tenth of that without the tracing
    assert peak < 1 << 20  # one folder at a time
