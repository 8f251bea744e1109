"""Sidecars made to crash, to exhaust, to mislead: all are refused, or change nothing but what they say."""

from __future__ import annotations

import hashlib
import json
import time
import tracemalloc
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from aibom.domain.errors import Reason, UnreadableError
from aibom.domain.facts import Facts, FileKind, Tensor
from aibom.domain.limits import MIB
from aibom.domain.weights_evidence import TensorChange, TensorEvidence, WeightsEvidence
from aibom.fingerprint.localise import compare, localise
from aibom.fingerprint.one_pass import fingerprint
from aibom.fingerprint.weights_sidecar import evidence, read, render
from aibom.readers.ranges import Memory
from tests.fingerprint.weights import arrays, evidence_of, facts_of, model, saved
from tests.hostile import flips, truncations

MOST_MEMORY = 200 * MIB


def honest() -> dict[str, Any]:
    """The evidence of a tensor with two leaves and of a small one."""
    some = {"a": np.arange(300_000, dtype=np.float32), "b": np.ones(3, np.float32)}
    document: dict[str, Any] = json.loads(render(evidence_of(saved(some))))
    return document


def with_tensor(**members: object) -> bytes:
    document = honest()
    document["tensors"][0].update(members)
    return json.dumps(document).encode()


def with_file(**members: object) -> bytes:
    document = honest()
    document["file"].update(members)
    return json.dumps(document).encode()


def with_member(name: str, value: object) -> bytes:
    return json.dumps(honest() | {name: value}).encode()


TABLE: dict[str, tuple[bytes, Reason, str]] = {
    "empty": (b"", Reason.MALFORMED, "not JSON"),
    "not an object": (b"[]", Reason.UNSUPPORTED, "version"),
    "no version": (b"{}", Reason.UNSUPPORTED, "version"),
    "later version": (with_member("version", "aibom:weights-evidence:v2"), Reason.UNSUPPORTED, "version"),
    "a list of versions": (with_member("version", [["x"] * 99]), Reason.UNSUPPORTED, "version"),
    "deep": (b"[" * 100_000, Reason.LIMIT, "nested deeper"),
    "no file": (with_member("file", None), Reason.MALFORMED, "'file' is no object"),
    "tensors as an object": (with_member("tensors", {}), Reason.MALFORMED, "no list"),
    "a tensor as text": (with_member("tensors", ["a"]), Reason.MALFORMED, "no object"),
    "a tensor behind the file": (with_tensor(offset=2**62), Reason.MALFORMED, "ends behind"),
    "a negative offset": (with_tensor(offset=-1), Reason.MALFORMED, "'offset' is no number"),
    "an offset of 2^63": (with_tensor(offset=2**63), Reason.MALFORMED, "'offset' is no number"),
    "a fraction": (with_tensor(length=4.0), Reason.MALFORMED, "'length' is no number"),
    "true as a number": (with_tensor(length=True), Reason.MALFORMED, "'length' is no number"),
    "not a number": (with_tensor(length=float("nan")), Reason.MALFORMED, "'length' is no number"),
    "a number of 5,000 digits": (
        with_tensor().replace(b'"offset": ', b'"offset": ' + b"9" * 5_000, 1),
        Reason.MALFORMED,
        "refused",
    ),
    "33 dimensions": (with_tensor(shape=[1] * 33), Reason.MALFORMED, "32 dimensions"),
    "a shape of text": (with_tensor(shape=["3"]), Reason.MALFORMED, "no shape"),
    "an unknown layout": (with_tensor(layout="x" * 10_000), Reason.MALFORMED, "xxx"),
    "a short digest": (with_tensor(blake3="00"), Reason.MALFORMED, "64 lower-case"),
    "an upper-case digest": (with_tensor(blake3="AB" * 32), Reason.MALFORMED, "64 lower-case"),
    "a digest with spaces": (with_tensor(blake3="ab " * 32), Reason.MALFORMED, "64 lower-case"),
    "a digest of surrogates": (with_tensor(blake3="\ud800" * 64), Reason.MALFORMED, "cannot be"),
    "one leaf too few": (with_tensor(leaves="A" * 22 + "=="), Reason.MALFORMED, "16 bytes of leaves"),
    "a million leaves": (with_tensor(leaves="AAAA" * 4 * MIB), Reason.MALFORMED, "bytes of leaves"),
    "leaves without a digest": (with_tensor(blake3=None), Reason.MALFORMED, "32 bytes of leaves"),
    "a short sample": (with_tensor(sample="AAAA"), Reason.MALFORMED, "3 of sample"),
    "base64 with white space": (with_tensor(sample="AA AA"), Reason.MALFORMED, "base64"),
    "base64 with spare bits": (with_tensor(sample="AB=="), Reason.MALFORMED, "base64"),
    "base64 of surrogates": (with_tensor(sample="\udcff"), Reason.MALFORMED, "cannot be"),
    "a name as a number": (with_tensor(name=1), Reason.MALFORMED, "'name' is no text"),
    "a short SHA-256": (with_file(sha256="ab"), Reason.MALFORMED, "not a sha256"),
    "a SHA-256 of 10 MB": (with_file(sha256="a" * 10_000_000), Reason.MALFORMED, "not a sha256"),
    "a file without bytes": (with_file(size=0), Reason.MALFORMED, "ends behind"),
    "unindexed as text": (with_member("unindexed", "x"), Reason.MALFORMED, "'unindexed' is no object"),
    "unindexed without a digest": (with_member("unindexed", {"size": 1}), Reason.MALFORMED, "'sha256'"),
    "no header": (with_member("header", {}), Reason.MALFORMED, "'size'"),
    "a name twice": (b'{"version":"x","version":"x"}', Reason.MALFORMED, "duplicate key"),
    "not UTF-8": (b'{"version":"\xff"}', Reason.MALFORMED, "UTF-8"),
    "33 MiB": (b" " * (33 * MIB), Reason.LIMIT, "at most"),
    "100,001 tensors": (with_member("tensors", [0] * 100_001), Reason.MALFORMED, "100000 tensors"),
    "two million values": (with_member("tensors", [0] * 2_000_000), Reason.LIMIT, "values"),
}  # fmt: skip


