"""The scanned files by folder, with what their neighbours say about them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from aibom.domain.facts import FileKind
from aibom.domain.file import File
from aibom.domain.gap import Gap
from aibom.domain.target import Target

# What a Git LFS pointer stands for can only be told from its name.
_WEIGHT_SUFFIXES = (
    ".safetensors", ".gguf", ".bin", ".pt", ".pth", ".ckpt", ".onnx", ".h5", ".keras", ".pkl", ".joblib",
    ".npz", ".msgpack", ".tflite",
)  # fmt: skip
_DATA_SUFFIXES = (".parquet", ".arrow", ".feather", ".csv", ".tsv", ".jsonl", ".ndjson")


@dataclass(frozen=True, slots=True, kw_only=True)
class Folder:
    """One folder's own files, in order of path. `path` is empty for the top."""

    path: str
    files: tuple[File, ...]

    def of_kind(self, *kinds: FileKind) -> tuple[File, ...]:
        return tuple(file for file in self.files if kind_of(file) in kinds)

    def of_format(self, *names: str) -> tuple[File, ...]:
        return tuple(file for file in self.files if file.format in names)


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Everything that was scanned."""

    folders: dict[str, Folder]
    gap_paths: frozenset[str]
    lost: frozenset[str]  # folders in which an entry came to nothing
    targets: tuple[Target, ...]

    @classmethod
    def of(cls, files: Iterable[File], gaps: Iterable[Gap], targets: tuple[Target, ...]) -> Place:
        by_folder: dict[str, list[File]] = defaultdict(list)
        paths = set()
        for file in files:
            by_folder[folder_of(file.path)].append(file)
            paths.add(file.path)
        gap_paths = frozenset(gap.path for gap in gaps)
        return cls(
            folders={path: Folder(path=path, files=tuple(found)) for path, found in by_folder.items()},
            gap_paths=gap_paths,
            lost=frozenset(folder_of(path) for path in gap_paths - paths),
            targets=targets,
        )

    def above(self, path: str) -> Iterator[Folder]:
        """The folders that hold a folder, nearest first, without itself."""
        while path:
            path = folder_of(path)
            if path in self.folders:
                yield self.folders[path]


def folders(place: Place) -> list[Folder]:
    """All folders that hold files, in order of path."""
    return [place.folders[path] for path in sorted(place.folders)]


def folder_of(path: str) -> str:
    return path.rpartition("/")[0]


def name_of(path: str) -> str:
    return path.rpartition("/")[2]


def kind_of(file: File) -> FileKind | None:
    """What a file is for; a pointer counts as what it points to."""
    if file.facts is None:
        return None
    if file.facts.kind is not FileKind.POINTER:
        return file.facts.kind
    name = file.path.lower()
    if name.endswith(_WEIGHT_SUFFIXES):
        return FileKind.WEIGHTS
    return FileKind.DATA if name.endswith(_DATA_SUFFIXES) else FileKind.POINTER
