"""Files compressed with gzip, zlib (also joblib's first format), bzip2, xz or LZMA, by any name."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import chain
from typing import Final

from aibom.domain.errors import Reason, UnreadableError
from aibom.domain.hazard import HazardKind
from aibom.domain.limits import MIB
from aibom.domain.protocols import ByteReader
from aibom.formats.inside.codecs import BZIP2, GZIP, LZMA, XZ, ZFILE, ZLIB, Codec, Unpacking
from aibom.formats.inside.part import HEAD_BYTES, UNKNOWN_BYTES, Part
from aibom.formats.inside.walk import Walk
from aibom.readers.ranges import Window

BOMB_RATIO: Final = 1_000
BOMB_BYTES: Final = 256 * MIB  # zeros of less than that are found in honest arrays

# The header of LZMA: usual properties, a dictionary of 2^n or 3 * 2^n bytes, a size that can be.
_MAGIC: Final = re.compile(
    rb"(?P<gzip>\x1f\x8b\x08)|(?P<bzip2>BZh[1-9](?:1AY&SY|\x17rE8P\x90))|(?P<xz>\xfd7zXZ\0)"
    rb"|(?P<zlib>x[\x01\x5e\x9c\xda])|(?P<zfile>ZF0x[0-9a-f]+L? *)"
    rb"|(?P<lzma>[\x5d\x5e]\0[\0\x80\xc0][\0-\xff][\0-\x08](?:\xff{8}|[\0-\xff]{5}\0\0\0))",
    re.DOTALL,
)
_CODECS: Final = {each.name: each for each in (GZIP, ZLIB, ZFILE, BZIP2, XZ, LZMA)}


def begins(part: Part) -> bool:
    """True for the mark of any codec that can be undone here."""
    return _MAGIC.match(part.head) is not None


def examine(walk: Walk, part: Part) -> bool:
    """What is inside, as what it begins like; bombs; what stands behind the compressed data."""
    found = _MAGIC.match(part.head)
    codec = _CODECS[found.lastgroup or ""] if found else ZLIB
    with walk.opened(part) as reader:
        unpacking = Unpacking(reader, codec, 0, reader.size, part.name)
        pieces = iter(unpacking)
        head, error = _head(pieces)
        _measure(walk, part, unpacking, chain((head,), pieces))
        if _examine_content(walk, part, reader, codec, head):
            return True
        if codec.weak:
            return False
        if error is not None:
            walk.may_run = True
            walk.failed(part, error)
    return True


def _head(pieces: Iterator[bytes]) -> tuple[bytes, UnreadableError | None]:
    """What the stream begins with, and why it is no more than that."""
    head = bytearray()
    try:
        for piece in pieces:
            head += piece
            if len(head) >= HEAD_BYTES:
                break
    except UnreadableError as error:
        return bytes(head), error
    return bytes(head), None


def _measure(walk: Walk, part: Part, unpacking: Unpacking, pieces: Iterator[bytes]) -> None:
    """Goes on as long as the content stays suspiciously much larger than what is packed."""
    total, fed = 0, unpacking.fed
    try:
        for piece in pieces:
            # Whatever was fed before is used up when more of it is taken.
            if unpacking.fed != fed and total <= BOMB_RATIO * fed:
                return
            fed = unpacking.fed
            total += len(piece)
            if total >= BOMB_BYTES:
                message = f"{fed} bytes inflate to more than {total}"
                walk.hazard(part, HazardKind.DECOMPRESSION_BOMB, "ratio", message, 0)
                return
            if not walk.spend_bytes(len(piece)):
                walk.defect(
                    part, Reason.LIMIT, f"inflates to more than the {total} bytes that are looked at", 0
                )
                return
    except UnreadableError:
        return  # told when the content is examined


def _examine_content(walk: Walk, part: Part, reader: ByteReader, codec: Codec, head: bytes) -> bool:
    last = Unpacking(reader, codec, 0, reader.size, part.name)

    def unpack() -> Iterator[bytes]:
        nonlocal last
        last = Unpacking(reader, codec, 0, reader.size, part.name)
        return iter(last)

    inner = part.packed(codec.name, head[:HEAD_BYTES], UNKNOWN_BYTES, unpack)
    if not walk.dispatch(inner):
        return False
    _trailing(walk, part, reader, last)
    return True


def _trailing(walk: Walk, part: Part, reader: ByteReader, unpacking: Unpacking) -> None:
    """Reports what follows the last stream; zeros are padding."""
    start, end = unpacking.stop, reader.size
    front = reader.read_at(start, min(HEAD_BYTES, end - start)) if unpacking.done else b""
    if not front.strip(b"\0"):
        return
    message = f"{end - start} bytes follow the compressed data"
    walk.hazard(part, HazardKind.ARCHIVE_STRUCTURE, "trailing", message, start)
    walk.dispatch(part.stored(f"@{start}", Window(reader, start, end - start), start))
