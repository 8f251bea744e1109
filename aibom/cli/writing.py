"""Results to standard output, or to files that are whole or not there."""

from __future__ import annotations

import contextlib
import os
import sys
import threading
from pathlib import Path
from typing import BinaryIO

from aibom.cli.exit_codes import ExitCode
from aibom.cli.failure import Failure

_FILE_MODE = 0o644


def to_stdout(data: bytes) -> None:
    """Writes the result; a reader that has gone away is not an error."""
    try:
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
    except OSError as error:
        # What is left in the buffer must not fail a second time when the interpreter exits.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if not isinstance(error, BrokenPipeError):
            raise Failure(f"cannot write the result: {error.strerror}", ExitCode.INCOMPLETE) from error


def to_file(path: Path, data: bytes) -> None:
    """Replaces the file in one step: after any failure the old content is still whole."""
    # Long names that begin alike are written by several threads at once.
    temporary = path.with_name(f".{path.name[:100]}.{os.getpid()}-{threading.get_native_id()}.new")
    try:
        with _created(temporary) as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.chmod(_mode(path))
        temporary.replace(path)
    except OSError as error:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise Failure(f"cannot write {str(path)!r}: {error.strerror}", ExitCode.INCOMPLETE) from error


def _created(path: Path) -> BinaryIO:
    """A new file that only we can read; whatever stands there under that name is not followed."""
    with contextlib.suppress(FileNotFoundError):
        path.unlink()
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    return os.fdopen(os.open(path, flags, 0o600), "wb")


def _mode(path: Path) -> int:
    """The permissions of the file that is replaced, else what the umask leaves of 0644."""
    try:
        return path.stat().st_mode & 0o777
    except OSError:
        mask = os.umask(0)
        os.umask(mask)
        return _FILE_MODE & ~mask
