"""What the code of a target refers to, as our own bills of materials tell it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Final
from urllib.parse import unquote

from aibom.domain.component import ComponentKind
from aibom.domain.finding import Location
from aibom.domain.ref import Ref
from aibom.domain.reference import Flag, Reference
from aibom.inventory.bom_component import Properties, entries, kind_of, place, ref_of, text
from aibom.readers.json import Json, members

_FLAGS: Final = {flag.value: flag for flag in Flag}
# Quoting is one-to-one there, so nothing is lost that a package URL cannot say.
_EXTERNAL: Final = re.compile(
    r"external:[a-z]+:([a-z][a-z0-9-]{0,31}):([^:@#]+)(?:@([^:@#]*))?(?:#([^:@#]*))?\Z"
)
_UNRESOLVED: Final = re.compile(r"unresolved:[a-z]+:(.+)\Z", re.DOTALL)
_OCCURRENCE: Final = re.compile(r"([^!]+?)(?:!.*?)?(?::([0-9]{1,9}))?\Z", re.DOTALL)
_LINE_COUNT: Final = 1 << 31


def target_of(component: Mapping[str, Json]) -> Ref | None:
    """The place outside that a component stands for; None when it was not resolved."""
    name = text(component.get("bom-ref"))
    if _UNRESOLVED.match(name):
        return None
    external = _EXTERNAL.match(name)
    if external is not None:
        scheme, location, revision, subpath = (each and _unquoted(each) for each in external.groups())
        return place(scheme or "", location or "", revision, subpath or None)
    purl = text(component.get("purl"))
    return (
        ref_of(purl) if purl else place("name", text(component.get("name")), text(component.get("version")))
    )


def references_to(component: Mapping[str, Json], own: Properties, target: Ref | None) -> Iterator[Reference]:
    """One for each place in the code; the flags of a service are told for all its places together."""
    kind = kind_of(component, own)
    told = _UNRESOLVED.match(text(component.get("bom-ref")))
    loader = _unquoted(told[1]) if told else text(component.get("name"))
    for found in entries(members(component.get("evidence")).get("occurrences")):
        symbol, line = text(found.get("symbol")), found.get("line")
        if symbol:  # else it is a place where the thing itself lies
            known = isinstance(line, int) and 1 <= line < _LINE_COUNT
            at = Location(path=text(found.get("location")) or "unnamed", line=line if known else None)  # type: ignore[arg-type]
            words = text(found.get("additionalContext")).split(", ")
            yield _reference(kind, target, symbol, at, _flags(words))
    for value in own.get("aibom:occurrence", ()):
        match = _OCCURRENCE.match(value)
        if match is not None:
            at = Location(path=match[1], line=int(match[2]) if match[2] else None)
            yield _reference(kind, target, loader, at, _flags(own.get("aibom:reference:flag", [])))


def _reference(
    kind: ComponentKind, target: Ref | None, loader: str, at: Location, flags: frozenset[Flag]
) -> Reference:
    return Reference(kind=kind, target=target, loader=loader, location=at, flags=flags)


def _flags(words: list[str]) -> frozenset[Flag]:
    return frozenset(_FLAGS[word] for word in words if word in _FLAGS)


def _unquoted(quoted: str) -> str:
    return unquote(quoted, errors="surrogatepass")
