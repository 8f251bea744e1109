"""One walk through everything that a file contains: its parts, their shared budgets, what was found."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Final

from aibom.domain.confidence import Confidence
from aibom.domain.errors import Reason, UnreadableError
from aibom.domain.facts import Defect, Import
from aibom.domain.hazard import Hazard, HazardKind
from aibom.domain.limits import IMPORT_COUNT, INFLATED_BYTES, MEMBER_COUNT, MIB, NESTING_DEPTH
from aibom.domain.protocols import ByteReader
from aibom.formats.inside.part import Part
from aibom.readers.defects import Defects
from aibom.readers.hazards import Hazards
from aibom.readers.pickle_imports import merged
from aibom.readers.ranges import Memory

INFLATABLE_BYTES: Final = 256 * MIB  # of one file, all parts together
SEARCHABLE_BYTES: Final = 256 * MIB  # the same, for headers that no directory lists
INFLATED_MEMBER_COST: Final = 20  # a thousand members deflate to nothing, so they are dearer
_SAME_COUNT: Final = 20  # hazards of one kind, so that many of one cannot push out the others
_REFUSED_COUNT: Final = 16  # two in each of NESTING_DEPTH containers


@dataclass(frozen=True, slots=True, kw_only=True)
class Examiner:
    """One kind of content. `begins` must be cheap; `examine` says False when it only looked like one."""

    name: str
    begins: Callable[[Part], bool]
    examine: Callable[[Walk, Part], bool]


class _Inflated(Memory):
    """Memory that is free at once: the traceback of an error that somebody keeps may point to it."""

    __slots__ = ("_plain", "_view")

    def __init__(self, plain: bytearray) -> None:
        self._plain = plain
        self._view = memoryview(plain)
        super().__init__(self._view)

    def release(self) -> None:
        self._data.release()
        self._view.release()
        self._plain.clear()


@dataclass(slots=True)
class Walk:
    """What the parts of one file share: who examines them, what they may cost, what they told."""

    examiners: tuple[Examiner, ...]
    may_run: bool = False
    hazards: Hazards = field(default_factory=Hazards)
    defects: Defects = field(default_factory=Defects)
    _imports: dict[tuple[str, str, str], Import] = field(default_factory=dict)
    _counts: Counter[tuple[HazardKind, str]] = field(default_factory=Counter)
    _kept: int = 0  # bytes of inflated content in memory now
    _inflatable: int = INFLATABLE_BYTES
    _members: int = MEMBER_COUNT
    _searchable: int = SEARCHABLE_BYTES
    _refused: int = 0

    def dispatch(self, part: Part) -> str:
        """Examines a part as everything that it begins like; says as what, "" when it is nothing."""
        found = ""
        for examiner in self.examiners:
            if examiner.begins(part):
                if part.depth > NESTING_DEPTH:
                    self._refuse(part)
                    return examiner.name
                if self._examined(examiner, part):
                    found = found or examiner.name
        return found

    def _examined(self, examiner: Examiner, part: Part) -> bool:
        try:
            return examiner.examine(self, part)
        except UnreadableError as error:
            self.may_run = True
            self.failed(part, error)
            return True

    def _refuse(self, part: Part) -> None:
        self.may_run = True
        self.defect(part, Reason.LIMIT, f"nested in more than {NESTING_DEPTH} containers, not read")
        self._refused += 1
        if self._refused == _REFUSED_COUNT:
            message = f"containers in containers, {_REFUSED_COUNT} of them more than {NESTING_DEPTH} deep"
            self.hazard(part, HazardKind.DECOMPRESSION_BOMB, "nesting", message)

    @contextmanager
    def opened(self, part: Part) -> Iterator[ByteReader]:
        """All bytes of a part; of a packed one what fits in the budgets, and a defect for the rest."""
        if part.reader is not None:
            yield part.reader
            return
        plain = self._inflate(part)
        self._kept += len(plain)
        reader = _Inflated(plain)
        try:
            yield reader
        finally:
            self._kept -= reader.size
            reader.release()

    def _inflate(self, part: Part) -> bytearray:
        plain = bytearray()
        room = max(0, min(INFLATED_BYTES - self._kept, self._inflatable))
        try:
            for piece in part.unpack() if part.unpack else ():
                fits = room - len(plain)
                plain += piece[:fits]
                if len(piece) > fits:
                    self.may_run = True
                    self.defect(part, Reason.LIMIT, f"only the first {room} bytes of what is packed are read")
                    break
        except UnreadableError as error:
            # Loaders have run what came before by then, so it is examined all the same.
            self.failed(part, error)
        self._inflatable -= len(plain)
        return plain

    def spend_member(self, part: Part) -> bool:
        """True while the members of this file may still be looked at."""
        self._members -= INFLATED_MEMBER_COST if part.inflated else 1
        if self._members >= 0:
            return True
        self.may_run = True
        self.defect(part, Reason.LIMIT, "too many members, the rest is not looked at")
        return False

    def spend_bytes(self, count: int) -> bool:
        """True while more may be inflated, whether it is kept or not."""
        self._inflatable -= count
        return self._inflatable > 0

    def spend_search(self, count: int) -> int:
        """How many of so many bytes may be searched for what no directory lists."""
        allowed = min(count, self._searchable)
        self._searchable -= allowed
        return allowed

    def take(
        self, part: Part, imports: Iterable[Import], hazards: Iterable[Hazard], defects: Iterable[Defect]
    ) -> None:
        """Takes over what a reader says of a part, with places as seen from the file."""
        for item in imports:
            self._import(part, replace(item, inside=part.inside, offset=item.offset + part.origin))
        for hazard in hazards:
            self.hazard(part, hazard.kind, hazard.found, hazard.message, hazard.offset, hazard.confidence)
        for defect in defects:
            self.defect(part, defect.reason, defect.message, defect.offset)

    def _import(self, part: Part, item: Import) -> None:
        key = (item.inside, item.module, item.qualname)
        known = self._imports.get(key)
        if known is None and len(self._imports) == IMPORT_COUNT:
            self.defect(part, Reason.LIMIT, f"more than {IMPORT_COUNT} imports", item.offset - part.origin)
            return
        self._imports[key] = merged(known, item)

    @property
    def imports(self) -> tuple[Import, ...]:
        """In the order of discovery."""
        return tuple(self._imports.values())

    def hazard(
        self,
        part: Part,
        kind: HazardKind,
        found: str,
        message: str,
        offset: int | None = None,
        confidence: Confidence = Confidence.HIGH,
    ) -> None:
        """Reports a hazard in a part; the offset is in the part."""
        self._counts[kind, found] += 1
        if self._counts[kind, found] <= _SAME_COUNT:
            self.hazards.inside = part.inside
            at = None if offset is None else offset + part.origin
            self.hazards.add(kind, found, message, at, confidence)

    def defect(self, part: Part, reason: Reason, message: str, offset: int | None = None) -> None:
        """Reports what could not be looked at in a part; the offset is in the part."""
        at = None if offset is None else offset + part.origin
        self.defects.add(f"{part.inside}: {message}" if part.inside else message, at, reason)

    def failed(self, part: Part, error: UnreadableError) -> None:
        """Reports that a part could not be read to its end."""
        self.defect(part, error.reason, error.message, error.offset)
