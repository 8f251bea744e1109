"""Datasets: a folder that says it is one, or the data files of a folder."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field

from aibom.domain.component import Claim, Component, ComponentKind
from aibom.domain.facts import Attribute, FileKind
from aibom.domain.file import File
from aibom.inventory.ancestry import relations_of
from aibom.inventory.claims import claims_of, measured
from aibom.inventory.folders import Folder, Place, folder_of, folders, kind_of
from aibom.inventory.naming import component_id, identity

_DESCRIBING = ("dataset-info", "croissant")


@dataclass(slots=True)
class _Dataset:
    folder: str
    files: list[File] = field(default_factory=list)


def datasets(place: Place, taken: set[str]) -> list[Component]:
    """One component per dataset; files in `taken` already belong to another component.

    A folder with a dataset card, dataset_info.json or Croissant description is a dataset with
    all data below it. Other data files make one dataset per folder.
    """
    roots = {folder.path for folder in folders(place) if _is_root(folder)}
    found: dict[str, _Dataset] = defaultdict(lambda: _Dataset(""))
    for folder in folders(place):
        root = next((path for path in _chain(folder.path) if path in roots), None)
        for file in folder.files:
            if file.path not in taken and _belongs(file, folder, root):
                home = folder.path if root is None else root
                found[home].folder = home
                found[home].files.append(file)
    return [_component(dataset, place) for dataset in found.values()]


def _is_root(folder: Folder) -> bool:
    if folder.of_format(*_DESCRIBING):
        return True
    return any(("card", "dataset") in file.facts.metadata for file in folder.of_format("card") if file.facts)


def _chain(path: str) -> list[str]:
    chain = [path]
    while path:
        path = folder_of(path)
        chain.append(path)
    return chain


def _belongs(file: File, folder: Folder, root: str | None) -> bool:
    kind = kind_of(file)
    if kind is FileKind.DATA:
        return True
    return folder.path == root and kind in (FileKind.CARD, FileKind.CONFIG)


def _component(dataset: _Dataset, place: Place) -> Component:
    claims = claims_of(dataset.files) + _rows(dataset)
    named = identity(dataset.folder, "", claims, place)
    paths = [file.path for file in dataset.files]
    lost = any(folder == dataset.folder or folder.startswith(f"{dataset.folder}/") for folder in place.lost)
    return Component(
        id=component_id(ComponentKind.DATASET, named.name, dataset.files, dataset.folder),
        kind=ComponentKind.DATASET,
        name=named.name,
        basis=named.basis,
        version=named.version,
        ref=named.ref,
        files=tuple(sorted(paths)),
        claims=claims,
        relations=relations_of(claims, named.ref),
        complete=not lost and not any(path in place.gap_paths for path in paths),
    )


def _rows(dataset: _Dataset) -> tuple[Claim, ...]:
    """The number of rows, when every data file tells its own."""
    data = [file for file in dataset.files if kind_of(file) is FileKind.DATA]
    rows = [file.facts.rows if file.facts else None for file in data]
    if not rows or None in rows:
        return ()
    total = sum(count for count in rows if count is not None)
    return (measured(Attribute.ROW_COUNT, str(total), dataset.folder or "."),)
