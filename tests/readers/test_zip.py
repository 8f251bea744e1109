"""zip: members equal those of `zipfile`, every byte is accounted for, disagreement is a defect."""

from __future__ import annotations

import io
import struct
import tracemalloc
import zipfile
import zlib
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aibom.domain.errors import Reason, UnreadableError
from aibom.domain.limits import MIB
from aibom.readers.ranges import Memory
from aibom.readers.zip import Archive, Member, is_zip, read_archive, survey
from aibom.readers.zip_members import inflate_head, open_member
from aibom.readers.zip_records import AnomalyKind
from tests.hostile import flips, truncations

Files = dict[str, bytes]


class Unseekable(io.BytesIO):
    """A pipe: `zipfile` must write data descriptors into it."""

    def seekable(self) -> bool:
        return False

    def seek(self, *_: object) -> int:
        raise OSError

    def tell(self) -> int:
        raise OSError


def packed(
    files: Files, method: int = zipfile.ZIP_STORED, comment: bytes = b"", *, pipe: bool = False
) -> bytes:
    target = Unseekable() if pipe else io.BytesIO()
    with zipfile.ZipFile(target, "w", method) as archive:
        archive.comment = comment
        for name, data in files.items():
            archive.writestr(zipfile.ZipInfo(name), data, method)
    return target.getvalue()


def opened(data: bytes) -> Archive:
    return read_archive(Memory(data))


def messages(data: bytes) -> list[str]:
    return [defect.message for defect in opened(data).defects]


def plain(data: bytes, member: Member) -> bytes:
    reader = open_member(Memory(data), member)
    return reader.read_at(0, reader.size)


def refusal(data: bytes) -> UnreadableError:
    with pytest.raises(UnreadableError) as caught:
        opened(data)
    return caught.value


def replaced(data: bytes, old: bytes, new: bytes, which: int = 0) -> bytes:
    """`data` with one occurrence of `old` changed; -1 is the last one."""
    places = [at for at in range(len(data)) if data.startswith(old, at)]
    at = places[which]
    return data[:at] + new + data[at + len(old) :]


ONE = packed({"a.txt": b"hello"})
TWO = packed({"a.txt": b"hello", "b.txt": b"world"}, comment=b"note")
DEFLATED = packed({"a.txt": b"hello" * 100}, zipfile.ZIP_DEFLATED)
CENTRAL = b"PK\x01\x02"
END = b"PK\x05\x06"


@settings(deadline=None, max_examples=60)
@given(
    st.dictionaries(
        st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12), st.binary(max_size=300)
    ),
    st.sampled_from([zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED]),
    st.binary(max_size=20),
    st.booleans(),
)
def test_members_equal_zipfile_and_every_byte_is_covered(
    files: Files, method: int, comment: bytes, pipe: bool
) -> None:
    files = {name: data for name, data in files.items() if "\0" not in name and "/" not in name}
    data = packed(files, method, comment.replace(b"P", b"p"), pipe=pipe)
    found = opened(data)
    with zipfile.ZipFile(io.BytesIO(data)) as oracle:
        for info, member in zip(oracle.infolist(), found.members, strict=True):
            assert (member.name, member.method, member.crc) == (info.filename, info.compress_type, info.CRC)
            assert (member.size, member.compressed) == (info.file_size, info.compress_size)
            assert member.header_offset == info.header_offset
            assert plain(data, member) == files[member.name]
    ranges = [(s.start, s.end) for s in found.covered]
    ranges += [(m.offset, m.offset + m.compressed) for m in found.members if m.compressed]
    ranges.sort()
    assert [0, *(end for _, end in ranges)] == [*(start for start, _ in ranges), len(data)]
    assert not [d for d in found.defects if "leaves the archive" not in d.message]


@pytest.mark.parametrize("pipe", [False, True])
def test_forced_zip64_is_read(pipe: bool) -> None:
    target = Unseekable() if pipe else io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive, archive.open("big", "w", force_zip64=True) as file:
        file.write(b"data")
    data = target.getvalue()
    archive_found = opened(data)
    assert plain(data, archive_found.members[0]) == b"data"
    assert archive_found.defects == ()