@pytest.mark.parametrize("name", TABLE)
def test_a_hostile_sidecar_is_refused_with_the_reason(name: str) -> None:
    data, reason, words = TABLE[name]
    with pytest.raises(UnreadableError) as caught:
        read(Memory(data))
    assert caught.value.reason is reason
    assert words in caught.value.message
    assert len(caught.value.message) < 400


def test_a_sidecar_cut_anywhere_is_refused() -> None:
    data = render(evidence_of(saved({"b": np.ones(3, np.float32)})))
    for cut in truncations(data.rstrip(b"\n")):
        with pytest.raises(UnreadableError):
            read(Memory(cut))


def test_changed_bytes_are_refused_by_the_digest_and_harmless_without_it() -> None:
    data = json.dumps(honest()).encode()
    digest = hashlib.sha256(data).hexdigest()
    for copy in flips(data, 400):
        if copy == data:
            continue
        with pytest.raises(UnreadableError):
            read(Memory(copy), digest)
        try:
            found = read(Memory(copy))
        except UnreadableError:
            continue
        assert read(Memory(render(found))) == found


# A quarter of what the limits allow, so that it is measured fast: memory grows with the sidecar.
BOMBS: dict[str, Callable[[], bytes]] = {
    "lists": lambda: with_member("tensors", [[]] * 99_000),
    "objects": lambda: with_member("tensors", [{"a": 0}] * 99_000),
    "strings": lambda: with_member("format", ["x" * 16] * 240_000),
    "a name": lambda: with_tensor(name="n" * 8 * MIB, offset=-1),
    "leaves": lambda: with_tensor(length=2**50, leaves="A" * 8 * MIB),
    "numbers": lambda: with_tensor(shape=[2**62] * 240_000),
}


