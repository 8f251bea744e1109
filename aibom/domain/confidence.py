"""How sure something is."""

from __future__ import annotations

from enum import IntEnum


class Confidence(IntEnum):
    LOW = 1
    MEDIUM = 2
    HIGH = 3

    @property
    def label(self) -> str:
        return self.name.lower()
