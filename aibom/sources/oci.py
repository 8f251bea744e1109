"""OCI registries: models as artifacts of ModelPack, KitOps, Docker Model Runner, Ollama or ORAS.

A tag becomes the digest of the manifest that was served for it, which is the pin. Of an index all manifests
are read, each below a folder named by its platform when there are several.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from heapq import merge
from operator import attrgetter
from typing import Final

from aibom.domain.entry import Entry
from aibom.domain.errors import Reason, UnreadableError, malformed, over_limit
from aibom.domain.gap import Gap, Stage
from aibom.domain.protocols import ByteReader
from aibom.domain.publication import Attached, Receipt
from aibom.domain.ref import PinnedRef
from aibom.domain.target import Target
from aibom.domain.text import capped, visible
from aibom.sources import oci_publish, oci_referrers
from aibom.sources.listing import Listing
from aibom.sources.oci_auth import Auth
from aibom.sources.oci_contents import Contents
from aibom.sources.oci_layers import NAME_HEX_CHARS, path_of
from aibom.sources.oci_manifests import INDEX, MANIFEST, MEDIA_TYPES, Descriptor, Document, Index, Manifest
from aibom.sources.oci_manifests import parse as parse_manifest
from aibom.sources.oci_names import Name
from aibom.sources.oci_names import parse as parse_name
from aibom.sources.oci_repository import Fetched, Repository
from aibom.sources.opening import Opening, Place

MANIFEST_COUNT: Final = 64  # of one target, over all indexes
INDEX_DEPTH: Final = 4
_PLATFORM: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,63}")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Pinned:
    """The manifest that the target stands for."""

    fetched: Fetched
    document: Document

    @property
    def descriptor(self) -> Descriptor:
        """What a document states as its subject."""
        kind = INDEX if isinstance(self.document, Index) else MANIFEST
        served = self.fetched.media_type.partition(";")[0].strip()
        return Descriptor(
            media_type=served if served in MEDIA_TYPES else kind,
            digest=self.fetched.digest,
            size=len(self.fetched.data),
        )


class OciSource:
    """A `Source` and `Registry` over one artifact."""

    def __init__(self, name: Name, opening: Opening) -> None:
        http = opening.http()
        self._repository = Repository(http, name, Auth(http, name, opening.environment))
        self._opening = opening
        self._pinned = _pinned(self._repository, name.reference)
        self._known: Contents | None = None
        self._lock = threading.Lock()
        self._excluded = 0
        self.target = _target(name, self._pinned)

    @property
    def excluded(self) -> int:
        return self._excluded

    def entries(self) -> Iterator[Entry | Gap]:
        contents = self._contents()
        listing = Listing(self._opening.exclude, full=self._opening.full)
        listed = (self._near(item, contents) for item in listing.entries(contents.listed))
        yield from merge(listed, sorted(contents.gaps, key=attrgetter("path")), key=attrgetter("path"))
        self._excluded = listing.excluded

    def open(self, entry: Entry) -> AbstractContextManager[ByteReader]:
        return nullcontext(self._contents().reader(entry.path, header_only=entry.header_only))

    def attached(self) -> tuple[Attached, ...]:
        return oci_referrers.documents(self._repository, self._pinned.fetched.digest)

    def publish(self, documents: tuple[Attached, ...], *, dry_run: bool, pull_request: bool) -> Receipt:
        if pull_request:
            raise UnreadableError(Reason.UNSUPPORTED, "a registry of artifacts has no pull requests")
        taken = {path_of(layer) for layer in self._layers()}
        for document in documents:
            if document.name in taken:
                raise malformed(f"{document.name} is the name of a file of the model")
        return oci_publish.publish(self._repository, self._pinned.descriptor, documents, dry_run=dry_run)

    def _near(self, item: Entry | Gap, contents: Contents) -> Entry | Gap:
        """A file of a layer that is on disk already is read as a whole."""
        where = contents.places.get(item.path)
        if isinstance(item, Entry) and item.header_only and where is not None and where.spool is not None:
            return replace(item, header_only=False)
        return item

    def _contents(self) -> Contents:
        with self._lock:
            if self._known is None:
                contents = Contents(self._repository, full=self._opening.full)
                _gather(self._repository, self._pinned.document, contents)
                self._known = contents
            return self._known

    def _layers(self) -> tuple[Descriptor, ...]:
        document = self._pinned.document
        return document.layers if isinstance(document, Manifest) else ()


def _pinned(repository: Repository, reference: str) -> _Pinned:
    fetched = repository.manifest(reference)
    return _Pinned(fetched=fetched, document=parse_manifest(fetched.data, fetched.media_type))


def _target(name: Name, pinned: _Pinned) -> Target:
    document = pinned.document
    asked = name.tag or ("latest" if name.digest is None else None)
    attributes = [("requested", asked)] if asked else []
    if isinstance(document, Index):
        attributes.append(("index", f"{len(document.manifests)} manifests, all are read"))
    elif document.kind:
        attributes.append(("artifact type", capped(visible(document.kind), 200)))
    return Target(
        name=name.repository.rpartition("/")[2],
        ref=PinnedRef(scheme="oci", location=name.location, revision=pinned.fetched.digest),
        attributes=tuple(attributes),
    )


def _gather(repository: Repository, top: Document, contents: Contents) -> None:
    """Everything that the target's manifest leads to; what cannot be had is a gap of `contents`."""
    todo: list[tuple[Document, str, int]] = [(top, "", 0)]
    seen: set[str] = set()
    while todo:
        document, folder, depth = todo.pop()
        if isinstance(document, Manifest):
            contents.add(document, folder)
            continue
        contents.faults(document.faults, folder)
        for child, name in zip(document.manifests, _folders(document, folder), strict=True):
            if child.digest in seen:
                continue
            seen.add(child.digest)
            try:
                if len(seen) > MANIFEST_COUNT or depth >= INDEX_DEPTH:
                    raise over_limit(
                        f"more than {MANIFEST_COUNT} manifests or {INDEX_DEPTH} levels of indexes"
                    )
                todo.append((_pinned(repository, child.digest).document, name, depth + 1))
            except UnreadableError as error:
                contents.gaps.append(Gap.of(name or child.digest, Stage.LIST, error))
                if error.reason is Reason.LIMIT and len(seen) > MANIFEST_COUNT:
                    break


def _folders(index: Index, folder: str) -> list[str]:
    """Where the files of each manifest go: a folder of its own, unless it is the only one."""
    if len(index.manifests) == 1:
        return [folder]
    platforms = [child.platform for child in index.manifests]
    return [
        f"{folder}{child.platform if _tells(child.platform, platforms) else child.hex[:NAME_HEX_CHARS]}/"
        for child in index.manifests
    ]


def _tells(platform: str, platforms: list[str]) -> bool:
    return _PLATFORM.fullmatch(platform) is not None and platforms.count(platform) == 1


def _open(target: str, opening: Opening) -> OciSource:
    return OciSource(parse_name(target), opening)


PLACE = Place(scheme="oci", title="artifact in an OCI registry", open=_open)
