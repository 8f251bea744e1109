"""Shared containers are measured in the time of their references, and only bombs are called so."""

from __future__ import annotations

import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aibom.domain.hazard import HazardKind
from aibom.readers.pickle import run
from aibom.readers.pickle_size import MOST, largest
from aibom.readers.pickle_values import Call, Mapping, Sequence, Value
from aibom.readers.ranges import Memory


def bombs(data: bytes) -> list[str]:
    return [h.found for h in run(Memory(data)).hazards if h.kind is HazardKind.DECOMPRESSION_BOMB]


def doubled(levels: int, kind: type) -> object:
    value: object = kind(["laugh"])
    for _ in range(levels):
        value = kind([value, value])
    return value


@pytest.mark.parametrize("protocol", range(6))
@pytest.mark.parametrize("kind", [list, tuple])
def test_thirty_doublings_are_a_bomb_and_ten_are_none(kind: type, protocol: int) -> None:
    assert bombs(pickle.dumps(doubled(30, kind), protocol)) == ["expanding-pickle"]
    assert bombs(pickle.dumps(doubled(10, kind), protocol)) == []


@pytest.mark.parametrize(
    "data",
    [
        b"]" + b"2l"[:1] + b"\x86" + b"2\x86" * 40 + b".",
        b"](K\x01e" + b"q\x000h\x00h\x00\x86q\x00" * 40 + b"0N.",
        b"(" + b"".join(b"]r%b" % index.to_bytes(4, "little") for index in range(40)) + b"1"
        + b"".join(b"j%b(j%bh\x00j%be0" % ((i).to_bytes(4, "little"), (i + 1).to_bytes(4, "little"),
                                           (i + 1).to_bytes(4, "little")) for i in range(39)) + b"N.",
    ],
    ids=["dup", "popped", "filled from above"],
)  # fmt: skip
def test_other_roads_to_the_same_bomb(data: bytes) -> None:
    assert bombs(data) == ["expanding-pickle"]


def test_honest_sharing_and_cycles_are_no_bomb() -> None:
    row = [1.0] * 100
    table = [row] * 5_000
    table.append(table)  # type: ignore[arg-type]
    assert bombs(pickle.dumps([table, table, {"a": table}])) == []
    names = [f"n{index}" for index in range(10)]
    assert bombs(pickle.dumps([names[:] for _ in range(1_000)])) == []


def test_a_cyclic_stream_ends() -> None:
    assert run(Memory(b"]\x94h\x00ah\x00a" * 1 + b"h\x00h\x00\x86" * 60 + b".")).error is None


def plain(value: Value) -> int:
    return 1 + sum(map(plain, value)) if isinstance(value, (tuple, Sequence, Mapping)) else 1


VALUES = st.recursive(
    st.none() | st.integers(),
    lambda inner: st.lists(inner, max_size=4).flatmap(
        lambda items: st.sampled_from((tuple(items), Sequence(items), Mapping(items), Sequence(items * 2)))
    ),
)


@given(VALUES)
def test_the_size_is_what_a_walk_without_memory_counts(value: Value) -> None:
    assert largest([value]) == (plain(value) if isinstance(value, (tuple, list)) else 1)


def test_a_deep_chain_is_measured_without_recursion_or_endless_numbers() -> None:
    value: Value = ()
    for _ in range(50_000):
        value = (value, value)
    assert largest([value]) == MOST


def test_what_a_call_returns_counts_as_one() -> None:
    call = Call(None, (1, 2, 3), 0)
    assert largest([(call, call)]) == 3