@pytest.mark.parametrize("name", BOMBS)
def test_a_sidecar_costs_bounded_memory(name: str) -> None:
    data = Memory(BOMBS[name]())
    tracemalloc.start()
    try:
        with suppress(UnreadableError):
            read(data)
        assert tracemalloc.get_traced_memory()[1] < MOST_MEMORY / 4
    finally:
        tracemalloc.stop()


class Watched(Memory):
    """Counts what is read, and refuses to be read outside of the file."""

    def __init__(self, data: bytes) -> None:
        super().__init__(data)
        self.bytes_read = 0

    def read_into(self, offset: int, buffer: memoryview) -> int:
        assert 0 <= offset < self.size
        self.bytes_read += len(buffer)
        return super().read_into(offset, buffer)


def moved(given: WeightsEvidence, offset: int, length: int) -> WeightsEvidence:
    """The same evidence for tensors that are said to lie elsewhere, in a larger file."""
    tensors = tuple(
        TensorEvidence(tensor=replace(entry.tensor, offset=offset, length=length), blake3=bytes(32))
        for entry in given.content.tensors
    )
    return replace(given, size=2**62, content=replace(given.content, tensors=tensors))


@pytest.mark.parametrize(("offset", "length"), [(2**61, 2**61), (0, 2**62), (2**40, 0)])
def test_the_ranges_of_a_sidecar_are_never_read(offset: int, length: int) -> None:
    data, facts, given = model()
    reader = Watched(data)
    found = localise(read(Memory(render(moved(given, offset, length)))), reader, facts)
    assert {each.change for each in found.tensors} == {TensorChange.VALUES}
    assert reader.bytes_read == reader.size


def test_storage_that_thousands_of_tensors_share_is_read_twice_at_most() -> None:
    data = bytes(2 * MIB)
    many = tuple(
        Tensor(name=str(at), dtype="U8", shape=(1 + at, 1), offset=0, length=len(data)) for at in range(3_000)
    )
    facts = Facts(format="x", kind=FileKind.WEIGHTS, tensors=many)
    found = fingerprint(Memory(data), facts, leaves=True, header=True)
    given = evidence(len(data), facts, found)
    reader = Watched(b"\1" + data[1:])
    located = localise(given, reader, facts)
    assert len(located.tensors) == 3_000
    assert all(each.spans[0].end == MIB for each in located.tensors)
    assert reader.bytes_read == 2 * len(data)


def test_many_tensors_of_one_name_are_paired_at_once() -> None:
    given = model()[2].content
    entry = given.tensors[-1]
    old = replace(given, tensors=(entry,) * 20_000)
    new = replace(given, tensors=(replace(entry, blake3=bytes(32)),) * 19_999)
    start = time.process_time()
    found = compare(old, new)
    assert time.process_time() - start < 2
    assert [each.change for each in found.tensors[-2:]] == [TensorChange.VALUES, TensorChange.REMOVED]


def test_a_sidecar_of_another_file_names_everything_and_reads_it_once() -> None:
    stranger = evidence_of(saved({"other": np.ones(9, np.float32)}))
    data = saved(arrays())
    reader = Watched(data)
    found = localise(stranger, reader, facts_of(data))
    assert [each.change for each in found.tensors] == [TensorChange.ADDED] * 5 + [TensorChange.REMOVED]
    assert reader.bytes_read == reader.size


def test_tensors_that_another_file_promises_beyond_the_end_are_no_evidence() -> None:
    far = Tensor(name="w", dtype="U8", shape=(8,), offset=0, length=8)
    facts = Facts(format="external", kind=FileKind.WEIGHTS, tensors=(far,))
    found = fingerprint(Memory(b"1234"), facts, leaves=True, header=True)
    with pytest.raises(UnreadableError, match="ends behind"):
        evidence(4, facts, found)


def test_names_cannot_forge_lines() -> None:
    name = "w: added\nother: removed\u202e"
    old, new = saved({name: np.zeros(2)}), saved({name: np.ones(2)})
    text = str(localise(read(Memory(render(evidence_of(old)))), Memory(new), facts_of(new)))
    assert len(text.splitlines()) == 1
    assert "\u202e" not in text
