"""`aibom publish` and `aibom pull`: documents beside a model, put there and fetched again."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final, cast

from aibom.domain.entry import Entry
from aibom.domain.errors import Reason, UnreadableError, malformed, unsupported
from aibom.domain.protocols import Source
from aibom.domain.publication import MEDIA_TYPES, Attached, DocumentKind, Receipt, Registry
from aibom.domain.text import capped, visible
from aibom.inventory.bom import read_bom
from aibom.sources import resolve, scheme_of
from aibom.sources.opening import Opening
from aibom.trust.bom import read_digests
from aibom.trust.bundle import read_bundle
from aibom.workflows.documents import read_document

# A document of anybody may name them: this machine and, without TLS, all that it reaches.
_TYPED: Final = ("", "ollama", "http", "git+http", "git+ssh", "git+file")


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishRequest:
    """What the user asked for. The bill of materials is first."""

    target: str
    bom: Path
    signatures: tuple[Path, ...] = ()
    attestations: tuple[Path, ...] = ()
    opening: Opening
    dry_run: bool = False
    pull_request: bool = False


class OtherModelError(Exception):
    """The bill of materials is about other files than the target has."""


def publish(request: PublishRequest) -> Receipt:
    """Puts the documents beside the model. Raises `UnreadableError`, `OtherModelError`."""
    documents = (
        _document(request.bom, DocumentKind.BOM),
        *(_document(path, DocumentKind.SIGNATURE) for path in request.signatures),
        *(_document(path, DocumentKind.ATTESTATION) for path in request.attestations),
    )
    names = [document.name for document in documents]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise malformed(f"two documents are called {visible(twice)!r}: rename one of them")
    source = resolve(request.target, request.opening)
    registry = _registry(source)
    _check_about(documents[0], source)
    return registry.publish(documents, dry_run=request.dry_run, pull_request=request.pull_request)


def beside(bom: Path) -> tuple[Path, ...]:
    """The signature that `aibom sign bom` writes beside a bill of materials, when it is there."""
    path = bom.with_name(f"{bom.name}.sigstore.json")
    return (path,) if path.is_file() else ()


def _document(path: Path, kind: DocumentKind) -> Attached:
    """A document that is what it is said to be. Raises `UnreadableError`."""
    wanted = "bom" if kind is DocumentKind.BOM else "signature"
    data = read_document(path, wanted, str(path)).data
    try:
        if kind is DocumentKind.BOM:
            read_bom(data)
        else:
            read_bundle(data)
    except UnreadableError as error:
        raise UnreadableError(error.reason, f"{visible(path.name)}: {error}", error.offset) from None
    return Attached(name=path.name, kind=kind, media_type=MEDIA_TYPES[kind], data=data)


def _registry(source: Source) -> Registry:
    if not hasattr(source, "publish"):
        raise unsupported("this kind of place holds no documents beside a model")
    return cast("Registry", source)


def _check_about(bom: Attached, source: Source) -> None:
    """Refuses a document that states other digests than the place lists."""
    stated = read_digests(bom.data, others=True)
    for item in source.entries():
        if isinstance(item, Entry) and item.path in stated:
            claims = [digest for digest in item.claimed if digest.algorithm == "sha256"]
            best = max(claims, key=lambda digest: digest.grade, default=None)
            if best is not None and best.value != stated[item.path]:
                raise OtherModelError(
                    f"the bill of materials is about another {visible(item.path)!r} than the target has "
                    f"({stated[item.path][:12]} and {best.value[:12]})"
                )


def pull(target: str, opening: Opening) -> tuple[Attached, ...]:
    """The documents beside a model. Raises `UnreadableError`."""
    return _registry(resolve(target, opening)).attached()


def address_of(bom: Path) -> str:
    """The target that a bill of materials says it is about. Raises `UnreadableError`."""
    listed = read_bom(read_document(bom, "bom", str(bom)).data)
    if not listed.addresses:
        raise UnreadableError(Reason.MISSING, "the bill of materials does not say where its target is")
    address = listed.addresses[0]
    if scheme_of(address) in _TYPED:
        raise unsupported(f"{capped(visible(address), 200)} is asked only when it is typed as the target")
    if not address.startswith("hf://"):
        return address
    # What is published beside a model of the Hub stands in a later commit than the model.
    return address.rpartition("@")[0] + (f"@{listed.requested}" if listed.requested else "")
