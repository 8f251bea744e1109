"""Which rows of a dataset changed: from sidecars that were kept, or made of the bytes for the occasion."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from aibom.domain.errors import Reason, UnreadableError
from aibom.domain.evidence import DatasetRows, Evidence
from aibom.domain.gap import Gap
from aibom.domain.report import Report
from aibom.fingerprint.dataset import Wanted
from aibom.fingerprint.sidecar import Sidecar, SidecarWriter
from aibom.fingerprint.sidecar_changes import compare
from aibom.fingerprint.signals_drift import drift
from aibom.fingerprint.signals_labels import Labels
from aibom.inventory.row_changes import told_roots, told_rows
from aibom.sources.evidence_folder import EvidenceFolder
from aibom.workflows.evidence import parts_of, shape_of
from aibom.workflows.progress import Progress
from aibom.workflows.rows import Open, Part, RowsRequest, fingerprint_part, request_for

# Columns that hold labels by their names, when nobody names others.
_LABELS_TOLD: Final = 4
LABELS: Final = frozenset({"label", "labels", "target", "class"})


@dataclass(frozen=True, slots=True, kw_only=True)
class RowSide:
    """One side: what a document states of rows, or what can be opened."""

    opened: Open | None  # None: a bill of materials, without the bytes
    parts: Mapping[str, Part] = field(default_factory=dict)  # by path, of what can be opened
    stated: Mapping[str, DatasetRows] = field(default_factory=dict)  # by path
    evidence: Mapping[str, Evidence] = field(default_factory=dict)  # by name of the part
    folder: EvidenceFolder | None = None

    @classmethod
    def of(cls, report: Report, opened: Open | None, folder: Path | None = None) -> RowSide:
        files = {file.path: file for file in report.files}
        parts = parts_of(report.components, files) if opened else []
        return cls(
            opened=opened,
            parts={path: part for part in parts for path in part.paths},
            stated={path: rows for rows in report.rows for path, _ in rows.files},
            evidence={each.subject: each for each in report.evidence if each.proof},
            folder=EvidenceFolder(folder) if folder else None,
        )

    def name(self, path: str) -> str | None:
        """The part that a file is of; None when nothing is known of its rows."""
        if path in self.parts:
            return self.parts[path].name
        return self.stated[path].name if path in self.stated else None


@dataclass(frozen=True, slots=True, kw_only=True)
class RowsTold:
    """What changed, in one clause."""

    detail: str
    complete: bool  # False: rows that are gone and rows that are new may be the same rows, edited


@dataclass(frozen=True, slots=True, kw_only=True)
class RowComparison:
    """Compares rows of files of two sides. `request` is for rows of which no side states anything."""

    old: RowSide
    new: RowSide
    request: RowsRequest
    progress: Progress

    def told(self, old: str, new: str) -> RowsTold | None:
        """What changed in the rows of the parts that two files are of; None when too little is known.

        Raises `UnreadableError` when rows or a sidecar cannot be read.
        """
        if self.old.name(old) is None or self.new.name(new) is None:
            return None
        request = self._request(old, new)
        labels = Labels(self.request.wanted.labels), Labels(self.request.wanted.labels)
        with ExitStack() as stack:
            folder = EvidenceFolder(Path(stack.enter_context(tempfile.TemporaryDirectory())))
            before, first = stack.enter_context(self._rows(self.old, old, request, folder, labels[0]))
            after, second = stack.enter_context(self._rows(self.new, new, request, folder, labels[1]))
            if first is None or second is None:
                detail = told_roots(before.fingerprint, after.fingerprint)
                return RowsTold(detail=detail, complete=False) if detail else None
            changes = compare(first, second)
            paired = bool(changes.flipped_count or changes.changed_count)
            edited = bool(changes.added_count and changes.removed_count)
            detail = "; ".join((told_rows(changes, before, after), *_drifts(*labels)))
            return RowsTold(detail=detail, complete=paired or not edited)

    def _request(self, old: str, new: str) -> RowsRequest:
        """As the side that states its rows took them: others could not be compared with them."""
        stated = self.old.stated.get(old) or self.new.stated.get(new)
        if stated is None:
            return self.request
        if stated.fingerprint.keyed and self.request.wanted.salt is None:
            raise UnreadableError(
                Reason.DENIED, "the digests of its rows are keyed: name the salt (--salt-file)"
            )
        wanted = replace(
            self.request.wanted,
            labels=frozenset(stated.labels),
            identity=frozenset(stated.identity),
            salt=self.request.wanted.salt if stated.fingerprint.keyed else None,
        )
        return replace(self.request, wanted=wanted, form=stated.fingerprint.form)

    @contextmanager
    def _rows(
        self, side: RowSide, path: str, request: RowsRequest, folder: EvidenceFolder, labels: Labels
    ) -> Iterator[tuple[DatasetRows, Sidecar | None]]:
        """The rows of one side, and the digest of each where there is a sidecar."""
        if side.opened is None:
            rows = side.stated[path]
            kept = side.evidence.get(rows.name)
            if side.folder is None or kept is None or not side.folder.holds(kept.name):
                yield rows, None
                return
            with side.folder.open(kept.name) as reader:
                yield rows, Sidecar(reader, kept.proof)
            return
        name = "old" if side is self.old else "new"
        rows = self._made(side, path, request, folder, name, labels)
        with folder.open(name) as reader:
            yield rows, Sidecar(reader)

    def _made(
        self,
        side: RowSide,
        path: str,
        request: RowsRequest,
        folder: EvidenceFolder,
        name: str,
        labels: Labels,
    ) -> DatasetRows:
        assert side.opened is not None
        request = request_for(side.parts[path], request)
        with folder.create(name) as sidecar:
            writer = SidecarWriter(sidecar.write, shape_of(request))
            found = fingerprint_part(
                side.parts[path], side.opened, request, self.progress, writer.block, [labels]
            )
            if isinstance(found, Gap):
                raise UnreadableError(found.reason, found.detail, found.offset)
            writer.finish()
            sidecar.finish()
        return found


def _drifts(old: Labels, new: Labels) -> Iterator[str]:
    """Which labels are distributed differently by more than chance; only of rows that were read."""
    before = {each.column: each for each in old.counted()}
    for after in new.counted():
        if after.column in before:
            found = drift(before[after.column], after)
            if found.is_significant:
                told = ", ".join(f"{label} {a:,} to {b:,}" for label, a, b in found.changes[:_LABELS_TOLD])
                yield f"{found.distance:.0%} of {found.column} moved: {told}"


def request_of(wanted: Wanted) -> RowsRequest:
    """The rows as somebody asks for them; without labels the columns that are called so."""
    labels = wanted.labels or LABELS
    return RowsRequest(wanted=replace(wanted, labels=labels, multiset=True, columns=False))
