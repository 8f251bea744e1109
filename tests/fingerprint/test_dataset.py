"""The fingerprint of a dataset: what changes it, and what does not."""

from __future__ import annotations

import dataclasses
import hashlib
import random
from typing import Any

import pytest
from blake3 import blake3
from hypothesis import assume, given
from hypothesis import strategies as st

from aibom.domain.dataset import DatasetFingerprint, LineBatch, RowBatch, RowForm
from aibom.fingerprint.dataset import Wanted, fingerprint_rows
from aibom.fingerprint.multiset import Multiset
from aibom.fingerprint.row_blocks import LEAST_ROWS, MOST_ROWS, Blocks, Root, block_digest

Rows = list[dict[str, Any]]


def batch(rows: Rows, first: int = 0) -> RowBatch:
    names = tuple(rows[0]) if rows else ()
    columns = tuple([row[name] for row in rows] for name in names)
    return RowBatch(names=names, types=(None,) * len(names), columns=columns, rows=len(rows), first=first)


def of(rows: Rows, cut: int = 7, **wanted: Any) -> DatasetFingerprint:
    batches = [batch(rows[at : at + cut], at) for at in range(0, len(rows), cut)]
    return fingerprint_rows(batches, wanted=Wanted(**wanted))


def digests(count: int, seed: int = 0) -> list[bytes]:
    return [hashlib.sha256(b"%d %d" % (seed, number)).digest() for number in range(count)]


SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5)
TABLES = st.lists(
    st.fixed_dictionaries({"id": st.integers(0, 9), "label": st.integers(0, 2), "text": SCALARS}),
    min_size=1,
    max_size=12,
)


@given(TABLES, st.randoms())
def test_shuffling_keeps_the_multiset_and_changes_the_root(rows: Rows, chance: random.Random) -> None:
    mixed = list(rows)
    chance.shuffle(mixed)
    one, other = of(rows), of(mixed)
    assert one.multiset == other.multiset
    # By type too: True is 1 and 0.0 is -0.0 for Python, and other rows for us.
    assert (one.root == other.root) is (list(map(repr, rows)) == list(map(repr, mixed)))


@given(TABLES, st.data())
def test_a_changed_row_changes_root_and_multiset(rows: Rows, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(rows) - 1))
    value = data.draw(SCALARS)
    assume(repr(value) != repr(rows[at]["text"]))
    other = of([*rows[:at], {**rows[at], "text": value}, *rows[at + 1 :]])
    assert other.root != of(rows).root
    assert other.multiset != of(rows).multiset


@given(TABLES, st.data())
def test_a_dropped_added_or_repeated_row_changes_root_and_multiset(rows: Rows, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(rows) - 1))
    whole = of(rows)
    dropped, repeated = of(rows[:at] + rows[at + 1 :]), of([*rows, rows[at]])
    assert len({whole.root, dropped.root, repeated.root}) == 3
    assert len({whole.multiset, dropped.multiset, repeated.multiset}) == 3
    added_again = of([*rows[:at], *rows[at + 1 :], rows[at]])
    assert added_again.multiset == whole.multiset


@given(TABLES, st.integers(1, 12))
def test_batches_do_not_matter(rows: Rows, cut: int) -> None:
    assert of(rows, cut, labels=frozenset({"label"})) == of(rows, 100, labels=frozenset({"label"}))


@given(TABLES, st.data())
def test_a_flipped_label_changes_the_root_and_its_column_only(rows: Rows, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(rows) - 1))
    other = [dict(row) for row in rows]
    other[at]["label"] += 1
    one, two = of(rows, labels=frozenset({"label"})), of(other, labels=frozenset({"label"}))
    assert one.root != two.root
    assert one.key == two.key
    changed = [a.name for a, b in zip(one.columns, two.columns, strict=True) if a.digest != b.digest]
    assert changed == ["label"]


def test_a_salt_changes_every_digest_and_is_needed_in_full() -> None:
    rows = [{"name": "Ada", "label": 1}]
    plain, salted = (
        of(rows, labels=frozenset({"label"})),
        of(rows, labels=frozenset({"label"}), salt=bytes(16)),
    )
    pairs = [(plain.root, salted.root), (plain.multiset, salted.multiset), (plain.key, salted.key)]
    pairs += [(a.digest, b.digest) for a, b in zip(plain.columns, salted.columns, strict=True)]
    assert all(one != other for one, other in pairs)
    assert salted.keyed
    assert not plain.keyed
    with pytest.raises(ValueError, match="at least 16"):
        Wanted(salt=b"short")


def test_a_missing_member_is_not_a_null_and_stands_at_its_row() -> None:
    def columns(*rows: dict[str, Any]) -> tuple[Any, str]:
        found = fingerprint_rows([batch([row], at) for at, row in enumerate(rows)])
        return found.columns, found.root

    absent = columns({"a": 1}, {"a": 1, "b": 2}, {"a": 1})
    null = columns({"a": 1, "b": None}, {"a": 1, "b": 2}, {"a": 1, "b": None})
    late = columns({"a": 1}, {"a": 1}, {"a": 1, "b": 2})
    assert len({absent[0], null[0], late[0]}) == len({absent[1], null[1], late[1]}) == 3


