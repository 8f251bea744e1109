"""Puts documents beside an artifact, so that nothing another publisher wrote is lost.

Each document is a manifest of its own with the artifact as subject; nothing is ever deleted. A newer
document names the ones that it supersedes. Where the registry has no referrers API, the document first
gets a tag of its own; then the index of the fallback tag is written with everything that has such a tag,
and read again: who writes last finds the tags of all who wrote before.
"""

from __future__ import annotations

import json
import random
import time
from dataclasses import dataclass
from typing import Final

from aibom.domain.errors import Reason, UnreadableError, malformed, over_limit
from aibom.domain.publication import Attached, Receipt, WriteState, Written
from aibom.domain.ref import PinnedRef
from aibom.readers.json import Json
from aibom.sources.oci_manifests import (
    EMPTY,
    EMPTY_CONFIG,
    INDEX,
    MANIFEST,
    MANIFEST_BYTES,
    Descriptor,
    Manifest,
    digest_of,
    parse,
)
from aibom.sources.oci_referrers import (
    DOCUMENT_BYTES,
    SUPERSEDES,
    TITLE,
    TYPES,
    Held,
    Referrers,
    fallback_tag,
    held,
    is_name,
    kind_of,
    own_tag,
    referrers,
)
from aibom.sources.oci_repository import Fetched, Repository

ATTEMPT_COUNT: Final = 5
PAUSE_SECONDS: Final = 0.2  # before the second attempt; grows with each


@dataclass(frozen=True, slots=True, kw_only=True)
class _Planned:
    """A document, where it is already, and the manifest that would hold it."""

    document: Attached
    digest: str  # of its bytes
    there: str | None  # digest of a manifest that holds the same document
    manifest: Fetched


def publish(
    repository: Repository, subject: Descriptor, documents: tuple[Attached, ...], *, dry_run: bool
) -> Receipt:
    """Writes what is not there. Raises malformed or limit for no document, else as `Registry` says."""
    _check(documents)
    if not dry_run:
        repository.may_write()
    found = referrers(repository, subject.digest)
    present = held(repository, subject.digest, found)
    written, unlisted = list[Written](), list[Fetched]()
    for document in documents:
        one = _plan(subject, document, present)
        state = WriteState.UNCHANGED if one.there else WriteState.PLANNED if dry_run else WriteState.WRITTEN
        if state is WriteState.WRITTEN and not _push(repository, subject, one) and not found.native:
            unlisted.append(one.manifest)
        written.append(_told(repository, one, state))
    notes: tuple[str, ...] = ()
    if not dry_run and (unlisted or found.lost):
        _list(repository, subject.digest, unlisted)
        notes = (f"listed under the tag {fallback_tag(subject.digest)}: the registry has no referrers API",)
    ref = PinnedRef(scheme="oci", location=repository.name.location, revision=subject.digest)
    return Receipt(subject=ref, written=tuple(written), notes=notes)


def _check(documents: tuple[Attached, ...]) -> None:
    names = [document.name for document in documents]
    for document in documents:
        if not is_name(document.name) or names.count(document.name) > 1:
            raise malformed(f"{document.name!r} is no name for one document")
        if len(document.data) > DOCUMENT_BYTES:
            raise over_limit(f"{document.name} has more than {DOCUMENT_BYTES:,} bytes")


def _plan(subject: Descriptor, document: Attached, present: tuple[Held, ...]) -> _Planned:
    digest = digest_of(document.data)
    named = [one for one in present if one.name == document.name and one.kind is document.kind]
    there = next((one.manifest for one in named if one.layer.digest == digest), None)
    older = tuple(sorted({one.manifest for one in named}))
    data = _manifest(subject, document, digest, older)
    manifest = Fetched(data=data, digest=digest_of(data), media_type=MANIFEST)
    return _Planned(document=document, digest=digest, there=there, manifest=manifest)


def _manifest(subject: Descriptor, document: Attached, digest: str, older: tuple[str, ...]) -> bytes:
    """The same bytes for the same document, hence no time: to publish again changes nothing."""
    title: dict[str, Json] = {TITLE: document.name}
    kind = document.media_type if kind_of(document.media_type) is document.kind else TYPES[document.kind]
    return _bytes(
        {
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "artifactType": kind,
            "config": _descriptor(EMPTY, digest_of(EMPTY_CONFIG), len(EMPTY_CONFIG)),
            "layers": [
                {**_descriptor(document.media_type, digest, len(document.data)), "annotations": title},
            ],
            "subject": _descriptor(subject.media_type, subject.digest, subject.size),
            "annotations": {**title, **({SUPERSEDES: " ".join(older)} if older else {})},
        }
    )


def _push(repository: Repository, subject: Descriptor, one: _Planned) -> bool:
    """Uploads a document; whether the registry lists it by itself. If not, it has a tag of its own."""
    repository.push_blob(one.document.data)
    repository.push_blob(EMPTY_CONFIG)
    manifest = one.manifest
    if repository.push_manifest(manifest.digest, manifest.data, MANIFEST):
        return True
    repository.push_manifest(own_tag(subject.digest, manifest.digest), manifest.data, MANIFEST)
    return False


def _told(repository: Repository, one: _Planned, state: WriteState) -> Written:
    return Written(
        name=one.document.name,
        place=f"oci://{repository.name.location}@{one.there or one.manifest.digest}",
        sha256=one.digest.partition(":")[2],
        state=state,
    )


def _list(repository: Repository, subject: str, written: list[Fetched]) -> None:
    """Brings the index of the fallback tag up to date. Raises changed when others are faster each time."""
    for attempt in range(ATTEMPT_COUNT + 1):
        found = referrers(repository, subject)
        listed = {one.digest for one in found.manifests}
        missing = {one.digest: one for one in (*written, *found.lost) if one.digest not in listed}
        if not missing:
            return
        if attempt < ATTEMPT_COUNT:
            # Others do the same at this moment: not all of them at once again.
            time.sleep(PAUSE_SECONDS * attempt * random.uniform(0.5, 1.0))  # noqa: S311 - no secret
            repository.push_manifest(fallback_tag(subject), _extended(found, missing), INDEX)
    raise UnreadableError(
        Reason.CHANGED, f"other publishers changed the list {ATTEMPT_COUNT} times meanwhile"
    )


def _extended(found: Referrers, missing: dict[str, Fetched]) -> bytes:
    """The index with what it lacks; what others wrote stays as it is."""
    document = dict(found.index.document) if found.index else {}
    listed = document.get("manifests")
    added: list[Json] = [_listed(missing[digest]) for digest in sorted(missing)]
    document |= {
        "schemaVersion": 2,
        "mediaType": INDEX,
        "manifests": [*(listed if isinstance(listed, list) else []), *added],
    }
    data = _bytes(document)
    if len(data) > MANIFEST_BYTES:
        raise over_limit(f"the list of referrers would have more than {MANIFEST_BYTES:,} bytes")
    return data


def _listed(fetched: Fetched) -> Json:
    """The descriptor of a manifest with its type and annotations, by which clients choose."""
    document = parse(fetched.data)
    told: dict[str, Json] = {}
    if isinstance(document, Manifest):
        told = {"artifactType": document.kind, "annotations": dict(document.annotations)}
    return {**_descriptor(MANIFEST, fetched.digest, len(fetched.data)), **told}


def _descriptor(media_type: str, digest: str, size: int) -> dict[str, Json]:
    return {"mediaType": media_type, "digest": digest, "size": size}


def _bytes(document: dict[str, Json]) -> bytes:
    return json.dumps(document, separators=(",", ":")).encode()
