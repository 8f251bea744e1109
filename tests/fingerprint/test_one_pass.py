"""One read gives the digests that a naive second look would give."""

from __future__ import annotations

import hashlib
import zlib
from concurrent.futures import ThreadPoolExecutor

import pytest
from blake3 import blake3
from hypothesis import given
from hypothesis import strategies as st

from aibom.domain.errors import Reason, UnreadableError
from aibom.domain.facts import Facts, FileKind, Layout, Span, Tensor
from aibom.domain.limits import CHUNK_BYTES
from aibom.fingerprint.one_pass import fingerprint
from aibom.readers.ranges import Memory


def tensor(name: str, offset: int, length: int, **more: object) -> Tensor:
    return Tensor(name=name, dtype="U8", shape=(length,), offset=offset, length=length, **more)  # type: ignore[arg-type]


def facts(*tensors: Tensor, covered: tuple[Span, ...] = (), indexed: bool = False) -> Facts:
    return Facts(format="x", kind=FileKind.WEIGHTS, tensors=tensors, covered=covered, indexed=indexed)


def test_the_file_digest_is_sha256_of_all_bytes() -> None:
    data = bytes(range(256)) * 9
    result = fingerprint(Memory(data), None)
    assert [d.value for d in result.digests] == [hashlib.sha256(data).hexdigest()]


def test_git_sha1_is_what_git_hash_object_says() -> None:
    # `printf 'hello\n' | git hash-object --stdin`
    result = fingerprint(Memory(b"hello\n"), None, algorithms=["git-sha1"])
    assert result.digests[0].value == "ce013625030ba8dba906f756967f9e9ca394464a"


@given(st.data())
def test_every_tensor_digest_is_blake3_of_its_bytes(data: st.DataObject) -> None:
    body = data.draw(st.binary(min_size=1, max_size=400))
    ranges = data.draw(st.lists(st.tuples(st.integers(0, len(body)), st.integers(0, len(body))), max_size=4))
    tensors = [tensor(str(i), min(r), max(r) - min(r)) for i, r in enumerate(ranges)]
    result = fingerprint(Memory(body), facts(*tensors))
    expected = tuple(blake3(body[t.offset : t.offset + t.length]).digest() for t in tensors)
    assert result.tensor_digests == expected


def test_tensors_that_cross_chunks_and_a_second_thread_give_the_same_digests() -> None:
    body = bytes(range(251)) * (9 * CHUNK_BYTES // 251)
    parts = facts(
        tensor("a", 5, 3 * CHUNK_BYTES), tensor("b", 5 + 3 * CHUNK_BYTES, 17), tensor("c", len(body), 0)
    )
    alone = fingerprint(Memory(body), parts)
    with ThreadPoolExecutor(1) as companion:
        together = fingerprint(Memory(body), parts, companion=companion)
    assert alone == together
    assert alone.tensor_digests[0] == blake3(body[5 : 5 + 3 * CHUNK_BYTES]).digest()


def test_bytes_that_nothing_explains_are_counted_and_digested() -> None:
    parts = facts(tensor("a", 4, 4), covered=(Span(start=0, end=4),), indexed=True)
    hidden = fingerprint(Memory(b"headDATAevil"), parts).unindexed
    assert hidden is not None
    assert (hidden.bytes, hidden.sha256) == (4, hashlib.sha256(b"evil").hexdigest())


@given(st.integers(0, 60), st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60)), max_size=5))
def test_unindexed_bytes_are_exactly_the_complement(size: int, ranges: list[tuple[int, int]]) -> None:
    spans = [(min(a, b, size), min(max(a, b), size)) for a, b in ranges]
    body = bytes(range(size))
    parts = facts(covered=tuple(Span(start=a, end=b) for a, b in spans), indexed=True)
    hidden = fingerprint(Memory(body), parts).unindexed
    rest = bytes(b for b in body if not any(a <= b < e for a, e in spans))
    assert hidden is not None
    assert (hidden.bytes, hidden.sha256) == (len(rest), hashlib.sha256(rest).hexdigest())


def deflated(content: bytes, *, elements: int, skip: int) -> tuple[bytes, Facts]:
    packer = zlib.compressobj(wbits=-15)
    body = packer.compress(content) + packer.flush()
    one = Tensor(
        name="z", dtype="U8", shape=(elements,), offset=0, length=len(body), layout=Layout.DEFLATED, skip=skip
    )
    return body, facts(one)


def test_a_deflated_tensor_has_the_digest_of_its_inflated_bytes() -> None:
    values = bytes(range(256)) * 5000
    body, parts = deflated(b"HEADER" + values, elements=len(values), skip=6)
    assert fingerprint(Memory(body), parts).tensor_digests == (blake3(values).digest(),)


@pytest.mark.parametrize("elements", [3, 5])
def test_a_deflated_tensor_of_another_length_than_promised_has_no_digest(elements: int) -> None:
    body, parts = deflated(b"HEADER" + b"1234", elements=elements, skip=6)
    result = fingerprint(Memory(body), parts)
    assert result.tensor_digests == (None,)
    assert result.defects[0].reason is Reason.MALFORMED


def test_a_deflate_bomb_is_not_inflated() -> None:
    body, parts = deflated(b"\0" * 50_000_000, elements=10, skip=0)
    assert fingerprint(Memory(body), parts).tensor_digests == (None,)


@pytest.mark.parametrize("layout", [Layout.STRIDED, Layout.CHUNKED, Layout.BIG_ENDIAN, Layout.PACKED])
def test_other_layouts_have_no_digest(layout: Layout) -> None:
    assert fingerprint(Memory(b"1234"), facts(tensor("a", 0, 4, layout=layout))).tensor_digests == (None,)


def test_tensors_that_share_storage_many_times_over_are_refused() -> None:
    many = [tensor(str(i), 0, 100 - i) for i in range(10)]
    result = fingerprint(Memory(b"x" * 100), facts(*many))
    assert set(result.tensor_digests) == {None}
    assert result.defects[0].reason is Reason.LIMIT


def test_tied_tensors_share_one_digest() -> None:
    result = fingerprint(Memory(b"abcd"), facts(tensor("embed", 0, 4), tensor("head", 0, 4)))
    assert result.tensor_digests == (blake3(b"abcd").digest(),) * 2


class Shrinking(Memory):
    def read_into(self, offset: int, buffer: memoryview) -> int:
        return 0 if offset >= CHUNK_BYTES else super().read_into(offset, buffer)


def test_a_file_that_shrinks_while_it_is_read_is_an_error() -> None:
    with pytest.raises(UnreadableError, match="the file ended"):
        fingerprint(Shrinking(bytes(2 * CHUNK_BYTES)), None)


def test_a_shrinking_file_is_an_error_on_two_threads_too() -> None:
    parts = facts(tensor("a", 0, CHUNK_BYTES))
    with ThreadPoolExecutor(1) as companion, pytest.raises(UnreadableError):
        fingerprint(Shrinking(bytes(40 * CHUNK_BYTES)), parts, companion=companion)


def test_progress_adds_up_to_the_size() -> None:
    seen: list[int] = []
    fingerprint(Memory(bytes(2 * CHUNK_BYTES + 3)), None, advanced=seen.append)
    assert sum(seen) == 2 * CHUNK_BYTES + 3
