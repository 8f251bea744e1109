"""One component of a CycloneDX document of any maker, as a component of ours with what it claims."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import lru_cache
from typing import Final, TypeAlias
from urllib.parse import unquote

from aibom.domain.component import (
    Claim,
    Component,
    ComponentKind,
    IdentityBasis,
    Origin,
    Relation,
    RelationKind,
)
from aibom.domain.facts import Attribute, Statement
from aibom.domain.limits import STRING_CHARS
from aibom.domain.ref import Ref, is_commit
from aibom.readers.json import Json, members

_KINDS: Final = {
    "machine-learning-model": ComponentKind.MODEL,
    "data": ComponentKind.DATASET,
    "library": ComponentKind.LIBRARY,
    "framework": ComponentKind.LIBRARY,
}
_OWN_KINDS: Final = {kind.value: kind for kind in ComponentKind}
_BASES: Final = {basis.value: basis for basis in IdentityBasis}
_CLAIM: Final = "aibom:claim:"
_ATTRIBUTES: Final = {attribute.value: attribute for attribute in Attribute}
_PURL: Final = re.compile(r"pkg:([a-z][a-z0-9.+-]*)/([^@?#]+)(?:@([^?#]+))?(?:\?([^#]*))?", re.ASCII)
_SCHEMES: Final = {"huggingface": "hf", "pypi": "pypi", "npm": "npm", "conda": "conda", "docker": "docker"}
_DATASET: Final = "repo_type=dataset"
_USERINFO: Final = re.compile(r"//[^/@]*@")
# Of the official taxonomy, and where that has no word, ours.
_HYPERPARAMETER: Final = "cdx:ai-ml:model:hyperparameter"
_NAMED: Final = {
    "quantization": Attribute.QUANTISATION,
    "tokenizer_class": Attribute.TOKENIZER_CLASS,
    "vocab_size": Attribute.VOCABULARY_SIZE,
}
_CO2_GRAMS: Final = "aibom:co2-grams"
_TONNES: Final = 1e12  # more is a mistake
_TAXONOMY: Final = {"cdx:ai-ml:model:language": Attribute.LANGUAGE}
_SHORT: Final = 128  # characters; longer texts are rarely said twice
_RELATED: Final = frozenset({"pedigree", "modelCard"})
_NONE: Final[dict[str, list[str]]] = {}

Properties: TypeAlias = Mapping[str, list[str]]
Stated: TypeAlias = Iterator[tuple[Attribute, str]]


def text(value: Json) -> str:
    """A text, cut at the limit of all facts; empty for everything else."""
    if not isinstance(value, str):
        return ""
    if not value.isascii():  # halves of characters, which no output could write, become visible
        value = value.encode("utf-8", "backslashreplace").decode()
    return value[:STRING_CHARS]


def entries(value: Json) -> list[dict[str, Json]]:
    """The mappings of a list; empty for everything else."""
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def properties(component: Mapping[str, Json]) -> Properties:
    """The values of each property by its name."""
    if "properties" not in component:
        return _NONE
    found: dict[str, list[str]] = {}
    for each in entries(component.get("properties")):
        found.setdefault(text(each.get("name")), []).append(text(each.get("value")))
    return found


def _first(own: Properties, name: str) -> str | None:
    values = own.get(name)
    return values[0] if values else None


def kind_of(component: Mapping[str, Json], own: Properties) -> ComponentKind:
    """What it is: by our own property, else by its type."""
    told = own.get("aibom:kind")
    if told and told[0] in _OWN_KINDS:
        return _OWN_KINDS[told[0]]
    return _KINDS.get(text(component.get("type")), ComponentKind.CODE)


def place(scheme: str, location: str, revision: str | None, subpath: str | None = None) -> Ref | None:
    """The reference; None for a place without a location, or with credentials."""
    if not scheme or not location or _USERINFO.search(location):
        return None
    return Ref(scheme=scheme, location=location, revision=revision or None, subpath=subpath)


def ref_of(purl: str) -> Ref | None:
    """The place that a package URL names; None when it is none that can be told."""
    found = _PURL.match(purl)
    if found is None:
        return None
    type_, name, version, qualifiers = found.groups()
    if qualifiers and qualifiers != _DATASET:
        # They may say that it comes from somewhere else than its name says: the whole counts.
        return place("purl", purl.removeprefix("pkg:"), None)
    location = unquote(name).strip("/")
    if not location:
        return None
    revision = unquote(version) if version else None
    scheme = _SCHEMES.get(type_, "purl")
    if scheme == "hf" and qualifiers:
        scheme = "hf-dataset"
    if type_ == "github":
        scheme, location = "git", f"https://github.com/{location}"
    if scheme == "purl":
        location = f"{type_}/{location}"
    return place(scheme, location, revision)


def component_of(
    component: Mapping[str, Json],
    own: Properties,
    identifier: str,
    pointer: str,
    files: tuple[str, ...],
) -> Component:
    """The component under an id, with its properties and the paths of its files."""
    purl = text(component.get("purl")) or None
    version = text(component.get("version")) or None
    # The property holds what a canonical package URL cannot: a branch.
    moving = _first(own, "aibom:revision:moving")
    ref = ref_of(purl) if purl else None
    if ref is not None and ref.revision is None and moving:
        ref = Ref(scheme=ref.scheme, location=ref.location, revision=moving)
    if ref is not None and ref.revision is None and is_commit(version):
        ref = Ref(scheme=ref.scheme, location=ref.location, revision=version)
    return Component(
        id=identifier,
        kind=kind_of(component, own),
        name=text(component.get("name")) or identifier,
        basis=_BASES.get(_first(own, "aibom:identity:basis") or "", IdentityBasis.DECLARED),
        version=version,
        ref=ref,
        files=files,
        claims=tuple(_claims(component, own)),
        relations=tuple(_relations(component)) if _RELATED & component.keys() else (),
        model_digest=_first(own, "aibom:model:digest"),
        stated_purl=purl,
        pointer=pointer,
    )


def _claims(component: Mapping[str, Json], own: Properties) -> Iterator[Claim]:
    for key, tell in _TELLERS.items():
        if key in component:
            for attribute, value in tell(component[key]):
                if value:
                    yield _claim(attribute, value)
    if "modelCard" in component:
        yield from _hyperparameters(members(component["modelCard"]))
    for name, values in own.items():
        known = _ATTRIBUTES.get(name.removeprefix(_CLAIM)) if name.startswith(_CLAIM) else _TAXONOMY.get(name)
        if known is not None:
            yield from (_claim(known, value) for value in values)


def _claim(attribute: Attribute, value: str) -> Claim:
    return _known(attribute, value) if len(value) <= _SHORT else _new(attribute, value)


def _new(attribute: Attribute, value: str) -> Claim:
    return Claim(statement=Statement(attribute=attribute, value=value), origin=Origin.CARD, source="bom")


_known: Final = lru_cache(maxsize=4_096)(_new)  # many components say the same


def _description(value: Json) -> Stated:
    yield Attribute.DESCRIPTION, text(value)


def _organisation(value: Json) -> Stated:
    yield Attribute.ORGANISATION, text(value) or text(members(value).get("name"))


def _author(value: Json) -> Stated:
    yield Attribute.AUTHOR, text(value)


def _authors(value: Json) -> Stated:
    for author in entries(value):
        yield Attribute.AUTHOR, text(author.get("name")) or text(author.get("email"))


def _licences(value: Json) -> Stated:
    for choice in entries(value):
        licence = members(choice.get("license"))
        yield Attribute.LICENCE, text(choice.get("expression")) or text(licence.get("id"))
        yield Attribute.LICENCE_NAME, text(licence.get("name"))
        yield Attribute.LICENCE_LINK, text(licence.get("url"))


def _addresses(value: Json) -> Stated:
    for reference in entries(value):
        if reference.get("type") in ("distribution", "vcs", "website", "model-card", "documentation"):
            yield Attribute.SOURCE_URL, text(reference.get("url"))


def _data(value: Json) -> Stated:
    for data in entries(value):
        yield Attribute.SOURCE_URL, text(members(data.get("contents")).get("url"))
        yield from _texts(Attribute.SENSITIVE_DATA, data.get("sensitiveData"))


def _card(value: Json) -> Stated:
    card = members(value)
    parameters = members(card.get("modelParameters"))
    yield Attribute.TASK, text(parameters.get("task"))
    yield Attribute.MODEL_TYPE, text(parameters.get("architectureFamily"))
    yield Attribute.ARCHITECTURE, text(parameters.get("modelArchitecture"))
    for dataset in entries(parameters.get("datasets")):
        yield Attribute.DATASET, text(dataset.get("name")) or text(dataset.get("ref"))
    for metric in entries(members(card.get("quantitativeAnalysis")).get("performanceMetrics")):
        yield Attribute.METRIC, text(metric.get("value")) or text(metric.get("type"))
    considerations = members(card.get("considerations"))
    yield from _texts(Attribute.INTENDED_USE, considerations.get("useCases"))
    yield from _texts(Attribute.LIMITATION, considerations.get("technicalLimitations"))
    yield from _energy(members(considerations.get("environmentalConsiderations")))
    for each in entries(card.get("properties")):
        prefix, _, name = text(each.get("name")).rpartition(":")
        if prefix.startswith(_HYPERPARAMETER) and name in _NAMED:
            yield _NAMED[name], text(each.get("value"))


def _hyperparameters(card: Mapping[str, Json]) -> Iterator[Claim]:
    """The other ones, each with its name."""
    for each in entries(card.get("properties")):
        prefix, _, name = text(each.get("name")).rpartition(":")
        if prefix.startswith(_HYPERPARAMETER) and name not in _NAMED:
            statement = Statement(
                attribute=Attribute.HYPERPARAMETER, value=text(each.get("value")), details=(("name", name),)
            )
            yield Claim(statement=statement, origin=Origin.CARD, source="bom")


def _energy(told: Mapping[str, Json]) -> Stated:
    for each in entries(told.get("properties")):
        if each.get("name") == _CO2_GRAMS:
            yield Attribute.CO2_GRAMS, text(each.get("value"))
    for each in entries(told.get("energyConsumptions")):
        tonnes = members(each.get("co2CostEquivalent")).get("value")
        if isinstance(tonnes, (int, float)) and 0 <= tonnes < _TONNES:
            yield Attribute.CO2_GRAMS, f"{tonnes * 1e6:g}"


def _texts(attribute: Attribute, told: Json) -> Stated:
    for each in told if isinstance(told, list) else ():
        yield attribute, text(each)


# In the order of trust: who made it comes before who passes it on.
_TELLERS: Final[Mapping[str, Callable[[Json], Stated]]] = {
    "description": _description,
    "manufacturer": _organisation,
    "supplier": _organisation,
    "publisher": _organisation,
    "author": _author,
    "authors": _authors,
    "licenses": _licences,
    "externalReferences": _addresses,
    "data": _data,
    "modelCard": _card,
}


def _relations(component: Mapping[str, Json]) -> Iterator[Relation]:
    for ancestor in entries(members(component.get("pedigree")).get("ancestors")):
        target = _ancestor(ancestor)
        if target is not None:
            detail = _first(properties(ancestor), "aibom:lineage:relation")
            yield Relation(kind=RelationKind.ANCESTOR, target=target, detail=detail, source="bom")
    parameters = members(members(component.get("modelCard")).get("modelParameters"))
    for dataset in entries(parameters.get("datasets")):
        ref = text(dataset.get("ref"))
        if ref:
            yield Relation(kind=RelationKind.TRAINED_ON, target_id=ref)


def _ancestor(ancestor: Mapping[str, Json]) -> Ref | None:
    """A branch stands in no package URL, but in the address of the page."""
    purl, name, version = (text(ancestor.get(key)) for key in ("purl", "name", "version"))
    target = ref_of(purl) if purl else None
    if target is None:
        return place("name", name, version)
    if target.revision is None:
        urls = (text(each.get("url")) for each in entries(ancestor.get("externalReferences")))
        trees = (unquote(url.partition("/tree/")[2]) for url in urls)
        return replace(target, revision=version or next(filter(None, trees), None))
    return target
