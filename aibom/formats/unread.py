"""Formats that are recognised and digested, but whose content this version does not read.

One row per format. Each file of them becomes a gap, so that a model in an unread format never
looks like a folder without models. Where a format has magic bytes they decide; a file name alone
counts only where it is not used for anything else. Sources of the magic bytes: docs/formats/unread.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import partial
from typing import Final

from aibom.domain.errors import UnreadableError
from aibom.domain.facts import FileKind
from aibom.domain.protocols import Format, Match, Probe

TEXT_BYTES: Final = 1_024  # of the front of a file, where a text marker must stand


@dataclass(frozen=True, slots=True, kw_only=True)
class Signature:
    """How one format is told. Of the markers any one is enough."""

    name: str
    title: str
    kind: FileKind = FileKind.WEIGHTS
    magics: tuple[tuple[int, bytes], ...] = ()  # offset and bytes
    text: bytes | None = None  # in the first `TEXT_BYTES`
    tail: bytes | None = None  # the last bytes
    names: tuple[str, ...] = ()  # patterns of lower-case file names, with * and ?
    content_suffices: bool = True  # False: other formats have the same bytes, so the name must fit too
    name_suffices: bool = True  # False: the name is too common, so the content must fit too

    def fits(self, probe: Probe) -> bool:
        """True when one of the markers is there."""
        if any(probe.head[at : at + len(magic)] == magic for at, magic in self.magics):
            return True
        if self.text is not None and self.text in probe.head[:TEXT_BYTES]:
            return True
        return self.tail is not None and _ends_with(probe, self.tail)


@dataclass(frozen=True, slots=True)
class _Names:
    """Patterns, sorted by how they are compared: this runs for every file of a scan."""

    endings: tuple[str, ...]
    others: tuple[str, ...]

    @classmethod
    def of(cls, patterns: tuple[str, ...]) -> _Names:
        endings = tuple(p for p in patterns if p.startswith("*.") and "?" not in p)
        return cls(tuple(p[1:] for p in endings), tuple(p for p in patterns if p not in endings))

    def match(self, name: str) -> bool:
        return name.endswith(self.endings) or any(fnmatchcase(name, pattern) for pattern in self.others)


def _recognise(signature: Signature, names: _Names, probe: Probe) -> Match:
    """By content, by name, or by both where one of them proves too little."""
    named = names.match(probe.name.lower())
    if (named or signature.content_suffices) and signature.fits(probe):
        return Match.CONTENT
    return Match.NAME if named and signature.name_suffices else Match.NO


def _ends_with(probe: Probe, tail: bytes) -> bool:
    try:
        return probe.size >= len(tail) and probe.reader.read_at(probe.size - len(tail), len(tail)) == tail
    except UnreadableError:
        return False


_ZIP = (0, b"PK\x03\x04")
_GZIP = (0, b"\x1f\x8b")
_ZSTD = (0, b"\x28\xb5\x2f\xfd")
_LZ4 = (0, b"\x04\x22\x4d\x18")
_DATA_SUFFIXES = ("csv", "json", "jsonl", "parquet", "tar", "tsv", "txt")

SIGNATURES: Final = (
    Signature(name="executorch", title="ExecuTorch program", magics=((4, b"ET12"),), names=("*.pte",)),
    Signature(name="executorch-data", title="ExecuTorch data", magics=((4, b"FT01"),), names=("*.ptd",)),
    Signature(name="ort", title="ONNX Runtime", magics=((4, b"ORTM"),), names=("*.ort",)),
    Signature(name="coreml-weights", title="Core ML weights", magics=((64, b"\xef\xbe\xad\xde"),),
              names=("weight.bin",), content_suffices=False, name_suffices=False),
    Signature(name="tensorrt", title="TensorRT engine", magics=((0, b"ftrt"),),
              names=("*.engine", "*.plan", "*.trt")),
    Signature(name="tf-checkpoint", title="TensorFlow checkpoint data", names=("*.data-?????-of-?????",)),
    Signature(name="tf-checkpoint-index", title="TensorFlow checkpoint index", kind=FileKind.INDEX,
              tail=b"\x57\xfb\x80\x8b\x24\x75\x47\xdb", names=("*.index",),
              content_suffices=False, name_suffices=False),
    Signature(name="tf-checkpoint-state", title="TensorFlow checkpoint state", kind=FileKind.INDEX,
              text=b"model_checkpoint_path:", names=("checkpoint",),
              content_suffices=False, name_suffices=False),
    Signature(name="flax-msgpack", title="Flax msgpack", names=("*.msgpack",)),
    Signature(name="ocdbt", title="OCDBT (Orbax checkpoint)",
              magics=((0, b"\x0c\xdb\x3a\x2a"), (0, b"\x0c\xdb\x20\xde"), (0, b"\x0c\xdb\x12\x34")),
              names=("manifest.ocdbt",)),
    Signature(name="orbax", title="Orbax checkpoint metadata", kind=FileKind.INDEX,
              names=("_checkpoint_metadata",)),
    Signature(name="zarr", title="Zarr metadata", kind=FileKind.DATA,
              names=(".zarray", ".zgroup", ".zattrs", ".zmetadata", "zarr.json")),
    Signature(name="paddle", title="PaddlePaddle", names=("*.pdmodel", "*.pdiparams")),
    Signature(name="mxnet", title="MXNet parameters", magics=((0, b"\x12\x01" + bytes(14)),),
              names=("*-????.params",)),
    Signature(name="ncnn", title="ncnn", magics=((0, b"7767517\n"), (0, b"7767517\r\n")),
              names=("*.ncnn.param", "*.ncnn.bin")),
    Signature(name="rknn", title="RKNN", magics=((0, b"RKNN\0\0\0\0"), (0, b"CYPTRKNN")),
              names=("*.rknn",)),
    Signature(name="mnn", title="MNN", names=("*.mnn",)),
    Signature(name="caffe", title="Caffe", names=("*.caffemodel",)),
    Signature(name="llamafile", title="llamafile", magics=((0, b"MZqFpD='"),), names=("*.llamafile",),
              content_suffices=False),
    Signature(name="ggml", title="GGML before GGUF",
              magics=((0, b"lmgg"), (0, b"fmgg"), (0, b"tjgg"), (0, b"algg"))),
    Signature(name="nemo", title="NeMo", magics=((257, b"ustar"), _GZIP), names=("*.nemo",),
              content_suffices=False),
    Signature(name="mar", title="TorchServe archive", magics=(_ZIP, _GZIP), names=("*.mar",),
              content_suffices=False),
    Signature(name="r-serialized", title="R object", names=("*.rds", "*.rda", "*.rdata"),
              magics=((0, b"RDX2\nX\n"), (0, b"RDX3\nX\n"), (0, b"X\n\0\0\0\x02"), (0, b"X\n\0\0\0\x03"))),
    Signature(name="torch7", title="Torch7", names=("*.t7",)),
    Signature(name="spacy", title="spaCy corpus", kind=FileKind.DATA, names=("*.spacy",)),
    Signature(name="compressed-data", title="Data compressed with Zstandard or LZ4", kind=FileKind.DATA,
              magics=(_ZSTD, _LZ4), content_suffices=False,
              names=tuple(f"*.{inner}.{outer}" for inner in _DATA_SUFFIXES for outer in ("zst", "lz4"))),
    Signature(name="zstd", title="Zstandard", magics=(_ZSTD,), names=("*.zst", "*.zstd")),
    Signature(name="lz4", title="LZ4", magics=(_LZ4,), names=("*.lz4",)),
    Signature(name="7z", title="7z archive", magics=((0, b"7z\xbc\xaf\x27\x1c"),), names=("*.7z",)),
    Signature(name="rar", title="RAR archive", magics=((0, b"Rar!\x1a\x07"),), names=("*.rar",)),
)  # fmt: skip


def table() -> list[tuple[str, str, str, str, str]]:
    """Title, name, kind, content and file names of every format, in the words of the documentation."""
    return [(s.title, f"`{s.name}`", str(s.kind), _content(s), _names(s)) for s in SIGNATURES]


def _content(signature: Signature) -> str:
    found = [f"{_shown(magic)} at byte {at}" for at, magic in signature.magics]
    if signature.text is not None:
        found.append(f"{_shown(signature.text)} in the first {TEXT_BYTES} bytes")
    if signature.tail is not None:
        found.append(f"{_shown(signature.tail)} at the end")
    needs = "" if signature.content_suffices else ", and the name"
    return " or ".join(found) + needs if found else "-"


def _names(signature: Signature) -> str:
    needs = "" if signature.name_suffices else ", and the content"
    return ", ".join(f"`{name}`" for name in signature.names) + needs or "-"


def _shown(marker: bytes) -> str:
    text = repr(marker)[2:-1]
    return f"`{marker.hex(' ')}`" if "\\x" in text else f"`{text}`"


def _format(signature: Signature) -> Format:
    names = _Names.of(signature.names)
    return Format(
        name=signature.name,
        title=signature.title,
        kind=signature.kind,
        suffixes=names.endings if signature.name_suffices else (),
        recognise=partial(_recognise, signature, names),
        read=None,
    )


FORMATS: Final = tuple(_format(signature) for signature in SIGNATURES)
