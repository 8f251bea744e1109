"""WebDataset: shards of samples in tar archives; the members of a sample share the name up to the first dot.

Any archive can hold such names. So an archive is one only by its name and its first two members together.
Format: github.com/webdataset/webdataset, "The WebDataset Format".
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice
from typing import Final

from aibom.domain.errors import UnreadableError, malformed
from aibom.domain.facts import Column, Facts, FileKind
from aibom.domain.protocols import ByteReader, Format, Match, Probe
from aibom.formats import _tabular
from aibom.readers.row_webdataset import EXTENSION_COUNT, key_and_extension
from aibom.readers.tar import is_tar, walk

_MEMBER_COUNT: Final = 16  # of which two must belong to samples; folders and metadata come first
_SHARD: Final = re.compile(r"(?:.*[-_])?[0-9]{5,7}\.tar", re.DOTALL)  # 00012.tar, train-000012.tar
# What stands side by side under one name in archives of programs, websites and models.
_OTHERS: Final = frozenset({
    "a", "c", "cc", "cfg", "cmake", "cpp", "css", "css.map", "csproj", "cu", "cuh", "d.ts", "dll", "exe",
    "go", "gradle", "h", "hpp", "htm", "in", "ini", "java", "js", "js.map", "jsx", "kt", "lock", "m4", "mod",
    "o", "po", "proto", "py", "pyc", "pyi", "rb", "rs", "rst", "scss", "sh", "so", "sum", "swift", "toml",
    "ts", "tsx",
    "bin.index.json", "ckpt", "gguf", "h5", "keras", "model", "onnx", "onnx.data", "onnx_data", "pb",
    "safetensors", "safetensors.index.json", "tar", "tflite",
})  # fmt: skip


def recognise(probe: Probe) -> Match:
    """By name and content: two members of one sample, or one in an archive that is numbered as a shard."""
    if not probe.named(".tar") or not is_tar(probe.head):
        return Match.NO
    try:
        first = list(islice(_named(probe.reader), 2))
    except UnreadableError:
        return Match.NO
    if not first or any(extension in _OTHERS for _, extension in first):
        return Match.NO
    paired = len(first) == 2 and first[0][0] == first[1][0]
    return Match.CONTENT if paired or _SHARD.fullmatch(probe.name.lower()) else Match.NO


def read(probe: Probe) -> Facts:
    """The extensions of the first sample as columns. Raises `UnreadableError`."""
    names: list[str] = []
    first = None
    for key, extension in islice(_named(probe.reader, EXTENSION_COUNT), EXTENSION_COUNT):
        if first is not None and key != first:
            break
        first = key
        names.append(_tabular.text(extension.encode("utf-8", "surrogateescape")))
    if first is None:
        raise malformed("no sample in the archive", 0)
    columns = tuple(Column(name=name, type="member") for name in names)
    defects = _tabular.name_defects(columns)
    return Facts(format="webdataset", kind=FileKind.DATA, columns=columns, defects=defects)


def _named(reader: ByteReader, more: int = 0) -> Iterator[tuple[str, str]]:
    """Key and extension of the first members that belong to samples."""
    for member in islice(walk(reader), _MEMBER_COUNT + more):
        named = key_and_extension(member)
        if named is not None:
            yield named


FORMAT = Format(
    name="webdataset",
    title="WebDataset",
    kind=FileKind.DATA,
    suffixes=(),  # most archives in .tar are something else
    recognise=recognise,
    read=read,
    media_type="application/x-tar",
)
