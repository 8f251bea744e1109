"""What a scan does besides: fingerprints of rows, and the sidecars of rows."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from aibom.domain.component import Component, ComponentKind
from aibom.domain.dataset import RowForm
from aibom.domain.dataset_signals import DatasetSignals
from aibom.domain.entry import Entry
from aibom.domain.errors import UnreadableError
from aibom.domain.evidence import DatasetRows, Evidence, EvidenceKind
from aibom.domain.facts import Facts
from aibom.domain.file import File
from aibom.domain.gap import Gap, Stage
from aibom.fingerprint import weights_sidecar
from aibom.fingerprint.one_pass import Fingerprint
from aibom.fingerprint.sidecar import Shape, SidecarWriter
from aibom.fingerprint.signals import SignalPass
from aibom.inventory.folders import folder_of
from aibom.inventory.splits import Split, configurations, splits_of
from aibom.sources.evidence_folder import EvidenceFolder
from aibom.workflows.look import Keep
from aibom.workflows.progress import Progress
from aibom.workflows.rows import Open, Part, RowFile, RowsRequest, Watch, fingerprint_part, request_for

TENSORS_ENDING: Final = ".fingerprint.json"


def keeper(folder: EvidenceFolder) -> Keep:
    """Writes the evidence about each weights file into the folder, as soon as it was digested."""

    def keep(entry: Entry, facts: Facts, done: Fingerprint) -> Evidence:
        data = weights_sidecar.render(weights_sidecar.evidence(entry.size, facts, done))
        name = f"{entry.path}{TENSORS_ENDING}"
        with folder.create(name) as sidecar:
            sidecar.write(data)
            digest = sidecar.finish()
        return Evidence(kind=EvidenceKind.TENSORS, subject=entry.path, name=name, sha256=digest)

    return keep


@dataclass(frozen=True, slots=True, kw_only=True)
class RowsFound:
    """What came of the rows of all datasets."""

    rows: tuple[DatasetRows, ...] = ()
    signals: tuple[DatasetSignals, ...] = ()
    evidence: tuple[Evidence, ...] = ()
    gaps: tuple[Gap, ...] = ()


def rows_of(
    parts: Sequence[Part],
    opened: Open,
    request: RowsRequest,
    folder: EvidenceFolder | None,
    progress: Progress,
) -> RowsFound:
    """The fingerprints of all parts; with a folder each leaves a sidecar in it."""
    sizes = [file.entry.size for part in parts for file in part.files]
    progress.listed(len(sizes), sum(sizes))
    rows: list[DatasetRows] = []
    signals: list[DatasetSignals] = []
    evidence: list[Evidence] = []
    gaps: list[Gap] = []
    for part in parts:
        watch = _signal_pass(part, request)
        try:
            found, kept = _row(part, opened, request, folder, progress, watch)
        except UnreadableError as error:
            found, kept = Gap.of(part.paths[0], Stage.DIGEST, error), None
        if isinstance(found, Gap):
            gaps.append(found)
            continue
        rows.append(found)
        signals += [watch.finish()] if watch else []
        evidence += [kept] if kept else []
    return RowsFound(rows=tuple(rows), signals=tuple(signals), evidence=tuple(evidence), gaps=tuple(gaps))


def _row(
    part: Part,
    opened: Open,
    request: RowsRequest,
    folder: EvidenceFolder | None,
    progress: Progress,
    watch: SignalPass | None,
) -> tuple[DatasetRows | Gap, Evidence | None]:
    request = request_for(part, request)
    watches: list[Watch] = [each for each in (watch, request.watch) if each is not None]
    if folder is None:
        return fingerprint_part(part, opened, request, progress, watches=watches), None
    name = f"{part.name}.rows"
    with folder.create(name) as sidecar:
        writer = SidecarWriter(sidecar.write, shape_of(request))
        found = fingerprint_part(part, opened, request, progress, writer.block, watches)
        if isinstance(found, Gap):
            return found, None
        proof = writer.finish()
        return found, Evidence(
            kind=EvidenceKind.ROWS, subject=part.name, name=name, sha256=sidecar.finish(), proof=proof
        )


def _signal_pass(part: Part, request: RowsRequest) -> SignalPass | None:
    if not request.signals:
        return None
    return SignalPass(part.paths[0], request.wanted.labels, request.benchmarks)


def shape_of(request: RowsRequest) -> Shape:
    """What a sidecar keeps of each row."""
    wanted = request.wanted
    return Shape(
        keyed=wanted.salt is not None,
        keys=bool(wanted.labels),
        identities=bool(wanted.identity),
        lines=request.form is RowForm.LINES,
    )


def parts_of(components: Iterable[Component], files: Mapping[str, File]) -> list[Part]:
    """The data of all datasets, in order of name: the files of a split together, the others by themselves."""
    found: list[Part] = []
    for component in components:
        if component.kind is ComponentKind.DATASET:
            found += _of_dataset([files[path] for path in component.files if path in files])
    return sorted(found, key=lambda part: part.name)


def _of_dataset(files: Sequence[File]) -> Iterator[Part]:
    data = {file.path: file for file in files if RowFile.of(file.entry, file.facts)}
    card = next((file for file in files if file.format == "card"), None)
    home = folder_of(card.path) if card else _common(data)
    start = f"{home}/" if home else ""
    try:
        inside = [path.removeprefix(start) for path in data if path.startswith(start)]
        configured = configurations(card.facts if card else None)
        splits = [each for each in splits_of(inside, configured) if configured or _is_named(each)]
    except UnreadableError:
        splits = []
    taken: set[str] = set()
    for split in splits:
        paths = tuple(start + path for path in split.paths)
        if len(paths) > 1 and not taken.intersection(paths) and _are_alike([data[path] for path in paths]):
            taken.update(paths)
            yield _part(f"{start}{split.config}/{split.split}", [data[path] for path in paths])
    for path, file in data.items():
        if path not in taken:
            yield _part(path, [file])


def _is_named(split: Split) -> bool:
    """Whether the files say that they are of the split: loaders call everything else `train`."""
    return all(split.split in path for path in split.paths)


def _common(paths: Iterable[str]) -> str:
    """The folder that all files lie in."""
    folders = {folder_of(path) for path in paths}
    return posixpath.commonpath(folders) if folders and "" not in folders else ""


def _are_alike(files: Sequence[File]) -> bool:
    """Whether the rows of the files can stand behind each other: one format, the same columns."""
    shapes = {
        (file.format, tuple((c.name, c.type) for c in file.facts.columns)) for file in files if file.facts
    }
    return len(shapes) == 1


def _part(name: str, files: Iterable[File]) -> Part:
    found = (RowFile.of(file.entry, file.facts) for file in files)
    return Part(name=name, files=tuple(file for file in found if file is not None))
