"""What every reader must survive: the shared harness of the parser tests."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

from aibom.domain.errors import UnreadableError
from aibom.domain.facts import Facts
from aibom.domain.limits import PROBE_BYTES
from aibom.domain.protocols import Format, Match, Probe
from aibom.readers.ranges import Budgeted, Memory

FIXTURES = Path(__file__).parent.parent / "fixtures"


def probe_of(data: bytes, name: str) -> Probe:
    """The same view of a file that the scan gives to a format."""
    return Probe(name=name, head=data[:PROBE_BYTES], reader=Budgeted(Memory(data)))


def read(fmt: Format, data: bytes, name: str) -> Facts:
    """The facts of some bytes; raises what the reader raises."""
    assert fmt.read is not None
    return fmt.read(probe_of(data, name))


def read_fixture(fmt: Format, path: str) -> Facts:
    """The facts of a file below `fixtures/`, which must also be recognised."""
    data = (FIXTURES / path).read_bytes()
    name = Path(path).name
    assert fmt.recognise(probe_of(data, name)) is not Match.NO
    return read(fmt, data, name)


def outcome(fmt: Format, data: bytes, name: str) -> Facts | UnreadableError:
    """Facts or the reader's own error; any other exception escapes and fails the test."""
    probe = probe_of(data, name)
    fmt.recognise(probe)
    try:
        facts = read(fmt, data, name)
    except UnreadableError as error:
        return error
    check_ranges(facts, len(data))
    return facts


def check_ranges(facts: Facts, size: int) -> None:
    """Nothing that a reader reports may lie outside of the file."""
    for tensor in facts.tensors:
        assert tensor.offset + tensor.length <= size, tensor
    for span in facts.covered:
        assert span.end <= size, span


def truncations(data: bytes) -> Iterator[bytes]:
    """The file cut at every byte."""
    for length in range(len(data)):
        yield data[:length]


def flips(data: bytes, count: int, seed: int = 0) -> Iterator[bytes]:
    """`count` copies with one to four bytes changed, the same ones for the same seed."""
    chance = random.Random(seed)
    for _ in range(count):
        copy = bytearray(data)
        for _ in range(chance.randint(1, 4)):
            copy[chance.randrange(len(copy))] = chance.choice((0, 1, 0x7F, 0x80, 0xFF, chance.randrange(256)))
        yield bytes(copy)
