"""Signatures and bills of materials: where they lie beside what they are about."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final, cast

from aibom.domain.errors import Reason, UnreadableError
from aibom.domain.limits import BOM_BYTES
from aibom.domain.publication import (
    BOM_ENDINGS,
    BUNDLE_ENDINGS,
    MODEL_SIGNATURE,
    Attached,
    DocumentKind,
    Registry,
    document_kind,
)
from aibom.sources import resolve
from aibom.sources.opening import Opening
from aibom.trust.bundle import BUNDLE_BYTES
from aibom.workflows.digesting import Place

LIMITS: Final = {"signature": BUNDLE_BYTES, "bom": BOM_BYTES}


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A document that vouches for something."""

    kind: str  # signature, bom
    name: str
    data: bytes = b""
    inside: str | None = None  # its path in the target, when it lies there
    about: str | None = None  # path in the target of the one file that its name says it is about
    target: str = ""  # where a target of one file lies, as seen from the folder of the document
    failed: UnreadableError | None = None  # why there is no data


def kind_of(name: str) -> str | None:
    """What a file name says: `signature`, `bom`, or None."""
    if name == MODEL_SIGNATURE or name.endswith(BUNDLE_ENDINGS):
        return "signature"
    return "bom" if name.endswith(BOM_ENDINGS) else None


def is_stranger(name: str, data: bytes) -> bool:
    """Whether it is only called like a signature or a bill of materials: one of PGP, one in SPDX."""
    name = name.rpartition("/")[2]
    if name == MODEL_SIGNATURE or name.endswith((".sigstore.json", ".cdx.json")):
        return False
    return b"CycloneDX" not in data if kind_of(name) == "bom" else not data.lstrip().startswith(b"{")


def about(path: str) -> str:
    """The file that a signature is named after: `a.onnx` of `a.onnx.sigstore.json`."""
    ending = next((each for each in BUNDLE_ENDINGS if path.endswith(each)), "")
    return path.removesuffix(ending)


def found_in(place: Place) -> list[Document]:
    """The documents in the top folder of a listed target, signatures first.

    One that cannot be read is there as well, with the reason.
    """
    gaps = {gap.path: UnreadableError(gap.reason, gap.detail) for gap in place.gaps}
    found = []
    for path in sorted(place.entries.keys() | gaps.keys()):
        kind = kind_of(path) if "/" not in path else None
        if kind is not None:
            found.append(_found(place, path, kind, gaps.get(path)))
    kept = [each for each in found if each.failed is not None or not is_stranger(each.name, each.data)]
    return sorted(kept, key=lambda document: (document.kind != "signature", document.name))


def _found(place: Place, path: str, kind: str, failed: UnreadableError | None) -> Document:
    named = about(path) if kind == "signature" else None
    try:
        if failed is not None:
            raise failed
        data = place.document(path, LIMITS[kind])
    except UnreadableError as error:
        return Document(kind=kind, name=path, inside=path, about=named, failed=error)
    return Document(kind=kind, name=path, data=data, inside=path, about=named)


def found_remote(place: Place) -> list[Document]:
    """The documents beside a model in a registry, signatures first; they need not be files of it."""
    found = []
    for each in cast("Registry", place.source).attached() if hasattr(place.source, "attached") else ():
        inside = each.name if _is_file(place, each) else None
        kind = "bom" if each.kind is DocumentKind.BOM else "signature"
        named = about(each.name) if kind == "signature" else None
        found.append(Document(kind=kind, name=each.name, data=each.data, inside=inside, about=named))
    return sorted(found, key=lambda document: (document.kind != "signature", document.name))


def _is_file(place: Place, each: Attached) -> bool:
    """Whether it is a file of the model as well. What a registry keeps beside a model may bear the name of
    any file, and a file that counts as a document is left out of what has to be signed.
    """
    entry = place.entries.get(each.name)
    if entry is None or document_kind(each.name) is None or entry.size != len(each.data):
        return False
    try:
        return place.document(each.name, entry.size) == each.data
    except UnreadableError:
        return False


def found_beside(target: Path) -> list[Document]:
    """The signatures beside one file: those that are named after it, else that of the whole model."""
    names = [f"{target.name}{ending}" for ending in BUNDLE_ENDINGS]
    paths = [path for name in names if os.path.lexists(path := target.with_name(name))]
    found = [_beside(path, target) for path in paths]
    kept = [each for each in found if each.failed is not None or not is_stranger(each.name, each.data)]
    whole = target.with_name(MODEL_SIGNATURE)
    return kept if kept or not os.path.lexists(whole) or whole == target else [_beside(whole, target)]


def _beside(path: Path, target: Path) -> Document:
    try:
        return read_document(path, "signature", os.fspath(target))
    except UnreadableError as error:
        return Document(kind="signature", name=path.name, failed=error)


def read_document(path: Path, kind: str, target: str) -> Document:
    """A document that the user named, or that lies beside a file. Raises `UnreadableError`."""
    if path.is_dir():
        raise UnreadableError(Reason.UNSUPPORTED, f"{path.name!r} is a folder, and a file is wanted")
    place = Place.of(resolve(os.fspath(path), Opening(surroundings=False)))
    if not place.entries:
        raise UnreadableError(place.gaps[0].reason, place.gaps[0].detail)
    # A link counts where it lies, whatever it leads to.
    folder, whole = path.parent.resolve(), Path(target)
    inside = _seen_from(whole.resolve(), folder / path.name) if whole.is_dir() else None
    return Document(
        kind=kind,
        name=path.name,
        data=place.document(next(iter(place.entries)), LIMITS[kind]),
        inside=inside,
        about=about(inside) if inside is not None and kind == "signature" else None,
        target=_seen_from(folder, whole.parent.resolve() / whole.name) or whole.name,
    )


def _seen_from(folder: Path, path: Path) -> str | None:
    return path.relative_to(folder).as_posix() if path.is_relative_to(folder) else None