def with_end64(data: bytes, count: int | None = None, claimed: int | None = None, size: int = 44) -> bytes:
    """The archive with a ZIP64 end record and locator put in front of the plain end record."""
    at = data.rindex(END)
    _, _, _, _, entries, length, offset, _ = struct.unpack_from("<4s4H2IH", data, at)
    entries = entries if count is None else count
    record = struct.pack("<4sQ2H2I4Q", b"PK\x06\x06", size, 45, 45, 0, 0, entries, entries, length, offset)
    locator = struct.pack("<4sIQI", b"PK\x06\x07", 0, at if claimed is None else claimed, 1)
    return data[:at] + record + locator + data[at:]


def test_zip64_end_records_are_read_and_compared() -> None:
    assert messages(with_end64(TWO)) == []
    assert [m.name for m in opened(b"prefix" + with_end64(TWO)).members] == ["a.txt", "b.txt"]
    assert "ZIP64 end record differs" in messages(with_end64(TWO, count=3))[0]
    assert "locator points elsewhere" in messages(with_end64(TWO, claimed=3))[0]
    assert "no ZIP64 end record" in str(refusal(with_end64(TWO, size=2**63)))


def test_a_member_is_found_by_name() -> None:
    archive = opened(TWO)
    assert archive.find("b.txt") is archive.members[1]
    assert archive.find("c.txt") is None


def test_an_archive_starts_with_a_local_header_or_is_empty() -> None:
    assert is_zip(ONE)
    assert is_zip(packed({}))
    assert opened(packed({})).members == ()
    assert not is_zip(b"MZ" + ONE)


def test_a_directory_is_no_file() -> None:
    assert [m.directory for m in opened(packed({"d/": b"", "d/f": b""})).members] == [True, False]


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"MZ" + ONE, "2 bytes in front of the first member"),
        (ONE + b"tail", "4 bytes behind the end"),
        (replaced(TWO, b"b.txt", b"c.txt", 0), "differ in name"),
        (replaced(ONE, b"PK\x03\x04\x14\0\0\0\0", b"PK\x03\x04\x14\0\0\0\x08"), "differ in method"),
        (replaced(ONE, b"PK\x03\x04\x14\0\0\0", b"PK\x03\x04\x14\0\x01\0"), "differ in flags"),
        (replaced(ONE, struct.pack("<I", zlib.crc32(b"hello")), b"\1\1\1\1"), "differ in CRC-32"),
        (replaced(DEFLATED, struct.pack("<I", 500), struct.pack("<I", 501)), "differ in size"),
        (replaced(replaced(ONE, b"a.txt", b"../aa"), b"a.txt", b"../aa"), "'../aa' leaves the archive"),
        (packed({"/etc/passwd": b""}), "leaves the archive"),
        (packed({"a/../../b": b""}), "leaves the archive"),
        (packed({"C:x": b""}), "leaves the archive"),
        (packed({"a\\b": b""}), "leaves the archive"),
        (packed({"": b""}), "leaves the archive"),
        (
            replaced(ONE, END + b"\0\0\0\0\1\0\1\0", END + b"\0\0\0\0\2\0\2\0"),
            "1 members, the end record counts 2",
        ),
        (
            replaced(packed({"a": b"x"}, pipe=True), b"PK\x07\x08", b"QK\x07\x08"),
            "no matching data descriptor",
        ),
        (replaced(packed({"ä": b""}), b"\xc3\xa4", b"\xc3\xc3", -1), "is not UTF-8"),
    ],
)
def test_what_unpackers_tolerate_is_a_defect_with_its_place(data: bytes, words: str) -> None:
    defects = [d for d in opened(data).defects if words in d.message]
    assert defects, messages(data)
    assert defects[0].reason is Reason.MALFORMED
    assert defects[0].offset is not None


def test_a_second_name_in_an_extra_field_is_a_defect() -> None:
    info = zipfile.ZipInfo("a.txt")
    info.extra = struct.pack("<2HBI", 0x7075, 10, 1, zlib.crc32(b"a.txt")) + b"b.txt"
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        archive.writestr(info, b"")
    assert messages(target.getvalue()) == ["member 'a.txt' has a second name in an extra field"]


def test_a_second_name_that_only_spells_the_first_in_unicode_is_none() -> None:
    info = zipfile.ZipInfo("#U00e4.txt")
    info.extra = struct.pack("<2HBI", 0x7075, 5 + 6, 1, zlib.crc32(b"#U00e4.txt")) + "ä.txt".encode()
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        archive.writestr(info, b"")
    assert messages(target.getvalue()) == []


