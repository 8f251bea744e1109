"""WebDataset: samples as its own reader groups them, and nothing that loaders read differently."""

from __future__ import annotations

import hashlib
import io
import itertools
import random
import re
import tarfile
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aibom.domain.dataset import Kind
from aibom.domain.errors import Reason, UnreadableError
from aibom.domain.limits import MIB
from aibom.readers import row_webdataset
from aibom.readers.ranges import Memory
from aibom.readers.row_webdataset import KEY, records
from tests.hostile import truncations

Row = dict[str, object]


def sha(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def packed(*members: tuple[str, bytes] | tarfile.TarInfo, form: int = tarfile.PAX_FORMAT) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=form) as archive:
        for member in members:
            if isinstance(member, tarfile.TarInfo):
                archive.addfile(member)
                continue
            info = tarfile.TarInfo(member[0])
            info.size = len(member[1])
            archive.addfile(info, io.BytesIO(member[1]))
    return buffer.getvalue()


def rows(data: bytes) -> list[Row]:
    found: list[Row] = []
    for batch in records(Memory(data)):
        assert batch.first == len(found)
        assert [kind.kind for kind in batch.types if kind] == [Kind.STRING] + [Kind.BYTES] * (
            len(batch.names) - 1
        )
        found += [dict(zip(batch.names, row, strict=True)) for row in zip(*batch.columns, strict=True)]
    return found


def failure(data: bytes) -> UnreadableError:
    with pytest.raises(UnreadableError) as caught:
        rows(data)
    return caught.value


def special(name: str, kind: bytes) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, "a.jpg"
    return info


def grouped(data: bytes) -> list[Row]:
    """What the published rules of the format make of an archive, by the tar reader of Python."""
    found: list[Row] = []
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        for info in archive:
            match = re.fullmatch(r"((?:.*/|)[^./]+)[.]([^/]*)", info.name)
            if not info.isreg() or not match:
                continue
            if not found or found[-1][KEY] != match[1]:
                found.append({KEY: match[1]})
            file = archive.extractfile(info)
            assert file is not None
            found[-1][match[2].lower()] = sha(file.read())
    return found


def test_a_sample_is_a_row_with_the_digest_of_each_member() -> None:
    data = packed(("d/0.jpg", b"image"), ("d/0.seg.png", b"mask"), ("d/0.cls", b"7"), ("d/1.jpg", b"other"))
    assert rows(data) == [
        {KEY: "d/0", "cls": sha(b"7"), "jpg": sha(b"image"), "seg.png": sha(b"mask")},
        {KEY: "d/1", "jpg": sha(b"other")},
    ]


def test_a_changed_label_changes_one_column_of_one_row() -> None:
    one = rows(packed(("0.jpg", b"a"), ("0.cls", b"0"), ("1.jpg", b"b"), ("1.cls", b"0")))
    two = rows(packed(("0.jpg", b"a"), ("0.cls", b"0"), ("1.jpg", b"b"), ("1.cls", b"1")))
    assert one[0] == two[0]
    assert {name for name in one[1] if one[1][name] != two[1][name]} == {"cls"}


@pytest.mark.parametrize("form", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_every_kind_of_header_gives_the_same_rows(form: int) -> None:
    name = "d/" * 40 + "x" * 60
    assert rows(packed((f"{name}.jpg", b"a"), (f"{name}.TXT", b""), form=form)) == [
        {KEY: name, "jpg": sha(b"a"), "txt": sha(b"")}
    ]


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["a", "b", "d/a", "d.e/a", "README"]),
            st.sampled_from([".jpg", ".cls", ".a.b", ".", ""]),
            st.binary(max_size=4),
        ),
        max_size=8,
        unique_by=lambda member: member[:2],
    )
)
def test_rows_are_those_that_the_published_rules_make(members: list[tuple[str, str, bytes]]) -> None:
    data = packed(*[(key + extension, content) for key, extension, content in sorted(members)])
    keys = [key for key, _ in itertools.groupby(row[KEY] for row in grouped(data))]
    if len(set(keys)) == len(keys):
        assert rows(data) == grouped(data)
    else:
        assert "comes again" in failure(data).message


