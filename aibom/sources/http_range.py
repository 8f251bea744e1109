"""Range requests (RFC 9110, 14): what is asked, and whether the answer is that."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from aibom.domain.errors import Reason, UnreadableError, malformed, truncated, unsupported
from aibom.domain.limits import MIB
from aibom.sources.http_body import Incoming, coding_of

SKIPPED_BYTES: Final = 8 * MIB  # of an answer that begins at the front although a range was asked for
ETAG_CHARS: Final = 256

_CONTENT_RANGE = re.compile(r"bytes (\d{1,18})-(\d{1,18})/(\d{1,18}|\*)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A range, and what is known about the file from before."""

    start: int  # < 0: the last `length` bytes
    length: int
    total: int | None
    version: str

    @property
    def header(self) -> str:
        end = self.start + self.length - 1
        return f"bytes=-{self.length}" if self.start < 0 else f"bytes={self.start}-{end}"

    def first(self, total: int) -> int:
        return max(0, total - self.length) if self.start < 0 else self.start

    def count(self, total: int) -> int:
        return min(self.length, total) if self.start < 0 else self.length


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """Where the bytes of an answer lie."""

    start: int
    total: int


def receive(wanted: Wanted, incoming: Incoming) -> tuple[bytes, Found]:
    """The bytes, checked. Raises `UnreadableError`: changed, malformed, truncated, unsupported."""
    if coding_of(incoming):
        raise malformed("a range that is compressed although nobody asked for that")
    if wanted.version and strong(incoming.headers.get("etag", "")) != wanted.version:
        raise UnreadableError(Reason.CHANGED, "another version than before")
    found = _partial(wanted, incoming) if incoming.status == 206 else _full(wanted, incoming)
    count = wanted.count(found.total)
    if found.start + count > found.total:
        raise truncated(f"{count} bytes expected, {max(0, found.total - found.start)} there", found.start)
    data = incoming.take(count)
    if len(data) != count:
        raise truncated(f"{count} bytes expected, {len(data)} sent", found.start)
    return data, found


def _partial(wanted: Wanted, incoming: Incoming) -> Found:
    """What `Content-Range` says, compared with what was asked."""
    stated = _CONTENT_RANGE.fullmatch(incoming.headers.get("content-range", "").strip())
    if stated is None:
        raise malformed("a partial answer without a range")
    start, end = int(stated[1]), int(stated[2])
    total = wanted.total if stated[3] == "*" else int(stated[3])
    if total is None:
        raise malformed("a range of a file whose size is not stated")
    _check_total(wanted, total)
    first = wanted.first(total)
    if start != first or end != min(first + wanted.count(total), total) - 1:
        raise malformed("another range than the one that was asked for", wanted.start)
    if incoming.length not in (None, end - start + 1):
        raise malformed("a range whose length is not the one of the answer", start)
    return Found(start=start, total=total)


def _full(wanted: Wanted, incoming: Incoming) -> Found:
    """The whole file instead of a range: skipped up to the range, and left behind it."""
    total = wanted.total if incoming.length is None else incoming.length
    if total is None:
        raise unsupported("the host serves neither ranges nor sizes")
    _check_total(wanted, total)
    start = wanted.first(total)
    if start > SKIPPED_BYTES:
        raise unsupported("the host serves no ranges", start)
    incoming.skip(start)
    return Found(start=start, total=total)


def _check_total(wanted: Wanted, total: int) -> None:
    if wanted.total is not None and total != wanted.total:
        raise UnreadableError(Reason.CHANGED, f"{wanted.total} bytes before, {total} now")


def strong(etag: str) -> str:
    """An ETag that names one sequence of bytes, with its quotes; empty for a weak or impossible one."""
    bare = etag.strip().removeprefix('"').removesuffix('"')
    sound = bare.isascii() and bare.isprintable() and not set('" ') & set(bare) and len(bare) <= ETAG_CHARS
    return f'"{bare}"' if bare and sound and not etag.strip().startswith("W/") else ""
