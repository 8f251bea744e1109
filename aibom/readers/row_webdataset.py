"""The samples of a WebDataset shard: members of a tar that share the name up to the first dot.

A row holds the key of the sample and, for each extension, the SHA-256 of the member. So a row is small,
and still another one when any byte of the sample is. Format: github.com/webdataset/webdataset, "The
WebDataset Format"; members that its reader skips are no part of a row: directories, names without an
extension, and those in `__name__`.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from aibom.domain.dataset import Kind, RowBatch, Type
from aibom.domain.errors import UnreadableError, malformed, over_limit, unsupported
from aibom.domain.limits import CHUNK_BYTES, KIB
from aibom.domain.protocols import ByteReader
from aibom.domain.text import visible
from aibom.readers.row_text import at_row
from aibom.readers.tar import BLOCK_BYTES, Member, is_tar, walk

KEY: Final = "__key__"
EXTENSION_COUNT: Final = 1_000  # of one sample
EXTENSION_CHARS: Final = 256
_BATCH_COUNT: Final = 4_096  # members that are held as digests
_BATCH_CHARS: Final = 256 * KIB  # of keys
_NAME: Final = re.compile(r"((?:.*/)?[^./]+)\.([^/]*)", re.DOTALL)
_SKIPPED: Final = re.compile(r"__[^/]*__(?:\Z|/)")
_COMPRESSED: Final = (b"\x1f\x8b", b"BZh", b"\xfd7zXZ", b"\x28\xb5\x2f\xfd")
_STRING, _BYTES = Type(kind=Kind.STRING), Type(kind=Kind.BYTES)


def records(reader: ByteReader) -> Iterator[RowBatch]:
    """The samples in order, those with the same extensions together. Raises `UnreadableError`.

    What loaders read differently has no rows: a name that leads out or is not UTF-8, an extension that
    occurs twice in a sample, a key that comes again later, links, and bytes behind the end of the archive.
    """
    _check_start(reader)
    held: list[_Sample] = []
    chars = members = first = 0
    for sample in _samples(reader):
        if held and (
            sample.digests.keys() != held[0].digests.keys()
            or members >= _BATCH_COUNT
            or chars >= _BATCH_CHARS
        ):
            yield _batch(held, first)
            first += len(held)
            held, chars, members = [], 0, 0
        held.append(sample)
        chars += len(sample.key)
        members += len(sample.digests)
    if held:
        yield _batch(held, first)


@dataclass(slots=True)
class _Sample:
    key: str
    offset: int
    digests: dict[str, bytes] = field(default_factory=dict)


def _check_start(reader: ByteReader) -> None:
    head = reader.read_at(0, min(BLOCK_BYTES, reader.size))
    if head.startswith(_COMPRESSED):
        raise unsupported("a compressed archive", 0)
    if any(head) and not is_tar(head):
        raise malformed("not a tar archive", 0)


def _batch(samples: Sequence[_Sample], first: int) -> RowBatch:
    names = sorted(samples[0].digests)
    return RowBatch(
        names=(KEY, *names),
        types=(_STRING, *(_BYTES for _ in names)),
        columns=(
            [sample.key for sample in samples],
            *([sample.digests[name] for sample in samples] for name in names),
        ),
        rows=len(samples),
        first=first,
    )


def _samples(reader: ByteReader) -> Iterator[_Sample]:
    sample: _Sample | None = None
    done: set[bytes] = set()
    row = end = 0
    for member in walk(reader):
        end = member.end
        try:
            named = key_and_extension(member)
        except UnreadableError as error:
            raise at_row(row, error, member.header) from None
        if named is None:
            continue
        key, extension = named
        if sample is None or key != sample.key:
            if sample is not None:
                yield sample
                row += 1
            # Keys can be long and many; 16 bytes of a digest tell them apart.
            mark = hashlib.sha256(key.encode("utf-8", "surrogatepass")).digest()[:16]
            if mark in done:
                again = malformed(f"the key {visible(key[:80])} comes again behind other samples")
                raise at_row(row, again, member.header)
            done.add(mark)
            sample = _Sample(key, member.header)
        _check_extension(sample, extension, row, member.header)
        sample.digests[extension] = _digest(reader, member)
    if sample is not None:
        yield sample
    _check_rest(reader, end)


def key_and_extension(member: Member) -> tuple[str, str] | None:
    """Key and extension; None for what is no part of a sample. Raises `UnreadableError`."""
    name = member.name
    if member.directory or _SKIPPED.match(name):
        return None
    shown = visible(name[:80])
    if member.link is not None or member.device:
        raise unsupported(f"{shown} is a link or a device, which loaders leave out")
    if member.sparse or not member.regular:
        raise unsupported(f"{shown} is no plain file")
    if "\ufffd" in name:
        raise malformed(f"the name {shown} is not UTF-8")
    if name.startswith("/") or ".." in re.split(r"[/\\]", name):
        raise malformed(f"the name {shown} leads out of the archive")
    match = _NAME.fullmatch(name)
    return (match[1], match[2].lower()) if match else None


def _check_extension(sample: _Sample, extension: str, row: int, offset: int) -> None:
    if extension in sample.digests or extension == KEY:
        error = malformed(f"{visible(sample.key[:80])} has the extension {visible(extension[:40])} twice")
        raise at_row(row, error, offset)
    if len(sample.digests) == EXTENSION_COUNT:
        raise at_row(row, over_limit(f"a sample of more than {EXTENSION_COUNT} members"), offset)
    if len(extension) > EXTENSION_CHARS:
        raise at_row(row, over_limit(f"an extension of more than {EXTENSION_CHARS} characters"), offset)


def _digest(reader: ByteReader, member: Member) -> bytes:
    state = hashlib.sha256()
    for start in range(0, member.size, CHUNK_BYTES):
        state.update(reader.read_at(member.offset + start, min(CHUNK_BYTES, member.size - start)))
    return state.digest()


def _check_rest(reader: ByteReader, end: int) -> None:
    """Raises malformed for what stands behind the end: some loaders go on there, most do not."""
    for start in range(end, reader.size, CHUNK_BYTES):
        rest = reader.read_at(start, min(CHUNK_BYTES, reader.size - start))
        if rest.count(0) != len(rest):
            raise malformed("bytes behind the end of the archive", start)
