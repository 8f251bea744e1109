"""Raw pickles, and what three libraries make of them: joblib, dill, cloudpickle.

All four are the same machine code; which one a file is follows from what it imports. Nothing is
unpickled: see `readers.pickle`. Sources: PEP 307, PEP 3154, PEP 574, CPython's `pickletools`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from aibom.domain.errors import unsupported
from aibom.domain.facts import Facts, FileKind, Import
from aibom.domain.protocols import Format, Match, Probe
from aibom.formats._pickle import begins_pickle, begins_with_protocol, walk
from aibom.readers.pickle_arrays import MODULE
from aibom.readers.pickle_imports import capabilities

_PICKLE_SUFFIXES: Final = (".pkl", ".pickle", ".joblib", ".dill", ".p", ".sav")
# Names under which a loader, or whoever is to be fooled, expects weights or data.
_WEIGHTS_SUFFIXES: Final = (
    ".bin", ".pt", ".pth", ".ckpt", ".safetensors", ".gguf", ".onnx", ".npy", ".npz", ".h5", ".hdf5",
    ".keras", ".msgpack", ".tflite", ".parquet", ".arrow", ".feather", ".model", ".weights", ".dat",
)  # fmt: skip
_PACKED_SUFFIXES: Final = (".gz", ".z", ".zlib", ".bz2", ".xz", ".lzma", ".lz4")
# Modules of each library, dots at both ends.
_MARKS: Final = {"joblib": (f".{MODULE}.",), "dill": (".dill.",), "cloudpickle": (".cloudpickle.",)}
_COMPRESSORS: Final = {
    b"\x1f\x8b": "gzip", b"BZh": "bzip2", b"\xfd7zXZ": "xz", b"]\0": "lzma", b"\x04\x22M\x18": "lz4",
    b"x\x01": "zlib", b"x\x5e": "zlib", b"x\x9c": "zlib", b"x\xda": "zlib", b"ZF0x": "zlib",
}  # fmt: skip


def recognise(probe: Probe) -> Match:
    """By the protocol mark and an opcode that can follow it; without a mark by name or a short run."""
    head = probe.head
    if begins_with_protocol(head) or (probe.named(*_WEIGHTS_SUFFIXES) and begins_pickle(head, probe.size)):
        return Match.CONTENT
    if probe.named(*_PICKLE_SUFFIXES):
        return Match.NAME
    return Match.NAME if _compressor(head) and _named_packed(probe) else Match.NO


def _compressor(head: bytes) -> str | None:
    return next((name for magic, name in _COMPRESSORS.items() if head.startswith(magic)), None)


def _named_packed(probe: Probe) -> bool:
    stem, _, last = probe.name.lower().rpartition(".")
    return f".{last}" in _PACKED_SUFFIXES and stem.endswith(_PICKLE_SUFFIXES)


def read(probe: Probe) -> Facts:
    """Imports, arrays and capabilities of every stream. Raises when there is not even one import."""
    compressor = _compressor(probe.head)
    if compressor:
        raise unsupported(f"compressed with {compressor}, not read", 0)
    walked = walk(probe.reader)
    return Facts(
        format=_flavour(walked.imports),
        kind=FileKind.WEIGHTS,
        version=str(walked.protocol),
        tensors=walked.tensors,
        covered=walked.covered,
        imports=walked.imports,
        hazards=walked.hazards,
        nested=walked.nested,
        capabilities=capabilities(walked.imports),
        indexed=True,
        defects=walked.defects,
    )


def _flavour(imports: tuple[Import, ...]) -> str:
    """The library that wrote the file, as far as its own modules are imported."""
    modules = [f".{item.module}." for item in imports]
    for name, marks in _MARKS.items():
        if any(mark in module for module in modules for mark in marks):
            return name
    return "pickle"


def _marked(name: str) -> Callable[[Probe], Match]:
    """Recognises pickles whose head names the library's module."""

    def recognise_marked(probe: Probe) -> Match:
        marks = (mark.strip(".").encode() for mark in _MARKS[name])
        return recognise(probe) if any(mark in probe.head for mark in marks) else Match.NO

    return recognise_marked


def _format(name: str, title: str, suffixes: tuple[str, ...]) -> Format:
    return Format(
        name=name,
        title=title,
        kind=FileKind.WEIGHTS,
        suffixes=suffixes,
        recognise=recognise if name == "pickle" else _marked(name),
        read=read,
        media_type="application/x-pickle",
    )


JOBLIB = _format("joblib", "joblib", (".joblib",))
DILL = _format("dill", "dill", (".dill",))
CLOUDPICKLE = _format("cloudpickle", "cloudpickle", ())
FORMAT = _format("pickle", "Python pickle", (".pkl", ".pickle", ".p", ".sav"))
# The order to register them in: the plain one last.
FORMATS = (JOBLIB, DILL, CLOUDPICKLE, FORMAT)
