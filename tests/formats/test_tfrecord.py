"""TFRecord: the frames at the front are checked, and nothing else is taken for them."""

from __future__ import annotations

import gzip
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aibom.domain.errors import Reason, UnreadableError
from aibom.domain.facts import Facts, FileKind
from aibom.domain.protocols import Match
from aibom.formats import identify
from aibom.formats.tfrecord import FORMAT, RECORD_COUNT
from aibom.readers.crc32c import crc32c
from tests.hostile import flips, outcome, probe_of, read, truncations

# An empty record as TensorFlow 2 writes it.
EMPTY = bytes.fromhex("000000000000000029039807d8ea82a2")


def masked(data: bytes) -> bytes:
    value = crc32c(data)
    return struct.pack("<I", ((value >> 15 | value << 17) + 0xA282EAD8) & 0xFFFFFFFF)


def framed(*records: bytes) -> bytes:
    lengths = (struct.pack("<Q", len(record)) for record in records)
    parts = zip(lengths, records, strict=True)
    return b"".join(length + masked(length) + record + masked(record) for length, record in parts)


def claimed(length: int) -> bytes:
    head = struct.pack("<Q", length)
    return head + masked(head)


@pytest.mark.parametrize(
    "data", [b"", EMPTY, framed(b"abc"), framed(*[b"abc"] * 99)], ids=["none", "empty", "one", "many"]
)
def test_whole_records_are_data_without_a_number_of_rows(data: bytes) -> None:
    assert read(FORMAT, data, "a.tfrecord") == Facts(format="tfrecord", kind=FileKind.DATA)


@pytest.mark.parametrize(
    ("name", "data", "match"),
    [
        ("a.tfrecord", EMPTY, Match.CONTENT),
        ("Train.TFRecords", EMPTY, Match.CONTENT),
        ("train00-1024.tfrec", EMPTY, Match.CONTENT),
        ("a.tfrecord-00003-of-00010", EMPTY, Match.CONTENT),
        ("a.tfrecord-00003-of-00010", b"?" * 40, Match.NAME),
        ("a.tfrecords", b"", Match.NAME),
        ("a.tfrec", b"?" * 40, Match.NO),
        ("tfrecords.txt", b"how to write them", Match.NO),
        ("events.out.tfevents.1", EMPTY, Match.NO),
        ("data.bin", EMPTY, Match.NO),
    ],
)  # fmt: skip
def test_recognised_by_name_and_frame(name: str, data: bytes, match: Match) -> None:
    assert FORMAT.recognise(probe_of(data, name)) is match
    found, how = identify(probe_of(data, name))
    assert (found is FORMAT, how if found is FORMAT else Match.NO) == (match is not Match.NO, match)


@pytest.mark.parametrize(
    ("data", "reason", "words"),
    [
        (b"?" * 40, Reason.MALFORMED, "the checksum of the length is wrong"),
        (EMPTY[:7], Reason.TRUNCATED, "7 bytes where a record begins"),
        (EMPTY[:-1], Reason.TRUNCATED, "a record of 0 bytes, 3 are left"),
        (claimed(2**63) + bytes(40), Reason.TRUNCATED, "a record of 9223372036854775808 bytes, 40 are left"),
        (gzip.compress(EMPTY), Reason.UNSUPPORTED, "compressed records"),
    ],
    ids=["other", "head", "foot", "huge", "gzip"],
)
def test_a_first_record_that_is_not_whole_is_refused(data: bytes, reason: Reason, words: str) -> None:
    error = outcome(FORMAT, data, "a.tfrecord")
    assert isinstance(error, UnreadableError)
    assert (error.reason, error.message, error.offset) == (reason, words, 0)


def test_a_later_record_that_is_not_whole_is_a_defect() -> None:
    data = framed(b"abc", b"de")
    (defect,) = read(FORMAT, data + claimed(9) + b"x", "a.tfrecord").defects
    assert (defect.reason, defect.offset) == (Reason.TRUNCATED, len(data))
    (defect,) = read(FORMAT, data + b"?" * 12, "a.tfrecord").defects
    assert (defect.reason, defect.offset) == (Reason.MALFORMED, len(data))


def test_only_the_front_is_looked_at() -> None:
    front = framed(*[b"abc"] * RECORD_COUNT)
    assert read(FORMAT, front + b"?" * 12, "a.tfrecord").defects == ()
    assert read(FORMAT, front[19:] + b"?" * 12, "a.tfrecord").defects


def test_cuts_are_told_and_flips_do_not_escape() -> None:
    data = framed(b"abc", b"", b"defg")
    whole = {0, 19, 35}
    for piece in truncations(data):
        found = outcome(FORMAT, piece, "a.tfrecord")
        assert isinstance(found, UnreadableError) or bool(found.defects) is (len(piece) not in whole)
    for flipped in flips(data, 300):
        outcome(FORMAT, flipped, "a.tfrecord")


@given(st.binary(max_size=100), st.lists(st.binary(max_size=20), max_size=20))
def test_what_the_format_allows_is_read_and_nothing_else_escapes(data: bytes, records: list[bytes]) -> None:
    outcome(FORMAT, data, "a.tfrecord")
    assert read(FORMAT, framed(*records), "a.tfrecord").defects == ()