def test_each_anomaly_says_of_what_kind_it_is() -> None:
    data = b"MZ" + replaced(TWO, b"b.txt", b"c.txt", 0) + b"tail"
    found = opened(data).anomalies
    assert [anomaly.kind for anomaly in found] == ["differing-name", "prefix", "suffix"]
    assert [anomaly.member for anomaly in found] == ["b.txt", "", ""]
    assert [(span.start, span.end) for span in opened(data).loose] == [(0, 2), (len(data) - 4, len(data))]


def test_a_survey_lists_what_can_be_read_of_an_archive_that_is_refused() -> None:
    found = survey(Memory(overlapping()))
    assert [member.name for member in found.members] == ["a.txt", "a.txt"]
    assert AnomalyKind.OVERLAP in {anomaly.kind for anomaly in found.anomalies}
    broken = survey(Memory(replaced(TWO, b"PK\x03\x04", b"QK\x03\x04")))
    assert [member.name for member in broken.members] == ["b.txt"]
    assert [defect.reason for defect in broken.unread] == [Reason.MALFORMED]
    claimed = patched(20, "<I", 2**31)
    (member,) = survey(Memory(claimed)).members
    assert member.offset + member.compressed == claimed.index(CENTRAL)


def test_duplicate_names_are_a_defect_and_the_last_one_counts() -> None:
    data = replaced(replaced(TWO, b"b.txt", b"a.txt"), b"b.txt", b"a.txt")
    assert messages(data) == ["duplicate member 'a.txt'"]
    found = opened(data).find("a.txt")
    assert found is not None
    assert plain(data, found) == b"world"


def test_bytes_of_a_forgotten_member_are_a_defect() -> None:
    start = TWO.index(CENTRAL)
    second = TWO.index(CENTRAL, start + 4)
    record = struct.pack("<4s4H2IH", END, 0, 0, 1, 1, second - start, start, 0)
    assert messages(TWO[:second] + record) == ["40 bytes belong to no member"]


def test_the_list_of_defects_is_capped() -> None:
    files = {f"../{number}": b"" for number in range(300)}
    found = messages(packed(files))
    assert len(found) == 101
    assert "more than 100 defects" in found[-1]


def overlapping() -> bytes:
    """Two directory entries for one local header."""
    start, end = ONE.index(CENTRAL), ONE.index(END)
    entry = ONE[start:end]
    return ONE[:start] + entry * 2 + struct.pack("<4s4H2IH", END, 0, 0, 2, 2, 2 * len(entry), start, 0)


def patched(offset: int, layout: str, value: int) -> bytes:
    """`ONE` with a field of its central header (offset from its start) changed."""
    data = bytearray(ONE)
    struct.pack_into(layout, data, data.index(CENTRAL) + offset, value)
    return bytes(data)


def end_record(offset: int, layout: str, value: int) -> bytes:
    data = bytearray(ONE)
    struct.pack_into(layout, data, data.rindex(END) + offset, value)
    return bytes(data)


@pytest.mark.parametrize(
    ("data", "reason", "words"),
    [
        (b"", Reason.MALFORMED, "no end of central directory"),
        (END, Reason.MALFORMED, "no end of central directory"),
        (b"PK\x03\x04" + bytes(100), Reason.MALFORMED, "no end of central directory"),
        (end_record(20, "<H", 9), Reason.TRUNCATED, "comment claims 9 bytes"),
        (end_record(4, "<H", 1), Reason.UNSUPPORTED, "several disks"),
        (end_record(12, "<I", 2**31), Reason.LIMIT, "2147483648 bytes"),
        (end_record(16, "<I", 2**31), Reason.MALFORMED, "claims 51 bytes at 2147483648"),
        (with_end64(ONE, count=2**63), Reason.LIMIT, "9223372036854775808 members"),
        (overlapping(), Reason.MALFORMED, "overlaps"),
        (patched(0, "<I", 1), Reason.MALFORMED, "no central directory header"),
        (patched(28, "<H", 999), Reason.MALFORMED, "leaves the directory"),
        (patched(20, "<I", 2**31), Reason.MALFORMED, "claims 2147483648 bytes"),
        (patched(42, "<I", 2**31), Reason.MALFORMED, "claimed past the members"),
        (patched(42, "<I", 1), Reason.MALFORMED, "no local header"),
        (replaced(ONE, b"\5\0\0\0a.txt", b"\5\0\xff\xffa.txt"), Reason.MALFORMED, "runs into the directory"),
    ],
)
def test_hostile_archives_are_named(data: bytes, reason: Reason, words: str) -> None:
    error = refusal(data)
    assert error.reason is reason
    assert words in str(error)


