"""What a file refers to, while it is open, and the files beside it that say what its names stand for."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

from aibom.discovery import Discoverer, Text, discover, wanting
from aibom.domain.entry import Entry
from aibom.domain.errors import UnreadableError, over_limit
from aibom.domain.limits import BESIDE_BYTES, REFERRING_BYTES
from aibom.domain.protocols import ByteReader, Source
from aibom.domain.reference import Referred


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """The files of one place, by path."""

    source: Source
    entries: dict[str, Entry] = field(default_factory=dict)
    # Syntax trees are large, and threads gain nothing on them: one file at a time.
    turn: threading.Lock = field(default_factory=threading.Lock)

    def references(self, entry: Entry, reader: ByteReader) -> Referred:
        """Raises `UnreadableError` for code that is too long."""
        discoverers = wanting(entry.path, entry.size)
        if not discoverers:
            return Referred()
        if reader.size > REFERRING_BYTES:
            raise over_limit(f"{reader.size} bytes of code, references are looked for in {REFERRING_BYTES}")
        data = reader.read_at(0, reader.size)
        with self.turn:
            return self._discovered(entry, data, discoverers)

    def _discovered(self, entry: Entry, data: bytes, discoverers: tuple[Discoverer, ...]) -> Referred:
        asked: dict[str, str] = {}

        def beside(path: str) -> bytes | None:
            asked[path] = self._version(path)
            return self._beside(path)

        found = discover(Text(path=entry.path, data=data, beside=beside), discoverers)
        if found is None:
            return Referred()
        return Referred(
            references=tuple(found.references), defects=tuple(found.defects), asked=tuple(asked.items())
        )

    def holds(self, told: Referred) -> bool:
        """True when what was asked about for it is as it was."""
        return all(self._version(path) == etag for path, etag in told.asked)

    def keeps(self, entry: Entry, told: Referred) -> bool:
        """True when neither the file nor what was asked about is so young that it may still change."""
        others = (self.entries.get(path) for path, _ in told.asked)
        return entry.cacheable and all(other is None or other.cacheable for other in others)

    def _version(self, path: str) -> str:
        entry = self.entries.get(path)
        return entry.etag or "" if entry is not None else ""

    def _beside(self, path: str) -> bytes | None:
        entry = self.entries.get(path)
        if entry is None or entry.size > BESIDE_BYTES:
            return None
        try:
            with self.source.open(entry) as reader:
                return reader.read_at(0, min(reader.size, BESIDE_BYTES))
        except UnreadableError:
            return None  # a gap of its own
