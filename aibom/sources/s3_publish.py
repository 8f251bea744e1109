"""Documents beside a model in a bucket: found, and written without losing anybody else's.

An object is created only where there is none, and replaced only while it is the version that was looked
at (conditional writes of S3). A store that cannot do so refuses, and nothing is written.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote

from aibom.domain.errors import Reason, UnreadableError, unsupported
from aibom.domain.publication import MODEL_SIGNATURE, Attached, WriteState, Written, document_kind
from aibom.sources import beside
from aibom.sources.s3_bucket import Bucket, Stored

TRY_COUNT: Final = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Shelf:
    """Where the documents of one model lie."""

    bucket: Bucket
    folder: str  # ends in `/`, or is empty
    only: str | None = None  # the name of the model, when it is one object

    def names(self) -> list[str]:
        """What lies there under the names of documents. A listing by prefix keeps it to few requests."""
        begins = [self.folder] if self.only is None else [f"{self.folder}{self.only}.", self.signature]
        found = {stored.key for each in begins for stored in self.bucket.listed(each, deep=False)}
        return [key.removeprefix(self.folder) for key in found if key.startswith(self.folder)]

    @property
    def signature(self) -> str:
        return f"{self.folder}{MODEL_SIGNATURE}"


def attached(shelf: Shelf) -> tuple[Attached, ...]:
    """The documents, by name. Raises `UnreadableError` when one of them cannot be read."""
    names = [name for name in shelf.names() if "/" not in name and name.isprintable()]
    found = (_read(shelf, name) for name in beside.chosen(names, shelf.only))
    return beside.together(found)


def _read(shelf: Shelf, name: str) -> Attached | None:
    kind = document_kind(name)
    assert kind is not None  # `chosen` gives no other names
    stored = shelf.bucket.head(f"{shelf.folder}{name}")
    return beside.attached(name, shelf.bucket.document(stored, beside.most_bytes(kind)))


def publish(
    shelf: Shelf, documents: tuple[Attached, ...], *, dry_run: bool, pull_request: bool
) -> tuple[Written, ...]:
    """Writes the documents; all of them are checked before the first is written."""
    if pull_request:
        raise unsupported("a bucket has no pull requests")
    beside.check_names(documents, shelf.only)
    before = [_existing(shelf, document) for document in documents]
    return tuple(
        _written(shelf, document, existing, dry_run=dry_run)
        for document, existing in zip(documents, before, strict=True)
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Existing:
    """What lies under a name now; `stored` is None when nothing does."""

    stored: Stored | None = None
    is_same: bool = False


def _existing(shelf: Shelf, document: Attached) -> _Existing:
    """Raises unsupported when something else than an older document of the kind has the name."""
    try:
        stored = shelf.bucket.head(f"{shelf.folder}{document.name}")
    except UnreadableError as error:
        if error.reason is Reason.MISSING:
            return _Existing()
        raise
    data = shelf.bucket.document(stored, beside.most_bytes(document.kind))
    if data == document.data:
        return _Existing(stored=stored, is_same=True)
    beside.check_replaceable(document.name, document.kind, data)
    if not stored.etag:
        raise unsupported(f"the store gives {document.name!r} no ETag, so it cannot be replaced safely")
    return _Existing(stored=stored)


def _written(shelf: Shelf, document: Attached, existing: _Existing, *, dry_run: bool) -> Written:
    first = existing.stored
    for _ in range(TRY_COUNT):
        if existing.is_same:
            return _receipt(shelf, document, WriteState.UNCHANGED, existing.stored)
        if dry_run:
            return _receipt(shelf, document, WriteState.PLANNED, None)
        try:
            key = f"{shelf.folder}{document.name}"
            put = shelf.bucket.put(key, document.data, document.media_type, replacing=existing.stored)
        except UnreadableError as error:
            if error.reason not in (Reason.CHANGED, Reason.MISSING, Reason.IO_ERROR):
                raise
            # It may also be an attempt of our own that arrived although its answer was lost.
            existing = _existing(shelf, document)
            if not existing.is_same and not _is_version(existing.stored, first):
                raise UnreadableError(
                    Reason.CHANGED, f"somebody else wrote {document.name!r} meanwhile: look at it first"
                ) from None
            if error.reason is Reason.IO_ERROR and not existing.is_same:
                raise
            continue
        return _receipt(shelf, document, WriteState.WRITTEN, put)
    raise UnreadableError(
        Reason.CHANGED, f"{document.name!r} cannot be written: the store refuses it each time"
    )


def _is_version(one: Stored | None, other: Stored | None) -> bool:
    if one is None or other is None:
        return one is other
    return (one.etag, one.version) == (other.etag, other.version)


def _receipt(shelf: Shelf, document: Attached, state: WriteState, stored: Stored | None) -> Written:
    version = f"?versionId={quote(stored.version)}" if stored and stored.version else ""
    return Written(
        name=document.name,
        place=f"s3://{shelf.bucket.name}/{shelf.folder}{document.name}{version}",
        sha256=hashlib.sha256(document.data).hexdigest(),
        state=state,
    )
