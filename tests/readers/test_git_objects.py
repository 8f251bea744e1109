"""Single git objects: what Python's zlib and the format's own examples make of them."""

from __future__ import annotations

import hashlib
import struct
import tracemalloc
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aibom.domain.errors import Reason, UnreadableError
from aibom.domain.limits import MIB
from aibom.readers.git_objects import DELTA_DEPTH, OBJECT_BYTES, GitObject, Pack, apply_delta, loose
from aibom.readers.ranges import Memory
from tests.hostile import flips, truncations


def deflated(kind: bytes, body: bytes) -> bytes:
    return zlib.compress(kind + b" %d\0" % len(body) + body)


def size_number(value: int) -> bytes:
    found = bytearray()
    while value > 0x7F:
        found.append(0x80 | value & 0x7F)
        value >>= 7
    return bytes(found) + bytes([value])


def record(kind: int, data: bytes, base: bytes = b"", size: int | None = None) -> bytes:
    size = len(data) if size is None else size
    first = kind << 4 | size & 0x0F
    head = bytes([first | 0x80]) + size_number(size >> 4) if size > 0x0F else bytes([first])
    return head + base + zlib.compress(data)


def oid_of(number: int) -> bytes:
    return hashlib.sha1(b"%d" % number).digest()


def pack_of(records: list[bytes], *, far: bool = False) -> Pack:
    """A pack whose object ids are `oid_of(0)`, `oid_of(1)`, ..."""
    data, offsets = b"PACK" + struct.pack(">II", 2, len(records)), {}
    for number, one in enumerate(records):
        offsets[oid_of(number)] = len(data)
        data += one
    ids = sorted(offsets)
    fan_out = b"".join(struct.pack(">I", sum(oid[0] <= byte for oid in ids)) for byte in range(256))
    index = b"\xfftOc\0\0\0\x02" + fan_out + b"".join(ids) + bytes(4 * len(ids))
    if far:
        index += b"".join(struct.pack(">I", 1 << 31 | place) for place in range(len(ids)))
        index += b"".join(struct.pack(">Q", offsets[oid]) for oid in ids)
    else:
        index += b"".join(struct.pack(">I", offsets[oid]) for oid in ids)
    return Pack(pack=Memory(data + bytes(20)), index=Memory(index + bytes(40)), id_bytes=20)


def refusal(pack: Pack, number: int = 0) -> UnreadableError:
    with pytest.raises(UnreadableError) as caught:
        pack.get(oid_of(number))
    return caught.value


@given(st.sampled_from(["commit", "tree", "blob", "tag"]), st.binary(max_size=300))
def test_any_loose_object_is_read(kind: str, body: bytes) -> None:
    assert loose(deflated(kind.encode(), body)) == GitObject(kind=kind, body=body)


@pytest.mark.parametrize(
    ("data", "reason", "words"),
    [
        (b"", Reason.MALFORMED, "not a loose"),
        (b"plain", Reason.MALFORMED, "not a deflated"),
        (zlib.compress(b"commit 3\0ab"), Reason.MALFORMED, "not a loose"),
        (zlib.compress(b"commit"), Reason.MALFORMED, "not a loose"),
        (deflated(b"blob", bytes(OBJECT_BYTES + 1)), Reason.LIMIT, "more than"),
        (deflated(b"blob", bytes(50 * MIB)), Reason.LIMIT, "more than"),
    ],
)
def test_hostile_loose_objects_are_named(data: bytes, reason: Reason, words: str) -> None:
    tracemalloc.start()
    with pytest.raises(UnreadableError) as caught:
        loose(data)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert caught.value.reason is reason
    assert words in str(caught.value)
    assert peak < 4 * MIB


@pytest.mark.parametrize("far", [False, True])
def test_every_object_of_a_pack_is_found_and_no_other(far: bool) -> None:
    pack = pack_of([record(1 + number % 4, b"body %d" % number * number) for number in range(40)], far=far)
    for number in range(40):
        found = pack.get(oid_of(number))
        assert found is not None
        assert found.body == b"body %d" % number * number
    assert pack.get(oid_of(40)) is None
    assert pack.get(bytes(20)) is None
    assert pack.get(b"\xff" * 20) is None


def copy(start: int, length: int) -> bytes:
    """With all four bytes of the offset and all three of the length."""
    return b"\xff" + start.to_bytes(4, "little") + length.to_bytes(3, "little")


def delta(base: bytes, *pieces: bytes, size: int) -> bytes:
    return size_number(len(base)) + size_number(size) + b"".join(pieces)


PLAN = st.lists(
    st.one_of(st.binary(min_size=1, max_size=127), st.tuples(st.integers(0, 99), st.integers(1, 100)))
)


