"""The pass over all rows: repeated rows, labels, and what never changes a count."""

from __future__ import annotations

import random
import tracemalloc
from collections.abc import Sequence
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aibom.domain.dataset import ABSENT, Kind, RowBatch, Type
from aibom.domain.dataset_signals import DatasetSignals, Signal, SignalKind
from aibom.domain.limits import MIB
from aibom.fingerprint.contamination import read_ngrams, write_ngrams
from aibom.fingerprint.rows_arrow import ArrowRows
from aibom.fingerprint.signals import SignalPass
from aibom.fingerprint.signals_arrow import values_of
from aibom.fingerprint.signals_keys import Contradictions, Duplicates, digests_of
from aibom.fingerprint.signals_sample import TextSample
from tests.fingerprint.row_values import NAMES, TYPES, values

SETTINGS = settings(max_examples=50, deadline=None)
Row = tuple[object, ...]
BENCHMARKS = read_ngrams(write_ngrams({"b": ["one two three four five six seven eight nine ten a b c d"]}))


def signals(
    names: tuple[str, ...], rows: Sequence[Row], size: int = 1_000, labels: frozenset[str] = frozenset()
) -> DatasetSignals:
    taken = SignalPass("data.jsonl", labels, BENCHMARKS)
    for at in range(0, len(rows), size):
        part = rows[at : at + size]
        columns: tuple[Sequence[object], ...] = tuple(map(list, zip(*part, strict=True)))
        types = (None,) * len(names)
        taken.feed(RowBatch(names=names, types=types, columns=columns, rows=len(part), first=at))
    return taken.finish()


def one(found: DatasetSignals, kind: SignalKind) -> Signal:
    (signal,) = found.of(kind)
    return signal


def counts(found: DatasetSignals) -> list[tuple[object, ...]]:
    """Everything but the numbers of rows, which follow the order of the file."""
    told = [(s.kind, s.count, s.looked, s.column, s.what, s.label, s.parts) for s in found.signals]
    return [*told, found.rows, found.labels]


def test_each_row_that_repeats_another_one_is_counted_and_the_first_of_them_are_named() -> None:
    found = one(signals(("text",), [("a",), ("b",), ("a",), ("a",), (None,)]), SignalKind.DUPLICATE)
    assert (found.count, found.looked, found.examples) == (2, 5, (2, 3))


def test_rows_with_one_key_and_two_labels_contradict_each_other_and_one_of_them_is_named() -> None:
    rows = [("a", 1), ("b", 0), ("a", 0), ("b", 0), ("c", None), ("c", 1)] * 2
    found = one(signals(("text", "label"), rows), SignalKind.CONTRADICTION)
    assert (found.count, found.looked, found.examples) == (4, 10, (2,))


@pytest.mark.parametrize(
    ("names", "rows", "labels"),
    [
        (("text", "note"), [("a", 1), ("a", 2)], frozenset()),  # no column of labels
        (("text", "target"), [(f"a{n}", f"b{n}") for n in range(9)], frozenset()),  # a translation
        (("text", "label"), [("a", None), ("b", ABSENT)], frozenset()),
        (("text", "label"), [("a", 1), ("a", 2)] * 3, frozenset({"other"})),
    ],
    ids=["none", "values", "empty", "named otherwise"],
)
def test_without_labels_nothing_is_looked_at_and_the_signal_says_so(
    names: tuple[str, ...], rows: list[Row], labels: frozenset[str]
) -> None:
    found = signals(names, rows, labels=labels)
    for kind in (SignalKind.CONTRADICTION, SignalKind.PHRASE):
        assert (one(found, kind).looked, one(found, kind).what) == (0, "no column of labels")
    assert found.labels == ()


def test_named_labels_may_have_any_values_and_be_several() -> None:
    rows = [("a", "x", [1, {"b": None}]), ("a", "x", [1, {"b": 2}]), ("b", "y", [])]
    found = signals(("text", "mood", "tags"), rows, labels=frozenset({"mood", "tags"}))
    assert one(found, SignalKind.CONTRADICTION).count == 2
    assert [(each.column, each.by_label) for each in found.labels] == [
        ("mood", {"x": 2, "y": 1}),
        ("tags", {"[1, {b: None}]": 1, "[1, {b: 2}]": 1, "[]": 1}),
    ]


