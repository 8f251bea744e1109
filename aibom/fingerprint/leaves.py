"""The digest of a tensor, and of each MiB of it, from bytes that stream by once.

A leaf is BLAKE3 of LEAF_BYTES of the tensor's data, cut to 16 bytes. 128 bits are enough for a leaf: to
change data under it takes a second preimage, 2^128 tries. Whoever makes both versions needs 2^64 tries for
a leaf that collides, and gains nothing but an unknown place: that a tensor changed is told by its
own digest, which is not cut.
"""

from __future__ import annotations

from typing import Final

from blake3 import blake3

from aibom.domain.limits import KIB
from aibom.domain.weights_evidence import LEAF_BYTES, LEAF_DIGEST_BYTES

# What is hashed twice stays in the second-level cache of one core; whole subtrees of BLAKE3 stay together.
_PIECE_BYTES: Final = 128 * KIB


class LeafHash:
    """BLAKE3 of a tensor and of its leaves. A tensor of up to one leaf has just its digest."""

    __slots__ = ("_filled", "_leaf", "_leaves", "_whole")

    def __init__(self) -> None:
        self._whole, self._leaf = blake3(), blake3()
        self._filled = 0  # bytes of the present leaf
        self._leaves = bytearray()

    def update(self, data: bytes | memoryview) -> None:
        """The next bytes of the tensor."""
        view = memoryview(data)
        while view:
            if self._filled == LEAF_BYTES:
                self._close()
            piece = view[: min(_PIECE_BYTES, LEAF_BYTES - self._filled)]
            self._whole.update(piece)
            self._leaf.update(piece)
            self._filled += len(piece)
            view = view[len(piece) :]

    def _close(self) -> None:
        self._leaves += self._leaf.digest(LEAF_DIGEST_BYTES)
        self._leaf.reset()
        self._filled = 0

    def digest(self) -> bytes:
        """BLAKE3-256 of everything."""
        return bytes(self._whole.digest())

    def leaves(self) -> bytes:
        """16 bytes of each leaf, in order. To be asked once, at the end."""
        if not self._leaves:
            return b""
        self._close()
        return bytes(self._leaves)
