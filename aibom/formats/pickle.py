"""Raw pickles, and what three libraries make of them: joblib, dill, cloudpickle.

All four are the same machine code; which one a file is follows from what it imports. Nothing is
unpickled: see `readers.pickle`. Sources: PEP 307, PEP 3154, PEP 574, CPython's `pickletools`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from aibom.domain.errors import Reason, UnreadableError, unsupported
from aibom.domain.facts import Facts, FileKind, Import, Span, Tensor
from aibom.domain.limits import TENSOR_COUNT
from aibom.domain.protocols import Format, Match, Probe
from aibom.domain.text import capped
from aibom.readers.defects import Defects
from aibom.readers.pickle import PROTOCOLS, STARTERS, Stream, run
from aibom.readers.pickle_arrays import MODULE, Arrays
from aibom.readers.pickle_imports import Imports, capabilities
from aibom.readers.pickle_paths import leaves
from aibom.readers.ranges import Memory

_STREAM_COUNT: Final = 1_000
_LIKELY_OPCODES: Final = 32  # so many in a row are no accident
_WHOLE_OPCODES: Final = 8  # the same, when STOP is the last of them
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
    if len(head) > 2 and head[0] == 0x80 and head[1] in PROTOCOLS and head[2] in STARTERS:
        return Match.CONTENT
    if probe.named(*_WEIGHTS_SUFFIXES) and _runs(probe):
        return Match.CONTENT
    if probe.named(*_PICKLE_SUFFIXES):
        return Match.NAME
    return Match.NAME if _compressor(head) and _named_packed(probe) else Match.NO


def _runs(probe: Probe) -> bool:
    """True when the head is a whole stream, or the start of one that is not there by accident."""
    if not probe.head or probe.head[0] not in STARTERS:
        return False
    stream = run(Memory(probe.head))
    if stream.defects or (stream.error and stream.error.reason is not Reason.TRUNCATED):
        return False
    if stream.error:
        return stream.opcodes >= _LIKELY_OPCODES
    # Two bytes such as "N." are a stream too, and start one in so many files of raw numbers.
    return bool(stream.imports) or stream.stop == probe.size or stream.opcodes >= _WHOLE_OPCODES


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
    return _Walk(probe).facts()


class _Walk:
    """What the streams of one file have told so far; no stream is kept."""

    def __init__(self, probe: Probe) -> None:
        self._probe = probe
        self._defects = Defects()
        self._imports = Imports(self._defects)
        self._tensors: list[Tensor] = []
        self._protocol = 0
        self._end = 0

    def facts(self) -> Facts:
        count = 0
        while self._end < self._probe.size or count == 0:
            if count == _STREAM_COUNT:
                self._defects.add(f"more than {_STREAM_COUNT} streams", self._end, Reason.LIMIT)
                break
            if not self._stream(first=count == 0):
                break
            count += 1
        imports = self._imports.listed()
        return Facts(
            format=_flavour(imports),
            kind=FileKind.WEIGHTS,
            version=str(self._protocol),
            tensors=tuple(self._tensors),
            covered=tuple(_between(self._tensors, self._end)),
            imports=imports,
            capabilities=capabilities(imports),
            indexed=True,
            defects=tuple(self._defects.found),
        )

    def _stream(self, *, first: bool) -> bool:
        """Reads one stream; False when nothing can follow it."""
        arrays = Arrays(self._probe.reader, self._imports, self._defects)
        stream = run(self._probe.reader, self._end, after_build=arrays.after_build)
        useful = bool(stream.imports or arrays.found)
        if stream.error and not useful:
            if first:
                raise stream.error
            left = self._probe.size - self._end
            self._defects.add(f"{left} bytes follow the last stream", self._end)
            return False
        if first:
            self._protocol = stream.protocol
        self._imports.add(stream.imports)
        self._defects.extend(stream.defects)
        self._name(stream, arrays)
        self._end = stream.stop
        if stream.error:
            self._defects.caught("the stream cannot be followed to its end", stream.error)
        return stream.error is None

    def _name(self, stream: Stream, arrays: Arrays) -> None:
        wrappers = {id(wrapper) for wrapper, _ in arrays.found}
        names: dict[int, str] = {}
        try:
            for path, value in leaves(stream.root, lambda value: id(value) in wrappers):
                names.setdefault(id(value), path)
        except UnreadableError as error:
            self._defects.caught("names of arrays", error, stream.start)
        for wrapper, array in arrays.found:
            if len(self._tensors) == TENSOR_COUNT:
                self._defects.add(f"more than {TENSOR_COUNT} arrays", array.offset, Reason.LIMIT)
                return
            # What hangs nowhere any more has its offset for a name.
            self._tensors.append(array.tensor(capped(names.get(id(wrapper), f"@{array.offset}"))))


def _between(tensors: list[Tensor], end: int) -> Iterator[Span]:
    """The ranges up to `end` that hold opcodes and padding."""
    position = 0
    for tensor in tensors:
        if position < tensor.offset:
            yield Span(start=position, end=tensor.offset)
        position = tensor.offset + tensor.length
    if position < end:
        yield Span(start=position, end=end)


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
