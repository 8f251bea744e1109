"""What is put beside a model in its registry, and what became of it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Protocol

from aibom.domain.ref import Ref


class DocumentKind(StrEnum):
    """What a document beside a model is for."""

    BOM = "bom"
    SIGNATURE = "signature"  # a sigstore bundle
    ATTESTATION = "attestation"


MODEL_SIGNATURE: Final = "model.sig"
BUNDLE_ENDINGS: Final = (".sigstore.json", ".sigstore", ".sig")
BOM_ENDINGS: Final = (".cdx.json", "bom.json")
ATTESTATION_ENDINGS: Final = (".intoto.jsonl", ".intoto.json")
MEDIA_TYPES: Final = {
    DocumentKind.BOM: "application/vnd.cyclonedx+json",
    DocumentKind.SIGNATURE: "application/vnd.dev.sigstore.bundle.v0.3+json",
    DocumentKind.ATTESTATION: "application/vnd.in-toto+json",
}


def document_kind(name: str) -> DocumentKind | None:
    """What a file name says it is, None for no document."""
    if name == MODEL_SIGNATURE or name.endswith(BUNDLE_ENDINGS):
        return DocumentKind.SIGNATURE
    if name.endswith(BOM_ENDINGS):
        return DocumentKind.BOM
    return DocumentKind.ATTESTATION if name.endswith(ATTESTATION_ENDINGS) else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Attached:
    """A document beside a model. `name` is a plain file name, as `aibom verify` finds it in a folder."""

    name: str
    kind: DocumentKind
    media_type: str
    data: bytes

    def __post_init__(self) -> None:
        if not self.name or "/" in self.name or "\0" in self.name or self.name in (".", ".."):
            raise ValueError(f"not a file name: {self.name!r}")


class WriteState(StrEnum):
    """What became of one document."""

    WRITTEN = "written"
    UNCHANGED = "unchanged"  # the same bytes were there already
    PLANNED = "planned"  # a dry run: it would be written


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """One document, where it is now, and the SHA-256 of its bytes."""

    name: str
    place: str  # as a user names it; holds no credentials
    sha256: str
    state: WriteState


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """What a publication did. `subject` is the model, pinned as it was when its documents were written."""

    subject: Ref
    written: tuple[Written, ...]
    revision: str | None = None  # of the place afterwards, where it has revisions
    notes: tuple[str, ...] = ()  # lower-case clauses, for instance which pull request was opened


class Registry(Protocol):
    """A source that documents can be put beside and fetched from."""

    def attached(self) -> tuple[Attached, ...]:
        """The documents beside the model, by name. Raises `UnreadableError`."""
        ...

    def publish(self, documents: tuple[Attached, ...], *, dry_run: bool, pull_request: bool) -> Receipt:
        """Writes the documents, or says what would be written; the same again changes nothing.

        Compare-and-swap where the place has it: another publisher's documents are never lost. Raises
        `UnreadableError`: denied, changed (somebody else was faster, several times), unsupported (the
        place cannot hold them, or has no pull requests), io-error.
        """
        ...
