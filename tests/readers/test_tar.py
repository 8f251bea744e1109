"""tar: members stand where tarfile says, and headers are never believed."""

from __future__ import annotations

import io
import tarfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aibom.domain.errors import Reason, UnreadableError
from aibom.readers.ranges import Memory
from aibom.readers.tar import Member, is_tar, walk
from tests.hostile import flips, truncations

NAMES = st.text("ab/é", min_size=1, max_size=150).filter(lambda name: not name.startswith("/"))


def packed(members: dict[str, bytes], form: int = tarfile.PAX_FORMAT) -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w", format=form) as archive:
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return file.getvalue()


def members_of(data: bytes) -> list[Member]:
    return list(walk(Memory(data)))


@given(
    st.dictionaries(NAMES, st.binary(max_size=600), max_size=4),
    st.sampled_from([tarfile.PAX_FORMAT, tarfile.GNU_FORMAT]),
)
def test_members_equal_tarfile(files: dict[str, bytes], form: int) -> None:
    data = packed(files, form)
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        expected = [(info.name.rstrip("/"), info.offset_data, info.size) for info in archive]
    found = members_of(data)
    assert [(m.name.rstrip("/"), m.offset, m.size) for m in found] == expected
    assert is_tar(data) == bool(files)


def test_a_link_is_no_regular_member() -> None:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as archive:
        info = tarfile.TarInfo("pickle")
        info.type, info.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(info)
    assert [member.regular for member in members_of(file.getvalue())] == [False]


def special(kind: bytes, target: str, form: int) -> Member:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w", format=form) as archive:
        info = tarfile.TarInfo("folder/link")
        info.type, info.linkname = kind, target
        archive.addfile(info)
    (member,) = members_of(file.getvalue())
    return member


@pytest.mark.parametrize("form", [tarfile.PAX_FORMAT, tarfile.GNU_FORMAT])
@pytest.mark.parametrize("target", ["../up", "x" * 150, "ä"])
def test_targets_of_links_equal_tarfile(target: str, form: int) -> None:
    soft, hard = special(tarfile.SYMTYPE, target, form), special(tarfile.LNKTYPE, target, form)
    assert (soft.link, soft.hard, hard.link, hard.hard) == (target, False, target, True)


def test_kinds_of_members_are_told() -> None:
    found = {
        kind: special(kind, "", tarfile.PAX_FORMAT)
        for kind in (tarfile.DIRTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE)
    }
    assert [member.directory for member in found.values()] == [True, False, False]
    assert [member.device for member in found.values()] == [False, True, True]


def test_a_sparse_member_is_passed_by() -> None:
    header = bytearray(changed(156, b"S")[:512])
    header[482] = 1
    header[148:156] = b" " * 8
    header[148:156] = b"%06o\0 " % sum(header)
    more, last = bytearray(512), bytes(512)
    more[504] = 1
    data = bytes(header) + more + last + packed({"a": b"data"})[512:1_024] + packed({"b": b"x"})
    sparse, after = members_of(data)
    assert (sparse.sparse, sparse.regular, sparse.offset) == (True, False, 3 * 512)
    assert (after.name, after.header) == ("b", 4 * 512)


def test_checksums_over_signed_bytes_are_right_too() -> None:
    header = bytearray(packed({"é": b""}, tarfile.GNU_FORMAT)[:512])
    header[148:156] = b" " * 8
    header[148:156] = b"%06o\0 " % (sum(header) - 256 * sum(byte > 127 for byte in header))
    assert is_tar(bytes(header))


def changed(at: int, new: bytes) -> bytes:
    """An archive whose first header has other bytes, and the checksum to go with them."""
    data = bytearray(packed({"a": b"data"}))
    data[at : at + len(new)] = new
    data[148:156] = b" " * 8
    data[148:156] = b"%06o\0 " % sum(data[:512])
    return bytes(data)


@pytest.mark.parametrize(
    ("data", "reason", "words"),
    [
        (b"x" + packed({"a": b"data"})[1:], Reason.MALFORMED, "checksum"),
        (changed(124, b"77777777777\0"), Reason.TRUNCATED, "a member of 8589934591 bytes"),
        (changed(124, b"\x80" + b"\xff" * 11), Reason.TRUNCATED, "a member of"),
        (changed(124, b"9"), Reason.MALFORMED, "not octal"),
        (changed(124, b"77777777777\0" + b" " * 20 + b"L"), Reason.LIMIT, "extension header"),
        (changed(156, b"x"), Reason.MALFORMED, "pax record"),
    ],
)
def test_hostile_headers_are_named(data: bytes, reason: Reason, words: str) -> None:
    with pytest.raises(UnreadableError, match=words) as caught:
        members_of(data)
    assert caught.value.reason is reason


def test_extension_headers_without_end_are_refused() -> None:
    header = changed(156, b"g")[:512] + bytes(512)
    with pytest.raises(UnreadableError, match="extension headers"):
        members_of(header * 100)


def test_cuts_and_flips_raise_nothing_else() -> None:
    data = packed({"a": b"data", "b" * 120: b"more", "é": b""})
    for piece in (*truncations(data[:4096]), *flips(data, 500)):
        try:
            members_of(piece)
        except UnreadableError:
            continue


@given(st.binary(max_size=1_200))
def test_arbitrary_bytes_are_no_archive(data: bytes) -> None:
    assert not is_tar(data)
