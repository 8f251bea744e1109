"""Folders of images, sounds and films: which files of a scan are the rows of one dataset."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from aibom.domain.component import Component, ComponentKind
from aibom.domain.entry import Entry
from aibom.domain.file import File
from aibom.domain.gap import Gap
from aibom.inventory.folders import folder_of
from aibom.inventory.splits import splits_of
from aibom.readers.row_folder import is_medium, is_metadata
from aibom.workflows.rows import MEDIA, Part, RowFile

_MODELS = (ComponentKind.MODEL, ComponentKind.ADAPTER)


def with_media(
    parts: Iterable[Part],
    components: Iterable[Component],
    files: Mapping[str, File],
    gaps: Iterable[Gap] = (),
    targets: Sequence[tuple[str, str]] = (("", "."),),
) -> list[Part]:
    """The parts and those of media, which take their metadata to themselves, in order of name."""
    media = media_parts(components, files, gaps, targets)
    taken = {path for part in media for path in part.paths}
    return sorted((*(part for part in parts if not taken.issuperset(part.paths)), *media), key=_name)


def _name(part: Part) -> str:
    return part.name


def media_parts(
    components: Iterable[Component],
    files: Mapping[str, File],
    gaps: Iterable[Gap] = (),
    targets: Sequence[tuple[str, str]] = (("", "."),),
) -> list[Part]:
    """The media below the folder of each dataset as one part, with the metadata beside them, by name.

    `targets` are the prefixes of the targets and their names. Without any dataset and model all media of a
    target are one part; the pictures of a model's card are none. A medium that was not read (`gaps`) is in
    its part without a digest.
    """
    homes = _homes(list(components), targets)
    found: dict[str, list[RowFile]] = defaultdict(list)
    for path, row in sorted(_candidates(files, gaps).items()):
        home = _nearest(path, homes)
        if home is not None:
            found[home].append(row)
    parts = (_part(homes[home], home, rows) for home, rows in found.items() if _has_media(rows))
    return sorted(parts, key=_name)


def _homes(components: Sequence[Component], targets: Sequence[tuple[str, str]]) -> dict[str, str]:
    """The folders whose media are rows, with the names of their parts."""
    top = {prefix.rstrip("/"): name for prefix, name in targets}
    datasets = [each for each in components if each.kind is ComponentKind.DATASET and each.files]
    if datasets:
        folders = (min(map(folder_of, each.files), key=len) for each in datasets)
        return {folder: folder or top.get("", ".") for folder in folders}
    return {} if any(each.kind in _MODELS for each in components) else top


def _candidates(files: Mapping[str, File], gaps: Iterable[Gap]) -> dict[str, RowFile]:
    lost = (gap.path for gap in gaps if gap.path not in files and is_medium(gap.path))
    found = {path: RowFile(entry=Entry(path=path, size=0), format=MEDIA) for path in lost}
    for path, file in files.items():
        row = _row(file)
        if row is not None:
            found[path] = row
    return found


def _row(file: File) -> RowFile | None:
    if is_metadata(file.path):
        # By its name, as loaders read it: a few rows may look like text of no format.
        known = RowFile.of(file.entry, file.facts)
        return known or RowFile(entry=file.entry, format=file.path.rpartition(".")[2])
    if is_medium(file.path):
        return RowFile(entry=file.entry, format=MEDIA, sha256=file.sha256)
    return None


def _nearest(path: str, homes: Mapping[str, str]) -> str | None:
    while path:
        path = folder_of(path)
        if path in homes:
            return path
    return None


def _has_media(rows: Iterable[RowFile]) -> bool:
    return any(row.format == MEDIA for row in rows)


def _part(name: str, folder: str, rows: Sequence[RowFile]) -> Part:
    start = len(folder) + 1 if folder else 0
    splits: dict[str, set[str]] = defaultdict(set)
    for each in splits_of([row.entry.path[start:] for row in rows if row.format == MEDIA]):
        for path in each.paths:
            splits[path].add(each.split)
    files = (replace(row, split=_only(splits[row.entry.path[start:]])) for row in rows)
    return Part(name=name, files=tuple(files), folder=folder)


def _only(names: set[str]) -> str | None:
    return min(names) if len(names) == 1 else None
