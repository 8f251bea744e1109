"""A list of hazards that a hostile file cannot make long."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from aibom.domain.confidence import Confidence
from aibom.domain.hazard import Hazard, HazardKind
from aibom.domain.text import capped

HAZARD_COUNT: Final = 100  # of one kind and file; nobody needs more of them to leave the file alone
_FOUND_CHARS: Final = 200
_MESSAGE_CHARS: Final = 400


@dataclass(slots=True)
class Hazards:
    """The first `HAZARD_COUNT` hazards of each kind, the same thing in the same place once.

    Each kind counts for itself, so that harmless ones cannot crowd out others.
    """

    inside: str = ""
    found: list[Hazard] = field(default_factory=list)
    _seen: set[tuple[HazardKind, str, str]] = field(default_factory=set)
    _counts: dict[HazardKind, int] = field(default_factory=dict)

    def add(
        self,
        kind: HazardKind,
        found: str,
        message: str,
        offset: int | None = None,
        confidence: Confidence = Confidence.HIGH,
    ) -> None:
        hazard = Hazard(
            kind=kind,
            found=capped(found, _FOUND_CHARS),
            message=capped(message, _MESSAGE_CHARS),
            offset=offset,
            inside=self.inside,
            confidence=confidence,
        )
        self.extend((hazard,))

    def extend(self, hazards: Iterable[Hazard]) -> None:
        """Takes over the hazards of a part."""
        for hazard in hazards:
            key = (hazard.kind, hazard.found, hazard.inside)
            count = self._counts.get(hazard.kind, 0)
            if key not in self._seen and count < HAZARD_COUNT:
                self._seen.add(key)
                self._counts[hazard.kind] = count + 1
                self.found.append(hazard)
