"""A CycloneDX document of any maker, as the inventory that a scan would have found.

What the document says is taken as said: its digests are claims, and so are the verdicts that it
records. What it does not say stays unknown.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from aibom.domain.check import Check, CheckKind, Outcome
from aibom.domain.component import Component, Relation
from aibom.domain.content import Content, ContentVerdict
from aibom.domain.digest import HEX_CHARS, Digest, Grade
from aibom.domain.entry import Entry
from aibom.domain.errors import Reason, malformed, over_limit, unsupported
from aibom.domain.evidence import DatasetRows, Evidence
from aibom.domain.facts import Facts, FileKind
from aibom.domain.file import File
from aibom.domain.gap import Gap, Stage
from aibom.domain.ref import Ref, ref_at
from aibom.domain.reference import Reference
from aibom.domain.target import Target
from aibom.domain.vulnerability import Vulnerability
from aibom.inventory.bom_component import Properties, component_of, entries, properties, ref_of, text
from aibom.inventory.bom_reference import references_to, target_of
from aibom.inventory.bom_rows import StatedRows, tensor_evidence
from aibom.inventory.vulnerabilities import vulnerabilities
from aibom.readers import json
from aibom.readers.json import Json
from aibom.readers.json_elements import parse_around

BOM_VALUE_COUNT: Final = 20_000_000
BOM_COMPONENT_COUNT: Final = 1_000_000
BOM_DEPTH: Final = 32  # components in components
VERSIONS: Final = ("1.4", "1.5", "1.6", "1.7")
_ALGORITHMS: Final = {
    "MD5": "md5", "SHA-1": "sha1", "SHA-256": "sha256", "SHA-384": "sha384", "SHA-512": "sha512",
    "BLAKE2b-512": "blake2b", "BLAKE3": "blake3",
}  # fmt: skip
_VERDICTS: Final = {verdict.label: verdict for verdict in ContentVerdict}
_OUTCOMES: Final = {outcome.value: outcome for outcome in Outcome}
_CHECKS: Final = {f"aibom:check:{kind}": kind for kind in CheckKind}
_FILE_KINDS: Final = {kind.value: kind for kind in FileKind}
# What the description of the document itself may be, besides the application that was scanned.
_ARTEFACTS: Final = ("machine-learning-model", "data")
_UNSAFE: Final = re.compile(r"\0|//|(?:^|/)\.{0,2}(?:/|\Z)")
_SIZE: Final = re.compile(r"[0-9]{1,13}\Z")  # bytes; so few digits that no sum of them is too large
_DETAIL: Final = "the bill of materials states no digest of it"
_ELSEWHERE: Final = "what it consists of stands in another bill of materials, which was not read"
_GRADED: Final = re.compile(r"aibom:digest:(claimed|chained|computed):([a-z0-9-]+)\Z")


@dataclass(slots=True)
class Listed:
    """What a document lists."""

    components: list[Component] = field(default_factory=list)
    files: list[File] = field(default_factory=list)
    references: list[Reference] = field(default_factory=list)
    checks: list[Check] = field(default_factory=list)
    contents: list[Content] = field(default_factory=list)
    gaps: list[Gap] = field(default_factory=list)  # files without a digest, and what is told elsewhere
    elsewhere: int = 0  # components of which another document tells what they consist of
    targets: tuple[Target, ...] = ()  # of the scan, when the document is ours
    addresses: tuple[str, ...] = ()  # where those are, of remote ones
    requested: str = ""  # the revision that was asked for, before it was pinned
    tool: tuple[str, str] = ("", "")  # name and version of what wrote it
    rows: tuple[DatasetRows, ...] = ()  # of datasets, and the sidecars that the document names
    evidence: list[Evidence] = field(default_factory=list)
    timestamp: str | None = None
    serial: str | None = None
    version: int = 1  # of the document
    product: str | None = None  # package URL of what the document is about
    product_ref: str | None = None
    vulnerabilities: tuple[Vulnerability, ...] = ()
    spec_version: str = ""


def read_bom(data: bytes) -> Listed:
    """What the document lists, in its order.

    Raises `UnreadableError`: malformed (no JSON, two components with one bom-ref, a digest that is none),
    unsupported (no CycloneDX 1.4 to 1.7 in JSON), limit (values, components, depth).
    """
    listed = Listed()
    reader = _Reader(listed)
    document = parse_around(data, "components", reader.take, values=BOM_VALUE_COUNT)
    _check(document)
    metadata = json.members(document.get("metadata"))
    main = json.members(metadata.get("component"))
    reader.take_main(main)
    for service in entries(document.get("services")):
        reader.take_service(service)
    listed.targets = _targets(main)
    listed.requested = properties(main).get("aibom:target:requested", [""])[0]
    listed.addresses = tuple(properties(main).get("aibom:target:address", ()))
    listed.tool = _tool(metadata.get("tools"))
    listed.timestamp = text(metadata.get("timestamp")) or None
    listed.serial = text(document.get("serialNumber")) or None
    listed.version = json.integer(document.get("version")) or 1
    listed.product, listed.product_ref = text(main.get("purl")) or None, text(main.get("bom-ref")) or None
    listed.vulnerabilities = tuple(vulnerabilities(document))
    listed.spec_version = text(document.get("specVersion"))
    incomplete = _incomplete(document)
    listed.rows, sidecars = reader.rows.finish()
    listed.evidence += sidecars
    listed.components = [reader.finished(component, incomplete) for component in listed.components]
    return listed


def _targets(main: Mapping[str, Json]) -> tuple[Target, ...]:
    """The places that were scanned, by our own properties: what is told of a place follows its name."""
    found: list[Target] = []
    for each in entries(main.get("properties")):
        name, value = text(each.get("name")), text(each.get("value"))
        if name == "aibom:target":
            found.append(Target(name=value, is_local=True))
        elif name == "aibom:target:address" and found:
            found[-1] = Target(name=found[-1].name, ref=ref_at(value))
    purl = text(main.get("purl"))
    if purl and len(found) == 1:
        found = [replace(found[0], ref=ref_of(purl))]
    return tuple(found)


def _check(document: Mapping[str, Json]) -> None:
    if "components" in document:
        raise malformed("/components: a list is expected")
    if "spdxVersion" in document or "@graph" in document:
        raise unsupported("this is an SPDX document; CycloneDX 1.4 to 1.7 in JSON is read here")
    if document.get("bomFormat") != "CycloneDX":
        raise unsupported("not a CycloneDX document: bomFormat is not CycloneDX")
    if document.get("specVersion") not in VERSIONS:
        version = text(document.get("specVersion")) or "?"
        raise unsupported(f"CycloneDX {version}: read are {', '.join(VERSIONS)}")


def _tool(tools: Json) -> tuple[str, str]:
    """Before 1.5 a list, since then a mapping with components."""
    listed = entries(tools) or entries(json.members(tools).get("components"))
    return (text(listed[0].get("name")), text(listed[0].get("version"))) if listed else ("", "")


def _incomplete(document: Mapping[str, Json]) -> frozenset[str]:
    """The bom-refs of assemblies that the document calls anything but complete."""
    found: set[str] = set()
    for composition in entries(document.get("compositions")):
        if composition.get("aggregate") != "complete":
            assemblies = composition.get("assemblies")
            found.update(map(text, assemblies if isinstance(assemblies, list) else ()))
    return frozenset(found)


class _Reader:
    """Walks the components once. A file belongs to the component that it is nested in."""

    def __init__(self, listed: Listed) -> None:
        self.listed = listed
        self.rows = StatedRows()
        self._position = 0
        self._refs: set[str] = set()
        self._paths: dict[str, int] = {}  # and how often each was asked for
        self._outside: dict[str, Ref] = {}  # by bom-ref
        self._count = 0

    def take(self, component: Json) -> None:
        """The next component of the document itself."""
        self._one(component, f"/components/{self._position}", 0)
        self._position += 1

    def take_main(self, component: dict[str, Json]) -> None:
        """What the document is about: a component like any other when it is a model or a dataset."""
        pointer = "/metadata/component"
        if component.get("type") in _ARTEFACTS and text(component.get("bom-ref")) not in self._refs:
            self._one(component, pointer, 0)
        else:
            self._nested(component.get("components"), f"{pointer}/components", 1)

    def take_service(self, service: Mapping[str, Json]) -> None:
        """A service: the places that refer to it count, and it is no part of the inventory."""
        self._used(service, properties(service))

    def _nested(self, components: Json, pointer: str, depth: int) -> list[str]:
        """The paths of the files among nested components; the others are noted."""
        if depth > BOM_DEPTH:
            raise over_limit(f"components nested deeper than {BOM_DEPTH} levels")
        if not isinstance(components, list):
            return []
        paths: list[str] = []
        for number, component in enumerate(components):
            paths += self._one(component, f"{pointer}/{number}", depth)
        return paths

    def _one(self, component: Json, pointer: str, depth: int) -> list[str]:
        if not isinstance(component, dict):
            raise malformed(f"{pointer}: a component is an object")
        self._count += 1
        if self._count > BOM_COMPONENT_COUNT:
            raise over_limit(f"more than {BOM_COMPONENT_COUNT:,} components")
        identifier = self._identifier(component, pointer)
        own = properties(component)
        inner = (
            self._nested(component["components"], f"{pointer}/components", depth + 1)
            if "components" in component
            else []
        )
        if own:
            self._used(component, own)
            if "aibom:external" in own:
                return inner
        if component.get("type") == "file" or "aibom:file:size" in own:
            return [*inner, self._file(component, own, pointer)]
        if component.get("hashes"):
            inner.append(self._file(component, own, pointer))
        found = component_of(component, own, identifier, pointer, tuple(sorted(inner)))
        if "externalReferences" in component:
            found = self._whole(found, component)
        self.listed.components.append(found)
        if own:
            self._checked(identifier, own)
            self.rows.take(own)
        return []

    def _identifier(self, component: Mapping[str, Json], pointer: str) -> str:
        identifier = text(component.get("bom-ref")) or pointer
        if identifier in self._refs:
            raise malformed(f"{pointer}: bom-ref {identifier[:80]!r} stands for two components")
        self._refs.add(identifier)
        return identifier

    def _whole(self, found: Component, component: Mapping[str, Json]) -> Component:
        """The component; not complete when another document tells what it consists of."""
        references = entries(component["externalReferences"])
        if all(each.get("type") != "bom" for each in references):
            return found
        self.listed.elsewhere += 1
        self._gap(self._path(found.name), Reason.OUTSIDE_TARGET, _ELSEWHERE)
        return replace(found, complete=False)

    def _file(self, component: Mapping[str, Json], own: Properties, pointer: str) -> str:
        """A file, or the bytes of a component that has digests of its own."""
        path = self._path(text(component.get("name")))
        digests = tuple(_digests(component, own, pointer))
        if digests:
            size = own.get("aibom:file:size", ["0"])[0]
            entry = Entry(path=path, size=int(size) if _SIZE.match(size) else 0)
            self.listed.files.append(File(entry=entry, digests=digests, facts=_facts(own, component)))
        else:
            self._gap(path, Reason.MISSING, _DETAIL)
        self._checked(path, own)
        self.rows.take_file(path, own)
        if "externalReferences" in component:
            self.listed.evidence += tensor_evidence(path, component)
        verdict = own.get("aibom:content:verdict", [""])[0]
        if verdict in _VERDICTS:
            self.listed.contents.append(Content(path=path, verdict=_VERDICTS[verdict]))
        return path

    def _gap(self, path: str, reason: Reason, detail: str) -> None:
        self.listed.gaps.append(Gap(path=path, stage=Stage.DIGEST, reason=reason, detail=detail))

    def finished(self, component: Component, incomplete: frozenset[str]) -> Component:
        """The component by what stands behind the components: which are complete, what is outside."""
        if component.id in incomplete:
            component = replace(component, complete=False)
        if any(each.target_id in self._outside for each in component.relations):
            component = replace(component, relations=tuple(map(self._turned, component.relations)))
        return component

    def _turned(self, relation: Relation) -> Relation:
        outside = self._outside.get(relation.target_id or "")
        return relation if outside is None else replace(relation, target_id=None, target=outside)

    def _path(self, name: str) -> str:
        """A name that stays inside and is nobody else's."""
        path = name
        if _UNSAFE.search(name) or not name:
            parts = [part for part in name.replace("\0", "").split("/") if part not in ("", ".", "..")]
            path = "/".join(parts) or "unnamed"
        candidate, number = path, self._paths.get(path, 0)
        while candidate in self._paths:
            number += 1
            candidate = f"{path}#{number + 1}"
        self._paths[path] = number
        self._paths.setdefault(candidate, 0)
        return candidate

    def _checked(self, subject: str, own: Properties) -> None:
        if not own:
            return
        for name, kind in _CHECKS.items():
            for value in own.get(name, ()):
                outcome, _, identity = value.partition("|")
                if outcome in _OUTCOMES and (identity or outcome != Outcome.VERIFIED):
                    self.listed.checks.append(
                        Check(subject=subject, kind=kind, outcome=_OUTCOMES[outcome], identity=identity,
                              detail="recorded in the bill of materials")
                    )  # fmt: skip

    def _used(self, component: Mapping[str, Json], own: Properties) -> None:
        """What code of the target refers to, where our own documents say so."""
        if "aibom:external" in own:
            target = target_of(component)
            if target is not None:
                self._outside[text(component.get("bom-ref"))] = target
        elif "evidence" not in component and "aibom:occurrence" not in own:
            return
        else:
            target = target_of(component)
        if "aibom:kind" in own or "aibom:file:size" in own:
            self.listed.references += references_to(component, own, target)


