"""A list of defects that a hostile file cannot make long."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from aibom.domain.errors import Reason, UnreadableError
from aibom.domain.facts import Defect

DEFECT_COUNT: Final = 100  # per file


@dataclass(slots=True)
class Defects:
    """The first `DEFECT_COUNT` defects, then one that says that there are more."""

    found: list[Defect] = field(default_factory=list)

    def add(self, message: str, offset: int | None = None, reason: Reason = Reason.MALFORMED) -> None:
        if len(self.found) == DEFECT_COUNT:
            message = f"more than {DEFECT_COUNT} defects, the rest is not listed"
        if len(self.found) <= DEFECT_COUNT:
            self.found.append(Defect(reason=reason, message=message, offset=offset))

    def caught(self, where: str, error: UnreadableError, offset: int | None = None) -> None:
        """One part could not be read; the rest can still be told."""
        self.add(f"{where}: {error.message}", error.offset if offset is None else offset, error.reason)

    def extend(self, defects: Iterable[Defect]) -> None:
        """Takes over the defects of a part."""
        for defect in defects:
            self.add(defect.message, defect.offset, defect.reason)
