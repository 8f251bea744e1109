"""Bytes that are copied to where nobody else can change them, and digested on the way."""

from __future__ import annotations

import fcntl
import io
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, Self

from aibom.domain.protocols import ByteReader

# Linux has both; elsewhere the second one stands for the same open file.
_DESCRIPTORS: Final = "/proc/self/fd" if Path("/proc/self/fd").is_dir() else "/dev/fd"


class VerifiedFile(io.BufferedReader):
    """A file whose every byte is verified, open for reading, in a copy that has no name on any disk.

    It is no `os.PathLike` itself: numpy.fromfile would take it for a path and start at its first byte.
    """

    def __init__(self, descriptor: int) -> None:
        super().__init__(io.FileIO(descriptor, "rb"))

    @property
    def path(self) -> VerifiedPath:
        """For functions that want a path. Raises ValueError when the file is closed."""
        return VerifiedPath(self)

    @property
    def name(self) -> VerifiedPath:
        """The same, under the name that files have for it."""
        return self.path


class VerifiedPath(str):
    """The path of an open copy, in this process. The copy stays open as long as this is there."""

    __slots__ = ("_file",)
    _file: VerifiedFile

    def __new__(cls, file: VerifiedFile) -> Self:
        path = super().__new__(cls, f"{_DESCRIPTORS}/{file.fileno()}")
        # A descriptor that is closed is soon that of another file, under the same path.
        path._file = file
        return path


class Copying:
    """A `ByteReader` that writes what it reads to the same place of a copy."""

    __slots__ = ("_copy", "_reader")

    def __init__(self, reader: ByteReader, copy: int) -> None:
        self._reader, self._copy = reader, copy

    @property
    def size(self) -> int:
        return self._reader.size

    def read_at(self, offset: int, length: int) -> bytes:
        return self._reader.read_at(offset, length)

    def read_into(self, offset: int, buffer: memoryview) -> int:
        """Raises OSError when the copy has no room."""
        count = self._reader.read_into(offset, buffer)
        done = 0
        while done < count:
            done += os.pwrite(self._copy, buffer[done:count], offset + done)
        return count


@contextmanager
def scratch(directory: str | os.PathLike[str] | None) -> Iterator[int]:
    """The descriptor of a new file without a name: in memory, or in `directory`. Raises OSError."""
    if directory is None and hasattr(os, "memfd_create"):
        descriptor = os.memfd_create("aibom-verified", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
        try:
            yield descriptor
        finally:
            os.close(descriptor)
    else:
        # O_TMPFILE where the file system knows it, else a file that is removed at once.
        with tempfile.TemporaryFile(dir=directory, buffering=0) as file:
            yield file.fileno()


def finished(copy: int) -> VerifiedFile:
    """The copy, open for reading only; one in memory is sealed, so that nobody can write to it."""
    if hasattr(fcntl, "F_ADD_SEALS") and _is_in_memory(copy):
        seals = fcntl.F_SEAL_WRITE | fcntl.F_SEAL_GROW | fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_SEAL
        fcntl.fcntl(copy, fcntl.F_ADD_SEALS, seals)
    return VerifiedFile(os.open(f"{_DESCRIPTORS}/{copy}", os.O_RDONLY | os.O_CLOEXEC))


def _is_in_memory(copy: int) -> bool:
    """Whether it can be sealed: a file in a folder cannot."""
    try:
        # An O_TMPFILE on tmpfs answers too, with a seal that forbids further ones.
        return not fcntl.fcntl(copy, fcntl.F_GET_SEALS) & fcntl.F_SEAL_SEAL
    except OSError:
        return False
