"""The leaves of a tensor are BLAKE3 of its MiBs, and taking them changes nothing else."""

from __future__ import annotations

import zlib
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from itertools import pairwise

import pytest
from blake3 import blake3
from hypothesis import given, settings
from hypothesis import strategies as st

from aibom.domain.facts import Facts, FileKind, Layout, Span, Tensor
from aibom.domain.limits import MIB
from aibom.domain.weights_evidence import Header, leaf_count
from aibom.fingerprint.leaves import LeafHash
from aibom.fingerprint.one_pass import Fingerprint, fingerprint
from aibom.readers.ranges import Memory


@cache
def noise(size: int = 10 * MIB) -> bytes:
    return bytes(blake3(b"leaves").digest(size))


def expected(data: bytes) -> bytes:
    """What the documentation says."""
    if len(data) <= MIB:
        return b""
    return b"".join(blake3(data[at : at + MIB]).digest()[:16] for at in range(0, len(data), MIB))


def tensor(name: str, offset: int, length: int, **more: object) -> Tensor:
    return Tensor(name=name, dtype="U8", shape=(length,), offset=offset, length=length, **more)  # type: ignore[arg-type]


def facts(*tensors: Tensor, covered: tuple[Span, ...] = (), indexed: bool = False) -> Facts:
    return Facts(format="x", kind=FileKind.WEIGHTS, tensors=tensors, covered=covered, indexed=indexed)


@settings(max_examples=30)
@given(st.integers(0, 4 * MIB), st.lists(st.integers(0, 4 * MIB), max_size=6))
def test_leaves_do_not_depend_on_how_the_bytes_arrive(size: int, cuts: list[int]) -> None:
    data, hasher = noise()[:size], LeafHash()
    edges = [0, *sorted(min(cut, size) for cut in cuts), size]
    for start, end in pairwise(edges):
        hasher.update(memoryview(data)[start:end])
    assert hasher.digest() == blake3(data).digest()
    assert hasher.leaves() == expected(data)


@pytest.mark.parametrize(
    ("size", "count"), [(0, 0), (1, 0), (MIB - 1, 0), (MIB, 0), (MIB + 1, 2), (2 * MIB, 2), (2 * MIB + 1, 3)]
)
def test_a_tensor_of_up_to_a_leaf_has_none(size: int, count: int) -> None:
    hasher = LeafHash()
    hasher.update(noise()[:size])
    assert len(hasher.leaves()) == 16 * count == 16 * leaf_count(size)


def parts() -> Facts:
    """Tensors that touch, overlap, share storage, end the file, and start off every boundary."""
    return facts(
        tensor("a", 5, 3 * MIB),
        tensor("b", 5 + 3 * MIB, 17),
        tensor("c", MIB + 7, 4 * MIB + 1),
        tensor("tied", 5, 3 * MIB),
        tensor("last", 10 * MIB - 2, 2),
        tensor("none", 10 * MIB, 0),
    )


def seen(companion: ThreadPoolExecutor | None) -> Fingerprint:
    return fingerprint(Memory(noise()), parts(), leaves=True, header=True, companion=companion)


def test_one_pass_gives_leaves_on_one_thread_and_on_two() -> None:
    alone = seen(None)
    with ThreadPoolExecutor(1) as companion:
        assert seen(companion) == alone
    bodies = [noise()[each.offset : each.offset + each.length] for each in parts().tensors]
    assert alone.tensor_leaves == tuple(map(expected, bodies))
    assert alone.tensor_digests == tuple(blake3(body).digest() for body in bodies)


def test_leaves_change_no_other_digest() -> None:
    bare, full = fingerprint(Memory(noise()), parts()), seen(None)
    assert (bare.digests, bare.tensor_digests) == (full.digests, full.tensor_digests)
    assert (bare.tensor_leaves, bare.tensor_samples, bare.header) == ((), (), None)


def test_a_deflated_tensor_has_the_leaves_of_its_inflated_bytes() -> None:
    values = noise()[: 2 * MIB + 100]
    packer = zlib.compressobj(wbits=-15)
    body = packer.compress(b"HEADER" + values) + packer.flush()
    one = Tensor(
        name="z", dtype="U8", shape=(len(values),), offset=0, length=len(body), layout=Layout.DEFLATED, skip=6
    )
    found = fingerprint(Memory(body), facts(one), leaves=True, header=True)
    assert found.tensor_leaves == (expected(values),)
    # The stream itself is in the digest of the rest: it could be another one with the same content.
    assert found.header == Header(size=len(body), blake3=blake3(body).digest())


def test_one_deflated_stream_is_no_tensor_of_another_length() -> None:
    packer = zlib.compressobj(wbits=-15)
    body = packer.compress(b"12345678") + packer.flush()
    right, wrong = (
        Tensor(name=str(n), dtype="U8", shape=(n,), offset=0, length=len(body), layout=Layout.DEFLATED)
        for n in (8, 9)
    )
    assert fingerprint(Memory(body), facts(right, wrong)).tensor_digests == (
        blake3(b"12345678").digest(),
        None,
    )


@given(st.integers(0, 60), st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60)), max_size=6))
def test_every_byte_is_in_a_tensor_or_unindexed_or_in_the_header(
    size: int, ranges: list[tuple[int, int]]
) -> None:
    body = bytes(range(100, 100 + size))
    spans = [(min(a, b, size), min(max(a, b), size)) for a, b in ranges]
    tensors = tuple(tensor(str(at), start, end - start) for at, (start, end) in enumerate(spans[::2]))
    covered = tuple(Span(start=start, end=end) for start, end in spans[1::2])
    found = fingerprint(Memory(body), facts(*tensors, covered=covered, indexed=True), header=True)
    inside = {at for each in tensors for at in range(each.offset, each.offset + each.length)}
    explained = {at for span in covered for at in range(span.start, span.end)}
    header = bytes(body[at] for at in sorted(explained - inside))
    assert found.header == Header(size=len(header), blake3=blake3(header).digest())
    assert found.unindexed is not None
    assert found.unindexed.bytes == size - len(explained | inside)


def test_a_tensor_without_a_digest_is_in_the_digest_of_the_header() -> None:
    found = fingerprint(
        Memory(b"1234strided"), facts(tensor("view", 4, 7, layout=Layout.STRIDED)), leaves=True, header=True
    )
    assert (found.tensor_digests, found.tensor_leaves, found.tensor_samples) == ((None,), (b"",), (b"",))
    assert found.header == Header(size=11, blake3=blake3(b"1234strided").digest())
