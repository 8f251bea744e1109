"""What is done and what is left of a run over many targets, kept on disk so that a killed run goes on.

SQLite in WAL mode: a row is written in one transaction after the file that it speaks of is whole on disk.
A run that dies between the two does that target once more, with the same result.
"""

from __future__ import annotations

import fcntl
import os
import sqlite3
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from aibom.domain.fleet import Line, State

ATTEMPT_COUNT: Final = 5  # runs in which a target may fail before it is left
_LAYOUT: Final = "1"
_TABLES: Final = """
CREATE TABLE IF NOT EXISTS settings (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS patterns (pattern TEXT PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS targets (
    position INTEGER PRIMARY KEY, target TEXT UNIQUE NOT NULL, state TEXT NOT NULL, file TEXT NOT NULL,
    sha256 TEXT NOT NULL, address TEXT NOT NULL, verdict TEXT NOT NULL, detail TEXT NOT NULL,
    attempts INTEGER NOT NULL
);
"""


class LedgerError(Exception):
    """The ledger cannot be used; the message says why and what to do."""


class Ledger:
    """The ledger of one folder, for one process at a time. Thread-safe."""

    def __init__(self, path: Path, options: str) -> None:
        """`options` is whatever decides the results: a ledger of other options is refused.

        Raises `LedgerError`.
        """
        self._lock = threading.Lock()
        self._held = self._alone(path)
        try:
            # Targets may hold signed addresses: what SQLite writes beside it has the same permissions.
            os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
            self._database = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
            self._database.execute("PRAGMA journal_mode = WAL")
            self._database.execute("PRAGMA synchronous = FULL")
            self._database.executescript(_TABLES)
            self._check("layout", _LAYOUT)
            self._check("options", options)
        except (OSError, sqlite3.Error) as error:
            os.close(self._held)
            raise LedgerError(
                f"the ledger {path.name!r} cannot be used ({error}): remove it to begin anew"
            ) from None
        except LedgerError:
            self.close()
            raise

    @staticmethod
    def _alone(path: Path) -> int:
        """Two runs in one folder would do everything twice."""
        try:
            descriptor = os.open(
                path.with_name(f"{path.name}.lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644
            )
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                os.close(descriptor)
                raise LedgerError(
                    "another run works in this folder: wait for it, or name another folder"
                ) from None
        except OSError as error:
            raise LedgerError(f"the folder cannot be written: {error.strerror}") from None
        return descriptor

    def _check(self, name: str, value: str) -> None:
        self._database.execute("INSERT OR IGNORE INTO settings VALUES (?, ?)", (name, value))
        (found,) = self._database.execute("SELECT value FROM settings WHERE name = ?", (name,)).fetchone()
        if found != value:
            raise LedgerError("the folder holds a run with other options: name another folder, or remove it")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        with self._lock:
            self._database.close()
            os.close(self._held)

    @contextmanager
    def _turn(self) -> Iterator[None]:
        """One thread at a time. A full disk, or a target that is no text, is a `LedgerError`."""
        with self._lock:
            try:
                yield
            except (sqlite3.Error, UnicodeError) as error:
                raise LedgerError(f"the ledger cannot be written or read ({error})") from None

    def is_listed(self, pattern: str) -> bool:
        """Whether all targets of a pattern stand in the ledger."""
        with self._turn():
            found = self._database.execute("SELECT 1 FROM patterns WHERE pattern = ?", (pattern,))
            return found.fetchone() is not None

    def add(self, targets: Iterable[str]) -> None:
        """Targets that are not there yet, behind all others."""
        with self._turn():
            self._database.execute("BEGIN")
            self._database.executemany(
                "INSERT OR IGNORE INTO targets"
                " (target, state, file, sha256, address, verdict, detail, attempts)"
                " VALUES (?, 'waiting', '', '', '', '', '', 0)",
                ((target,) for target in targets),
            )
            self._database.execute("COMMIT")

    def listed(self, pattern: str) -> None:
        """Notes that a pattern was listed to its end."""
        with self._turn():
            self._database.execute("INSERT OR IGNORE INTO patterns VALUES (?)", (pattern,))

    def left(self) -> list[str]:
        """What this run has to do, in order."""
        with self._turn():
            rows = self._database.execute(
                "SELECT target FROM targets WHERE state = 'waiting' OR (state = 'failed' AND attempts < ?)"
                " ORDER BY position",
                (ATTEMPT_COUNT,),
            )
            return [target for (target,) in rows]

    def finish(self, line: Line) -> None:
        """Writes what became of a target."""
        with self._turn():
            self._database.execute(
                "UPDATE targets SET state = ?, file = ?, sha256 = ?, address = ?, verdict = ?, detail = ?,"
                " attempts = attempts + 1 WHERE target = ?",
                (line.state, line.file, line.sha256, line.address, line.verdict, line.detail, line.target),
            )

    def lines(self) -> Iterator[Line]:
        """Every target, in order."""
        with self._turn():
            rows = self._database.execute(
                "SELECT target, state, file, sha256, address, verdict, detail, attempts FROM targets"
                " ORDER BY position"
            ).fetchall()
        for target, state, file, sha256, address, verdict, detail, attempts in rows:
            yield Line(
                target=target, state=State(state), file=file, sha256=sha256, address=address, verdict=verdict,
                detail=detail, attempts=attempts,
            )  # fmt: skip
