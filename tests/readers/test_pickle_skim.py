"""Skipping plain values changes nothing: the same imports, uses, arguments and hazards as the exact walk."""

from __future__ import annotations

import contextlib
import pickle
import re
import struct
from collections.abc import Iterator

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from aibom.readers import pickle_skim
from aibom.readers.pickle import Machine, Stream, told
from aibom.readers.pickle_literals import KEPT_BYTES
from aibom.readers.pickle_nested import begins_file, encoding_of
from aibom.readers.pickle_skim import NUMBERS, Skimmer, plain_values, skim
from aibom.readers.pickle_values import SkippedError
from aibom.readers.ranges import Memory

# The memo that BINGET reaches: literals, and five entries that no run of plain values may take.
LITERALS = 251
PRELUDE = (
    b"\x8c\x01m\x94\x8c\x01f\x94"
    + b"N\x94" * (LITERALS - 2)
    + b"cm\ng\n\x94]\x94}\x94)\x94cm\nh\n)R\x94"
    + b"1"
)
PRELUDE = b"(" + PRELUDE
GLOBAL, LIST, DICT, TUPLE, CALL = range(LITERALS, LITERALS + 5)


@pytest.fixture(autouse=True, scope="module")
def eager() -> Iterator[None]:
    """Two values in a row are a run."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pickle_skim, "_UNIT", 2)
        patch.setattr(pickle_skim, "NUMBERS", re.compile(NUMBERS.pattern.replace(b"{16}", b"{2}"), re.DOTALL))
        yield


def exactly(data: bytes) -> Stream:
    return told(Machine(Memory(data), 0, None, KEPT_BYTES, None), 10**6)


def skimmed(data: bytes) -> tuple[Stream | None, int]:
    machine = Skimmer(Memory(data), 0, None, KEPT_BYTES, None)
    try:
        return told(machine, 10**6), machine.skipped
    except SkippedError:
        return None, machine.skipped


def facts(stream: Stream) -> tuple[object, ...]:
    error = stream.error and (stream.error.reason, stream.error.message, stream.error.offset)
    return stream.imports, stream.hazards, stream.nested, stream.defects, stream.protocol, stream.stop, error


def check(data: bytes) -> None:
    stream, skipped = skimmed(data)
    event("given up" if stream is None else "skipped" if skipped else "nothing to skip")
    if stream is not None:
        assert facts(stream) == facts(exactly(data))


LITERAL = st.sampled_from(
    (b"N", b"\x88", b"K\x05", b"M\x01\x02", b"J\1\2\3\4", b"G........", b"\x8a\x01\x05", b")",
     b"\x8c\x02ab\x94", b"\x8c\x03abc", b"h\x00", b"h\x01", b"h\x02", b"\x8c\x14" + b"word " * 4 + b"\x94")
)  # fmt: skip
PLAIN = st.recursive(
    LITERAL,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4).map(lambda items: b"]\x94(" + b"".join(items) + b"e"),
        st.lists(st.tuples(LITERAL, inner), max_size=3).map(
            lambda pairs: b"}\x94(" + b"".join(key + value for key, value in pairs) + b"u"
        ),
        inner.map(lambda item: b"]\x94" + item + b"a"),
        inner.map(lambda item: b"}\x94h\x00" + item + b"s"),
        st.lists(inner, max_size=4).map(lambda items: b"(" + b"".join(items) + b"t\x94"),
        st.sampled_from((b"]\x94", b"}\x94", b"]", b"}")),
    ),
    max_leaves=12,
)
# What looks at the stack or the memo, or changes what a plain value could stand for.
OTHER = st.sampled_from(
    (
        b"cm\nf\n", b"cm\nf\n)R", b"cm\nf\nK\x01\x85R", b"h%c" % GLOBAL, b"h%c" % LIST, b"h%c" % CALL,
        b"h%c" % DICT, b"h%c)R" % GLOBAL, b"h%c)R" % CALL, b"\x85R", b"R", b"t", b"e", b"a", b"s", b"u", b"0",
        b"2", b"(", b"(e", b"(u", b"\x86", b"\x85", b"\x94", b"q\x05", b"q\xff", b"r\x05\1\0\0", b"h\x05",
        b"h\xff", b"j\x05\1\0\0", b"j\x08\1\0\0", b"\x93", b"h\x00h\x01\x93", b"\x8c\x01o\x8c\x01p\x93",
        b"b", b"}b", b"o", b"(K\x01K\x02t", b"1", b"Q", b"\x81", b"cm\nf\n(K\x01K\x02K\x03K\x04tR",
        b"cm\nf\n]\x94(K\x01K\x02K\x03e\x85R", b"V\\u0041\n", b"I7\n", b"I007\n", b"\x8c\x08cos\nsys\n",
        b"\x8c\x10gASVgASVgASVgASV", b"\x8c\x04BZh9", b"\x8c\x02\xc3\xa9", b"\xff", b"\x8c\x01\xff",
    )
)  # fmt: skip
RECORD = st.sampled_from((b"}\x94(h\x00K\x05h\x01]\x94(NNeu", b"](K\x01K\x02e", b"}(h\x00Nu", b"](e"))
OPEN = st.sampled_from((b"](N", b"}(h\x00N", b"(N"))
RUN = st.lists(st.one_of(RECORD, RECORD, PLAIN), min_size=3, max_size=9).map(b"".join)
PARTS = st.lists(st.tuples(RUN, st.one_of(OTHER, OTHER, OPEN, PLAIN)).map(b"".join), min_size=1, max_size=4)


@settings(max_examples=120, deadline=None)
@given(PARTS, st.sampled_from((b"](", b"](N", b"](N", b"}(", b"cm\ng\n(")), st.integers(0, 9))
def test_skipping_tells_the_same_as_the_exact_walk(parts: list[bytes], opening: bytes, full: int) -> None:
    head = PRELUDE if full else b""
    check(head + opening + b"".join(parts) + b"e.")


@settings(max_examples=60, deadline=None)
@given(PARTS, st.lists(st.integers(0, 60), min_size=1, max_size=4))
def test_frames_are_looked_at_inside_of_runs(parts: list[bytes], lengths: list[int]) -> None:
    body = b"](N" + b"".join(parts) + b"e."
    framed = b""
    for length in lengths:
        piece, body = body[:length], body[length:]
        framed += b"\x95" + struct.pack("<Q", length) + piece
    check(PRELUDE + framed + body)


def rows(count: int) -> list[dict[str, object]]:
    return [{"id": index, "name": f"n{index}", "tags": ["a", "b", index]} for index in range(count)]


class Holder:
    def __init__(self) -> None:
        self.rows = rows(2_000)
        self.name = "after"


@pytest.mark.parametrize("value", [rows(2_000), Holder(), {"a": rows(1_000), "b": re.compile("x")}])
@pytest.mark.parametrize("protocol", [4, 5])
def test_most_of_a_list_of_records_is_skipped(value: object, protocol: int) -> None:
    data = pickle.dumps(value, protocol)
    stream, skipped = skimmed(data)
    assert stream is not None
    assert facts(stream) == facts(exactly(data))
    assert skipped > 500


STARTS = (
    "", "BZh91AY&SY", "x^", "(S'", "(((S'", "gASV", "UEsDBA", "H4sIAA", "/Td6", "_Td6", "eJw", "eNq", "eAE",
    "eF4", "Qlpo", "Y29z", "KFMn", "PK", "cos",
)  # fmt: skip
PRINTABLE = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=40)


@given(st.sampled_from(STARTS), PRINTABLE)
def test_text_that_may_be_a_file_is_never_skipped(start: str, rest: str) -> None:
    text = (start + rest).encode()[:47]
    if len(text) > 3 and (begins_file(text) or encoding_of(text)):
        one = b"\x8c%c%b" % (len(text), text)
        assert plain_values(b"").match(one + one) is None


@pytest.mark.parametrize("text", ["a", "hello world", "user-1", "c", "", "example", "x" * 47])
def test_ordinary_text_is_skipped(text: str) -> None:
    one = b"\x8c%c%b\x94" % (len(text), text.encode())
    found = plain_values(b"").match(one + one)
    assert found is not None
    assert found.end() == 2 * len(one)


@pytest.mark.parametrize(
    "bomb",
    [
        b"](N" + b"(e" * 30_000,
        b"](N" + b"}(h\x00NuK" * 8_000,
        b"(" * 60_000,
        b"](N" + b"](" * 30_000,
        b"](N" + (b"](" + b"K\x01" * 20 + b"b") * 1_500,
    ],
    ids=["triggers", "pairs", "marks", "lists", "runs"],
)
def test_tries_in_vain_are_bounded(bomb: bytes) -> None:
    tried = 0

    class Counting(Skimmer):
        __slots__ = ()

        def _skip(self, at: int) -> int:
            nonlocal tried
            before = self._credit
            at = super()._skip(at)
            tried += max(0, before - self._credit)
            return at

    Counting.handlers = tuple(getattr(Counting, each.__name__, each) for each in Skimmer.handlers)
    with contextlib.suppress(SkippedError):
        told(Counting(Memory(PRELUDE + bomb), 0, None, KEPT_BYTES, None), 10**6)
    assert tried <= pickle_skim._CREDIT_BYTES + 8 * len(PRELUDE + bomb)


def test_a_short_stream_is_not_worth_it(monkeypatch: pytest.MonkeyPatch) -> None:
    data = pickle.dumps(rows(500))
    assert skim(Memory(data), 0) is None
    monkeypatch.setattr(pickle_skim, "_WORTH_BYTES", 1)
    assert skim(Memory(data), 0) is not None