@given(st.binary(min_size=200, max_size=200), PLAN)
def test_any_delta_by_the_format_is_applied(base: bytes, plan: list[bytes | tuple[int, int]]) -> None:
    pieces, expected = [], b""
    for step in plan:
        if isinstance(step, bytes):
            pieces.append(bytes([len(step)]) + step)
            expected += step
        else:
            pieces.append(copy(*step))
            expected += base[step[0] : sum(step)]
    assert apply_delta(base, delta(base, *pieces, size=len(expected))) == expected


def test_absent_bytes_of_a_copy_are_zero_and_length_zero_is_64_kib() -> None:
    base = bytes(range(256)) * 256
    assert apply_delta(base, delta(base, b"\x80", size=65_536)) == base
    assert apply_delta(base, delta(base, b"\x92\x01\x02", size=2)) == base[256:258]


def test_deltas_on_deltas_are_applied_in_order() -> None:
    base = b"0123456789" * 10
    first = record(1, base)
    add = delta(base, copy(0, 100), b"\x01a", size=101)
    by_id = record(7, add, base=oid_of(0))
    again = delta(base + b"a", b"\x01b", copy(50, 51), size=52)
    by_offset = record(6, again, base=bytes([len(by_id)]))
    pack = pack_of([first, by_id, by_offset])
    assert pack.get(oid_of(1)) == GitObject(kind="commit", body=base + b"a")
    assert pack.get(oid_of(2)) == GitObject(kind="commit", body=b"b" + base[50:] + b"a")


BASE = b"x" * 10


@pytest.mark.parametrize(
    ("pieces", "reason", "words"),
    [
        (delta(b"other", size=0), Reason.MALFORMED, "another base"),
        (delta(BASE, copy(5, 6), size=6), Reason.MALFORMED, "outside of its base"),
        (delta(BASE, b"\0", size=1), Reason.MALFORMED, "unknown git delta"),
        (delta(BASE, b"\x05ab", size=5), Reason.TRUNCATED, "expected"),
        (delta(BASE, b"\x01a", size=2), Reason.MALFORMED, "makes 1 bytes"),
        (delta(BASE, copy(0, 10) * 9, size=20), Reason.MALFORMED, "makes 30 bytes"),
        (delta(BASE, size=1 << 40), Reason.LIMIT, "at most"),
        (b"\xff" * 20, Reason.MALFORMED, "no end"),
        (b"", Reason.TRUNCATED, "expected"),
    ],
)
def test_hostile_deltas_are_named(pieces: bytes, reason: Reason, words: str) -> None:
    with pytest.raises(UnreadableError) as caught:
        apply_delta(BASE, pieces)
    assert caught.value.reason is reason
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("data", "reason", "words"),
    [
        (record(5, b"x"), Reason.MALFORMED, "unknown type 5"),
        (record(1, b"x", size=1 << 40), Reason.LIMIT, "at most"),
        (record(1, b"xyz", size=2), Reason.MALFORMED, "announced"),
        (record(1, b"xyz", size=9), Reason.MALFORMED, "announced"),
        (b"\x13plain bytes", Reason.MALFORMED, "not a deflated"),
        (record(6, b"x", base=b"\x7f"), Reason.MALFORMED, "base is not in the pack"),
        (record(6, b"x", base=b"\x00"), Reason.LIMIT, "deltas"),
        (record(6, b"x", base=b"\xff" * 20), Reason.MALFORMED, "no end"),
        (record(7, b"x", base=oid_of(9)), Reason.MALFORMED, "base is not in the pack"),
        (record(7, b"x", base=oid_of(0)), Reason.LIMIT, f"more than {DELTA_DEPTH} deltas"),
    ],
)
def test_hostile_records_are_named(data: bytes, reason: Reason, words: str) -> None:
    error = refusal(pack_of([data]))
    assert error.reason is reason
    assert words in str(error)


def test_an_old_or_damaged_pack_index_is_refused_and_never_crashes() -> None:
    whole = pack_of([record(1, b"body")])
    data = whole.index.read_at(0, whole.index.size)
    old = Pack(pack=whole.pack, index=Memory(bytes(2_000)), id_bytes=20)
    assert refusal(old).reason is Reason.UNSUPPORTED
    for copy_ in [*truncations(data), *flips(data, 1_000)]:
        try:
            found = Pack(pack=whole.pack, index=Memory(copy_), id_bytes=20).get(oid_of(0))
        except UnreadableError:
            continue
        assert found in (None, GitObject(kind="commit", body=b"body"))


def test_deltas_as_deep_and_as_large_as_allowed_cost_bounded_memory() -> None:
    body = bytes(OBJECT_BYTES)
    records = [record(1, body)]
    for number in range(1, DELTA_DEPTH + 2):
        same = delta(body, *(copy(at, 65_535) for at in range(0, 500_000, 65_535)), size=8 * 65_535)
        records.append(record(7, same + bytes(OBJECT_BYTES - len(same)), base=oid_of(number - 1)))
    pack = pack_of(records)
    tracemalloc.start()
    error = refusal(pack, DELTA_DEPTH + 1)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert error.reason is Reason.LIMIT
    assert peak < 64 * MIB
