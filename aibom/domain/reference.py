"""A model, dataset or service that code or configuration refers to."""

from __future__ import annotations

from dataclasses import dataclass

from aibom.domain.component import ComponentKind
from aibom.domain.confidence import Confidence
from aibom.domain.finding import Location
from aibom.domain.ref import Ref


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """One reference, at one place in the source. `target` is None when it was not resolved."""

    kind: ComponentKind
    target: Ref | None
    loader: str
    location: Location
    flags: frozenset[str] = frozenset()  # unpinned, remote-code, unsafe-load, unresolved
    confidence: Confidence = Confidence.MEDIUM
