"""What one file refers to, as far as it could be read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from aibom.domain.component import ComponentKind
from aibom.domain.confidence import Confidence
from aibom.domain.errors import Reason, UnreadableError
from aibom.domain.facts import Defect
from aibom.domain.finding import Location
from aibom.domain.ref import Ref
from aibom.domain.reference import Flag, Reference
from aibom.domain.text import capped

REFERENCE_COUNT: Final = 5_000  # per file
FULL: Final = f"{REFERENCE_COUNT} references, no more are looked for"
_DEFECT_COUNT: Final = 20
_LOADER_CHARS: Final = 120


def _absent(path: str) -> bytes | None:  # noqa: ARG001 - the signature of `Text.beside`
    return None


def _same(line: int) -> tuple[str, int]:
    return "", line


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """One text file. `beside` gives the bytes of another file of the target by its path, or None."""

    path: str
    data: bytes
    beside: Callable[[str], bytes | None] = _absent

    @property
    def name(self) -> str:
        return self.path.rpartition("/")[2]

    @property
    def folder(self) -> str:
        return self.path.rpartition("/")[0]

    def decoded(self) -> str:
        """The text as UTF-8, a byte order mark taken off. Raises malformed with the offset."""
        try:
            return self.data.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise UnreadableError(Reason.MALFORMED, "the text is not UTF-8", error.start) from None


@dataclass(slots=True)
class Found:
    """Collects the references of one file, each place once."""

    path: str
    place: Callable[[int], tuple[str, int]] = _same  # line of the text -> part of the file, line in it
    references: list[Reference] = field(default_factory=list)
    defects: list[Defect] = field(default_factory=list)
    _seen: set[object] = field(default_factory=set)

    @property
    def full(self) -> bool:
        """True when no more references are kept."""
        return len(self.references) >= REFERENCE_COUNT

    def add(
        self,
        kind: ComponentKind,
        target: Ref | None,
        loader: str,
        line: int,
        column: int | None = None,
        *,
        flags: frozenset[Flag] = frozenset(),
        confidence: Confidence = Confidence.HIGH,
    ) -> None:
        """One reference; `line` and `column` count from 1. Without a target it is unresolved."""
        if target is None:
            flags |= {Flag.UNRESOLVED}
        inside, line = self.place(line)
        key = (kind, target, loader, inside, line)
        if key in self._seen:
            return
        if self.full:
            self.defect(Reason.LIMIT, FULL)
            return
        self._seen.add(key)
        reference = Reference(
            kind=kind,
            target=target,
            loader=capped(loader, _LOADER_CHARS),
            location=Location(path=self.path, line=line, column=column, inside=inside),
            flags=flags,
            confidence=confidence,
        )
        self.references.append(reference)

    def defect(self, reason: Reason, message: str, offset: int | None = None) -> None:
        """Something of the file could not be read; the same thing is told once."""
        defect = Defect(reason=reason, message=message, offset=offset)
        if defect not in self.defects and len(self.defects) < _DEFECT_COUNT:
            self.defects.append(defect)


@dataclass(frozen=True, slots=True, kw_only=True)
class Discoverer:
    """One kind of file. `wants` decides by the path alone; `discover` raises only `UnreadableError`.

    `hint` is a cheap look at the bytes: False when there can be no reference in them.
    `data_bytes`: larger files of these names are data and no configuration; nobody looks into them.
    """

    name: str
    title: str
    wants: Callable[[str], bool]
    discover: Callable[[Text, Found], None]
    hint: Callable[[bytes], bool] = bool
    data_bytes: int | None = None
