"""The git index: every version as git writes it, and the tree that `git write-tree` would make."""

from __future__ import annotations

import hashlib
import os
import shutil
import struct
import subprocess
import tracemalloc
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aibom.domain.errors import Reason, UnreadableError
from aibom.domain.limits import MIB
from aibom.readers import git_index
from aibom.readers.git_index import Tracked, parse, tree_of
from tests.hostile import flips, truncations

OID = bytes(range(20))
PART = st.binary(min_size=1, max_size=5).filter(
    lambda part: not {0, 47} & set(part) and part not in (b".", b"..", b".git")
)
PATHS = st.lists(st.lists(PART, min_size=1, max_size=4).map(b"/".join), max_size=8)


def offset_number(value: int) -> bytes:
    """The variable width of version 4."""
    found = [value & 0x7F]
    while value := value >> 7:
        value -= 1
        found.append(0x80 | value & 0x7F)
    return bytes(reversed(found))


def shared(one: bytes, other: bytes) -> int:
    """How many bytes two paths start with in common."""
    return next(
        (at for at, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other))
    )


def packed(
    paths: Sequence[bytes], version: int = 2, *, mode: int = 0o100644, extended: int = 0, tail: bytes = b"",
    count: int | None = None, digest: bool = True, algorithm: str = "sha1",
) -> bytes:  # fmt: skip
    pieces = [struct.pack(">4sII", b"DIRC", version, len(paths) if count is None else count)]
    before, width = b"", hashlib.new(algorithm).digest_size
    for path in paths:
        entry = struct.pack(">10I", 5, 6, 7, 8, 0, 9, mode, 0, 0, 10) + OID.ljust(width, b"\0")
        entry += struct.pack(">H", min(len(path), 0xFFF) | (0x4000 if extended else 0))
        entry += struct.pack(">H", extended) if extended else b""
        if version == 4:
            common = shared(before, path)
            entry += offset_number(len(before) - common) + path[common:] + b"\0"
            before = path
        else:
            entry += path
            entry += bytes(8 - len(entry) % 8)
        pieces.append(entry)
    data = b"".join([*pieces, tail])
    return data + (hashlib.new(algorithm, data).digest() if digest else bytes(width))


def read(data: bytes, algorithm: str = "sha1") -> list[Tracked]:
    return list(parse(data, algorithm))


@given(PATHS, st.sampled_from([2, 3, 4]), st.sampled_from(["sha1", "sha256"]), st.booleans())
def test_any_index_by_the_format_is_read(
    paths: list[bytes], version: int, algorithm: str, digest: bool
) -> None:
    data = packed(paths, version, algorithm=algorithm, digest=digest, tail=b"TREE\0\0\0\x02xx")
    assert [entry.path for entry in read(data, algorithm)] == paths


def test_every_field_is_told() -> None:
    (entry,) = read(packed([b"a/b"], 3, mode=0o100755, extended=0x6000))
    assert (entry.path, entry.folder, entry.mode, entry.size, entry.inode) == (b"a/b", b"a", 0o100755, 10, 9)
    assert (entry.ctime_ns, entry.mtime_ns, entry.oid) == (5 * 10**9 + 6, 7 * 10**9 + 8, OID)
    assert (entry.stage, entry.skipped, entry.intended) == (0, True, True)


@pytest.mark.skipif(shutil.which("git") is None, reason="the oracle is the real git program")
@pytest.mark.parametrize("algorithm", ["sha1", "sha256"])
def test_the_tree_is_the_one_that_git_would_write(tmp_path: Path, algorithm: str) -> None:
    alone = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", "GIT_CONFIG_NOSYSTEM": "1"}

    def git(*words: str, given: bytes = b"") -> bytes:
        run = subprocess.run(
            ["git", *words], cwd=tmp_path, env=alone, input=given, capture_output=True, check=True
        )
        return run.stdout.strip()

    git("init", "--quiet", f"--object-format={algorithm}")
    paths = ["a", "a-b", "a.b", "a/x", "a/y/z", "a0", "b/c/d/e", "b/c.d", "b/c-d", "b/c/d-e", "z/\xff", "é/é"]
    blob = git("hash-object", "-w", "--stdin").decode()
    modes = ["100644", "100755", "120000"]
    lines = "".join(f"{modes[n % 3]} {blob}\t{path}\0" for n, path in enumerate(paths))
    git("update-index", "-z", "--index-info", given=lines.encode())
    entries = read((tmp_path / ".git/index").read_bytes(), algorithm)
    assert tree_of(entries, algorithm).hex() == git("write-tree").decode()
    assert tree_of([], algorithm).hex() == git("mktree").decode()


