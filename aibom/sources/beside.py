"""Which objects of a plain store are documents beside a model, by the rule for local files.

Beside a folder: a document in its top. Beside one file: `model.gguf.cdx.json` and the like, whose names
begin with that of the file and a dot; and, when no signature does, `model.sig`, that of a whole model.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from aibom.domain.errors import malformed, over_limit, unsupported
from aibom.domain.limits import BOM_BYTES, MIB
from aibom.domain.publication import (
    BUNDLE_ENDINGS,
    MEDIA_TYPES,
    MODEL_SIGNATURE,
    Attached,
    DocumentKind,
    document_kind,
)

DOCUMENT_COUNT: Final = 100  # beside one model
DOCUMENTS_BYTES: Final = 256 * MIB  # of all of them
SIGNATURE_BYTES: Final = 64 * MIB  # the envelope of a manifest of 250,000 files


def most_bytes(kind: DocumentKind) -> int:
    """The largest document of a kind."""
    return BOM_BYTES if kind is DocumentKind.BOM else SIGNATURE_BYTES


def is_genuine(kind: DocumentKind, data: bytes) -> bool:
    """False for what is only called so: a signature of PGP, a bill of materials in SPDX, weights."""
    return data.lstrip().startswith(b"{") and (kind is not DocumentKind.BOM or b"CycloneDX" in data)


def attached(name: str, data: bytes) -> Attached | None:
    """The document of that name, if it is one."""
    kind = document_kind(name)
    if kind is None or not is_genuine(kind, data):
        return None
    return Attached(name=name, kind=kind, media_type=MEDIA_TYPES[kind], data=data)


def together(found: Iterable[Attached | None]) -> tuple[Attached, ...]:
    """Those that are documents. Raises limit before more of them are fetched than memory should hold."""
    kept, left = list[Attached](), DOCUMENTS_BYTES
    for document in filter(None, found):
        left -= len(document.data)
        if left < 0:
            raise over_limit(f"the documents beside the model have more than {DOCUMENTS_BYTES:,} bytes")
        kept.append(document)
    return tuple(kept)


def chosen(names: list[str], only: str | None) -> list[str]:
    """Of the names in a folder those of documents beside the model; `only` is its one file, if it is one."""
    found = sorted(name for name in names if document_kind(name) is not None and name != only)
    if only is not None:
        own = [name for name in found if name.startswith(f"{only}.")]
        is_signed = any(document_kind(name) is DocumentKind.SIGNATURE for name in own)
        found = own if is_signed or MODEL_SIGNATURE not in found else [*own, MODEL_SIGNATURE]
    if len(found) > DOCUMENT_COUNT:
        raise malformed(f"more than {DOCUMENT_COUNT} documents lie beside the model")
    return found


def check_names(documents: tuple[Attached, ...], only: str | None) -> None:
    """That each document would be found again. Raises unsupported, with what to call it."""
    for document in documents:
        # An attestation comes in a bundle like that of a signature, and may be called like one.
        is_bundle = document.kind is DocumentKind.ATTESTATION and document.name.endswith(BUNDLE_ENDINGS)
        if document_kind(document.name) is not document.kind and not is_bundle:
            raise unsupported(f"{document.name!r} is not how a {document.kind} is called")
        if only is not None and not document.name.startswith(f"{only}."):
            raise unsupported(f"beside one file a document is named after it: '{only}.{document.name}'")
    if len({document.name for document in documents}) != len(documents):
        raise malformed("two documents have the same name")


def check_replaceable(name: str, kind: DocumentKind, data: bytes) -> None:
    """That what lies there under the name is an older document of the kind, and not part of the model."""
    if not is_genuine(kind, data):
        raise unsupported(f"{name!r} is there already, is no {kind}, and is not replaced")
