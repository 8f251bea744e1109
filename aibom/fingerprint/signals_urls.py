"""Addresses of media whose bytes nobody can check: whoever owns the address decides what is learned.

Source: Carlini et al. 2024, "Poisoning Web-Scale Training Datasets is Practical" (split-view poisoning).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

from aibom.domain.dataset_signals import EXAMPLE_COUNT, Signal, SignalKind
from aibom.domain.limits import COLUMN_COUNT
from aibom.fingerprint.signals_labels import short

MEDIA_SHARE: Final = 0.3  # of the addresses that end like a file, for a column of media
_LONG: Final = (
    200  # characters on average: the page itself is in the row, and its address only says from where
)

_ADDRESS: Final = re.compile(r"https?://[^\s]{3,4096}\Z", re.IGNORECASE)
_FILE: Final = re.compile(
    r"\.(?:jpe?g|png|gif|webp|bmp|tiff?|svg|avif|mp[34]|m4a|wav|flac|ogg|opus|webm|avi|mov|mkv|pdf|zip|tar"
    r"|t?gz|parquet|npy)(?:[?#:]|\Z)",
    re.IGNORECASE,
)
_MEDIA: Final = re.compile(r"image|img|video|audio|media|photo|picture|file|download|content", re.IGNORECASE)
_DIGEST_NAME: Final = re.compile(r"sha|md5|hash|digest|checksum|blake|crc|etag", re.IGNORECASE)
_DIGEST: Final = re.compile(
    r"(?:[A-Za-z0-9]{2,10}[:-])?"
    r"(?:[0-9A-Fa-f]{128}|[0-9A-Fa-f]{96}|[0-9A-Fa-f]{64}|[0-9A-Fa-f]{40}|[0-9A-Fa-f]{32}|[A-Za-z0-9+/]{43}=)\Z"
)


class _Column:
    """What is known of a column with addresses."""

    __slots__ = ("bare", "count", "examples", "files")

    def __init__(self) -> None:
        self.count = self.files = 0  # addresses, and those that end like a file
        self.bare = 0  # rows with an address and without a digest
        self.examples: list[int] = []


class Addresses:
    """Counts addresses and the digests beside them."""

    def __init__(self) -> None:
        self._columns: dict[str, _Column] = {}
        self._prose: dict[str, int] = {}  # characters of each column that are no addresses

    def add(self, columns: Sequence[tuple[str, Sequence[str]]], first: int, rows: int) -> None:
        """The text of the next rows."""
        columns = [(short(name), texts) for name, texts in columns]
        digested = [False] * rows
        for name, texts in columns:
            if _DIGEST_NAME.search(name):
                digested = [
                    old or bool(_DIGEST.match(text)) for old, text in zip(digested, texts, strict=True)
                ]
        for name, texts in columns:
            found = [
                at for at, text in enumerate(texts) if text[:4].lower() == "http" and _ADDRESS.match(text)
            ]
            if found:
                self._add(name, texts, [(at, digested[at]) for at in found], first)
            if name in self._prose or len(self._prose) < COLUMN_COUNT:
                prose = sum(map(len, texts)) - sum(len(texts[at]) for at in found)
                self._prose[name] = self._prose.get(name, 0) + prose

    def _add(self, name: str, texts: Sequence[str], found: Sequence[tuple[int, bool]], first: int) -> None:
        if name not in self._columns and len(self._columns) >= COLUMN_COUNT:
            return
        column = self._columns.setdefault(name, _Column())
        for at, is_digested in found:
            column.count += 1
            column.files += bool(_FILE.search(texts[at]))
            if not is_digested:
                column.bare += 1
                if len(column.examples) < EXAMPLE_COUNT:
                    column.examples.append(first + at)

    def signals(self, rows: int) -> Iterator[Signal]:
        """One for each column of media, or one that says that there is none."""
        found = [name for name, column in sorted(self._columns.items()) if self._is_media(name, column, rows)]
        for name in found:
            column = self._columns[name]
            yield Signal(
                kind=SignalKind.SPLIT_VIEW,
                count=column.bare,
                looked=column.count,
                column=name,
                examples=tuple(column.examples),
            )
        if not found:
            yield Signal(kind=SignalKind.SPLIT_VIEW, count=0, looked=rows)

    def _is_media(self, name: str, column: _Column, rows: int) -> bool:
        if 2 * column.count < rows:
            return False  # addresses that stand in comments
        if column.files >= MEDIA_SHARE * column.count or _MEDIA.search(name):
            return True
        return max(self._prose.values(), default=0) < _LONG * rows