def member_of(data: bytes, change: Callable[[bytearray], None] = lambda _: None) -> tuple[Memory, Member]:
    copy = bytearray(data)
    change(copy)
    return Memory(bytes(copy)), opened(bytes(copy)).members[0]


def set_everywhere(old: int, new: int) -> Callable[[bytearray], None]:
    def change(data: bytearray) -> None:
        data[:] = data.replace(struct.pack("<I", old), struct.pack("<I", new))

    return change


def flags(value: int) -> Callable[[bytearray], None]:
    def change(data: bytearray) -> None:
        data[6] = data[data.index(CENTRAL) + 8] = value

    return change


def method(value: int) -> Callable[[bytearray], None]:
    def change(data: bytearray) -> None:
        data[8] = data[data.index(CENTRAL) + 10] = value

    return change


def spoil(data: bytearray) -> None:
    data[36] ^= 0xFF


CRC = zlib.crc32(b"hello" * 100)


@pytest.mark.parametrize(
    ("data", "change", "reason", "words"),
    [
        (ONE, flags(1), Reason.ENCRYPTED, "is encrypted"),
        (ONE, method(12), Reason.UNSUPPORTED, "compression method 12"),
        (DEFLATED, method(0), Reason.MALFORMED, "two sizes"),
        (DEFLATED, set_everywhere(500, 499), Reason.MALFORMED, "more than it claims"),
        (DEFLATED, set_everywhere(500, 501), Reason.MALFORMED, "differs from its size"),
        (DEFLATED, set_everywhere(500, 2**31), Reason.LIMIT, "claims 2147483648 bytes"),
        (DEFLATED, set_everywhere(CRC, 1), Reason.MALFORMED, "CRC-32"),
        (DEFLATED, spoil, Reason.MALFORMED, "member 'a.txt'"),
        (ONE, method(8), Reason.MALFORMED, "cannot be inflated"),
    ],
)
def test_members_that_cannot_be_opened_are_named(
    data: bytes, change: Callable[[bytearray], None], reason: Reason, words: str
) -> None:
    reader, member = member_of(data, change)
    with pytest.raises(UnreadableError, match=words) as caught:
        open_member(reader, member)
    assert caught.value.reason is reason


def test_a_cut_or_continued_deflate_stream_is_named() -> None:
    reader, member = member_of(DEFLATED)
    short = replace(member, compressed=member.compressed - 2)
    with pytest.raises(UnreadableError, match="does not end"):
        open_member(reader, short)
    long = replace(member, compressed=member.compressed + 2)
    with pytest.raises(UnreadableError, match="bytes follow"):
        open_member(reader, long)


def test_the_head_of_a_member_is_inflated_without_the_rest() -> None:
    huge = packed({"z": bytes(200 * MIB)}, zipfile.ZIP_DEFLATED)
    member = opened(huge).members[0]
    tracemalloc.start()
    assert inflate_head(Memory(huge), member, 70_000) == bytes(70_000)
    with pytest.raises(UnreadableError) as caught:
        open_member(Memory(huge), member)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert caught.value.reason is Reason.LIMIT
    assert peak < MIB
    assert inflate_head(Memory(ONE), opened(ONE).members[0], 99) == b"hello"


@settings(deadline=None)
@given(st.binary(max_size=200))
def test_arbitrary_bytes_raise_nothing_else(data: bytes) -> None:
    for candidate in (data, data + ONE, ONE + data, ONE[:40] + data + ONE[40:]):
        survive(candidate)


def survive(data: bytes) -> None:
    with suppress(UnreadableError):
        survey(Memory(data))
    try:
        for member in opened(data).members:
            open_member(Memory(data), member)
    except UnreadableError:
        return


@pytest.mark.parametrize("data", [TWO, DEFLATED, with_end64(packed({"a": b"xy"}, pipe=True))])
def test_cuts_and_flips_raise_nothing_else(data: bytes) -> None:
    for cut in truncations(data):
        refusal(cut)
    for flipped in flips(data, 2_000):
        survive(flipped)


def test_many_members_cost_bounded_memory() -> None:
    data = packed({str(number): b"" for number in range(5_000)})
    tracemalloc.start()
    archive = opened(data)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(archive.members) == 5_000
    assert peak < 5_000 * 600
