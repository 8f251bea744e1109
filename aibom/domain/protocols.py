"""What the rooms ask of each other."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING, Protocol

from aibom.domain.entry import Entry
from aibom.domain.gap import Gap
from aibom.domain.target import Target

if TYPE_CHECKING:  # 40 ms that `aibom verify` does without
    from aibom.domain.facts import Capability, Facts, FileKind


class ByteReader(Protocol):
    """Random access to the bytes of one file, member or remote object."""

    @property
    def size(self) -> int: ...

    def read_at(self, offset: int, length: int) -> bytes:
        """Exactly `length` bytes; raises `UnreadableError` (truncated) when there are fewer."""
        ...

    def read_into(self, offset: int, buffer: memoryview) -> int:
        """Fills the front of the buffer, returns how much; 0 only at the end."""
        ...


class Source(Protocol):
    """A kind of place. The only thing that lists and opens."""

    target: Target

    def entries(self) -> Iterator[Entry | Gap]:
        """Everything in the place, in sorted order of path."""
        ...

    def open(self, entry: Entry) -> AbstractContextManager[ByteReader]:
        """The bytes that were listed; raises `UnreadableError` when they are not those any more."""
        ...

    @property
    def excluded(self) -> int:
        """How many files were left out on purpose, known after `entries` is exhausted."""
        ...


class Match(IntEnum):
    """How sure a format is that a file is its own; the highest wins, then the registry's order."""

    NO = 0
    NAME = 1  # the name says so, the content was not conclusive
    CONTENT = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """What a format may look at to recognise a file."""

    name: str  # last part of the path
    head: bytes  # the first `limits.PROBE_BYTES`
    reader: ByteReader

    @property
    def size(self) -> int:
        return self.reader.size

    def named(self, *suffixes: str) -> bool:
        """True when the lower-cased name ends with one of the suffixes."""
        return self.name.lower().endswith(suffixes)


@dataclass(frozen=True, slots=True, kw_only=True)
class Format:
    """One file format: how to recognise it and how to read its bounded header.

    `read` is None for a format that is recognised and digested, but not read in this version.
    `recognise` never raises; `read` raises only `UnreadableError`.
    """

    name: str
    title: str
    kind: FileKind
    suffixes: tuple[str, ...]
    recognise: Callable[[Probe], Match]
    read: Callable[[Probe], Facts] | None
    media_type: str = "application/octet-stream"
    capabilities: frozenset[Capability] = frozenset()  # of a file of which not everything was read