@pytest.mark.parametrize(
    ("data", "reason", "words"),
    [
        (b"", Reason.TRUNCATED, "expected"),
        (packed([b"a"])[:-1] + b"x", Reason.MALFORMED, "checksum"),
        (packed([b"a"]).replace(b"DIRC", b"DIRT")[:-20] + bytes(20), Reason.MALFORMED, "not a git index"),
        (packed([b"a"], 5), Reason.UNSUPPORTED, "version 5"),
        (packed([b"a"], count=2**32 - 1), Reason.TRUNCATED, "expected"),
        (packed([b"a"], tail=b"link\0\0\0\0"), Reason.UNSUPPORTED, "split"),
        (packed([b"a"], tail=b"TREE\xff\xff\xff\xff"), Reason.TRUNCATED, "to skip"),
        (packed([b"../a"]), Reason.MALFORMED, "leaves the checkout"),
        (packed([b"a/../../b"]), Reason.MALFORMED, "leaves the checkout"),
        (packed([b"/etc/passwd"]), Reason.MALFORMED, "leaves the checkout"),
        (packed([b"a//b"]), Reason.MALFORMED, "leaves the checkout"),
        (packed([b"a/"]), Reason.MALFORMED, "leaves the checkout"),
        (packed([b".git/config"]), Reason.MALFORMED, "leaves the checkout"),
        (packed([b""]), Reason.MALFORMED, "leaves the checkout"),
        (packed([b"x" * 5_000]), Reason.MALFORMED, "no end"),
        (packed([b"x/" * 300 + b"x"]), Reason.LIMIT, "folders deep"),
        (packed([b"a", b"b"], 4)[:-23] + b"\x7fb\0" + bytes(20), Reason.MALFORMED, "drops more"),
        (packed([b"a", b"b"], 4)[:-23] + b"\xff" * 50 + bytes(20), Reason.MALFORMED, "drops more"),
    ],
)  # fmt: skip
def test_hostile_indexes_are_named(data: bytes, reason: Reason, words: str) -> None:
    with pytest.raises(UnreadableError) as caught:
        read(data)
    assert caught.value.reason is reason
    assert words in str(caught.value)


def test_a_folder_of_a_sparse_index_ends_in_a_slash() -> None:
    (entry,) = read(packed([b"a/b/"], 3, mode=0o040000, extended=0x4000))
    assert (entry.path, entry.skipped) == (b"a/b", True)


@pytest.mark.parametrize("version", [2, 3, 4])
def test_damage_never_crashes(version: int) -> None:
    data = packed([b"a", b"a/bc", b"a/bd/e"], version, extended=0x4000 if version > 2 else 0)
    for copy in [*truncations(data), *flips(data, 500), *(cut[:-20] + bytes(20) for cut in flips(data, 500))]:
        try:
            tree_of(parse(copy, "sha1"), "sha1")
        except UnreadableError as error:
            assert error.message  # noqa: PT017 - some flips leave an index


def test_short_entries_with_long_paths_cost_bounded_memory_and_time() -> None:
    """Version 4: each entry repeats 4,000 bytes of the one before in two."""
    again = packed([b""], 4, digest=False)[12:-22] + offset_number(6)
    count = 8_000
    data = packed([b"x" * 4_000 + b"000000"], 4, count=count + 1, digest=False)[:-20]
    data += b"".join(again + b"%06d\0" % number for number in range(1, count + 1)) + bytes(20)
    assert len(data) < MIB
    tracemalloc.start()
    with pytest.raises(UnreadableError, match="bytes of paths"):
        tree_of(parse(data, "sha1"), "sha1")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 64 * MIB


def test_a_large_index_is_refused_before_it_is_read() -> None:
    with pytest.raises(UnreadableError, match="at most"):
        read(bytes(git_index.INDEX_BYTES + 1))
