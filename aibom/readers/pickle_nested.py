"""Does a run of bytes begin like a file that someone could load or unpack: by its first bytes alone.

Cheap, because every literal of a pickle is asked; whether it is one is for whoever opens it.
"""

from __future__ import annotations

import re
from binascii import a2b_base64
from typing import Final

HEAD_BYTES: Final = 256  # of a literal, looked at
PROTOCOLS: Final = range(6)
# The opcodes that may come first, or after the mark of the protocol: they take nothing from the stack.
STARTERS: Final = frozenset(
    b"(N\x88\x89)IJKMLFG\x8a\x8bSTUVX\x8c\x8dBC\x8e\x96\x97]}\x8fc\x82\x83\x84P\x95\x80"
)
BASE64: Final = "base64"
LATIN_1: Final = "latin-1"  # each byte was made a character, and these were written as UTF-8

_MARKED: Final = range(2, 6)  # protocols with a mark that the picklers write
_MAGIC: Final = (b"PK\x03\x04", b"\x1f\x8b\x08", b"\xfd7zXZ\0")
_ZLIB: Final = frozenset(b"\x01\x5e\x9c\xda")
_BZIP2: Final = re.compile(rb"BZh[1-9]1AY&SY")
_NAME: Final = rb"[A-Za-z_][A-Za-z0-9_.]*"
# Protocols 0 and 1 have no mark: a global first, or a mark and what often follows it.
_TEXT: Final = re.compile(
    rb"c%b\n%b\n|\((?:[dlt]p?[0-9]*\n|S['\"]|\(*[ci]%b\n%b\n|\(*V[^\n]+\n)" % (_NAME, _NAME, _NAME, _NAME)
)
_CODED: Final = re.compile(rb"[A-Za-z0-9+/_-]{16,}")
_ALL_CODED: Final = re.compile(rb"[A-Za-z0-9+/_\-\r\n]*={0,2}[\r\n]*")
_URL_SAFE: Final = bytes.maketrans(b"-_", b"+/")
# What the above can begin with, as it stands, as base64, and as UTF-8.
FIRST_BYTES: Final = frozenset(b"\x80P\x1f\xfdxBc(" + b"gUH/_eQYK" + b"\xc2")


def begins_file(head: bytes) -> bool:
    """True for the first bytes of a pickle, a zip, or a compressed stream."""
    if len(head) < 3:
        return False
    if head[0] == 0x80:
        return head[1] in _MARKED and head[2] in STARTERS
    if head[0] == 0x78:
        # The first block of a deflate stream is of one of three kinds.
        return head[1] in _ZLIB and head[2] & 6 != 6
    return head.startswith(_MAGIC) or bool(_BZIP2.match(head) or _TEXT.match(head))


def encoding_of(head: bytes) -> str | None:
    """What must be undone before the bytes begin like a file; None when nothing would help."""
    if head[:1] == b"\xc2":
        plain = head.decode("utf-8", "ignore").encode("latin-1", "ignore")
        return LATIN_1 if begins_file(plain) else None
    coded = _CODED.match(head)
    if coded is None:
        return None
    plain = a2b_base64(coded[0][: coded.end() // 4 * 4].translate(_URL_SAFE))
    return BASE64 if begins_file(plain) else None


def is_base64(piece: bytes) -> bool:
    """True when all of the bytes are of the standard or the URL-safe alphabet."""
    return _ALL_CODED.fullmatch(piece) is not None
