"""Folders of images, sounds or films as rows: path, split, label and SHA-256 of each file.

The files were digested before and are not opened. Beside them can lie metadata.csv or metadata.jsonl,
whose column `file_name` says which file a row is about; then its columns stand in place of the label.
Format: huggingface.co/docs/datasets, "Create an image dataset", "ImageFolder" and "AudioFolder".
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from aibom.domain.dataset import Field, Kind, RowBatch, Schema, Type
from aibom.domain.errors import UnreadableError, malformed, over_limit, unsupported
from aibom.domain.protocols import ByteReader
from aibom.domain.text import visible
from aibom.readers import row_csv, row_jsonl
from aibom.readers.row_text import at_row

FILE_COUNT: Final = 1_000_000  # some 300 bytes each are held
METADATA_NAMES: Final = ("metadata.csv", "metadata.jsonl")
PATH, SPLIT, LABEL, SHA256 = "path", "split", "label", "sha256"
_FILE_NAME: Final = "file_name"
_OTHER_NAMES: Final = ("_file_name", "file_names")  # several files in one row
_BATCH_COUNT: Final = 4_096
_STRING, _BYTES = Type(kind=Kind.STRING), Type(kind=Kind.BYTES)
_SUFFIXES: Final = (
    ".apng", ".bmp", ".dds", ".dib", ".eps", ".exr", ".gif", ".heic", ".icns", ".ico", ".j2k", ".jfif",
    ".jp2", ".jpe", ".jpeg", ".jpg", ".jpx", ".pbm", ".pcx", ".pgm", ".png", ".pnm", ".ppm", ".psd", ".ras",
    ".sgi", ".tga", ".tif", ".tiff", ".webp", ".xbm", ".xpm",
    ".aac", ".aif", ".aiff", ".au", ".caf", ".flac", ".m4a", ".mp3", ".oga", ".ogg", ".opus", ".rf64",
    ".voc", ".w64", ".wav", ".wma",
    ".avi", ".m4v", ".mkv", ".mov", ".mp4", ".mpeg", ".mpg", ".webm",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """A digested file of the dataset; `path` is relative to its folder."""

    path: str
    sha256: bytes
    split: str | None = None


def is_medium(path: str) -> bool:
    """Whether the name is that of an image, a sound or a film."""
    return path.lower().endswith(_SUFFIXES)


def is_metadata(path: str) -> bool:
    return path.rpartition("/")[2] in METADATA_NAMES


def records(
    items: Iterable[Item], metadata: Mapping[str, ByteReader] | None = None, schema: Schema | None = None
) -> Iterator[RowBatch]:
    """One row per file, sorted by path, or in the order of `metadata`: readers by their path.

    `schema` declares the columns of the metadata, `file_name` included. Every file needs a row there, and
    every row a file: loaders drop the rest or fail. Raises `UnreadableError`.
    """
    files = _by_path(items)
    if metadata:
        yield from _described(files, metadata, schema)
        return
    paths = sorted(files)
    columns = (PATH, SPLIT, *((LABEL,) if _has_labels(paths) else ()), SHA256)
    for first in range(0, len(paths), _BATCH_COUNT):
        part = [files[path] for path in paths[first : first + _BATCH_COUNT]]
        values: dict[str, list[object]] = {
            PATH: [item.path for item in part],
            SPLIT: [item.split for item in part],
            LABEL: [_label(item.path) for item in part],
            SHA256: [item.sha256 for item in part],
        }
        yield RowBatch(
            names=columns,
            types=tuple(_BYTES if name == SHA256 else _STRING for name in columns),
            columns=tuple(values[name] for name in columns),
            rows=len(part),
            first=first,
        )


def _by_path(items: Iterable[Item]) -> dict[str, Item]:
    files: dict[str, Item] = {}
    for item in items:
        if len(files) == FILE_COUNT:
            raise over_limit(f"more than {FILE_COUNT} files")
        if item.path in files:
            raise malformed(f"{visible(item.path[:200])} is there twice")
        files[item.path] = item
    return files


def _folder(path: str) -> str:
    return path.rpartition("/")[0]


def _has_labels(paths: Sequence[str]) -> bool:
    """Folders are labels when there are several of them, all at one depth."""
    return len({path.count("/") for path in paths}) == 1 and len({_label(path) for path in paths}) > 1


def _label(path: str) -> str:
    return _folder(path).rpartition("/")[2]


def _described(
    files: dict[str, Item], metadata: Mapping[str, ByteReader], schema: Schema | None
) -> Iterator[RowBatch]:
    if len({path.rpartition(".")[2] for path in metadata}) > 1:
        raise malformed("metadata as CSV and as JSON Lines")
    declared = _declared(schema) if schema is not None else None
    left, first = dict(files), 0
    for path in sorted(metadata):
        read = row_csv.records if path.endswith(".csv") else row_jsonl.records
        try:
            for batch in read(metadata[path], declared):
                yield _joined(replace(batch, first=first), batch.first, _folder(path), files, left)
                first += batch.rows
        except UnreadableError as error:
            raise UnreadableError(error.reason, f"{visible(path)}: {error.message}", error.offset) from None
    if left:
        shown = visible(min(left)[:200])
        raise malformed(f"{len(left)} files without a row in the metadata, {shown} is one")


def _declared(schema: Schema) -> Schema:
    if _FILE_NAME in schema.names:
        return schema
    return Schema(fields=(Field(name=_FILE_NAME, type=_STRING), *schema.fields))


def _joined(
    batch: RowBatch, row: int, folder: str, files: Mapping[str, Item], left: dict[str, Item]
) -> RowBatch:
    """The rows of the metadata with the files that they are about; `row` is the first one's number there."""
    several = [name for name in batch.names if name.endswith(_OTHER_NAMES)]
    if several:
        raise unsupported(f"rows about several files: {visible(several[0][:80])}")
    if _FILE_NAME not in batch.names:
        raise at_row(row, malformed(f"no {_FILE_NAME}"))
    at = batch.names.index(_FILE_NAME)
    items = []
    for number, cell in enumerate(batch.columns[at]):
        # CSV without quotes comes as the bytes that stand there, of which it is known that they are UTF-8.
        name = cell.decode() if isinstance(cell, bytes) else cell
        path = _path(folder, name)
        if path is None or path not in files:
            shown = visible(name[:200]) if isinstance(name, str) else "no text"
            raise at_row(row + number, malformed(f"{_FILE_NAME} is {shown}, which is no file of the folder"))
        if left.pop(path, None) is None:
            raise at_row(row + number, malformed(f"{visible(path[:200])} has a row already"))
        items.append(files[path])
    others = [index for index in range(len(batch.names)) if index != at]
    names = (PATH, SPLIT, SHA256, *(_apart(batch.names[index]) for index in others))
    if len(set(names)) != len(names):
        raise malformed("two columns of the metadata have one name")
    return RowBatch(
        names=names,
        types=(_STRING, _STRING, _BYTES, *(batch.types[index] for index in others)),
        columns=(
            [item.path for item in items],
            [item.split for item in items],
            [item.sha256 for item in items],
            *(batch.columns[index] for index in others),
        ),
        rows=batch.rows,
        first=batch.first,
    )


def _apart(name: str) -> str:
    """The name of a column, not to be taken for one of those that every row has."""
    return f"metadata.{name}" if name in (PATH, SPLIT, SHA256) else name


def _path(folder: str, name: object) -> str | None:
    """The file that the metadata in `folder` names; None for one that may be anywhere."""
    if not isinstance(name, str) or name.startswith(("/", "\\")):
        return None
    parts = [part for part in name.replace("\\", "/").split("/") if part not in ("", ".")]
    if not parts or ".." in parts:
        return None
    return "/".join(filter(None, (folder, *parts)))
