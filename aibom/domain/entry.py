"""One thing that a source lists, before anybody has looked inside."""

from __future__ import annotations

from dataclasses import dataclass

from aibom.domain.digest import Digest


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A listed file. `path` is relative to the target, with `/`, and never climbs out of it.

    `etag` is the source's opaque identity of this very version of the bytes (for a local file:
    device, inode, size, mtime and ctime in nanoseconds). It keys the digest cache and detects a
    change during the look; it never reaches an output.
    """

    path: str
    size: int  # bytes
    etag: str = ""
    claimed: tuple[Digest, ...] = ()
    media_type: str | None = None
    cacheable: bool = True  # False: so young that a later change might not change the etag
    header_only: bool = False  # far away: the header alone is fetched, and no digest is computed

    def __post_init__(self) -> None:
        if self.size < 0:
            raise ValueError(f"negative size for {self.path!r}")
        check_relative(self.path)


def check_relative(path: str) -> None:
    """Raises ValueError unless the path stays below the place it is relative to."""
    if not path or path.startswith("/") or "\0" in path:
        raise ValueError(f"not a relative path: {path!r}")
    if path == ".." or path.startswith("../") or "/../" in path or path.endswith("/.."):
        raise ValueError(f"path leaves its place: {path!r}")
