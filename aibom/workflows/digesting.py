"""Lists a target and digests what is asked for, on as many threads as asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from aibom.domain.entry import Entry
from aibom.domain.errors import UnreadableError, over_limit
from aibom.domain.gap import Gap, Stage
from aibom.domain.limits import LARGE_FILE_BYTES
from aibom.domain.protocols import ByteReader, Source
from aibom.fingerprint.resources import Range, digest_ranges
from aibom.readers.ranges import Memory
from aibom.workflows.progress import Progress

if TYPE_CHECKING:  # 30 ms
    from aibom.domain.file import File

# A digest, None when the file is too short for the range, or why the file could not be read.
Found = dict[tuple[str, Range], str | Gap | None]
WHOLE = Range("sha256")


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """What a user kept beside the bill of materials."""

    evidence: Path | None = None  # the folder of its sidecars
    salt: bytes | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A listed target."""

    source: Source
    entries: dict[str, Entry]  # by path
    gaps: tuple[Gap, ...]
    held: dict[str, bytes] = field(default_factory=dict)  # documents: what was read is what is digested
    known: Mapping[str, File] = field(default_factory=dict)  # digested a moment ago, by path

    @classmethod
    def of(cls, source: Source, known: Mapping[str, File] = MappingProxyType({})) -> Place:
        items = list(source.entries())
        return cls(
            source=source,
            entries={item.path: item for item in items if isinstance(item, Entry)},
            gaps=tuple(item for item in items if isinstance(item, Gap)),
            known=known,
        )

    @property
    def sizes(self) -> dict[str, int]:
        return {path: entry.size for path, entry in self.entries.items()}

    def document(self, path: str, limit: int) -> bytes:
        """All bytes of one file. Raises `UnreadableError`, also when there are more than `limit`."""
        entry = self.entries[path]
        if entry.size > limit:
            raise over_limit(f"{entry.size:,} bytes, at most {limit:,} are read of such a document")
        if path not in self.held:
            with self.source.open(entry) as reader:
                data = reader.read_at(0, reader.size)
            self.held[path] = data
        return self.held[path]

    def digest(self, wanted: Mapping[str, Sequence[Range]], jobs: int, progress: Progress) -> Found:
        """The digests of all ranges, by path and range; each byte of a file is read once.

        The shards of a large file are digested side by side.
        """
        found: Found = {}
        for path in wanted:
            value = self._known(path)
            if value is not None:
                found[path, WHOLE] = value
        tasks = [
            task
            for path, ranges in wanted.items()
            for task in self._tasks(path, [each for each in ranges if (path, each) not in found])
        ]
        tasks.sort(key=lambda task: -self.entries[task[0]].size)
        paths = {path for path, _ in tasks}
        progress.listed(len(paths), sum(self.entries[path].size for path in paths))

        def run(task: tuple[str, Sequence[Range]]) -> Found:
            return self._digested(*task, progress)

        with ThreadPoolExecutor(jobs) as pool:
            for part in pool.map(run, tasks):
                found.update(part)
        return found

    def _known(self, path: str) -> str | None:
        """The SHA-256 of the same bytes, when they were read in this very run and did not change since."""
        file = self.known.get(path)
        return file.sha256 if file is not None and file.entry.etag == self.entries[path].etag else None

    def _tasks(self, path: str, ranges: Sequence[Range]) -> list[tuple[str, Sequence[Range]]]:
        if not ranges:
            return []
        ordered = sorted(dict.fromkeys(ranges), key=lambda each: (each.start, each.end or 0))
        apart = all(one.end is not None and one.end <= next_one.start for one, next_one in pairwise(ordered))
        if apart and len(ordered) > 1 and self.entries[path].size >= LARGE_FILE_BYTES:
            return [(path, [each]) for each in ordered]
        return [(path, ordered)]

    def _digested(self, path: str, ranges: Sequence[Range], progress: Progress) -> Found:
        try:
            with self._opened(path) as reader:
                values = digest_ranges(reader, ranges, progress.advanced)
        except UnreadableError as error:
            gap = Gap.of(path, Stage.DIGEST, error)
            return {(path, each): gap for each in ranges}
        return {(path, each): value for each, value in zip(ranges, values, strict=True)}

    def _opened(self, path: str) -> AbstractContextManager[ByteReader]:
        held = self.held.get(path)
        return self.source.open(self.entries[path]) if held is None else nullcontext(Memory(held))
