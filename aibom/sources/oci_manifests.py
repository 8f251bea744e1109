"""Manifests of OCI registries: what an artifact consists of, as its manifest says.

Formats: OCI image specification 1.1 (manifest, index, descriptor), and Docker's image manifest 2.2 with
its list, which differ in their media types only. A manifest is read after its digest was compared.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from aibom.domain.errors import malformed, over_limit, unsupported
from aibom.domain.limits import MIB
from aibom.readers import json
from aibom.sources.oci_names import is_digest

MANIFEST_BYTES: Final = 4 * MIB  # what registries have to accept (distribution specification 1.1)
LAYER_COUNT: Final = 10_000
ANNOTATION_COUNT: Final = 256  # of one descriptor or manifest

MANIFEST: Final = "application/vnd.oci.image.manifest.v1+json"
INDEX: Final = "application/vnd.oci.image.index.v1+json"
MEDIA_TYPES: Final = (
    MANIFEST,
    INDEX,
    "application/vnd.docker.distribution.manifest.v2+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
    "application/vnd.oci.artifact.manifest.v1+json",
)
EMPTY: Final = "application/vnd.oci.empty.v1+json"
EMPTY_CONFIG: Final = b"{}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Descriptor:
    """What a manifest says of one blob or manifest. Addresses of other hosts (`urls`) are not looked at."""

    media_type: str
    digest: str  # algorithm:hex
    size: int  # bytes, as claimed
    annotations: Mapping[str, str] = field(default_factory=dict)
    artifact_type: str = ""
    name: str = ""  # Ollama's path of a layer
    platform: str = ""

    @property
    def hex(self) -> str:
        return self.digest.partition(":")[2]


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """An artifact. `faults` are the parts that could not be read, as lower-case clauses."""

    config: Descriptor | None
    layers: tuple[Descriptor, ...]
    subject: Descriptor | None = None
    artifact_type: str = ""
    annotations: Mapping[str, str] = field(default_factory=dict)
    faults: tuple[str, ...] = ()

    @property
    def kind(self) -> str:
        """The type of the artifact; where none is stated, that of its configuration stands for it."""
        return self.artifact_type or (self.config.media_type if self.config else "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Index:
    """A list of manifests. `document` is the whole, with what this version knows nothing of."""

    manifests: tuple[Descriptor, ...]
    faults: tuple[str, ...] = ()
    document: dict[str, json.Json] = field(default_factory=dict, repr=False)


Document: TypeAlias = Manifest | Index


def digest_of(data: bytes, algorithm: str = "sha256") -> str:
    """The digest as registries write it."""
    return f"{algorithm}:{hashlib.new(algorithm, data).hexdigest()}"


def parse(data: bytes, content_type: str = "") -> Document:
    """The manifest or index. Raises malformed, limit, or unsupported (Docker's first schema)."""
    document = json.parse(data)
    if not isinstance(document, dict):
        raise malformed("the manifest is no JSON object")
    _check_type(document, content_type.partition(";")[0].strip())
    if "manifests" in document:
        found, faults = _descriptors(document["manifests"], "manifest")
        return Index(manifests=found, faults=faults, document=document)
    return _manifest(document)


def _check_type(document: dict[str, json.Json], content_type: str) -> None:
    """Bytes that are one thing to some clients and another thing to others are refused (CVE-2021-41190)."""
    stated = json.text(document.get("mediaType")) or ""
    known = content_type if content_type in MEDIA_TYPES else ""
    if stated and known and stated != known:
        raise malformed("the manifest states another media type than the registry")
    if "manifests" in document and ("layers" in document or "config" in document):
        raise malformed("the manifest is an index and an artifact at once")
    if "fsLayers" in document:
        raise unsupported("the manifest has Docker's first schema, which is not read")


def _manifest(document: dict[str, json.Json]) -> Manifest:
    layers, faults = _descriptors(document.get("layers", document.get("blobs")), "layer")
    config = _descriptor(document.get("config"))
    if config is None and document.get("config") is not None:
        faults = (*faults, "its configuration has no digest or size that is one")
    return Manifest(
        config=config,
        layers=layers,
        subject=_descriptor(document.get("subject")),
        artifact_type=json.text(document.get("artifactType")) or "",
        annotations=_annotations(document.get("annotations")),
        faults=faults,
    )


def _descriptors(value: json.Json, what: str) -> tuple[tuple[Descriptor, ...], tuple[str, ...]]:
    if not isinstance(value, list):
        raise malformed(f"the manifest has no list of {what}s")
    if len(value) > LAYER_COUNT:
        raise over_limit(f"{len(value):,} {what}s, at most {LAYER_COUNT:,} are read")
    found = [_descriptor(item) for item in value]
    faults = (f"{what} {at} has no digest or size that is one" for at, one in enumerate(found) if one is None)
    return tuple(one for one in found if one is not None), tuple(faults)


def _descriptor(value: json.Json) -> Descriptor | None:
    fields = json.members(value)
    digest, size = json.text(fields.get("digest")) or "", json.integer(fields.get("size"))
    if not is_digest(digest) or size is None or size < 0:
        return None
    platform = json.members(fields.get("platform"))
    parts = (json.text(platform.get(key)) for key in ("os", "architecture", "variant"))
    return Descriptor(
        media_type=json.text(fields.get("mediaType")) or "",
        digest=digest,
        size=size,
        annotations=_annotations(fields.get("annotations")),
        artifact_type=json.text(fields.get("artifactType")) or "",
        name=json.text(fields.get("name")) or "",
        platform="-".join(part for part in parts if part),
    )


def _annotations(value: json.Json) -> dict[str, str]:
    pairs = list(json.members(value).items())[:ANNOTATION_COUNT]
    return {key: text for key, text in pairs if isinstance(text, str)}
