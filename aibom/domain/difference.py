"""What changed between two versions of a place or of its bill of materials."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from aibom.domain.gap import Gap
from aibom.domain.target import Tool


class ChangeClass(StrEnum):
    """What a change is about. The order is that of every output."""

    COMPONENT_ADDED = "component-added"
    COMPONENT_REMOVED = "component-removed"
    COMPONENT_RENAMED = "component-renamed"
    WEIGHTS = "weights"
    TOKENIZER = "tokenizer"
    CHAT_TEMPLATE = "chat-template"
    CONFIGURATION = "configuration"
    LICENCE = "licence"
    BASE_MODEL = "base-model"
    DATASET = "dataset"
    REVISION = "revision"
    SIGNER = "signer"
    FINDING = "finding"
    FILE = "file"


CLASSES = tuple(ChangeClass)


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One difference. `old` and `new` are values or digests, empty for what was not there."""

    kind: ChangeClass
    subject: str  # path, component name, or both joined by ": "
    old: str = ""
    new: str = ""
    detail: str = ""  # one clause: what it amounts to, or where it stands

    @property
    def order(self) -> tuple[int, str, str, str, str]:
        return CLASSES.index(self.kind), self.subject, self.detail, self.old, self.new


@dataclass(frozen=True, slots=True, kw_only=True)
class Missed:
    """Something that may differ and could not be compared, and on which side."""

    side: str  # old, new
    gap: Gap


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """Everything that one comparison found, in canonical order."""

    old: str  # what the sides are called, never an absolute path
    new: str
    tool: Tool
    changes: tuple[Change, ...] = ()
    missed: tuple[Missed, ...] = ()
    notes: tuple[str, ...] = ()  # what was not compared because a side does not tell it

    def counts(self) -> tuple[tuple[ChangeClass, int], ...]:
        """How many changes of each class there are, without those of which there are none."""
        found = ((kind, sum(change.kind is kind for change in self.changes)) for kind in CLASSES)
        return tuple((kind, count) for kind, count in found if count)
