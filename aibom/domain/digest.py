"""A digest is an algorithm, a value and a grade that says how much it proves."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import IntEnum
from typing import Final


class Grade(IntEnum):
    """How a digest was learnt; a higher grade proves more."""

    CLAIMED = 1  # a server, card, pointer file or BOM says so
    CHAINED = 2  # follows from a commit or signature that we checked
    COMPUTED = 3  # we read the bytes

    @property
    def label(self) -> str:
        return self.name.lower()


# Hexadecimal characters per algorithm. Kinds that look like SHA but digest something else than
# the plain bytes have names of their own, so that they can never be compared with SHA-256.
HEX_CHARS: Final = {
    "md5": 32,
    "sha1": 40,
    "sha256": 64,
    "sha384": 96,
    "sha512": 128,
    "blake2b": 128,
    "blake3": 64,
    "git-sha1": 40,  # SHA-1 of "blob <size>\0" and the bytes
    "git-sha256": 64,
    "xet": 64,  # keyed BLAKE3 tree of content-defined chunks
    "oci-layer": 64,
    "s3-etag-multipart": 32,
    "sha256-composite": 64,
}

_HEX = re.compile(r"[0-9a-f]+\Z")


@dataclass(frozen=True, slots=True, kw_only=True)
class Digest:
    """One digest of one sequence of bytes. Raises ValueError when the length is wrong."""

    algorithm: str
    value: str  # lower-case hexadecimal
    grade: Grade
    cached: bool = False  # computed in an earlier run over a file with the same identity

    def __post_init__(self) -> None:
        expected = HEX_CHARS.get(self.algorithm)
        if expected is None:
            raise ValueError(f"unknown digest algorithm {self.algorithm!r}")
        if len(self.value) != expected or not _HEX.match(self.value):
            raise ValueError(f"not a {self.algorithm} digest: {self.value!r}")
