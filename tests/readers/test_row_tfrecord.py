"""TFRecord: every record as it stands, and none behind a checksum that is wrong."""

from __future__ import annotations

import gzip
import struct
import time
import tracemalloc
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aibom.domain.errors import Reason, UnreadableError
from aibom.domain.limits import MIB
from aibom.readers import row_tfrecord
from aibom.readers.crc32c import crc32c
from aibom.readers.ranges import Memory
from aibom.readers.row_tfrecord import RECORD_BYTES, lines
from tests.hostile import flips, truncations


def masked(data: bytes) -> bytes:
    value = crc32c(data)
    return struct.pack("<I", ((value >> 15 | value << 17) + 0xA282EAD8) & 0xFFFFFFFF)


def framed(*records: bytes) -> bytes:
    parts = []
    for record in records:
        length = struct.pack("<Q", len(record))
        parts += [length, masked(length), record, masked(record)]
    return b"".join(parts)


def rows(data: bytes) -> list[bytes]:
    found: list[bytes] = []
    for batch in lines(Memory(data)):
        assert batch.first == len(found)
        found += batch.lines
    return found


def failure(data: bytes) -> UnreadableError:
    with pytest.raises(UnreadableError) as caught:
        rows(data)
    return caught.value


def test_the_frame_is_the_published_one() -> None:
    # An empty record as TensorFlow 2 writes it.
    assert framed(b"").hex() == "000000000000000029039807d8ea82a2"


@pytest.mark.parametrize(
    "records",
    [[], [b""], [b"a"], [b"", b"", b""], [b"a\nb\0", b"\r\n"], [bytes(3 * MIB), b"x"], [b"x" * 999] * 3_000],
    ids=["none", "empty", "one", "empties", "breaks", "long", "many"],
)
def test_every_record_is_a_row(records: list[bytes]) -> None:
    assert rows(framed(*records)) == records


@given(st.lists(st.binary(max_size=60), max_size=30), st.integers(16, 200))
@settings(max_examples=60)
def test_records_are_the_same_wherever_pieces_end(records: list[bytes], piece: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(row_tfrecord, "_PIECE_BYTES", piece)
        assert rows(framed(*records)) == records


@pytest.mark.parametrize(
    ("data", "reason", "offset", "words"),
    [
        (framed(b"abc")[:-1], Reason.TRUNCATED, 0, "row 1: a record of 3 bytes, 6 are left"),
        (framed(b"abc", b"d")[:24], Reason.TRUNCATED, 19, "row 2: 5 bytes where a record begins"),
        (framed(b"abc") + b"\0" * 12, Reason.MALFORMED, 19, "row 2: the checksum of the length"),
        (framed(b"abc", b"abc")[:-1] + b"\xff", Reason.MALFORMED, 31, "row 2: the checksum of 3 bytes"),
        (struct.pack("<Q", 2**63) + masked(struct.pack("<Q", 2**63)), Reason.LIMIT, 0, f"{2**63} bytes"),
        (
            struct.pack("<Q", RECORD_BYTES + 1) + masked(struct.pack("<Q", RECORD_BYTES + 1)),
            Reason.LIMIT, 0, "at most",
        ),
        (
            struct.pack("<Q", RECORD_BYTES) + masked(struct.pack("<Q", RECORD_BYTES)),
            Reason.TRUNCATED, 0, "0 are left",
        ),
        (gzip.compress(framed(b"abc")), Reason.UNSUPPORTED, 0, "compressed"),
        (zlib.compress(framed(b"abc")), Reason.UNSUPPORTED, 0, "compressed"),
        (b"text that is none", Reason.MALFORMED, 0, "the checksum of the length"),
    ],
    ids=["cut", "head", "zeros", "data", "huge", "limit", "claim", "gzip", "zlib", "text"],
)  # fmt: skip
def test_damage_is_told_with_row_and_byte(data: bytes, reason: Reason, offset: int, words: str) -> None:
    error = failure(data)
    assert (error.reason, error.offset) == (reason, offset)
    assert words in error.message


def test_no_cut_file_gives_other_rows_than_the_first_ones() -> None:
    records = [b"abc", b"", b"defgh"]
    ends = {0, *(len(framed(*records[:count])) for count in (1, 2, 3))}
    for cut in truncations(framed(*records)):
        if len(cut) in ends:
            assert rows(cut) == records[: len(rows(cut))]
        else:
            assert failure(cut).reason is Reason.TRUNCATED


def test_every_changed_byte_is_found() -> None:
    data = framed(b"abc", b"x" * 40, b"defgh")
    for changed in flips(data, 300):
        if changed != data:
            assert failure(changed).offset is not None


def test_records_of_the_largest_size_stay_within_memory() -> None:
    reader = Memory(framed(bytes(RECORD_BYTES)))
    tracemalloc.start()
    assert [batch.rows for batch in lines(reader)] == [1]
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 6 * RECORD_BYTES


def test_many_empty_records_take_less_than_a_second_a_mebibyte() -> None:
    reader = Memory(framed(b"") * (MIB // 16))
    begun = time.process_time()
    assert sum(batch.rows for batch in lines(reader)) == MIB // 16
    assert time.process_time() - begun < 1


def test_every_byte_is_read_once() -> None:
    class Counting(Memory):
        total = 0

        def read_at(self, offset: int, length: int) -> bytes:
            self.total += length
            return super().read_at(offset, length)

    reader = Counting(framed(*[b"x" * 600_000] * 5, *[b""] * 40_000, bytes(3 * MIB)))
    assert sum(batch.rows for batch in lines(reader)) == 40_006
    assert reader.total == reader.size
