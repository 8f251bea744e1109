"""The model digest: the same for the same tensors, whatever files hold them.

Version 1. A leaf is SHA-256 over a domain tag, then each of name, dtype (UTF-8, each behind its
length as 8 bytes little-endian), the number of dimensions and the dimensions (8 bytes each), and
the tensor's BLAKE3-256. The digest is SHA-256 over a domain tag, the number of leaves and the
sorted leaves, so order and sharding vanish. The anonymous digest leaves the names out.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterable

from aibom.domain.component import ModelDigest
from aibom.domain.facts import Layout, Tensor
from aibom.domain.file import File

_LEAF_TAG = b"aibom:tensor:v1\0"
_MODEL_TAG = b"aibom:model:v1\0"


def model_digest(files: Iterable[File]) -> ModelDigest:
    """The digest over all tensors of the files, which together are one model."""
    named, anonymous = [], []
    for file in files:
        if file.facts is None or file.facts.unread:
            return ModelDigest(absent=f"the header of {file.path} could not be read")
        if file.entry.header_only:
            return ModelDigest(absent=f"only the header of {file.path} was fetched: --full reads all bytes")
        for tensor, digest in zip(file.facts.tensors, file.tensor_digests, strict=True):
            if digest is None:
                return ModelDigest(absent=_why(tensor, file.path))
            named.append(_leaf(tensor, tensor.name, digest))
            anonymous.append(_leaf(tensor, "", digest))
    if not named:
        return ModelDigest(absent="no tensors")
    return ModelDigest(named=_root(named), anonymous=_root(anonymous))


def _why(tensor: Tensor, path: str) -> str:
    if tensor.layout in (Layout.RAW, Layout.DEFLATED):
        return f"tensor {tensor.name[:80]!r} in {path} could not be digested"
    return f"tensor {tensor.name[:80]!r} in {path} is stored {tensor.layout}"


def _leaf(tensor: Tensor, name: str, digest: bytes) -> bytes:
    label, dtype = name.encode("utf-8", "surrogatepass"), tensor.dtype.encode()
    # Dimensions beyond 64 bits cannot be in a file; the mask only keeps the packing total.
    shape = [size & 0xFFFFFFFFFFFFFFFF for size in tensor.shape]
    packed = struct.pack(f"<{1 + len(shape)}Q", len(shape), *shape)
    return hashlib.sha256(
        b"".join((_LEAF_TAG, _length(label), label, _length(dtype), dtype, packed, digest))
    ).digest()


def _length(text: bytes) -> bytes:
    return struct.pack("<Q", len(text))


def _root(leaves: list[bytes]) -> str:
    root = hashlib.sha256(_MODEL_TAG + struct.pack("<Q", len(leaves)) + b"".join(sorted(leaves)))
    return f"v1:sha256:{root.hexdigest()}"
