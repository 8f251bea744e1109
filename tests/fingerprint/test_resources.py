"""Digests of ranges: those of hashlib and blake3 over the same bytes, each byte read once."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable

import pytest
from blake3 import blake3
from hypothesis import given
from hypothesis import strategies as st

from aibom.domain.errors import Reason, UnreadableError, truncated
from aibom.domain.limits import CHUNK_BYTES
from aibom.fingerprint.resources import ALGORITHMS, Range, digest_ranges
from aibom.readers.ranges import Memory

DATA = bytes(range(200))
ORACLE: dict[str, Callable[[bytes], str]] = {
    "sha256": lambda data: hashlib.sha256(data).hexdigest(),
    "blake2b": lambda data: hashlib.blake2b(data, digest_size=64).hexdigest(),
    "blake3": lambda data: blake3(data).hexdigest(),
}
ranges = st.lists(
    st.builds(
        Range,
        st.sampled_from(ALGORITHMS),
        st.integers(0, 220),
        st.none() | st.integers(0, 220),
    ),
    max_size=12,
)


class Once(Memory):
    """Refuses to hand out a byte twice."""

    def __init__(self, data: bytes, most: int = 1 << 30) -> None:
        super().__init__(data)
        self.seen, self.most = set[int](), most

    def read_into(self, offset: int, buffer: memoryview) -> int:
        count = super().read_into(offset, buffer[: self.most])
        here = set(range(offset, offset + count))
        assert not here & self.seen
        self.seen |= here
        return count


def told(each: Range, data: bytes) -> str | None:
    end = len(data) if each.end is None else each.end
    return ORACLE[each.algorithm](data[each.start : end]) if each.start <= end <= len(data) else None


@given(ranges)
def test_every_range_has_its_digest_and_no_byte_is_read_twice(wanted: list[Range]) -> None:
    reader, counts = Once(DATA, most=7), list[int]()
    assert digest_ranges(reader, wanted, counts.append) == tuple(told(each, DATA) for each in wanted)
    asked = {at for each in wanted if told(each, DATA) for at in range(each.start, each.end or 200)}
    if all(each.end != 0 for each in wanted):
        assert reader.seen == asked
    assert sum(counts) == len(reader.seen)


def test_oracles_of_all_algorithms_are_here() -> None:
    assert tuple(ORACLE) == ALGORITHMS
    with pytest.raises(ValueError, match="no digest algorithm 'md5'"):
        digest_ranges(Memory(DATA), [Range("md5")])


@pytest.mark.parametrize(
    "beyond",
    [Range("sha256", 0, 201), Range("sha256", 201, 300), Range("sha256", 201), Range("sha256", 5, 4)],
)
def test_a_range_beyond_the_file_has_no_digest_and_the_others_have(beyond: Range) -> None:
    assert digest_ranges(Memory(DATA), [beyond, Range("sha256")]) == (None, ORACLE["sha256"](DATA))


def test_an_empty_file_and_an_empty_range_are_digested() -> None:
    empty = ORACLE["sha256"](b"")
    assert digest_ranges(Memory(b""), [Range("sha256"), Range("sha256", 0, 0)]) == (empty, empty)
    assert digest_ranges(Memory(DATA), [Range("sha256", 200)]) == (empty,)
    assert digest_ranges(Memory(DATA), []) == ()


def test_a_range_across_pieces_is_whole() -> None:
    data = b"x" * (2 * CHUNK_BYTES + 1)
    [found] = digest_ranges(Memory(data), [Range("sha256", 1)])
    assert found == ORACLE["sha256"](data[1:])


def test_a_file_that_ends_early_is_told() -> None:
    class Short(Memory):
        def read_into(self, offset: int, buffer: memoryview) -> int:
            return 0 if offset >= 100 else super().read_into(offset, buffer[: 100 - offset])

        def read_at(self, offset: int, length: int) -> bytes:
            raise truncated("it ends", offset)

    with pytest.raises(UnreadableError) as caught:
        digest_ranges(Short(DATA), [Range("sha256")])
    assert (caught.value.reason, caught.value.offset) == (Reason.TRUNCATED, 100)


def test_the_time_for_shards_follows_their_number() -> None:
    data = b"x" * 50_000
    wanted = [Range("sha256", at, at + 1) for at in range(len(data))]
    start = time.perf_counter()
    assert set(digest_ranges(Memory(data), wanted)) == {ORACLE["sha256"](b"x")}
    assert time.perf_counter() - start < 10  # each against each: minutes
