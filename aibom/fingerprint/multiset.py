"""The multiset digest: which rows, each how often, whatever their order.

Version 1. The element of a row is 4,096 bits: the first 512 bytes of BLAKE3 over a tag and the row
digest. Every bit position has a counter that counts the rows with a one there. The digest is SHA-256
over the tag, the number of rows (8 bytes little-endian) and the counters, which are less than 2^64,
written bit by bit: 64 planes of 512 bytes, the one of the least significant bits first.

This is LtHash (Bellare and Micciancio 1997; Lewi et al. 2019, ia.cr/2019/227) with 4,096 lanes of one
bit instead of 1,024 of 16, and with sums that never wrap. In LtHash16 65,536 copies of any row vanish;
here a collision is a short integer relation between vectors of 4,096 bits, for any number of copies.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Final

from blake3 import blake3

_TAG: Final = b"aibom:multiset:v1\0"
_ELEMENT_BYTES: Final = 512
_PLANES: Final = 64


class Multiset:
    """A growing multiset of row digests, in 64 KiB whatever its size."""

    __slots__ = ("_carries", "_planes", "rows")

    def __init__(self) -> None:
        self.rows = 0
        # Plane n holds bit n of all counters; a carry that waits there counts 2^n as well.
        self._planes = [0] * _PLANES
        self._carries = [-1] * _PLANES

    def add(self, digests: Iterable[bytes]) -> None:
        """Counts rows in, by the 32 bytes of their digests."""
        planes, carries, tag, size = self._planes, self._carries, _TAG, _ELEMENT_BYTES
        number, rows = int.from_bytes, self.rows
        for digest in digests:
            rows += 1
            carry = number(blake3(tag + digest).digest(size), "little")
            place = 0
            # Two waiting numbers and the plane go through one full adder, for all counters at once:
            # on average a row costs two of them.
            while (waiting := carries[place]) >= 0:
                carries[place] = -1
                plane = planes[place]
                half = plane ^ waiting
                planes[place] = half ^ carry
                carry = (plane & waiting) | (half & carry)
                place += 1
            carries[place] = carry
        self.rows = rows

    def merge(self, other: Multiset) -> None:
        """Counts in all rows of another multiset: the parts of a dataset give the whole."""
        mine, theirs, carry = self._settled(), other._settled(), 0
        for place in range(_PLANES):
            half = mine[place] ^ theirs[place]
            carry, mine[place] = (mine[place] & theirs[place]) | (half & carry), half ^ carry
        self._planes, self._carries = mine, [-1] * _PLANES
        self.rows += other.rows

    def _settled(self) -> list[int]:
        """The planes with the waiting carries added."""
        planes = list(self._planes)
        for start, waiting in enumerate(self._carries):
            carry, place = max(0, waiting), start
            while carry:
                planes[place], carry = planes[place] ^ carry, planes[place] & carry
                place += 1
        return planes

    def hexdigest(self) -> str:
        """The digest of the rows so far."""
        state = hashlib.sha256(_TAG + self.rows.to_bytes(8, "little"))
        for plane in self._settled():
            state.update(plane.to_bytes(_ELEMENT_BYTES, "little"))
        return state.hexdigest()
