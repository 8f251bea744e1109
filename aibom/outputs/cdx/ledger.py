"""The claims about one component: each is written to one place, and cited, or kept as a property."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from aibom.domain.component import Claim, Component
from aibom.domain.facts import Attribute
from aibom.outputs.cdx.text import Json, prop, shown, without_credentials

_T = TypeVar("_T")


class Ledger:
    """Hands out the claims of a component and remembers where each went.

    `citations` are (RFC 6901 pointer from the component, claim). What nobody asked for, and what
    contradicts the value that was written, is told by `leftovers`, so that no claim is lost.
    """

    def __init__(self, component: Component) -> None:
        self._claims: dict[Attribute, list[Claim]] = {}
        self._conflicts: list[Claim] = []
        self._kept: list[Claim] = []
        for claim in component.claims:
            # An empty value has no place in a field, where it could not be told from an absent one.
            (self._claims.setdefault(claim.attribute, []) if claim.value else self._kept).append(claim)
        self.citations: list[tuple[str, Claim]] = []

    def take(self, attribute: Attribute) -> list[Claim]:
        """All claims about an attribute, in order of trust; the caller cites or keeps each."""
        return self._claims.pop(attribute, [])

    def cite(self, pointer: str, claim: Claim) -> None:
        """Says that the field at the pointer is what the claim says."""
        self.citations.append((pointer, claim))

    def keep(self, claim: Claim) -> None:
        """Leaves a claim that has no field to the properties."""
        self._kept.append(claim)

    def oppose(self, claim: Claim, other: Claim) -> None:
        """Leaves a claim that differs from the written one; only another source is a conflict."""
        (self._kept if claim.source == other.source else self._conflicts).append(claim)

    def single(self, attribute: Attribute, pointer: str) -> str | None:
        """The most trusted value."""
        claims = self.take(attribute)
        for claim in claims:
            if claim.value == claims[0].value:
                self.cite(pointer, claim)
            else:
                self.oppose(claim, claims[0])
        return shown(claims[0].value) if claims else None

    def each(self, attribute: Attribute, pointer: str, build: Callable[[Claim], _T]) -> list[_T]:
        """One entry per distinct statement, cited at its index below the pointer."""
        places: dict[tuple[str, tuple[tuple[str, str], ...]], int] = {}
        entries: list[_T] = []
        for claim in self.take(attribute):
            key = (claim.value, claim.statement.details)
            if key not in places:
                places[key] = len(entries)
                entries.append(build(claim))
            self.cite(f"{pointer}/{places[key]}", claim)
        return entries

    def texts(self, attribute: Attribute, pointer: str) -> list[str]:
        """The distinct values as they are."""
        return self.each(attribute, pointer, lambda claim: shown(claim.value))

    def leftovers(self, properties: list[Json]) -> None:
        """Adds every claim that has no field to the component's `properties`, and cites it there."""
        self._spread(properties, "aibom:conflict", self._conflicts)
        rest = [claim for attribute in sorted(self._claims) for claim in self._claims[attribute]]
        self._spread(properties, "aibom:claim", [*self._kept, *rest])

    def _spread(self, properties: list[Json], prefix: str, claims: list[Claim]) -> None:
        places: dict[tuple[str, str], int] = {}
        for claim in claims:
            key = (f"{prefix}:{claim.attribute}", _described(claim))
            if key not in places:
                places[key] = len(properties)
                properties.append(prop(*key))
            self.cite(f"/properties/{places[key]}", claim)


def _described(claim: Claim) -> str:
    details = ", ".join(f"{name}={value}" for name, value in claim.statement.details)
    return shown(without_credentials(f"{claim.value} ({details})" if details else claim.value))


def sources(component: Component) -> list[Json]:
    """Who says what, in short: one property per origin, source and confidence."""
    said: dict[tuple[str, str, str], set[str]] = {}
    for claim in component.claims:
        key = (claim.origin.value, claim.confidence.label, claim.source)
        said.setdefault(key, set()).add(claim.attribute.value)
    return [
        prop("aibom:source", shown(f"{origin}|{confidence}|{','.join(sorted(attributes))}|{source}"))
        for (origin, confidence, source), attributes in sorted(said.items())
    ]
