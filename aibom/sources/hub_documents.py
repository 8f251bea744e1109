"""Signatures and bills of materials in a repository of the Hub: named, told apart and fetched."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from typing import Final

from aibom.domain.entry import Entry
from aibom.domain.errors import Reason, UnreadableError, over_limit
from aibom.domain.gap import Gap
from aibom.domain.limits import DOCUMENT_BYTES
from aibom.domain.publication import MEDIA_TYPES, Attached, DocumentKind, document_kind
from aibom.domain.text import visible
from aibom.sources.beside import DOCUMENTS_BYTES

ATTACHED_COUNT: Final = 500  # documents beside one model

_OURS: Final = (".sigstore.json", ".cdx.json")  # nobody else names a file so
_PARTS: Final = (b'"payloadType"', b'"dsseEnvelope"', b'"messageSignature"', b'"verificationMaterial"')

Read = Callable[[Entry], bytes]  # all bytes of a file


def kind_of(name: str) -> tuple[DocumentKind, str] | None:
    """What a file name says it is, and its media type; attestations of a repository are bundles."""
    kind = document_kind(name)
    if kind is None or kind is DocumentKind.ATTESTATION:
        return None
    return kind, MEDIA_TYPES[kind]


def is_stranger(name: str, data: bytes) -> bool:
    """Whether it is only called like a document of ours: a signature of PGP, a BOM in SPDX.

    What bears a name that nobody else uses is ours even when it is damaged: that must show.
    """
    named = kind_of(name)
    if named is None or name == "model.sig" or name.endswith(_OURS):
        return named is None
    return b"CycloneDX" not in data if named[0] is DocumentKind.BOM else not data.lstrip().startswith(b"{")


def is_older(document: Attached, data: bytes) -> bool:
    """Whether bytes under its name are an older document of the kind, and may be replaced."""
    if document.name.endswith(_OURS):
        return True
    if document.kind is DocumentKind.BOM:
        return b"CycloneDX" in data
    return data.lstrip().startswith(b"{") and any(part in data for part in _PARTS)


def identities(data: bytes) -> frozenset[str]:
    """The digests by which a listing can name these bytes."""
    blob = hashlib.sha1(b"blob %d\0" % len(data) + data, usedforsecurity=False)
    return frozenset((hashlib.sha256(data).hexdigest(), blob.hexdigest()))


def attached(items: Iterable[Entry | Gap], read: Read) -> tuple[Attached, ...]:
    """The documents among what is listed at the top. Raises when one of them cannot be read."""
    named = [(item, kind_of(item.path)) for item in items if "/" not in item.path]
    found, left = list[Attached](), DOCUMENTS_BYTES
    for count, (item, (kind, media_type)) in enumerate((item, name) for item, name in named if name):
        if count == ATTACHED_COUNT:
            raise over_limit(f"more than {ATTACHED_COUNT} signatures and bills of materials")
        data = fetched(item, read)
        left -= len(data)
        if left < 0:
            raise over_limit(f"signatures and bills of materials of more than {DOCUMENTS_BYTES:,} bytes")
        if not is_stranger(item.path, data):
            found.append(Attached(name=item.path, kind=kind, media_type=media_type, data=data))
    return tuple(found)


def fetched(item: Entry | Gap, read: Read) -> bytes:
    """All bytes of a listed document; they are those that the listing claims."""
    name = visible(item.path)
    if isinstance(item, Gap):
        raise UnreadableError(item.reason, f"{name}: {item.detail}")
    if item.size > DOCUMENT_BYTES:
        raise over_limit(f"{name}: {item.size:,} bytes, at most {DOCUMENT_BYTES:,} are read of a document")
    data = read(item)
    claimed = {digest.value for digest in item.claimed if digest.algorithm in ("sha256", "git-sha1")}
    if claimed and not claimed <= identities(data):
        raise UnreadableError(Reason.CHANGED, f"{name}: other bytes than the registry lists")
    return data
