"""Git LFS pointer: a few lines of text where a large file belongs.

Format: github.com/git-lfs/git-lfs, docs/spec.md "The Pointer" and docs/extensions.md. Every pointer
has exactly one spelling, so whatever differs from it is refused.
"""

from __future__ import annotations

import re
from typing import Final

from aibom.domain.errors import malformed, unsupported
from aibom.domain.facts import Facts, FileKind, Span
from aibom.domain.protocols import Format, Match, Probe

POINTER_BYTES: Final = 1_024  # the specification: shorter than this

_VERSIONS: Final = {
    "https://git-lfs.github.com/spec/v1": "1",
    "https://hawser.github.com/spec/v1": "1",  # before the first release
}
_START = (b"version https://git-lfs.github.com/spec/", b"version https://hawser.github.com/spec/")

_OID = re.compile(r"sha256:[0-9a-f]{64}")
_SIZE = re.compile(r"[1-9][0-9]{0,18}")  # the pointer of an empty file is an empty file
_EXTENSION = re.compile(r"ext-([0-9])-[A-Za-z0-9_.-]+")


def recognise(probe: Probe) -> Match:
    """By content: the first line, in a file that is small enough. The name is that of the real file."""
    small = probe.size <= POINTER_BYTES
    return Match.CONTENT if small and probe.head.startswith(_START) else Match.NO


def read(probe: Probe) -> Facts:
    """Digest and size of the content that is elsewhere. Raises `UnreadableError`.

    With extensions, `oid` and `size` are those of the stored bytes, and the metadata `ext-<order>-<name>`
    of the lowest order is the digest of the content itself.
    """
    if probe.size >= POINTER_BYTES:
        raise malformed(f"a pointer of {probe.size} bytes, they are shorter than {POINTER_BYTES}")
    (first, version), *pairs = _pairs(probe.reader.read_at(0, probe.size))
    if first != "version":
        raise malformed("a pointer starts with its version", 0)
    if version not in _VERSIONS:
        raise unsupported(f"the Git LFS pointer version {version[:80]!r}", 0)
    extensions = _extensions(pairs[:-2])
    if [key for key, _ in pairs[-2:]] != ["oid", "size"]:
        raise malformed("a pointer ends with oid and size")
    (_, oid), (_, size) = pairs[-2:]
    _check(_OID, "oid", oid)
    _check(_SIZE, "size", size)
    if int(size) >= 1 << 63:
        raise malformed(f"impossible size of a pointer: {size}")
    return Facts(
        format="lfs-pointer",
        kind=FileKind.POINTER,
        version=_VERSIONS[version],
        metadata=(("oid", oid.removeprefix("sha256:")), ("size", size), *extensions),
        covered=(Span(start=0, end=probe.size),),
        indexed=True,
    )


def _pairs(data: bytes) -> list[tuple[str, str]]:
    if not data.endswith(b"\n"):
        raise malformed("the last line of a pointer has no end", len(data))
    if not data.isascii() or b"\r" in data:
        raise malformed("a pointer holds plain lines of ASCII")
    pairs = []
    for line in data.decode().removesuffix("\n").split("\n"):
        key, blank, value = line.partition(" ")
        if not key or not blank or not value:
            raise malformed(f"a line of a pointer is not a key and a value: {line[:80]!r}")
        pairs.append((key, value))
    return pairs


def _extensions(pairs: list[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    """In ascending order, each order once."""
    before = ""
    for key, value in pairs:
        found = _EXTENSION.fullmatch(key)
        if found is None:
            raise malformed(f"unknown key {key[:80]!r} in a pointer")
        if found[1] <= before:
            raise malformed(f"key {key[:80]!r} of a pointer is out of order")
        before = found[1]
        _check(_OID, key, value)
    return tuple(pairs)


def _check(pattern: re.Pattern[str], key: str, value: str) -> None:
    if pattern.fullmatch(value) is None:
        raise malformed(f"impossible {key[:80]} of a pointer: {value[:80]!r}")


FORMAT = Format(
    name="lfs-pointer",
    title="Git LFS pointer",
    kind=FileKind.POINTER,
    suffixes=(),
    recognise=recognise,
    read=read,
    media_type="text/plain",
)
