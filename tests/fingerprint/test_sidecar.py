"""The private sidecar, and what two of them say."""

from __future__ import annotations

import hashlib
import io
import random
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aibom.domain.dataset import RowBatch, RowBlock
from aibom.domain.errors import UnreadableError
from aibom.fingerprint import sidecar_changes
from aibom.fingerprint.dataset import BlockRows, Wanted, fingerprint_rows
from aibom.fingerprint.row_blocks import Blocks
from aibom.fingerprint.sidecar import Shape, Sidecar, SidecarWriter
from aibom.fingerprint.sidecar_changes import RowChanges, compare
from aibom.readers.ranges import Memory
from tests.hostile import flips

LABELS, IDENTITY = frozenset({"label"}), frozenset({"id"})
Rows = list[tuple[int, str, int]]


def written(
    rows: Rows, *, keys: bool = True, identities: bool = True
) -> tuple[bytes, str, str, list[BlockRows]]:
    """A sidecar, its digest, the root of the rows, and the blocks."""
    out, blocks = io.BytesIO(), list[BlockRows]()
    writer = SidecarWriter(out.write, Shape(keys=keys, identities=identities))

    def sink(block: BlockRows) -> None:
        blocks.append(block)
        writer.block(block)

    wanted = Wanted(
        labels=LABELS if keys else frozenset(),
        identity=IDENTITY if identities else frozenset(),
        multiset=False,
    )
    parts = [rows[at : at + 500] for at in range(0, len(rows), 500)]
    found = fingerprint_rows(map(batch, parts), wanted=wanted, sink=sink)
    digest = writer.finish()
    return out.getvalue(), digest, found.root, blocks


def batch(rows: Rows) -> RowBatch:
    columns = tuple(zip(*rows, strict=True))
    return RowBatch(names=("id", "text", "label"), types=(None,) * 3, columns=columns, rows=len(rows))


def opened(rows: Rows, *, keys: bool = True, identities: bool = True) -> Sidecar:
    data, digest, _, _ = written(rows, keys=keys, identities=identities)
    return Sidecar(Memory(data), digest)


def table(count: int) -> Rows:
    return [(number, f"text {number}", number % 5) for number in range(count)]


def test_a_sidecar_gives_the_root_and_every_digest() -> None:
    data, digest, root, blocks = written(table(3_000))
    side = Sidecar(Memory(data), digest)
    assert (side.root(), side.rows, side.blocks) == (root, 3_000, len(blocks))
    first = 0
    for at, block in enumerate(blocks):
        assert side.read(first, side.list[at * 68 : at * 68 + 68]) == block
        first += block.block.rows


def test_known_edits_are_named_exactly() -> None:
    old = table(20_000)
    new = list(old)
    new[5] = (5, "other", 0)
    for number in (100, 7_000, 19_999):
        new[number] = (number, f"text {number}", 9)
    del new[12_000]
    new.insert(300, (99_999, "added", 1))
    found = compare(opened(old), opened(new))
    assert found.removed == (12_000,)
    assert found.added == (300,)
    assert found.changed == ((5, 5),)
    assert found.flipped == ((100, 100), (7_000, 7_001), (19_999, 19_999))
    assert not found.moved


def test_without_identities_a_changed_row_is_one_less_and_one_more() -> None:
    old, new = table(2_000), table(2_000)
    new[7], new[8] = (7, "other", 2), (8, "text 8", 0)
    found = compare(opened(old, identities=False), opened(new, identities=False))
    assert (found.removed, found.added, found.flipped) == ((7,), (7,), ((8, 8),))
    bare = compare(opened(old, identities=False, keys=False), opened(new, identities=False, keys=False))
    assert (bare.removed, bare.added) == ((7, 8), (7, 8))


def test_a_shuffle_is_a_move_and_no_change() -> None:
    rows = table(5_000)
    mixed = random.Random(1).sample(rows, len(rows))
    found = compare(opened(rows), opened(mixed))
    assert found == RowChanges(moved=True, digests_read=found.digests_read)
    assert compare(opened(rows), opened(rows)) == RowChanges()


