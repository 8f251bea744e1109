"""What changed in a file that is not the one that a bill of materials lists: which rows, which tensors."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from aibom.domain.errors import UnreadableError
from aibom.domain.evidence import Evidence, EvidenceKind
from aibom.domain.facts import Facts
from aibom.domain.limits import PROBE_BYTES
from aibom.domain.protocols import ByteReader, Probe
from aibom.domain.verification import FileState, FileVerdict
from aibom.fingerprint import weights_sidecar
from aibom.fingerprint.dataset import Wanted
from aibom.fingerprint.localise import localise
from aibom.formats import identify
from aibom.inventory.bom import Listed, read_bom
from aibom.readers.ranges import Budgeted
from aibom.sources.evidence_folder import EvidenceFolder
from aibom.workflows.digesting import Kept, Place
from aibom.workflows.progress import Progress
from aibom.workflows.row_comparison import RowComparison, RowSide
from aibom.workflows.rows import Part, RowFile, RowsRequest, opener

_TOLD_COUNT: Final = 8  # tensors of one file


def explained(
    verdicts: tuple[FileVerdict, ...], bom: bytes, place: Place, kept: Kept, progress: Progress
) -> tuple[FileVerdict, ...]:
    """The verdicts, with what changed inside of files that are changed. No state becomes another one.

    What the document says of rows is no more than an explanation: the digests of files have decided.
    """
    if all(verdict.state is not FileState.CHANGED for verdict in verdicts):
        return verdicts
    try:
        listed = read_bom(bom)
    except UnreadableError:
        return verdicts
    comparison = _comparison(listed, place, kept, progress)
    sidecars = {each.subject: each for each in listed.evidence if each.kind is EvidenceKind.TENSORS}

    def explain(verdict: FileVerdict) -> FileVerdict:
        if verdict.state is not FileState.CHANGED:
            return verdict
        evidence = sidecars.get(verdict.path)
        if evidence is None or kept.evidence is None:
            return _rows(verdict, comparison)
        return _tensors(verdict, evidence, EvidenceFolder(kept.evidence), place, progress)

    return tuple(map(explain, verdicts))


def _tensors(
    verdict: FileVerdict, evidence: Evidence, folder: EvidenceFolder, place: Place, progress: Progress
) -> FileVerdict:
    if not folder.holds(evidence.name):
        return verdict
    try:
        with folder.open(evidence.name) as sidecar:
            known = weights_sidecar.read(sidecar, evidence.sha256)
        with place.source.open(place.entries[verdict.path]) as reader:
            facts = _facts(verdict.path, reader)
            if facts is None or not facts.tensors:
                return replace(verdict, detail=f"{verdict.detail}; it holds no tensors that are read")
            found = localise(known, reader, facts, advanced=progress.advanced)
    except UnreadableError as error:
        return replace(verdict, detail=f"{verdict.detail}; its tensors were not compared: {error}")
    return replace(verdict, detail=f"{verdict.detail}; {_first(str(found).splitlines())}")


def _first(lines: list[str]) -> str:
    more = f"; and {len(lines) - _TOLD_COUNT:,} more" if len(lines) > _TOLD_COUNT else ""
    return "; ".join(lines[:_TOLD_COUNT]) + more


def _rows(verdict: FileVerdict, comparison: RowComparison) -> FileVerdict:
    if verdict.path in comparison.old.stated and comparison.new.name(verdict.path) is None:
        return replace(verdict, detail=f"{verdict.detail}; it holds no rows that are read")
    try:
        told = comparison.told(verdict.path, verdict.path)
    except UnreadableError as error:
        return replace(verdict, detail=f"{verdict.detail}; its rows were not compared: {error}")
    return replace(verdict, detail=f"{verdict.detail}; {told.detail}") if told else verdict


def _comparison(listed: Listed, place: Place, kept: Kept, progress: Progress) -> RowComparison:
    stated = {path: rows for rows in listed.rows for path, _ in rows.files}
    old = RowSide(
        opened=None,
        stated=stated,
        evidence={each.subject: each for each in listed.evidence if each.proof},
        folder=EvidenceFolder(kept.evidence) if kept.evidence else None,
    )
    parts = {rows.name: _part(rows.name, [path for path, _ in rows.files], place) for rows in listed.rows}
    here: Mapping[str, Part] = {
        path: part for path, rows in stated.items() if (part := parts[rows.name]) is not None
    }
    new = RowSide(opened=opener([("", place.source)]), parts=here)
    request = RowsRequest(wanted=Wanted(salt=kept.salt, columns=False))
    return RowComparison(old=old, new=new, request=request, progress=progress)


def _part(name: str, paths: list[str], place: Place) -> Part | None:
    """The files as they are now; None when one of them is gone, or no file of rows any more."""
    files = [_looked(path, place) for path in paths]
    found = tuple(file for file in files if file is not None)
    return Part(name=name, files=found) if found and len(found) == len(files) else None


def _looked(path: str, place: Place) -> RowFile | None:
    entry = place.entries.get(path)
    if entry is None:
        return None
    try:
        with place.source.open(entry) as reader:
            return RowFile.of(entry, _facts(path, reader))
    except UnreadableError:
        return None


def _facts(path: str, reader: ByteReader) -> Facts | None:
    """What the header says now."""
    head = reader.read_at(0, min(PROBE_BYTES, reader.size))
    probe = Probe(name=path.rpartition("/")[2], head=head, reader=Budgeted(reader))
    found, _ = identify(probe)
    return found.read(probe) if found and found.read else None
