"""`aibom diff`: two places or bills of materials in, what changed between them out."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Final

from aibom.domain.difference import Change, ChangeClass, Difference, Missed
from aibom.domain.errors import Reason, UnreadableError
from aibom.domain.facts import FileKind
from aibom.domain.file import File
from aibom.domain.gap import Gap, Stage
from aibom.domain.limits import BOM_BYTES, DOCUMENT_BYTES, MIB
from aibom.domain.protocols import ByteReader, Source
from aibom.fingerprint.dataset import Wanted
from aibom.inventory.difference import difference
from aibom.inventory.document_difference import document_changes
from aibom.inventory.pairing import Side
from aibom.inventory.rows_difference import row_changes
from aibom.inventory.weights_difference import Held
from aibom.lineage.change import is_comparable, tensor_change
from aibom.policy import THE_LAST_DAY, Policy, judged
from aibom.readers import yaml
from aibom.readers.json import Json, parse_document
from aibom.workflows.check import CheckRequest, listing
from aibom.workflows.kept_tensors import with_tensors
from aibom.workflows.places import resolved
from aibom.workflows.progress import Progress, Silent
from aibom.workflows.row_comparison import RowComparison, RowSide, RowsTold, request_of
from aibom.workflows.rows import opener
from aibom.workflows.scan import ScanRequest, scan

ROWS_BYTES: Final = 32 * MIB  # of a file of data whose rows are compared
_HEAD_BYTES: Final = 64 * 1024
_DOCUMENTS: Final = {
    FileKind.CONFIG: ChangeClass.CONFIGURATION,
    FileKind.INDEX: ChangeClass.CONFIGURATION,
    FileKind.TOKENIZER: ChangeClass.TOKENIZER,
    FileKind.CARD: ChangeClass.FILE,
}
_LINES: Final = {"csv": True, "jsonl": False}  # and whether the first line names the columns


@dataclass(frozen=True, slots=True, kw_only=True)
class DiffRequest:
    """What the user asked for. `scanning` is how to look at folders; its targets do not count."""

    old: str
    new: str
    scanning: ScanRequest
    today: date = THE_LAST_DAY
    wanted: Wanted = field(default_factory=Wanted)  # which columns are labels, and which name a row
    old_evidence: Path | None = None  # folders of the sidecars that bills of materials name
    new_evidence: Path | None = None

    @property
    def policy(self) -> Policy:
        return self.scanning.policy


@dataclass(frozen=True, slots=True, kw_only=True)
class _Place:
    side: Side
    source: Source | None  # None: a bill of materials, without the bytes


def diff(request: DiffRequest, progress: Progress | None = None) -> Difference:
    """What changed. Raises `UnreadableError` when a side does not exist or is no document that is read."""
    old, new = (_place(name, request, progress) for name in (request.old, request.new))
    hands = _Hands(old.source, new.source, _rows(old, new, request, progress or Silent()))
    found = difference(old.side, new.side, hands.examine, hands.keys)
    return replace(found, missed=(*found.missed, *hands.missed))


def _rows(old: _Place, new: _Place, request: DiffRequest, progress: Progress) -> RowComparison:
    sides = (
        RowSide.of(place.side.report, opener([("", place.source)]) if place.source else None, folder)
        for place, folder in ((old, request.old_evidence), (new, request.new_evidence))
    )
    return RowComparison(
        old=next(sides), new=next(sides), request=request_of(request.wanted), progress=progress
    )


def _place(name: str, request: DiffRequest, progress: Progress | None) -> _Place:
    places = resolved((name,), request.scanning.opening)
    source = places.sources[0]
    document = _document(name, source)
    if document is None:
        report = scan(replace(request.scanning, targets=(name,)), progress)
        return _Place(side=Side(report=report, listed=False), source=source)
    asked = CheckRequest(
        document=document, name=source.target.name, policy=request.policy, today=request.today, trusted=True
    )
    report = judged(request.policy, listing(asked), request.today)
    folder = request.old_evidence if name == request.old else request.new_evidence
    return _Place(side=Side(report=with_tensors(report, folder), listed=True), source=None)


def _document(name: str, source: Source) -> bytes | None:
    """The bytes of a bill of materials, None for everything else."""
    if not Path(name).is_file():
        return None
    listed = next((each for each in source.entries() if not isinstance(each, Gap)), None)
    if listed is None:
        return None
    with source.open(listed) as reader:
        head = reader.read_at(0, min(reader.size, _HEAD_BYTES))
        start = head.lstrip(b"\xef\xbb\xbf \t\r\n")[:1]
        if start == b"<" and b"cyclonedx.org/schema/bom" in head:
            raise UnreadableError(Reason.UNSUPPORTED, "CycloneDX in XML is not read; convert it to JSON")
        if reader.size > BOM_BYTES and _names_a_bom(head):
            raise UnreadableError(Reason.LIMIT, f"the document is larger than {BOM_BYTES:,} bytes")
        if start != b"{" or reader.size > BOM_BYTES:
            return None
        data = reader.read_at(0, reader.size)
        return data if _names_a_bom(data) else None  # members may stand in any order


def _names_a_bom(data: bytes) -> bool:
    return any(key in data for key in (b'"bomFormat"', b'"spdxVersion"', b'"SPDXID"'))


@dataclass(slots=True)
class _Hands:
    """Looks into the bytes of both sides where both are at hand."""

    old: Source | None
    new: Source | None
    rows: RowComparison
    missed: list[Missed] = field(default_factory=list)
    _told: set[str] = field(default_factory=set)  # parts of datasets

    @contextmanager
    def _both(self, old: File, new: File) -> Iterator[tuple[ByteReader, ByteReader]]:
        assert self.old is not None
        assert self.new is not None
        with self.old.open(old.entry) as before, self.new.open(new.entry) as after:
            yield before, after

    def examine(self, old: Held, new: Held) -> str:
        """How the numbers of a tensor changed, "" when the bytes cannot be compared."""
        at_hand = self.old is not None and self.new is not None
        if not at_hand or not is_comparable(old.tensor) or not is_comparable(new.tensor):
            return ""
        try:
            with self._both(old.file, new.file) as (before, after):
                return str(tensor_change(before, old.tensor, after, new.tensor))
        except UnreadableError as error:
            self._miss(new.file, error)
            return ""

    def keys(self, old: File, new: File) -> list[Change] | None:
        """What differs in a document or in rows; None when only whole files can be compared."""
        told = self._rows(old, new)
        if told is not None and told.complete:
            return self._data(new, told)
        found = self._values(old, new)
        return self._data(new, told) if found is None and told is not None else found

    def _rows(self, old: File, new: File) -> RowsTold | None:
        """What the digests of rows tell."""
        try:
            return self.rows.told(old.path, new.path)
        except UnreadableError as error:
            self._lost(new, error)
            return None

    def _data(self, new: File, told: RowsTold) -> list[Change]:
        """One change for all files of a part, which is told at the first of them."""
        name = self.rows.new.name(new.path) or new.path
        if name in self._told:
            return []
        self._told.add(name)
        return [Change(kind=ChangeClass.DATASET, subject=name, detail=told.detail)]

    def _values(self, old: File, new: File) -> list[Change] | None:
        """What the values of two documents, or the lines of two files of data, tell."""
        if self.old is None or self.new is None or old.facts is None or new.facts is None:
            return None
        if old.format != new.format:
            return None
        try:
            with self._both(old, new) as (before, after):
                return _keys(new, before, after)
        except UnreadableError as error:
            self._lost(new, error)
            return None

    def _lost(self, file: File, error: UnreadableError) -> None:
        """The digests have told already that the file differs; a file that changes meanwhile is lost."""
        if error.reason in (Reason.CHANGED, Reason.IO_ERROR, Reason.VANISHED, Reason.DENIED):
            self._miss(file, error)

    def _miss(self, file: File, error: UnreadableError) -> None:
        self.missed.append(Missed(side="new", gap=Gap.of(file.path, Stage.READ, error)))


def _keys(new: File, before: ByteReader, after: ByteReader) -> list[Change] | None:
    assert new.facts is not None
    if new.format in _LINES and max(before.size, after.size) <= ROWS_BYTES:
        sides = [reader.read_at(0, reader.size) for reader in (before, after)]
        detail = row_changes(sides[0], sides[1], header=_LINES[new.format])
        return [Change(kind=ChangeClass.DATASET, subject=new.path, detail=detail)] if detail else None
    kind = _DOCUMENTS.get(new.facts.kind)
    if kind is None or max(before.size, after.size) > DOCUMENT_BYTES:
        return None
    if new.facts.kind is FileKind.CARD:
        return _card(new.path, before.read_at(0, before.size), after.read_at(0, after.size))
    if new.path.lower().endswith(".json"):
        return _told(
            document_changes(new.path, kind, parse_document(before), parse_document(after)), new, kind
        )
    if new.path.lower().endswith(".jinja"):
        digests = [_short(reader) for reader in (before, after)]
        return [Change(kind=ChangeClass.CHAT_TEMPLATE, subject=new.path, old=digests[0], new=digests[1])]
    return None


def _told(changes: list[Change], file: File, kind: ChangeClass) -> list[Change]:
    """A document that says the same in other words is a change, too."""
    return changes or [Change(kind=kind, subject=file.path, detail="other bytes, the same values")]


def _short(reader: ByteReader) -> str:
    return hashlib.sha256(reader.read_at(0, reader.size)).hexdigest()[:12]


def _card(path: str, old: bytes, new: bytes) -> list[Change]:
    """The front matter key by key, and the prose as one."""
    before, after = _split(old), _split(new)
    found = document_changes(path, ChangeClass.FILE, before[0], after[0])
    if before[1] != after[1] or not found:
        found.append(Change(kind=ChangeClass.FILE, subject=path, detail="the text of the card"))
    return found


def _split(data: bytes) -> tuple[Json, bytes]:
    parts = data.replace(b"\r\n", b"\n").split(b"\n---", 1)
    front, _, rest = parts[0].partition(b"---\n")
    document = yaml.parse(rest, aliases=True) if not front.strip(b"\xef\xbb\xbf \t\n") else None
    return document, parts[1] if len(parts) == 2 else b""
