"""Documents beside an artifact: manifests that name it as their subject (OCI distribution 1.1, "Referrers").

Where the registry has the referrers API, it lists them. Elsewhere the index under the tag `sha256-<hex>`
does, which clients keep up to date without any lock; so each document of ours also has a tag of its own,
`sha256-<hex>.<its digest>`, that no other publisher writes, and what an index lost is found by it.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from aibom.domain.errors import Reason, UnreadableError, malformed, over_limit
from aibom.domain.limits import MIB
from aibom.domain.publication import Attached, DocumentKind, document_kind
from aibom.readers import json
from aibom.sources.oci_layers import NAME_HEX_CHARS
from aibom.sources.oci_manifests import Descriptor, Index, Manifest, parse
from aibom.sources.oci_repository import Fetched, Repository

DOCUMENT_BYTES: Final = 64 * MIB  # of one document beside a model
DOCUMENTS_BYTES: Final = 256 * MIB  # of all of them
REFERRER_COUNT: Final = 1_000  # manifests of which it has to be asked what they are
NAME_CHARS: Final = 200
ATTEMPT_COUNT: Final = 4  # at an index that is listed and is not there
PAUSE_SECONDS: Final = 0.1  # before the second attempt; grows with each
TAG_HEX_CHARS: Final = 32  # of a document's digest, in its tag

TITLE: Final = "org.opencontainers.image.title"
SUPERSEDES: Final = "aibom.supersedes"  # digests of earlier documents of this name, with spaces between
TYPES: Final = {
    DocumentKind.BOM: "application/vnd.cyclonedx+json",
    DocumentKind.SIGNATURE: "application/vnd.dev.sigstore.bundle.v0.3+json",
    DocumentKind.ATTESTATION: "application/vnd.in-toto+json",
}
_KINDS: Final = (
    ("application/vnd.cyclonedx", DocumentKind.BOM),
    ("application/vnd.dev.sigstore.bundle", DocumentKind.SIGNATURE),
    ("application/vnd.in-toto", DocumentKind.ATTESTATION),
)
_SUFFIXES: Final = {
    DocumentKind.BOM: ".cdx.json",
    DocumentKind.SIGNATURE: ".sigstore.json",
    DocumentKind.ATTESTATION: ".intoto.json",
}
# What registries and clients state when nobody said what an artifact is.
_UNTOLD: Final = ("", "application/vnd.oci.empty.v1+json", "application/vnd.unknown.config.v1+json")


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """One document that is beside the artifact, before its bytes are fetched."""

    manifest: str  # digest of the manifest that holds it
    name: str
    kind: DocumentKind
    layer: Descriptor


@dataclass(frozen=True, slots=True, kw_only=True)
class Referrers:
    """What a registry lists. `index` is the one of the fallback tag; None where it does not exist.

    `lost` are documents of ours that have a tag and are not in the index.
    """

    manifests: tuple[Descriptor, ...]
    native: bool
    index: Index | None = None
    lost: tuple[Fetched, ...] = ()

    @property
    def digests(self) -> tuple[str, ...]:
        """Every manifest once, in order of digest, so that what is found does not depend on the registry."""
        return tuple(sorted({one.digest for one in self.manifests} | {one.digest for one in self.lost}))


def kind_of(media_type: str) -> DocumentKind | None:
    """What a document of a media type is for; None for what is none of ours."""
    return next((kind for start, kind in _KINDS if media_type.startswith(start)), None)


def fallback_tag(digest: str) -> str:
    """The tag of the index of an artifact ("Referrers Tag Schema"), cut as the specification wants it."""
    algorithm, _, value = digest.partition(":")
    return f"{algorithm[:32]}-{value[:64]}"


def own_tag(subject: str, manifest: str) -> str:
    """The tag of one document, which no other document has."""
    return f"{fallback_tag(subject)}.{manifest.partition(':')[2][:TAG_HEX_CHARS]}"


def referrers(repository: Repository, subject: str) -> Referrers:
    """What the registry knows to refer to an artifact."""
    found: list[Descriptor] = []
    try:
        for page in repository.referrers(subject):
            found += _index(page).manifests
    except UnreadableError as error:
        if error.reason is not Reason.UNSUPPORTED:
            raise
        return _fallback(repository, subject)
    return Referrers(manifests=tuple(found), native=True)


def _fallback(repository: Repository, subject: str) -> Referrers:
    tag = fallback_tag(subject)
    tags = list(_tags(repository, tag))
    index = _fetched(repository, tag, attempts=ATTEMPT_COUNT if tag in tags else 1)
    document = _index(index.data, index.media_type) if index else None
    known = {one.hex[:TAG_HEX_CHARS] for one in document.manifests} if document else set()
    lost = [_fetched(repository, one) for one in tags if one != tag and one.rpartition(".")[2] not in known]
    return Referrers(
        manifests=document.manifests if document else (),
        native=False,
        index=document,
        lost=tuple(one for one in lost if one is not None and _subject(one) == subject),
    )


def _fetched(repository: Repository, tag: str, attempts: int = 1) -> Fetched | None:
    """What a tag holds; None where there is none, or where it is not there yet.

    A tag that is listed and cannot be had is being written at this moment: whoever writes a document looks at
    the index afterwards, but an index that is taken for missing would be overwritten.
    """
    for attempt in range(attempts):
        time.sleep(PAUSE_SECONDS * attempt)
        try:
            return repository.manifest(tag)
        except UnreadableError as error:
            if error.reason is not Reason.MISSING:
                raise
    return None


def _index(data: bytes, media_type: str = "") -> Index:
    document = parse(data, media_type)
    if not isinstance(document, Index):
        raise malformed("what the registry gives for a list of referrers is none")
    if document.faults:
        # A document that is hidden so would pass for one that is not there.
        raise malformed(f"in the list of referrers, {document.faults[0]}")
    return document


def _tags(repository: Repository, tag: str) -> Iterator[str]:
    """The fallback tag and those of documents of ours, in order of their characters as tags are listed."""
    own = re.compile(rf"{re.escape(tag)}(?:\.[0-9a-f]{{{TAG_HEX_CHARS}}})?")
    count = 0
    for page in repository.tags(tag[:-1]):
        names = json.strings(json.members(json.parse(page)).get("tags"))
        for name in filter(own.fullmatch, names):
            count += 1
            if count > REFERRER_COUNT:
                raise over_limit(f"more than {REFERRER_COUNT:,} documents are beside the artifact")
            yield name
        if names and min(names) > f"{tag}/":  # the character behind `.`
            return


def _subject(fetched: Fetched) -> str:
    document = parse(fetched.data, fetched.media_type)
    subject = document.subject if isinstance(document, Manifest) else None
    return subject.digest if subject else ""


def held(repository: Repository, subject: str, found: Referrers) -> tuple[Held, ...]:
    """The documents that are beside an artifact, without those that a later one supersedes.

    Manifests that are something else are left out, and so are those that name another subject.
    """
    told = {one.digest: one.artifact_type for one in found.manifests}
    documents: list[Held] = []
    gone: set[tuple[str, str, DocumentKind]] = set()
    asked = 0
    for digest in found.digests:
        if told.get(digest, "") not in _UNTOLD and kind_of(told[digest]) is None:
            continue
        asked += 1
        if asked > REFERRER_COUNT:
            raise over_limit(f"more than {REFERRER_COUNT:,} manifests refer to the artifact")
        fetched = repository.manifest(digest)
        manifest = parse(fetched.data, fetched.media_type)
        if (
            not isinstance(manifest, Manifest)
            or manifest.subject is None
            or manifest.subject.digest != subject
        ):
            continue
        if manifest.faults:
            raise malformed(f"in a document beside the artifact, {manifest.faults[0]}")
        mine = list(_in(manifest, digest))
        older = manifest.annotations.get(SUPERSEDES, "").split()
        # A newer document takes the place of its like: it does not hide what somebody else wrote.
        gone.update((each, one.name, one.kind) for each in older for one in mine)
        documents += mine
    return tuple(one for one in documents if (one.manifest, one.name, one.kind) not in gone)


def _in(manifest: Manifest, digest: str) -> Iterator[Held]:
    for layer in manifest.layers:
        kind = kind_of(manifest.kind) or kind_of(layer.media_type)
        if kind is not None:
            yield Held(manifest=digest, name=_name(layer, kind), kind=kind, layer=layer)


def _name(layer: Descriptor, kind: DocumentKind) -> str:
    title = layer.annotations.get(TITLE, "")
    return title if is_name(title) else f"{layer.hex[:NAME_HEX_CHARS]}{_SUFFIXES[kind]}"


def is_name(text: str) -> bool:
    """Whether it is a plain file name, visible in a folder, of a document: `aibom pull` writes under it."""
    is_plain = text.isprintable() and not set("/\\") & set(text) and not text.startswith(".")
    return len(text) <= NAME_CHARS and is_plain and document_kind(text) is not None


def documents(repository: Repository, subject: str) -> tuple[Attached, ...]:
    """The documents beside an artifact, by name; each one's bytes are those of its digest.

    Of several with one name, all but the one with the lowest digest have their digest in front.
    """
    found = held(repository, subject, referrers(repository, subject))
    left = DOCUMENTS_BYTES
    names: set[str] = set()
    attached: list[Attached] = []
    for one in sorted(found, key=lambda one: (one.name, one.layer.digest)):
        left -= one.layer.size
        if one.layer.size > DOCUMENT_BYTES or left < 0:
            raise over_limit(f"{one.name} has {one.layer.size:,} bytes, more than documents may have in all")
        name = one.name if one.name not in names else f"{one.layer.hex[:NAME_HEX_CHARS]}-{one.name}"
        if name in names:
            continue  # the same bytes under the same name
        names.add(name)
        data = repository.blob(one.layer.digest, one.layer.size)
        attached.append(Attached(name=name, kind=one.kind, media_type=one.layer.media_type, data=data))
    return tuple(sorted(attached, key=lambda one: one.name))
