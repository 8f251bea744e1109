"""Digests of earlier runs, so that an unchanged file is not read again.

A row is keyed by the identity of the file version (device, inode, size, mtime and ctime in
nanoseconds) and by the version of this program. Every write(2), rename and change of times sets
a new ctime; a store through a shared memory mapping may set it late, so a run that must not rely
on the cache has `--no-cache` or `--reproducible`.
The cache belongs to the user alone; one that others may write to is not used.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import stat
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from aibom.domain.digest import Digest, Grade
from aibom.domain.file import Unindexed
from aibom.domain.reference import Referred
from aibom.fingerprint.referred import dumped, loaded

_SCHEMA = (
    "CREATE TABLE IF NOT EXISTS digests (key TEXT PRIMARY KEY, version TEXT NOT NULL,"
    " format TEXT NOT NULL, certain INTEGER NOT NULL, digests TEXT NOT NULL, tensors BLOB NOT NULL,"
    " unindexed_bytes INTEGER, unindexed_sha256 TEXT) WITHOUT ROWID"
)
# Here the key holds the path, which decides what kind of file it is.
_REFERRED_SCHEMA = (
    "CREATE TABLE IF NOT EXISTS referred (key TEXT PRIMARY KEY, version TEXT NOT NULL, told TEXT NOT NULL)"
    " WITHOUT ROWID"
)
_SELECT_REFERRED = "SELECT key, told FROM referred WHERE version = ? AND key IN ({})"
_SELECT = (
    "SELECT key, format, certain, digests, tensors, unindexed_bytes, unindexed_sha256 FROM digests"
    " WHERE version = ? AND key IN ({})"
)
_KEYS_A_QUERY = 500
_TENSOR_DIGEST_BYTES = 32
_NO_DIGEST = bytes(_TENSOR_DIGEST_BYTES)
_ROW_COUNT = 2_000_000
_BUSY_SECONDS = 2.0


class CacheUnusableError(Exception):
    """The cache cannot be used; the scan goes on without it. The text says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CachedFingerprint:
    """What an earlier run computed over the same bytes, and which format it found them to be."""

    format: str  # empty when the content was of no known format
    certain: bool = False  # the content said so, and not the name
    digests: tuple[Digest, ...]
    tensor_digests: tuple[bytes | None, ...]
    unindexed: Unindexed | None


class DigestCache:
    """One SQLite file, used from one thread; a context manager that closes it."""

    def __init__(self, path: Path, version: str) -> None:
        """Opens the cache, and makes it when missing. Raises `CacheUnusableError`."""
        self._version = version
        try:
            _prepare(path)
            self._connection = sqlite3.connect(path, timeout=_BUSY_SECONDS)
            self._connection.execute("PRAGMA journal_mode = WAL")
            self._connection.execute("PRAGMA synchronous = OFF")
            self._connection.execute(_SCHEMA)
            self._connection.execute(_REFERRED_SCHEMA)
        except (sqlite3.Error, OSError) as error:
            raise CacheUnusableError(f"the digest cache is not usable: {error}") from error

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def get(self, keys: Sequence[str]) -> dict[str, CachedFingerprint]:
        """What is known of these file versions; a damaged row or cache counts as nothing known."""
        found: dict[str, CachedFingerprint] = {}
        for at in range(0, len(keys), _KEYS_A_QUERY):
            part = keys[at : at + _KEYS_A_QUERY]
            query = _SELECT.format(",".join("?" * len(part)))
            try:
                rows = self._connection.execute(query, (self._version, *part)).fetchall()
            except sqlite3.Error:
                return found
            for key, *row in rows:
                with contextlib.suppress(ValueError, TypeError, AttributeError):
                    found[key] = _from_row(*row)
        return found

    def put(self, rows: Iterable[tuple[str, CachedFingerprint]]) -> None:
        """Stores what was computed; at most two million rows are kept. Raises `CacheUnusableError`."""
        values = ((key, self._version, *_to_row(found)) for key, found in rows)
        self._put("digests", "INSERT OR REPLACE INTO digests VALUES (?, ?, ?, ?, ?, ?, ?, ?)", values)

    def referred(self, keys: Sequence[tuple[str, str]]) -> dict[str, Referred]:
        """What files refer to, by path, for keys with the path of each. A damaged row is not known."""
        paths = dict(keys)
        found: dict[str, Referred] = {}
        for at in range(0, len(keys), _KEYS_A_QUERY):
            part = [key for key, _ in keys[at : at + _KEYS_A_QUERY]]
            query = _SELECT_REFERRED.format(",".join("?" * len(part)))
            try:
                rows = self._connection.execute(query, (self._version, *part)).fetchall()
            except sqlite3.Error:
                return found
            for key, text in rows:
                with contextlib.suppress(ValueError, TypeError, RecursionError):
                    found[paths[key]] = loaded(text, paths[key])
        return found

    def refer(self, rows: Iterable[tuple[str, Referred]]) -> None:
        """Stores what files refer to. Raises `CacheUnusableError`."""
        values = ((key, self._version, dumped(told)) for key, told in rows)
        self._put("referred", "INSERT OR REPLACE INTO referred VALUES (?, ?, ?)", values)

    def _put(self, table: str, statement: str, rows: Iterable[tuple[object, ...]]) -> None:
        try:
            with self._connection:
                self._connection.executemany(statement, rows)
                (count,) = self._connection.execute(f"SELECT count(*) FROM {table}").fetchone()  # noqa: S608
                if count > _ROW_COUNT:
                    self._connection.execute(f"DELETE FROM {table}")  # noqa: S608
        except sqlite3.Error as error:
            raise CacheUnusableError(f"the digest cache could not be written: {error}") from error


def _to_row(found: CachedFingerprint) -> tuple[str, bool, str, bytes, int | None, str | None]:
    digests = " ".join(f"{d.algorithm}:{d.value}" for d in found.digests)
    tensors = b"".join(digest or _NO_DIGEST for digest in found.tensor_digests)
    hidden = found.unindexed
    return (
        found.format,
        found.certain,
        digests,
        tensors,
        hidden.bytes if hidden else None,
        hidden.sha256 if hidden else None,
    )


def _from_row(
    format_name: str, certain: int, digests: str, tensors: bytes, count: int | None, sha256: str | None
) -> CachedFingerprint:
    pairs = (text.split(":") for text in digests.split())
    pieces = (tensors[at : at + _TENSOR_DIGEST_BYTES] for at in range(0, len(tensors), _TENSOR_DIGEST_BYTES))
    return CachedFingerprint(
        format=format_name,
        certain=bool(certain),
        digests=tuple(
            Digest(algorithm=name, value=value, grade=Grade.COMPUTED, cached=True) for name, value in pairs
        ),
        tensor_digests=tuple(None if piece == _NO_DIGEST else piece for piece in pieces),
        unindexed=None if count is None or sha256 is None else Unindexed(bytes=count, sha256=sha256),
    )


def _prepare(path: Path) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    for place in (path.parent, path):
        if not place.exists():
            continue
        status = place.stat()
        if status.st_uid != os.geteuid() or status.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
            raise CacheUnusableError(f"the digest cache is not usable: others may write to {place.name}")
    path.touch(mode=0o600, exist_ok=True)
