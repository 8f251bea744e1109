"""The parts of a file that may be files of their own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import IntEnum
from typing import Final, TypeAlias

from aibom.domain.protocols import ByteReader
from aibom.domain.text import capped, visible

HEAD_BYTES: Final = 512  # of a part: a tar header, and more than any other mark takes
UNKNOWN_BYTES: Final = 2**63  # the size of content that was not inflated to its end
_NAME_CHARS: Final = 200
# Endings under which a loader, or whoever is to be fooled, expects weights or data; and archives of code.
WEIGHTS_ENDINGS: Final = frozenset((
    "arrow", "bin", "caffemodel", "ckpt", "dill", "engine", "feather", "ggml", "gguf", "h5", "hdf5", "joblib",
    "keras", "llamafile", "mar", "mlmodel", "model", "msgpack", "nemo", "npy", "npz", "onnx", "parquet",
    "pickle", "pkl", "plan", "pt", "pt2", "pte", "pth", "ptl", "safetensors", "sav", "skops", "tflite", "trt",
    "weights",
))  # fmt: skip
_CODE_ENDINGS: Final = frozenset((
    "aar", "apk", "ear", "egg", "jar", "nupkg", "pex", "pyz", "vsix", "war", "whl",
))  # fmt: skip

Pieces: TypeAlias = "Callable[[], Iterator[bytes]]"


class Host(IntEnum):
    """What the file or the container around a part is for, which decides what may be in it."""

    PLAIN = 1
    CODE = 2  # a wheel, a jar: programs are to be expected
    MODEL = 3  # weights or data: no program has any business there


def host_of(name: str) -> Host:
    """What a file or container is for, as far as its name says."""
    ending = ending_of(name)
    if ending in WEIGHTS_ENDINGS:
        return Host.MODEL
    return Host.CODE if ending in _CODE_ENDINGS else Host.PLAIN


def ending_of(name: str) -> str:
    """What follows the last dot of a name, in lower case; the whole name when there is none."""
    return name.rpartition(".")[2].lower()


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """Bytes that may be a file of their own: the file itself, a member, a literal, a remainder.

    One of `reader` and `unpack` is there; what is packed is inflated only when somebody asks for
    more than the head. Offsets count from `origin` in the file, or in the content that was inflated.
    """

    name: str
    inside: str  # the way to it from the file, "" for the file itself
    depth: int  # containers around it
    host: Host
    head: bytes
    size: int  # bytes; claimed or UNKNOWN_BYTES, while packed
    reader: ByteReader | None = None
    unpack: Pieces | None = None
    origin: int = 0
    inflated: bool = False  # it, or something around it, had to be inflated
    script: bool = False  # lies in an archive that brings its own classes below __torch__

    def named(self, *suffixes: str) -> bool:
        """True when the lower-cased name ends with one of the suffixes."""
        return self.name.lower().endswith(suffixes)

    def stored(self, name: str, reader: ByteReader, at: int, *, script: bool = False) -> Part:
        """A part of this one that can be read where it is, `at` bytes from the start."""
        name = visible(capped(name, _NAME_CHARS))
        return Part(
            name=name,
            inside=self._way_to(name),
            depth=self.depth + 1,
            host=self._host_of_children(),
            head=reader.read_at(0, min(HEAD_BYTES, reader.size)),
            size=reader.size,
            reader=reader,
            origin=self.origin + at,
            inflated=self.inflated,
            script=script,
        )

    def packed(self, name: str, head: bytes, size: int, unpack: Pieces, *, script: bool = False) -> Part:
        """A part of this one that must be inflated first."""
        name = visible(capped(name, _NAME_CHARS))
        return Part(
            name=name,
            inside=self._way_to(name),
            depth=self.depth + 1,
            host=self._host_of_children(),
            head=head,
            size=size,
            unpack=unpack,
            inflated=True,
            script=script,
        )

    def _way_to(self, name: str) -> str:
        return f"{self.inside}!{name}" if self.inside else name

    def _host_of_children(self) -> Host:
        return host_of(self.name) if self.host is Host.PLAIN else self.host
