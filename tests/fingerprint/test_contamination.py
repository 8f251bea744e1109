"""Digest sets of benchmarks, and rows that hold their text."""

from __future__ import annotations

import hashlib
import struct
import tracemalloc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aibom.domain.dataset_signals import Signal
from aibom.domain.errors import Reason, UnreadableError
from aibom.domain.limits import MIB
from aibom.fingerprint.contamination import Overlap, ngrams, read_ngrams, write_ngrams

QUESTION = "Natalia sold clips to 48 of her friends in April, and then she sold half as many clips in May."
OTHER = "one two three four five six seven eight nine ten eleven twelve thirteen fourteen"
SET = write_ngrams({"gsm8k": [QUESTION], "count": [OTHER]})


def overlap(*texts: str) -> dict[str, Signal]:
    taken = Overlap(read_ngrams(SET))
    taken.add([list(texts)], 100)
    return {signal.what: signal for signal in taken.signals(len(texts))}


def test_a_sequence_is_digested_as_the_definition_says() -> None:
    words = "one two three four five six seven eight nine ten eleven twelve thirteen"
    expected = hashlib.sha256(words.encode()).digest()[:8]
    assert [digest.to_bytes(8, "big") for digest in ngrams(f"  {words.upper()}!")] == [expected]
    assert list(ngrams(words.rpartition(" ")[0])) == []
    assert len(list(ngrams(OTHER))) == 2


def test_a_long_text_has_a_digest_for_each_place() -> None:
    words = [f"w{n}" for n in range(25_000)]
    found = list(ngrams(" ".join(words)))
    assert len(set(found)) == len(found) == 25_000 - 12
    assert found[9_990:10_010] == list(ngrams(" ".join(words[9_990:10_022])))


def test_a_set_has_the_documented_bytes() -> None:
    digests = sorted(digest.to_bytes(8, "big") for digest in set(ngrams(OTHER)))
    expected = (
        b"AIBOMNGM" + struct.pack("<IIII", 1, 13, 1, 1) + b"c" + struct.pack("<Q", 2) + b"".join(digests)
    )
    assert write_ngrams({"c": [OTHER, OTHER]}) == expected


def test_rows_and_sequences_are_counted_per_benchmark() -> None:
    quoted = "Q: " + QUESTION.replace(",", " -").upper() + " A: 72"
    found = overlap("nothing of it", quoted, "", f"{OTHER}\n{QUESTION}", QUESTION)
    assert list(found) == ["count", "gsm8k"]
    assert (found["gsm8k"].count, found["gsm8k"].looked, found["gsm8k"].examples) == (3, 5, (101, 103, 104))
    assert found["gsm8k"].parts == len(set(ngrams(QUESTION))) == 8
    assert (found["count"].count, found["count"].parts) == (1, 2)


def test_other_text_is_not_found() -> None:
    assert [signal.count for signal in overlap("a " * 100, OTHER.replace("seven", "7")).values()] == [0, 0]


def test_without_a_set_nothing_is_looked_at() -> None:
    taken = Overlap(())
    taken.add([[QUESTION]], 0)
    (signal,) = taken.signals(1)
    assert (signal.looked, signal.what) == (0, "no digests of benchmarks")


@given(
    st.dictionaries(st.text("abc", min_size=1, max_size=5), st.lists(st.text("a b", max_size=80), max_size=3))
)
def test_what_is_written_is_read(texts: dict[str, list[str]]) -> None:
    found = read_ngrams(write_ngrams(texts))
    assert {each.name: list(each.digests) for each in found} == {
        name: sorted({digest for text in parts for digest in ngrams(text)}) for name, parts in texts.items()
    }


def head(version: int = 1, words: int = 13, count: int = 1) -> bytes:
    return b"AIBOMNGM" + struct.pack("<III", version, words, count)


def body(name: bytes, *digests: int, count: int | None = None) -> bytes:
    packed = struct.pack("<I", len(name)) + name + struct.pack("<Q", len(digests) if count is None else count)
    return packed + b"".join(digest.to_bytes(8, "big") for digest in digests)


@pytest.mark.parametrize(
    ("data", "reason", "words"),
    [
        (b"", Reason.TRUNCATED, "20 bytes are claimed"),
        (b"x" * 20, Reason.MALFORMED, "not a set"),
        (head(version=2), Reason.UNSUPPORTED, "version 2"),
        (head(words=8), Reason.UNSUPPORTED, "8 words"),
        (head(count=1_001), Reason.LIMIT, "1001 benchmarks"),
        (head(), Reason.TRUNCATED, "4 bytes are claimed"),
        (head() + body(b""), Reason.MALFORMED, "name of 0"),
        (head() + body(b"x" * 81), Reason.MALFORMED, "name of 81"),
        (head() + body(b"\xff"), Reason.MALFORMED, "UTF-8"),
        (head() + body(b"a", count=2**63), Reason.LIMIT, "more than 2000000"),
        (head() + body(b"a", count=2_000_000), Reason.TRUNCATED, "16000000 bytes are claimed, 0"),
        (head() + body(b"a", 2, 1), Reason.MALFORMED, "not sorted"),
        (head() + body(b"a", 1, 1), Reason.MALFORMED, "not sorted"),
        (head(count=2) + body(b"b") + body(b"a"), Reason.MALFORMED, "names"),
        (head(count=2) + body(b"a") + body(b"a"), Reason.MALFORMED, "names"),
        (head() + body(b"a") + b"x", Reason.MALFORMED, "1 bytes follow"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_hostile_sets_are_refused(data: bytes, reason: Reason, words: str) -> None:
    tracemalloc.start()
    with pytest.raises(UnreadableError, match=words) as caught:
        read_ngrams(data)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert caught.value.reason is reason
    assert peak < 1 * MIB


@given(st.one_of(st.binary(max_size=60), st.binary(max_size=60).map(lambda tail: head() + tail)))
@settings(max_examples=200)
def test_no_bytes_raise_anything_else(data: bytes) -> None:
    try:
        found = read_ngrams(data)
    except UnreadableError:
        return
    assert all(0 < len(each.name) <= 80 for each in found)


def test_every_truncation_is_noticed() -> None:
    for length in range(len(SET)):
        with pytest.raises(UnreadableError):
            read_ngrams(SET[:length])


@pytest.mark.parametrize("texts", [{"": [OTHER]}, {"x" * 81: []}, {f"b{n}": [] for n in range(1_001)}])
def test_the_writer_writes_nothing_that_the_reader_refuses(texts: dict[str, list[str]]) -> None:
    with pytest.raises(ValueError, match=r"characters|benchmarks"):
        write_ngrams(texts)
