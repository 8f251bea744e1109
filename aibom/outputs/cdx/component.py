"""One component of the report: a model, adapter, dataset, tokenizer, code or library."""

from __future__ import annotations

import re
from typing import Final

from aibom.domain.component import Component, ComponentKind
from aibom.domain.facts import Attribute
from aibom.outputs import purl as package_url
from aibom.outputs.cdx import refs
from aibom.outputs.cdx.dataset import component_data
from aibom.outputs.cdx.declarations import signatures
from aibom.outputs.cdx.evidence import evidence
from aibom.outputs.cdx.index import TYPES, Index
from aibom.outputs.cdx.ledger import Ledger, sources
from aibom.outputs.cdx.licences import licences
from aibom.outputs.cdx.model_card import model_card
from aibom.outputs.cdx.occurrences import places
from aibom.outputs.cdx.pedigree import pedigree
from aibom.outputs.cdx.text import Json, present, prop, shown, title, url
from aibom.outputs.taxonomy import PREFIX

_WITH_CARD: Final = frozenset({ComponentKind.MODEL, ComponentKind.ADAPTER})
# A service is told with these only.
_OF_SERVICE: Final = frozenset(
    {"bom-ref", "name", "version", "description", "licenses", "externalReferences", "tags"}
)

_LANGUAGE = re.compile(r"[a-z]{2}\Z")  # ISO 639-1


def component(subject: Component, index: Index) -> tuple[Json, Ledger]:
    """The component, its keys in the order of the schema, and which claim stands where in it.

    Nested files are `File` values: the document turns each into its object while it is written.
    """
    built, ledger, properties = _built(subject, index)
    return built | {"properties": properties}, ledger


def _built(subject: Component, index: Index) -> tuple[Json, Ledger, list[Json]]:
    ledger = Ledger(subject)
    is_service = subject.kind is ComponentKind.SERVICE
    built = present(
        type=TYPES[subject.kind],
        bom_ref=refs.component_ref(subject.id),
        **({} if is_service else _makers(ledger)),
        name=_same(title(subject.name), Attribute.NAME, "/name", ledger),
        version=_version(subject, ledger),
        description=ledger.single(Attribute.DESCRIPTION, "/description"),
        licenses=licences(ledger),
        purl=refs.purl(subject.ref),
        pedigree=pedigree(subject, index, ledger),
        externalReferences=_references(subject, index, ledger),
        components=index.owned.get(subject.id),
        evidence=evidence(subject, index),
        modelCard=model_card(subject, ledger, index) if subject.kind in _WITH_CARD else None,
        data=_data(subject, ledger),
        tags=ledger.texts(Attribute.TAG, "/tags"),
    )
    properties = _properties(subject, index, ledger)
    ledger.leftovers(properties)
    return built, ledger, properties


def service(subject: Component, index: Index) -> tuple[Json, Ledger]:
    """The same for a service, which has no evidence: the places that refer to it are properties."""
    built, ledger, properties = _built(subject, index)
    told = {key: value for key, value in built.items() if key in _OF_SERVICE}
    uses = index.uses.get(refs.component_ref(subject.id), [])
    # At the end, so that the cited positions stay.
    return told | {"properties": [*properties, *places(uses)]}, ledger


def _makers(ledger: Ledger) -> Json:
    return present(
        manufacturer=present(name=ledger.single(Attribute.ORGANISATION, "/manufacturer/name")),
        authors=ledger.each(Attribute.AUTHOR, "/authors", lambda claim: {"name": shown(claim.value)}),
    )


def _data(subject: Component, ledger: Ledger) -> list[Json]:
    is_dataset = subject.kind is ComponentKind.DATASET
    sensitive = ledger.texts(Attribute.SENSITIVE_DATA, "/data/0/sensitiveData") if is_dataset else []
    return component_data(subject.kind, subject.name, subject.ref, sensitive)


def _version(subject: Component, ledger: Ledger) -> str | None:
    version = refs.version(subject.version, subject.ref)
    return _same(version, Attribute.VERSION, "/version", ledger) if version else None


def _same(value: str, attribute: Attribute, pointer: str, ledger: Ledger) -> str:
    """The value that inventory chose, cited to every claim that says the same."""
    for claim in ledger.take(attribute):
        if shown(claim.value) == value:
            ledger.cite(pointer, claim)
        else:
            ledger.keep(claim)
    return value


def _references(subject: Component, index: Index, ledger: Ledger) -> list[Json]:
    """Where the component is on the web, by its reference and by what it says itself."""
    found = [*refs.external_references(subject.ref, subject.kind), *signatures(subject.id, index)]
    found += index.evidence.get(subject.id, [])
    indexes = {entry["url"]: number for number, entry in enumerate(found)}
    for claim in ledger.take(Attribute.SOURCE_URL):
        address = url(claim.value)
        if address is None:
            ledger.keep(claim)
            continue
        if address not in indexes:
            indexes[address] = len(found)
            found.append({"url": address, "type": "distribution"})
        ledger.cite(f"/externalReferences/{indexes[address]}", claim)
    return found


def _properties(subject: Component, index: Index, ledger: Ledger) -> list[Json]:
    unindexed = sum(f.unindexed.bytes for f in index.owned.get(subject.id, ()) if f.unindexed)
    moving = [v for v in (subject.version, subject.ref.revision if subject.ref else None) if v]
    values = (
        ("identity:basis", subject.basis.value),
        ("kind", subject.kind.value),
        ("model:digest", subject.model_digest),
        ("model:digest:anonymous", subject.model_digest_anonymous),
        ("model:digest:absent", subject.model_digest_absent),
        ("model:tensor-count", str(subject.tensor_count) if subject.tensor_count else None),
        ("model:parameter-count", _decimal(subject.parameter_count)),
        ("model:unindexed-bytes", str(unindexed) if unindexed else None),
        ("tensor:dtypes", ",".join(subject.dtypes) or None),
        ("revision:moving", next((v for v in moving if package_url.is_moving(v)), None)),
    )
    properties = [prop(f"aibom:{name}", shown(value)) for name, value in values if value is not None]
    properties += index.checks.get(subject.id, [])
    properties += sources(subject)
    _languages(properties, ledger)
    if subject.kind is ComponentKind.TOKENIZER:
        _tokenizer(properties, ledger)
    return properties


def _decimal(number: int | None) -> str | None:
    return None if number is None else str(number)


def _languages(properties: list[Json], ledger: Ledger) -> None:
    """The official property takes two-letter codes only; what is none stays a plain claim."""
    places: dict[str, int] = {}
    for claim in ledger.take(Attribute.LANGUAGE):
        if not _LANGUAGE.match(claim.value):
            ledger.keep(claim)
            continue
        if claim.value not in places:
            places[claim.value] = len(properties)
            properties.append(prop(f"{PREFIX}model:language", claim.value))
        ledger.cite(f"/properties/{places[claim.value]}", claim)


def _tokenizer(properties: list[Json], ledger: Ledger) -> None:
    properties.append(prop(f"{PREFIX}model:tokenizer", "true"))
    for attribute, name in (
        (Attribute.TOKENIZER_CLASS, "tokenizer_class"),
        (Attribute.VOCABULARY_SIZE, "vocab_size"),
    ):
        value = ledger.single(attribute, f"/properties/{len(properties)}")
        if value is not None:
            properties.append(prop(f"{PREFIX}tokenizer:hyperparameter:{name}", value))