def _facts(own: Properties, component: Mapping[str, Json]) -> Facts | None:
    format_ = own.get("aibom:file:format", [""])[0]
    if not format_:
        return None
    told = own.get("aibom:file:kind", [""])[0]
    is_data = component.get("type") == "data"
    return Facts(format=format_, kind=_FILE_KINDS.get(told, FileKind.DATA if is_data else FileKind.WEIGHTS))


def _digests(component: Mapping[str, Json], own: Properties, pointer: str) -> Iterator[Digest]:
    """Claims, every one of them: whoever wrote the document may have read the bytes, and we have not."""
    for number, each in enumerate(entries(component.get("hashes"))):
        algorithm = _ALGORITHMS.get(text(each.get("alg")))
        if algorithm is not None:
            yield _digest(algorithm, text(each.get("content")), f"{pointer}/hashes/{number}")
    for name, values in own.items():
        graded = _GRADED.match(name)
        if graded is not None and graded[2] in HEX_CHARS:
            for value in values:
                yield _digest(graded[2], value, pointer)


def _digest(algorithm: str, value: str, pointer: str) -> Digest:
    try:
        return Digest(algorithm=algorithm, value=value.lower(), grade=Grade.CLAIMED)
    except ValueError:
        length = HEX_CHARS[algorithm]
        raise malformed(
            f"{pointer}: not a {algorithm} digest, which has {length} hexadecimal digits"
        ) from None
