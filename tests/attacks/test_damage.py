"""Damaged files: cut, flipped, extended. Each ends as a file or a gap, never as a crash."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from aibom.domain.entry import Entry
from aibom.domain.errors import Reason
from aibom.domain.limits import MIB
from aibom.readers.ranges import Memory
from aibom.workflows.look import Looked, Lookout
from tests.hostile import FIXTURES, flips

FILES = sorted(p for p in FIXTURES.rglob("*") if p.is_file() and p.suffix != ".py" and p.stat().st_size)
CUTS = 16
FLIPS = 16


class InMemory:
    """A source with one file; a fake, because a thousand damaged files need no disk."""

    def __init__(self, data: bytes) -> None:
        self.data = data

    @contextmanager
    def open(self, entry: Entry) -> Iterator[Memory]:
        yield Memory(self.data)


def look(data: bytes, name: str) -> Looked:
    return Lookout(source=InMemory(data)).look(Entry(path=name, size=len(data)), None)  # type: ignore[arg-type]


def check(looked: Looked) -> None:
    """File or gap; every gap in one clear line; no crash of a reader in disguise."""
    assert looked.file is not None or looked.gaps
    for gap in looked.gaps:
        assert gap.reason is not Reason.INTERNAL, gap.detail
        assert gap.detail
        assert "\n" not in gap.detail


def name_of(path: Path) -> str:
    return str(path.relative_to(FIXTURES))


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_a_cut_file_is_a_file_or_a_gap(path: Path) -> None:
    data = path.read_bytes()
    for cut in sorted({len(data) * n // CUTS for n in range(CUTS)} | {max(0, len(data) - 1)}):
        check(look(data[:cut], path.name))


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_a_file_with_flipped_bytes_is_a_file_or_a_gap(path: Path) -> None:
    for damaged in flips(path.read_bytes(), FLIPS, seed=11):
        check(look(damaged, path.name))


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_a_file_with_foreign_bytes_behind_it_never_looks_as_before(path: Path) -> None:
    """Trailing bytes change the digest at least; in a weight file they are told as well."""
    data = path.read_bytes()
    before, after = look(data, path.name), look(data + b"PAYLOAD" * 100, path.name)
    check(after)
    assert before.file is None or after.file is None or before.file.digests != after.file.digests
    if after.file and after.file.facts and after.file.facts.indexed and not after.file.facts.unread:
        hidden = after.file.unindexed
        assert after.gaps or (hidden is not None and hidden.bytes)


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_the_content_is_found_under_any_name_or_not_called_read(path: Path) -> None:
    check(look(path.read_bytes(), "model.safetensors"))
    check(look(path.read_bytes(), "noname"))


def test_damaged_files_cost_little_memory() -> None:
    tracemalloc.start()
    try:
        for path in FILES:
            for damaged in flips(path.read_bytes(), 4, seed=5):
                look(damaged, path.name)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 64 * MIB
