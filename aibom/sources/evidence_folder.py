"""The folder of evidence: sidecars that are written beside a bill of materials and read again later."""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from aibom.domain.entry import check_relative
from aibom.domain.errors import UnreadableError
from aibom.sources.local_file import LocalFile, open_beneath, real_path, unreadable


class Sidecar:
    """A file that is being written, and the SHA-256 of what was."""

    def __init__(self, descriptor: int) -> None:
        self._file = os.fdopen(descriptor, "wb")
        self._state = hashlib.sha256()
        self.finished = False

    def write(self, data: bytes) -> None:
        """Appends. Raises OSError."""
        self._file.write(data)
        self._state.update(data)

    def finish(self) -> str:
        """The SHA-256 of the whole, which is on the disk from now on. Raises OSError."""
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        self.finished = True
        return self._state.hexdigest()

    def close(self) -> None:
        """Gives the file up when it was not finished."""
        with suppress(OSError):
            self._file.close()


class EvidenceFolder:
    """A folder that only its owner can read what is written to: row digests may be guessed from."""

    def __init__(self, path: Path) -> None:
        self._path = path

    @contextmanager
    def create(self, name: str) -> Iterator[Sidecar]:
        """A new sidecar in place of the old one, which stays as it is unless this one is finished.

        Raises `UnreadableError` (permission-denied, io-error) when it cannot be written.
        """
        check_relative(name)
        path = self._path / name
        # Long names that begin alike are written by several threads at once.
        temporary = path.with_name(f".{path.name[:100]}.{os.getpid()}-{threading.get_native_id()}.new")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            temporary.unlink(missing_ok=True)
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
            sidecar = Sidecar(os.open(temporary, flags, 0o600))
        except OSError as error:
            raise unreadable(error, f"the evidence {name!r} cannot be written") from None
        try:
            yield sidecar
            if sidecar.finished:
                temporary.replace(path)
        except OSError as error:
            raise unreadable(error, f"the evidence {name!r} cannot be written") from None
        finally:
            sidecar.close()
            with suppress(OSError):
                temporary.unlink(missing_ok=True)

    @contextmanager
    def open(self, name: str) -> Iterator[LocalFile]:
        """A sidecar of an earlier run. Raises `UnreadableError`, also when a link stands on the way."""
        check_relative(name)
        try:
            descriptor = open_beneath(real_path(self._path), name)
        except OSError as error:
            raise unreadable(error, f"the evidence {name!r} cannot be opened") from None
        with LocalFile(descriptor) as reader:
            yield reader

    def holds(self, name: str) -> bool:
        """Whether there is a sidecar of that name."""
        try:
            with self.open(name):
                return True
        except UnreadableError:
            return False
