"""Croissant: a data set described as JSON-LD, with its files, their digests and their fields.

Format: mlcommons/croissant, specification 1.0 and 1.1, and the RAI vocabulary 1.0. Read as plain
JSON in the spelling of the specification: contexts are not expanded and nothing is fetched.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from aibom.domain.digest import HEX_CHARS
from aibom.domain.errors import Reason
from aibom.domain.facts import Attribute, Column, Facts, FileKind
from aibom.domain.limits import COLUMN_COUNT
from aibom.domain.protocols import Format, Match, Probe
from aibom.domain.text import capped
from aibom.formats._document import (
    PROSE_CHARS,
    Collector,
    details,
    metadata,
    opens_with,
    parsed_object,
    place,
    plain,
)
from aibom.readers import json
from aibom.readers.json import Json

_CONFORMS = re.compile(r"https?://mlcommons\.org/croissant/([0-9.]{1,16})\Z")
_CONTEXT = re.compile(rb"https?://mlcommons\.org/croissant/")
_BYTES = re.compile(r"([0-9]{1,18}) *B?\Z")
_HEX = re.compile(r"[0-9a-fA-F]+\Z")

_ONE = (
    ("name", Attribute.NAME),
    ("version", Attribute.VERSION),
    ("url", Attribute.SOURCE_URL),
    ("datePublished", Attribute.CREATED),
)
_EACH = (("keywords", Attribute.TAG), ("inLanguage", Attribute.LANGUAGE))
_PROSE = (
    ("description", Attribute.DESCRIPTION),
    ("citeAs", Attribute.CITATION),
    ("citation", Attribute.CITATION),
    ("rai:dataUseCases", Attribute.INTENDED_USE),
    ("rai:dataLimitations", Attribute.LIMITATION),
    ("rai:dataBiases", Attribute.LIMITATION),
    ("rai:personalSensitiveInformation", Attribute.SENSITIVE_DATA),
)
# What else the RAI vocabulary and the core say, kept as free text.
_FREE = (
    "isLiveDataset", "sdVersion", "dateCreated", "dateModified", "rai:dataCollection",
    "rai:dataCollectionType", "rai:dataCollectionTimeframe", "rai:dataCollectionRawData",
    "rai:dataCollectionMissingData", "rai:dataPreprocessingProtocol", "rai:dataImputationProtocol",
    "rai:dataManipulationProtocol", "rai:dataAnnotationProtocol", "rai:dataAnnotationPlatform",
    "rai:dataAnnotationAnalysis", "rai:annotationsPerItem", "rai:annotatorDemographics",
    "rai:machineAnnotationTools", "rai:dataSocialImpact", "rai:dataReleaseMaintenancePlan",
)  # fmt: skip


def recognise(probe: Probe) -> Match:
    """A JSON object whose beginning names the vocabulary."""
    if not probe.named(".json", ".jsonld") or not opens_with(probe, b"{"):
        return Match.NO
    if _CONTEXT.search(probe.head) and b"@context" in probe.head:
        return Match.CONTENT
    return Match.NAME if probe.named("croissant.json", "croissant.jsonld") else Match.NO


def read(probe: Probe) -> Facts:
    """Statements, files with their claimed digests, and fields. Raises `UnreadableError`."""
    document = parsed_object(probe)
    found = Collector()
    for key, attribute in _ONE:
        found.one(attribute, document, key)
    for key, attribute in _EACH:
        found.each(attribute, document, key)
    for key, attribute in _PROSE:
        for at, text in found.texts(document, key):
            found.add(attribute, capped(text, PROSE_CHARS), at, details(field=key))
    _state_named(found, document, "license", Attribute.LICENCE)
    _state_named(found, document, "prov:wasDerivedFrom", Attribute.DATASET)
    _state_makers(found, document)
    for at, resource in found.objects(document, "distribution"):
        _state_resource(found, resource, at)
    columns = tuple(_columns(found, document))
    if len(columns) == COLUMN_COUNT:
        found.reject(f"{COLUMN_COUNT} fields are told, there may be more", Reason.LIMIT)
    return found.facts(
        FORMAT.name,
        FileKind.CARD,
        version=_version(document),
        metadata=metadata(document, *_FREE),
        columns=columns,
    )


def _version(document: dict[str, Json]) -> str | None:
    """The version of the specification; a card can conform to the RAI vocabulary as well."""
    claims = (_CONFORMS.match(claim) for claim in json.strings(document.get("conformsTo")))
    return next((claim[1] for claim in claims if claim), None)


def _state_named(found: Collector, document: dict[str, Json], key: str, attribute: Attribute) -> None:
    """States a text, or the address or name of an object, or each of a list of them."""
    value = document.get(key)
    relation = (("relation", "source"),) if attribute is Attribute.DATASET else ()
    for index, item in enumerate(value if isinstance(value, list) else [value]):
        at = place(key, index) if isinstance(value, list) else place(key)
        node = json.members(item)
        text = plain(item) or next((t for k in ("@id", "url", "name") if (t := plain(node.get(k)))), None)
        if text:
            found.add(attribute, text, at, relation)
        elif item is not None:
            found.mistyped(at, item, "a text or a named object")


def _state_makers(found: Collector, document: dict[str, Json]) -> None:
    value = document.get("creator")
    if isinstance(value, str):
        found.one(Attribute.AUTHOR, document, "creator")
        return
    for at, maker in found.objects(document, "creator"):
        kinds = json.strings(maker.get("@type"))
        is_organisation = any(kind.endswith("Organization") for kind in kinds)
        attribute = Attribute.ORGANISATION if is_organisation else Attribute.AUTHOR
        found.one(attribute, maker, "name", at)


def _state_resource(found: Collector, resource: dict[str, Json], at: str) -> None:
    """States a FileObject by its address, or a FileSet by its pattern."""
    keys = ("contentUrl", "includes", "name", "@id")
    key = next((k for k in keys if resource.get(k) is not None), "@id")
    size = plain(resource.get("contentSize")) or ""
    exact = _BYTES.match(size)
    extra = details(
        sha256=_digest(found, resource, "sha256", at),
        md5=_digest(found, resource, "md5", at),
        size=exact[1] if exact else None,
        content_size=None if exact else size,
        encoding_format=resource.get("encodingFormat"),
        contained_in=_container(resource.get("containedIn")),
        malformed=_malformed(resource),
    )
    found.each(Attribute.DATA_FILE, resource, key, at, extra)


def _digest(found: Collector, resource: dict[str, Json], algorithm: str, at: str) -> str | None:
    """The digest in lower case; examples of the specification itself have 32 and 40 characters."""
    value = plain(resource.get(algorithm))
    if not value:
        return None
    if not _HEX.match(value) or len(value) != HEX_CHARS[algorithm]:
        found.reject(
            f"{at}/{algorithm} has {len(value)} characters, "
            f"{HEX_CHARS[algorithm]} hexadecimal ones are expected"
        )
        return None
    return value.lower()


def _malformed(resource: dict[str, Json]) -> str | None:
    """The first digest that is none, so that whoever compares digests can tell it."""
    for algorithm in ("sha256", "md5"):
        value = plain(resource.get(algorithm))
        if value and (not _HEX.match(value) or len(value) != HEX_CHARS[algorithm]):
            return f"{algorithm}:{value[:128]}"
    return None


def _container(value: Json) -> str | None:
    """The resource that holds this one: an archive, or a set of them."""
    first = value[0] if isinstance(value, list) and value else value
    return plain(first) or plain(json.members(first).get("@id"))


def _columns(found: Collector, document: dict[str, Json]) -> Iterator[Column]:
    told = 0
    for at, record_set in found.objects(document, "recordSet"):
        for _, field in found.objects(record_set, "field", at):
            name = plain(field.get("@id")) or plain(field.get("name"))
            if name and told < COLUMN_COUNT:
                told += 1
                kinds = ", ".join(json.strings(field.get("dataType"))) or "unknown"
                yield Column(name=capped(name), type=capped(kinds, 256))


FORMAT = Format(
    name="croissant",
    title="Croissant dataset description",
    kind=FileKind.CARD,
    suffixes=(".json", ".jsonld"),
    recognise=recognise,
    read=read,
    media_type="application/ld+json",
)
