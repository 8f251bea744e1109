"""Documents beside a model on this machine: in the top of its folder, or next to its one file."""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Iterable
from pathlib import Path

from aibom.domain.errors import Reason, UnreadableError, unsupported
from aibom.domain.limits import BOM_BYTES
from aibom.domain.publication import (
    MEDIA_TYPES,
    Attached,
    Receipt,
    WriteState,
    Written,
    document_kind,
)
from aibom.domain.ref import Ref
from aibom.sources import beside
from aibom.sources.local_file import LocalFile, open_beneath, unreadable


def attached(folder: Path, only: str | None) -> tuple[Attached, ...]:
    """The documents of a folder, or those that are named after one file in it."""
    try:
        names = sorted(each.name for each in folder.iterdir() if not each.is_dir())
    except OSError as error:
        raise unreadable(error, "the folder cannot be listed") from None
    kinds = ((name, document_kind(name)) for name in names if only is None or name.startswith(f"{only}."))
    return beside.together(
        Attached(name=name, kind=kind, media_type=MEDIA_TYPES[kind], data=_read(folder, name))
        for name, kind in kinds
        if kind is not None
    )


def _read(folder: Path, name: str) -> bytes:
    try:
        with LocalFile(open_beneath(str(folder), name)) as reader:
            if reader.size > BOM_BYTES:
                raise UnreadableError(Reason.LIMIT, f"{name!r} is larger than {BOM_BYTES:,} bytes")
            return reader.read_at(0, reader.size)
    except OSError as error:
        raise unreadable(error, f"{name!r} cannot be opened") from None


def publish(
    folder: Path, subject: Ref, documents: Iterable[Attached], *, dry_run: bool, pull_request: bool
) -> Receipt:
    """Writes what is not there. Each file is whole or not there; one with other content is replaced."""
    if pull_request:
        raise unsupported("a folder has no pull requests")
    written = []
    # All are checked before the first is written.
    for document, state in [(each, _state(folder, each, dry_run=dry_run)) for each in documents]:
        if state is WriteState.WRITTEN:
            _replace(folder / document.name, document.data)
        digest = hashlib.sha256(document.data).hexdigest()
        written.append(Written(name=document.name, place=document.name, sha256=digest, state=state))
    return Receipt(subject=subject, written=tuple(written))


def _state(folder: Path, document: Attached, *, dry_run: bool) -> WriteState:
    path = folder / document.name
    if path.is_symlink() or path.is_dir():
        raise unsupported(f"{document.name!r} is a link or a folder there, and is not replaced")
    if document_kind(document.name) is None:
        raise unsupported(f"{document.name!r} is not named like a signature or a bill of materials")
    if path.exists():
        old = _read(folder, document.name)
        if old == document.data:
            return WriteState.UNCHANGED
        beside.check_replaceable(document.name, document.kind, old)
    return WriteState.PLANNED if dry_run else WriteState.WRITTEN


def _replace(path: Path, data: bytes) -> None:
    temporary = path.with_name(f".{path.name[:100]}.{os.getpid()}.new")
    try:
        temporary.unlink(missing_ok=True)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        with os.fdopen(os.open(temporary, flags, 0o644), "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError as error:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise unreadable(error, f"{path.name!r} cannot be written") from None
