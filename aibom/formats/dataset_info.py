"""dataset_info.json and dataset_infos.json: what the datasets library knows about a data set.

Format: huggingface/datasets `info.DatasetInfo`; the plural maps configurations to such objects.
"""

from __future__ import annotations

import re
from itertools import islice

from aibom.domain.facts import Attribute, Column, Facts, FileKind
from aibom.domain.limits import COLUMN_COUNT
from aibom.domain.protocols import Format, Match, Probe
from aibom.domain.text import capped
from aibom.formats._document import (
    PROSE_CHARS,
    Collector,
    details,
    metadata,
    natural,
    parsed_object,
    place,
    plain,
    reserved,
)
from aibom.readers import json
from aibom.readers.json import Json

_SINGLE, _PLURAL = "dataset_info.json", "dataset_infos.json"
_SHA256 = re.compile(r"[0-9a-f]{64}\Z")


def recognise(probe: Probe) -> Match:
    """A JSON object under one of the names of the datasets library."""
    return reserved(probe, _SINGLE, _PLURAL)


def read(probe: Probe) -> Facts:
    """Columns, splits, source files and licence. Raises `UnreadableError`."""
    document = parsed_object(probe)
    found = Collector()
    infos = {"": document}
    if probe.name.lower() == _PLURAL:
        infos = {place(name): found.object(document, name) for name in document}
    for at, info in infos.items():
        _state(found, info, at)
    # Two configurations are two tables: their columns cannot be told as those of one.
    columns = [_columns(info) for info in infos.values()] if len(infos) == 1 else [()]
    return found.facts(
        FORMAT.name,
        FileKind.CARD,
        metadata=metadata(document, "builder_name", "download_size", "dataset_size"),
        columns=columns[0],
    )


def _state(found: Collector, info: dict[str, Json], at: str) -> None:
    config_name = info.get("config_name")
    found.one(Attribute.NAME, info, "dataset_name", at)
    found.one(Attribute.CONFIGURATION, info, "config_name", at)
    found.one(Attribute.LICENCE, info, "license", at)
    found.one(Attribute.DESCRIPTION, info, "description", at, limit=PROSE_CHARS)
    found.one(Attribute.CITATION, info, "citation", at, limit=PROSE_CHARS)
    found.one(Attribute.SOURCE_URL, info, "homepage", at)
    version = info.get("version")
    if isinstance(version, dict):
        found.one(Attribute.VERSION, version, "version_str", at + place("version"))
    else:
        found.one(Attribute.VERSION, info, "version", at)
    for name in found.object(info, "splits", at):
        split = json.members(json.members(info["splits"]).get(name))
        rows, size = natural(split.get("num_examples")), natural(split.get("num_bytes"))
        extra = details(configuration=config_name, rows=rows, bytes=size)
        found.add(Attribute.SPLIT, name, at + place("splits", name), extra)
    _state_sources(found, found.object(info, "download_checksums", at), at + place("download_checksums"))


def _state_sources(found: Collector, sources: dict[str, Json], at: str) -> None:
    """States what was downloaded to build the data set, with the digest from that time."""
    for url, value in sources.items():
        source, malformed = json.members(value), None
        checksum = plain(source.get("checksum"))
        if checksum and not _SHA256.match(checksum):
            found.reject(f"the checksum of {capped(url, 120)} is not a SHA-256 digest")
            malformed, checksum = f"sha256:{checksum[:128]}", None
        extra = details(sha256=checksum, malformed=malformed, size=natural(source.get("num_bytes")))
        found.add(Attribute.DATA_FILE, url, at + place(url), extra)


def _columns(info: dict[str, Json]) -> tuple[Column, ...]:
    features = json.members(info.get("features"))
    return tuple(
        Column(name=capped(name), type=capped(_type(feature), 256))
        for name, feature in islice(features.items(), COLUMN_COUNT)
    )


def _type(feature: Json) -> str:
    """The dtype of a plain value, else the class of the feature or what kind of nesting it is."""
    if not isinstance(feature, dict):
        return "list" if isinstance(feature, list) else "unknown"
    name = plain(feature.get("_type")) or "struct"
    return (plain(feature.get("dtype")) or name) if name == "Value" else name


FORMAT = Format(
    name="dataset-info",
    title="Dataset information of the datasets library",
    kind=FileKind.CARD,
    suffixes=(_SINGLE, _PLURAL),
    recognise=recognise,
    read=read,
    media_type="application/json",
)
