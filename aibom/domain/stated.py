"""What one file states about the bytes of another: digests and size, before anybody compared them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Reach(StrEnum):
    """What the name in a statement stands for."""

    HERE = "here"  # the file `path`
    MISSING = "missing"  # the path of no listed file
    FOLDER = "folder"  # everything below `path`
    SET = "set"  # a pattern, or several files at once
    ADDRESS = "address"  # a place elsewhere; only the content can tell which file it is
    OUTSIDE = "outside"  # the name leads out of the folder of whoever states it
    UNTOLD = "untold"  # there is more than is compared


@dataclass(frozen=True, slots=True, kw_only=True)
class Stated:
    """One statement. Digests are as they stand in the file, in lower case; their length is not checked."""

    source: str  # path of the file that states it
    place: str  # where in that file: a pointer or a line
    name: str  # as written, capped
    reach: Reach
    path: str = ""  # below the scanned place; empty for what has none
    digests: tuple[tuple[str, str], ...] = ()  # algorithm and value
    size: int | None = None  # bytes
    files: int | None = None  # below a folder
    unpacked: bool = True  # False: the name is one inside of an archive
    text_mode: bool = False  # True: the digest may be one of the text with LF for CR LF
