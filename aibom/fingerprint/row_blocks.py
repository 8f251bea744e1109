"""Content-defined blocks of rows, and the ordered root over them.

Version 1. A block ends behind a row whose digest, as a big-endian number, is divisible by 512, once it
has 64 rows, and behind its 4,096th row; the last block ends with the rows. So an inserted row
moves no block but its own. All numbers are 8 bytes little-endian, `|` joins bytes.

    block = SHA-256( "aibom:row-block:v1\\0" | its row digests )
    root  = SHA-256( "aibom:row-root:v1\\0" | rows of block 1 | block 1 | ... | all rows )
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Final

from aibom.domain.dataset import RowBlock

DIGEST_BYTES: Final = 32
LEAST_ROWS: Final = 64  # so that repeated rows cannot make the list of blocks as long as the rows
MOST_ROWS: Final = 4_096  # so that chosen rows cannot make one block of everything
_MASK: Final = 0x01  # with the byte behind it: nine bits

_BLOCK_TAG: Final = b"aibom:row-block:v1\0"
_ROOT_TAG: Final = b"aibom:row-root:v1\0"


class Root:
    """The ordered root, block by block."""

    __slots__ = ("_state", "blocks", "rows")

    def __init__(self) -> None:
        self._state = hashlib.sha256(_ROOT_TAG)
        self.blocks = self.rows = 0

    def add(self, block: RowBlock) -> None:
        self._state.update(block.rows.to_bytes(8, "little") + block.digest)
        self.blocks += 1
        self.rows += block.rows

    def hexdigest(self) -> str:
        state = self._state.copy()
        state.update(self.rows.to_bytes(8, "little"))
        return state.hexdigest()


class Blocks:
    """Cuts a stream of row digests into blocks, with at most 128 KiB of it in hand."""

    __slots__ = ("_held",)

    def __init__(self) -> None:
        self._held = b""

    def feed(self, digests: bytes) -> Iterator[tuple[RowBlock, bytes]]:
        """The blocks that the next row digests, joined, complete; each with its row digests."""
        held = self._held + digests
        view, start, bound = memoryview(held), 0, len(self._held) // DIGEST_BYTES
        for end in _cuts(held, bound):
            yield _block(bytes(view[start:end]))
            start = end
        self._held = held[start:]

    def finish(self) -> Iterator[tuple[RowBlock, bytes]]:
        """The last block, when rows are left."""
        if self._held:
            yield _block(self._held)
            self._held = b""


def block_digest(digests: bytes) -> bytes:
    """The digest of the block with these row digests."""
    return hashlib.sha256(_BLOCK_TAG + digests).digest()


def _block(digests: bytes) -> tuple[RowBlock, bytes]:
    return RowBlock(rows=len(digests) // DIGEST_BYTES, digest=block_digest(digests)), digests


def _cuts(held: bytes, known: int) -> Iterator[int]:
    """Byte positions behind each block; the first `known` rows are known to hold no cut."""
    # The search runs over the last bytes alone, in C; one row in 256 is then looked at.
    lasts, rows = held[DIGEST_BYTES - 1 :: DIGEST_BYTES], len(held) // DIGEST_BYTES
    start, place = 0, known
    while True:
        place = lasts.find(0, max(place, start + LEAST_ROWS - 1), start + MOST_ROWS)
        if place < 0:
            if start + MOST_ROWS > rows:
                return
            place = start + MOST_ROWS - 1
        elif held[place * DIGEST_BYTES + DIGEST_BYTES - 2] & _MASK and place + 1 - start < MOST_ROWS:
            place += 1
            continue
        place += 1
        yield place * DIGEST_BYTES
        start = place
