"""One file, as a component nested in the model or dataset that it belongs to."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from aibom.domain.digest import Grade
from aibom.domain.facts import FileKind
from aibom.domain.file import File
from aibom.domain.reference import Reference
from aibom.outputs.cdx.occurrences import occurrences
from aibom.outputs.cdx.refs import file_ref
from aibom.outputs.cdx.text import Json, prop, shown

ALGORITHMS: Final = {
    "md5": "MD5",
    "sha1": "SHA-1",
    "sha256": "SHA-256",
    "sha384": "SHA-384",
    "sha512": "SHA-512",
    "blake2b": "BLAKE2b-512",
    "blake3": "BLAKE3",
}

_MIME = re.compile(r"[-+a-z0-9.]+/[-+a-z0-9.]+\Z")
_DATASET: Final[list[Json]] = [{"type": "dataset"}]  # shared: there may be a hundred thousand


def file_component(
    file: File,
    checks: Sequence[Json] = (),
    uses: Sequence[Reference] = (),
    evidence: Sequence[Json] = (),
) -> Json:
    """The file. `hashes` holds what we computed; every other digest is a property with its grade.

    `uses` are the lines of code and configuration that name the file, `evidence` references to sidecars.
    """
    is_data = file.facts is not None and file.facts.kind is FileKind.DATA
    component: Json = {"type": "data" if is_data else "file"}
    media_type = file.entry.media_type
    if media_type is not None and _MIME.match(media_type.lower()):
        component["mime-type"] = media_type.lower()
    component["bom-ref"] = file_ref(file.path)
    component["name"] = shown(file.path)
    hashes, properties = _digests(file)
    if hashes:
        component["hashes"] = hashes
    if evidence:
        component["externalReferences"] = list(evidence)
    if uses:
        component["evidence"] = {"occurrences": occurrences(uses)}
    if is_data:
        component["data"] = _DATASET
    component["properties"] = [*_properties(file), *properties, *checks]
    return component


def _properties(file: File) -> list[Json]:
    properties = [prop("aibom:file:size", str(file.entry.size))]
    if file.entry.header_only:
        properties.append(prop("aibom:file:header-only", "true"))
    if file.facts is not None:
        properties.append(prop("aibom:file:format", shown(file.facts.format)))
        properties.append(prop("aibom:file:kind", file.facts.kind.value))
        properties += [prop("aibom:file:capability", c.value) for c in sorted(file.facts.capabilities)]
    if file.promised is not None:
        properties.append(prop("aibom:file:promised-format", shown(file.promised)))
    if file.unindexed is not None:
        properties.append(prop("aibom:file:unindexed-bytes", str(file.unindexed.bytes)))
        properties.append(prop("aibom:file:unindexed-sha256", file.unindexed.sha256))
    return properties


def _digests(file: File) -> tuple[list[Json], list[Json]]:
    """The `hashes`, and the properties of all other digests."""
    hashes: list[Json] = []
    properties: list[Json] = []
    for digest in dict.fromkeys(file.digests + file.entry.claimed) if file.entry.claimed else file.digests:
        name = ALGORITHMS.get(digest.algorithm)
        if name is None or digest.grade is not Grade.COMPUTED:
            properties.append(prop(f"aibom:digest:{digest.grade.label}:{digest.algorithm}", digest.value))
            continue
        hashes.append({"alg": name, "content": digest.value})
        if digest.cached:
            # From an earlier run over a file with the same identity, not read again in this one.
            properties.append(prop("aibom:digest:cached", digest.algorithm))
    return hashes, properties