def test_what_its_reader_leaves_out_is_no_part_of_a_row() -> None:
    folder = special("d", tarfile.DIRTYPE)
    data = packed(
        folder, ("README", b"x"), ("__meta__", b"y"), ("__a__/b.jpg", b"z"), (".x.jpg", b"w"), ("a.b", b"")
    )
    assert rows(data) == [{KEY: "a", "b": sha(b"")}]


@pytest.mark.parametrize(
    ("data", "reason", "words"),
    [
        (packed(("../a.jpg", b"")), Reason.MALFORMED, "leads out"),
        (packed(("/a.jpg", b"")), Reason.MALFORMED, "leads out"),
        (packed(("d/../../a.jpg", b"")), Reason.MALFORMED, "leads out"),
        (packed(("d\\..\\a.jpg", b"")), Reason.MALFORMED, "leads out"),
        (packed(("a.jpg", b"1"), ("a.jpg", b"2")), Reason.MALFORMED, "row 1: a has the extension jpg twice"),
        (packed(("a.jpg", b"1"), ("a.JPG", b"2")), Reason.MALFORMED, "twice"),
        (packed(("a.__key__", b"1")), Reason.MALFORMED, "twice"),
        (packed(("a.x", b""), ("b.x", b""), ("a.y", b"")), Reason.MALFORMED, "row 3: the key a comes again"),
        (packed(special("a.jpg", tarfile.SYMTYPE)), Reason.UNSUPPORTED, "a link or a device"),
        (packed(special("a.jpg", tarfile.LNKTYPE)), Reason.UNSUPPORTED, "a link or a device"),
        (packed(special("a.jpg", tarfile.FIFOTYPE)), Reason.UNSUPPORTED, "a link or a device"),
        (packed(("a.jpg", b"")) + packed(("b.jpg", b"")), Reason.MALFORMED, "behind the end"),
        (b"\x1f\x8b" + bytes(600), Reason.UNSUPPORTED, "compressed"),
        (b"x" * 600, Reason.MALFORMED, "not a tar archive"),
        (packed((f"a.{'x' * 300}", b"")), Reason.LIMIT, "256 characters"),
        (packed(*[(f"a.{n}", b"") for n in range(1_001)]), Reason.LIMIT, "1000 members"),
    ],
    ids=[
        "up", "root", "deep", "backslash", "twice", "case", "key", "apart", "symbolic", "hard", "pipe",
        "behind", "gzip", "text", "long", "many",
    ],
)  # fmt: skip
def test_what_loaders_read_differently_has_no_rows(data: bytes, reason: Reason, words: str) -> None:
    error = failure(data)
    assert error.reason is reason
    assert words in error.message


def test_a_name_that_is_not_utf_8_has_no_row() -> None:
    data = packed(("\udcff.jpg", b""), form=tarfile.GNU_FORMAT)
    assert "is not UTF-8" in failure(data).message


@pytest.mark.parametrize("data", [b"", bytes(1024), packed()], ids=["empty", "zeros", "none"])
def test_an_empty_archive_has_no_rows(data: bytes) -> None:
    assert rows(data) == []


def test_an_archive_that_is_cut_in_a_member_is_truncated() -> None:
    data = packed(("a.jpg", b"x" * 600), ("b.jpg", b"y"))
    assert failure(data[:1_000]).reason is Reason.TRUNCATED


def test_no_cut_or_changed_archive_raises_anything_else() -> None:
    data = packed(("a.jpg", b"x"), ("a.cls", b"1"))[:2_048]
    chance = random.Random(0)
    changed = [bytearray(data) for _ in range(300)]
    for each in changed:
        each[chance.randrange(len(each))] = chance.randrange(256)
    for bad in (*itertools.islice(truncations(data), 0, None, 7), *map(bytes, changed)):
        try:
            rows(bad)
        except UnreadableError:
            continue


def test_rows_are_the_same_in_batches_of_any_size(monkeypatch: pytest.MonkeyPatch) -> None:
    data = packed(*[(f"{n}.{x}", b"%d" % n) for n in range(9) for x in ("a", "b")])
    whole = rows(data)
    monkeypatch.setattr(row_webdataset, "_BATCH_COUNT", 4)
    assert (rows(data), len(list(records(Memory(data))))) == (whole, 5)


def test_large_members_take_little_memory() -> None:
    reader = Memory(packed(("a.bin", bytes(40 * MIB))))
    tracemalloc.start()
    assert sum(batch.rows for batch in records(reader)) == 1
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 8 * MIB