def test_every_kind_is_told_whether_it_was_found_or_not() -> None:
    found = signals(("text", "label"), [("a b c", 1), ("d", 0)] * 3)
    assert list(dict.fromkeys(signal.kind for signal in found.signals)) == list(SignalKind)


_WORDS = st.sampled_from(["a", "b", "x\u200by", "http://a.b/c.png", "one two three four five six seven"])
_ROWS = st.lists(
    st.tuples(st.lists(_WORDS, max_size=6).map(" ".join), st.sampled_from([0, 1, None, "1"])), max_size=40
)


@given(_ROWS, st.randoms(use_true_random=False), st.integers(1, 41))
@SETTINGS
def test_neither_order_nor_batches_change_a_count(
    rows: list[Row], shuffler: random.Random, size: int
) -> None:
    whole = signals(("text", "label"), rows)
    assert signals(("text", "label"), rows, size) == whole
    shuffled = list(rows)
    shuffler.shuffle(shuffled)
    assert counts(signals(("text", "label"), shuffled, size)) == counts(whole)


def test_a_sample_does_not_depend_on_the_order_either() -> None:
    rows: list[Row] = [(f"row {n % 9_000} of some text {n * 7 % 1_000}", n % 3) for n in range(12_000)]
    whole = signals(("text", "label"), rows)
    assert signals(("text", "label"), rows, 977) == whole
    random.Random(5).shuffle(rows)
    assert counts(signals(("text", "label"), rows)) == counts(whole)
    assert 4_096 < one(whole, SignalKind.PHRASE).looked + 4_096 < 12_288


@given(st.data())
@SETTINGS
def test_no_value_of_any_type_raises(data: st.DataObject) -> None:
    columns = data.draw(st.lists(st.tuples(NAMES, TYPES), max_size=3, unique_by=lambda pair: pair[0]))
    rows = data.draw(st.integers(0, 4))
    found = [data.draw(st.lists(values(kind), min_size=rows, max_size=rows)) for _, kind in columns]
    names = tuple(name for name, _ in columns)
    taken = SignalPass("f", frozenset(names[:1]), BENCHMARKS)
    types = tuple(kind for _, kind in columns)
    taken.feed(RowBatch(names=names, types=types, columns=tuple(found), rows=rows))
    assert taken.finish().rows == rows


_JSON: st.SearchStrategy[Any] = st.recursive(
    st.one_of(
        st.none(), st.booleans(), st.integers(), st.floats(),
        st.text(st.characters(codec=None)),
    ),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=5,
)  # fmt: skip


_CELLS = _JSON | st.just(ABSENT)


@given(st.lists(st.tuples(_CELLS, _CELLS, _CELLS), max_size=5))
@SETTINGS
def test_no_value_of_json_raises(rows: list[Row]) -> None:
    assert signals(("text", "label", "image_url"), rows).rows == len(rows)


def test_huge_numbers_are_labels_like_others() -> None:
    assert signals(("text", "label"), [("a", 10**5_000)] * 4).labels[0].rows == 4


def test_long_and_invisible_labels_stay_different_and_can_be_shown() -> None:
    rows = [("a", "x" * 500), ("a", "x" * 501), ("b", "y\u202e"), ("b", "y")] * 2
    found = signals(("text", "label"), rows)
    assert one(found, SignalKind.CONTRADICTION).count == 8
    assert [(len(label), count) for label, count in found.labels[0].counts] == [
        (80, 2),
        (80, 2),
        (1, 2),
        (7, 2),
    ]
    assert all(label.isprintable() for label in found.labels[0].by_label)