def test_lines_have_no_columns() -> None:
    lines = [LineBatch(lines=[b"a", b"b"])]
    found = fingerprint_rows(lines, form=RowForm.LINES)
    assert (found.rows, found.bytes, found.columns, found.schema) == (2, 2, (), None)
    with pytest.raises(ValueError, match="lines have no columns"):
        fingerprint_rows(lines, form=RowForm.LINES, wanted=Wanted(labels=frozenset({"x"})))


def test_the_root_is_what_the_definition_says() -> None:
    rows = [hashlib.sha256(line).digest() for line in (b"a", b"b")]
    block = hashlib.sha256(b"aibom:row-block:v1\0" + b"".join(rows)).digest()
    two = (2).to_bytes(8, "little")
    found = fingerprint_rows([LineBatch(lines=[b"a", b"b"])], form=RowForm.LINES)
    assert found.root == hashlib.sha256(b"aibom:row-root:v1\0" + two + block + two).hexdigest()


def test_the_multiset_is_what_the_definition_says() -> None:
    rows = digests(300)
    tag = b"aibom:multiset:v1\0"
    counters = [0] * 4096
    for row in rows:
        element = int.from_bytes(blake3(tag + row).digest(512), "little")
        counters = [count + (element >> place & 1) for place, count in enumerate(counters)]
    planes = [sum((count >> bit & 1) << place for place, count in enumerate(counters)) for bit in range(64)]
    data = tag + (300).to_bytes(8, "little") + b"".join(plane.to_bytes(512, "little") for plane in planes)
    found = Multiset()
    found.add(rows)
    assert found.hexdigest() == hashlib.sha256(data).hexdigest()


@given(st.lists(st.integers(0, 5), max_size=40), st.integers(0, 40))
def test_multisets_of_parts_merge_into_the_whole(numbers: list[int], cut: int) -> None:
    rows = [digests(6)[number] for number in numbers]
    whole, one, other = Multiset(), Multiset(), Multiset()
    whole.add(rows)
    one.add(rows[cut:])
    other.add(rows[:cut])
    one.merge(other)
    assert one.hexdigest() == whole.hexdigest()
    one.add(rows)
    whole.add(rows)
    assert one.hexdigest() == whole.hexdigest()


def test_copies_of_a_row_never_vanish() -> None:
    # Sums of 16 bits that wrap, as LtHash16 has, are equal for 65,536 copies of any row.
    found = []
    for row in digests(2):
        doubled = Multiset()
        doubled.add([row])
        for _ in range(16):
            copy = Multiset()
            copy.merge(doubled)
            doubled.merge(copy)
        assert doubled.rows == 65_536
        found.append(doubled.hexdigest())
    assert found[0] != found[1]


def blocks_of(rows: list[bytes], cut: int) -> list[tuple[int, bytes]]:
    blocks, found = Blocks(), []
    for at in range(0, len(rows), cut):
        found += [(block.rows, block.digest) for block, _ in blocks.feed(b"".join(rows[at : at + cut]))]
    return found + [(block.rows, block.digest) for block, _ in blocks.finish()]


def plain_blocks(rows: list[bytes]) -> list[tuple[int, bytes]]:
    """The definition, row by row."""
    found, held = [], []
    for row in rows:
        held.append(row)
        ends = int.from_bytes(row, "big") % 512 == 0 and len(held) >= LEAST_ROWS
        if ends or len(held) == MOST_ROWS:
            found.append((len(held), block_digest(b"".join(held))))
            held = []
    return [*found, (len(held), block_digest(b"".join(held)))] if held else found


@pytest.mark.parametrize("cut", [1, 63, 64, 1000, 5000, 20_000])
def test_blocks_are_cut_as_the_definition_says_whatever_the_batches(cut: int) -> None:
    rows = digests(9_000) + [bytes(32)] * 200 + [b"\1" * 32] * (MOST_ROWS * 2 + 5) + digests(700, 1)
    assert blocks_of(rows, cut) == plain_blocks(rows)


def test_an_inserted_row_moves_few_blocks() -> None:
    rows = digests(50_000)
    before, after = blocks_of(rows, 4_096), blocks_of([digests(1, 9)[0], *rows], 4_096)
    assert len(set(after) - set(before)) <= 3


def test_chosen_rows_make_neither_many_nor_huge_blocks() -> None:
    assert max(rows for rows, _ in blocks_of([b"\1" * 32] * 20_000, 4_096)) == MOST_ROWS
    assert len(blocks_of([bytes(32)] * 20_000, 4_096)) == -(-20_000 // LEAST_ROWS)


def test_the_root_of_nothing_is_one_of_its_own() -> None:
    assert of([]).root == Root().hexdigest()
    assert of([]).rows == of([]).blocks == 0


@pytest.mark.parametrize(
    "parts",
    [{"root": "ab"}, {"root": "A" * 64}, {"multiset": ""}, {"rows": -1}, {"blocks": 3}],
    ids=["short", "upper-case", "empty", "negative", "more-blocks-than-rows"],
)
def test_a_fingerprint_that_cannot_be_is_refused(parts: dict[str, Any]) -> None:
    found = of([{"a": 1}, {"a": 2}])
    assert dataclasses.replace(found) == found
    with pytest.raises(ValueError, match=r"."):
        dataclasses.replace(found, **parts)