@given(
    st.lists(st.tuples(st.integers(0, 5), st.sampled_from("ab"), st.integers(0, 1)), max_size=12),
    st.lists(st.tuples(st.integers(0, 5), st.sampled_from("ab"), st.integers(0, 1)), max_size=12),
    st.integers(1, 30),
)
def test_the_counts_are_those_of_the_multisets(old: Rows, new: Rows, held: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sidecar_changes, "HELD_COUNT", held)
        found = compare(opened(old), opened(new))
    gone, come = list(old), list(new)
    for row in old:
        if row in come:
            come.remove(row)
            gone.remove(row)
    paired = found.changed_count + found.flipped_count
    assert (found.removed_count + paired, found.added_count + paired) == (len(gone), len(come))
    pairs = [(old[one], new[other]) for one, other in (*found.changed, *found.flipped)]
    assert all(one[0] == other[0] and one != other for one, other in pairs)
    assert all(old[one][:2] == new[other][:2] for one, other in found.flipped)


def synthetic(count: int, changed: int | None = None) -> Memory:
    """A sidecar of row digests that are made up, one of them changed."""
    digests = bytearray(random.Random(0).randbytes(count * 32))
    if changed is not None:
        digests[changed * 32 : changed * 32 + 8] = b"\1" * 8
    out, blocks = io.BytesIO(), Blocks()
    writer = SidecarWriter(out.write, Shape())
    for at in range(0, len(digests), 1 << 20):
        for block, rows in blocks.feed(bytes(digests[at : at + (1 << 20)])):
            writer.block(BlockRows(block=block, rows=rows))
    for block, rows in blocks.finish():
        writer.block(BlockRows(block=block, rows=rows))
    writer.finish()
    return Memory(out.getvalue())


def test_one_changed_row_of_many_is_found_by_less_than_one_percent_of_the_digests() -> None:
    count = 1_000_000
    old, new = Sidecar(synthetic(count)), Sidecar(synthetic(count, 654_321))
    start = time.process_time()
    found = compare(old, new)
    assert time.process_time() - start < 0.2  # ten times as many rows are measured in benchmarks
    assert (found.removed, found.added) == ((654_321,), (654_321,))
    assert found.digests_read + old.blocks + new.blocks < 0.01 * 2 * count


def read_whole(data: bytes, digest: str) -> None:
    side = Sidecar(Memory(data), digest)
    first = 0
    for at in range(0, len(side.list), 68):
        first += side.read(first, side.list[at : at + 68]).block.rows


def test_every_changed_byte_of_a_sidecar_is_noticed() -> None:
    data, digest, root, _ = written(table(200))
    assert Sidecar(Memory(data), digest).root() == root
    for copy in flips(data, 300):
        if copy == data:
            continue
        with pytest.raises(UnreadableError):
            read_whole(copy, digest)


def test_a_sidecar_cut_anywhere_is_refused() -> None:
    data, *_ = written(table(3))
    for length in range(len(data)):
        with pytest.raises(UnreadableError):
            Sidecar(Memory(data[:length]))


def test_sidecars_of_different_kinds_are_not_compared() -> None:
    with pytest.raises(UnreadableError, match="different kinds"):
        compare(opened(table(3)), opened(table(3), keys=False))


def test_a_block_of_another_shape_is_not_written() -> None:
    writer = SidecarWriter(io.BytesIO().write, Shape(keys=True))
    rows = hashlib.sha256(b"").digest()
    with pytest.raises(ValueError, match="shape"):
        writer.block(BlockRows(block=RowBlock(rows=1, digest=rows), rows=rows))


def test_differences_beyond_what_is_held_are_refused(monkeypatch: Any) -> None:
    monkeypatch.setattr(sidecar_changes, "HELD_COUNT", 1)
    with pytest.raises(UnreadableError, match="differ or moved"):
        compare(opened(table(200)), opened(table(201)))