def test_text_columns_of_csv_may_be_bytes() -> None:
    taken = SignalPass("f", frozenset({"label"}))
    text = Type(kind=Kind.STRING)
    columns = ([b"a\xe2\x80\xaeb", b"\xff"], [b"x", b"y"])
    taken.feed(RowBatch(names=("text", "label"), types=(text, text), columns=columns, rows=2))
    found = taken.finish()
    assert one(found, SignalKind.DECEPTIVE_TEXT).examples == (0,)
    assert found.labels[0].by_label == {"x": 1, "y": 1}


def test_arrow_batches_give_the_signals_of_the_rows_in_them() -> None:
    rows: list[Row] = [
        (f"w\u200bw {n % 7}", n % 2, [{"role": "user\U000e0041", "n": n % 7}]) for n in range(50)
    ]
    table = pa.table(
        {name: list(column) for name, column in zip("tyc", zip(*rows, strict=True), strict=True)}
    )
    table = table.append_column("when", pa.array([2**62] * 50, pa.timestamp("ns", "UTC")))
    table = table.set_column(0, "t", table["t"].dictionary_encode())
    taken = SignalPass("data.jsonl", frozenset({"y"}), BENCHMARKS)
    at = 0
    for batch in table.to_batches(max_chunksize=16):
        taken.feed(values_of(batch, at), ArrowRows(batch))
        at += batch.num_rows
    assert taken.finish() == signals(("t", "y", "c"), rows, labels=frozenset({"y"}))


def test_a_sample_counts_what_stays_in_it_exactly() -> None:
    digests = digests_of(f"{n % 5_000}".encode() for n in range(20_000))
    labels: list[int | None] = [1 + n % 15_000 // 7_500 for n in range(20_000)]
    repeated, mixed = Duplicates(100), Contradictions(100)
    repeated.add(digests, 0)
    mixed.add(digests, labels, 0)
    count, looked, _ = repeated.counts()
    assert 50 * 4 < looked <= 100 * 4
    assert count == looked // 4 * 3
    assert mixed.counts()[:2] == (looked, looked)


def test_memory_follows_the_cap_and_not_the_rows() -> None:
    repeated, mixed, sample = Duplicates(1_000), Contradictions(1_000), TextSample(100)
    part, column = 2_000, ["\U0001f600" * 600] * 2_000
    labels: list[int | None] = list(range(1, part + 1))
    tracemalloc.start()
    for at in range(0, 60_000, part):
        digests = [n * 0x9E3779B97F4A7C15 % 2**64 for n in range(at, at + part)]
        repeated.add(digests, at)
        mixed.add(digests, labels, at)
        sample.add(digests, labels, [column], at)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 1 * MIB
    assert 500 < repeated.counts()[1] <= 1_000


@pytest.mark.integration
def test_a_million_hostile_rows_take_bounded_memory() -> None:
    repeated, mixed, sample = Duplicates(), Contradictions(), TextSample()
    part, column = 20_000, ["\U0001f600" * 600] * 20_000
    labels: list[int | None] = list(range(1, part + 1))
    tracemalloc.start()
    for at in range(0, 1_000_000, part):
        digests = [n * 0x9E3779B97F4A7C15 % 2**64 for n in range(at, at + part)]
        repeated.add(digests, at)
        mixed.add(digests, labels, at)
        sample.add(digests, labels, [column], at)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 56 * MIB  # the rest is for what is counted by column and label
    assert 65_536 < repeated.counts()[1] <= 131_072


@pytest.mark.integration
def test_rows_of_nothing_but_new_words_take_bounded_memory() -> None:
    taken = SignalPass("f", frozenset({"label"}))
    tracemalloc.start()
    for at in range(0, 12_000, 500):
        numbers = range(at, at + 500)
        texts = [" ".join(f"{n * 64 + word:x}" for word in range(64)) for n in numbers]
        columns = (texts, [f"l{n % 30}" for n in numbers], [f"http://{n}/a" for n in numbers])
        taken.feed(RowBatch(names=("text", "label", "u"), types=(None,) * 3, columns=columns, rows=500))
    taken.finish()
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 64 * MIB
