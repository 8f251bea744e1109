"""From HDF5 datasets to tensors, for every format that keeps its weights in HDF5."""

from __future__ import annotations

from dataclasses import dataclass, replace
from operator import attrgetter

from aibom.domain.facts import External, Layout, Tensor
from aibom.readers.defects import Defects
from aibom.readers.hdf5 import Walk


@dataclass(frozen=True, slots=True)
class Weights:
    """The datasets of one HDF5 file, by offset."""

    tensors: tuple[Tensor, ...]
    external: tuple[External, ...]


def read_weights(walk: Walk, shift: int | None = 0) -> Weights:
    """The datasets as tensors, `shift` bytes on; None when the HDF5 file itself is compressed.

    Datasets that share bytes are told once and are defects of the walk.
    """
    tensors: list[Tensor] = []
    external: list[External] = []
    for dataset in walk.datasets():
        inside = shift is not None and dataset.length > 0
        tensor = Tensor(
            name=dataset.path,
            dtype=dataset.dtype,
            shape=dataset.shape,
            offset=dataset.offset + (shift or 0) if inside else 0,
            length=dataset.length if inside else 0,
            # Nothing can be sought inside of a compressed file.
            layout=Layout.CHUNKED if shift is None and dataset.length else dataset.layout,
        )
        tensors.append(tensor)
        for piece in dataset.files:
            part = replace(tensor, offset=piece.offset, length=piece.length)
            external.append(External(path=piece.path, tensor=part))
    return Weights(_apart(tensors, walk.defects), tuple(external))


def _apart(tensors: list[Tensor], defects: Defects) -> tuple[Tensor, ...]:
    kept: list[Tensor] = []
    position = 0
    for tensor in sorted(tensors, key=attrgetter("offset", "length", "name")):
        if tensor.length and tensor.offset < position:
            defects.add(f"dataset {tensor.name[:80]!r} overlaps another one", tensor.offset)
            continue
        kept.append(tensor)
        position = max(position, tensor.offset + tensor.length)
    return tuple(kept)
