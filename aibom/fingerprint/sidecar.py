"""The private sidecar `*.rows`: the digests of all rows, block by block, so that two of them can be compared.

Version 1. Numbers are little-endian and unsigned, digests 32 bytes.

    magic "AIBOMROW" | version (4 bytes) | flags (4): 1 keyed with a salt, 2 keys, 4 identities, 8 lines
    for each block: the digests of its rows | of its keys | of its identities (where there are any)
    for each block: rows (4) | block digest | SHA-256 of what else stands in it (32 zero bytes for nothing)
    blocks (8) | rows (8) | SHA-256 of the magic, version, flags, list of blocks, blocks and rows

The last digest is the digest of the sidecar that a BOM holds: the list proves the blocks, one by one,
so that only blocks that differ are ever read. The list also gives the ordered root.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from aibom.domain.dataset import RowBlock
from aibom.domain.errors import malformed, truncated, unsupported
from aibom.domain.protocols import ByteReader
from aibom.fingerprint.dataset import BlockRows
from aibom.fingerprint.row_blocks import DIGEST_BYTES, MOST_ROWS, Root, block_digest

_HEAD: Final = struct.Struct("<8sII")
_MAGIC: Final = b"AIBOMROW"
_VERSION: Final = 1
_KEYED, _KEYS, _IDENTITIES, _LINES = 1, 2, 4, 8
_TAIL: Final = struct.Struct("<QQ32s")
ENTRY: Final = struct.Struct("<I32s32s")
_NOTHING: Final = bytes(DIGEST_BYTES)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """What a sidecar keeps of each row besides its digest, and how the digests were made."""

    keyed: bool = False
    keys: bool = False
    identities: bool = False
    lines: bool = False

    @property
    def flags(self) -> int:
        pairs = ((self.keyed, _KEYED), (self.keys, _KEYS), (self.identities, _IDENTITIES))
        return sum(bit for is_set, bit in (*pairs, (self.lines, _LINES)) if is_set)

    @property
    def row_bytes(self) -> int:
        return DIGEST_BYTES * (1 + self.keys + self.identities)


class SidecarWriter:
    """Writes a sidecar block by block; `block` is the sink of a pass over the rows."""

    def __init__(self, write: Callable[[bytes], object], shape: Shape) -> None:
        head = _HEAD.pack(_MAGIC, _VERSION, shape.flags)
        self._write, self._shape = write, shape
        self._state = hashlib.sha256(head)
        self._list = bytearray()  # 68 bytes per block of some 512 rows
        self._rows = self._blocks = 0
        write(head)

    def block(self, found: BlockRows) -> None:
        """Appends one block. Raises ValueError when it holds something else than the shape says."""
        rest, rows = found.keys + found.identities, found.block.rows
        if len(found.rows) + len(rest) != rows * self._shape.row_bytes:
            raise ValueError(f"a block of {rows} rows does not have the shape of the sidecar")
        self._write(found.rows)
        self._write(rest)
        proof = hashlib.sha256(rest).digest() if rest else _NOTHING
        self._list += ENTRY.pack(rows, found.block.digest, proof)
        self._rows += rows
        self._blocks += 1

    def finish(self) -> str:
        """Writes the list of blocks, and returns the digest of the sidecar, hexadecimal."""
        counts = struct.pack("<QQ", self._blocks, self._rows)
        self._state.update(self._list)
        self._state.update(counts)
        self._write(bytes(self._list))
        self._write(counts + self._state.digest())
        return self._state.hexdigest()


class Sidecar:
    """A sidecar whose list of blocks has been read and proven; blocks are read when asked for."""

    def __init__(self, reader: ByteReader, digest: str | None = None) -> None:
        """Raises `UnreadableError` for what is no sidecar, or not the one with that digest."""
        end = reader.size - _TAIL.size
        if end < _HEAD.size:
            raise truncated(f"{reader.size} bytes are too few for a sidecar", 0)
        head = reader.read_at(0, _HEAD.size)
        magic, version, flags = _HEAD.unpack(head)
        if magic != _MAGIC:
            raise malformed("not a sidecar of rows", 0)
        if version != _VERSION or flags > 15:
            raise unsupported(f"a sidecar of version {version} with flags {flags}", 8)
        self.shape = Shape(
            keyed=bool(flags & _KEYED),
            keys=bool(flags & _KEYS),
            identities=bool(flags & _IDENTITIES),
            lines=bool(flags & _LINES),
        )
        blocks, self.rows, proof = _TAIL.unpack(reader.read_at(end, _TAIL.size))
        start = end - blocks * ENTRY.size
        if start != _HEAD.size + self.rows * self.shape.row_bytes:
            raise malformed(f"{blocks} blocks of {self.rows} rows do not fill the sidecar", end)
        self.list = reader.read_at(start, end - start)
        state = hashlib.sha256(head + self.list + struct.pack("<QQ", blocks, self.rows)).digest()
        if state != proof or (digest is not None and state.hex() != digest):
            raise malformed("the list of blocks does not have the digest of the sidecar", start)
        self._reader = reader
        self.blocks = blocks
        self.digests_read = 0  # of rows, keys and identities

    def root(self) -> str:
        """The ordered root that follows from the list."""
        root = Root()
        for rows, digest, _ in ENTRY.iter_unpack(self.list):
            root.add(RowBlock(rows=rows, digest=digest))
        return root.hexdigest()

    def read(self, first: int, entry: bytes) -> BlockRows:
        """The block with this entry of the list, whose first row has this number; proven."""
        rows, digest, proof = ENTRY.unpack(entry)
        offset = _HEAD.size + first * self.shape.row_bytes
        if rows > MOST_ROWS:
            raise malformed(f"a block of {rows} rows", offset)
        data = self._reader.read_at(offset, rows * self.shape.row_bytes)
        self.digests_read += len(data) // DIGEST_BYTES
        cut = rows * DIGEST_BYTES
        rest = data[cut:]
        if block_digest(data[:cut]) != digest or (rest and hashlib.sha256(rest).digest() != proof):
            raise malformed("a block does not have the digest in the list", offset)
        keys = rest[:cut] if self.shape.keys else b""
        return BlockRows(
            block=RowBlock(rows=rows, digest=digest),
            rows=data[:cut],
            keys=keys,
            identities=rest[len(keys) :],
        )
