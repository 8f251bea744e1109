"""SHA256SUMS and the like: one digest and one file name a line, as coreutils write and check them.

Format: GNU coreutils manual, "md5sum invocation": digest, blank, blank or asterisk, name; or, with
`--tag`, `SHA256 (name) = digest`. BagIt manifests (RFC 8493, section 2.1.3) are of the first kind.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from aibom.domain.digest import HEX_CHARS
from aibom.domain.errors import Reason, malformed
from aibom.domain.facts import Attribute, Facts, FileKind, Statement
from aibom.domain.limits import MIB
from aibom.domain.protocols import Format, Match, Probe
from aibom.domain.text import capped, visible
from aibom.formats._document import decoded, details, whole
from aibom.readers.defects import Defects

MANIFEST_BYTES: Final = 4 * MIB
LINE_COUNT: Final = 30_000  # statements of one manifest
NAME_CHARS: Final = 1_024

# "md5sum.txt", "SHA-256SUMS", "manifest-sha512.txt", "train.csv.sha256", "checksums.txt"
_NAME: Final = re.compile(
    r"(?:.*[-_.])?(?:(md5|sha-?(?:1|256|384|512)|b2|blake2b)(?:[-_.]?(?:sums?|checksums?))?|checksums?)"
    r"(?:\.(?:txt|asc))?\Z",
    re.IGNORECASE,
)
_PLAIN: Final = re.compile(r"(\\?)([0-9A-Fa-f]{8,128})(?:[ \t][ *](.+)|\Z)", re.DOTALL)
_LOOSE: Final = re.compile(r"(\\?)([0-9A-Fa-f]{8,128})[ \t]+(.+)", re.DOTALL)
_TAGGED: Final = re.compile(r"(\\?)([A-Za-z0-9-]{3,12}) ?\((.+)\) ?= ?([0-9A-Fa-f]{8,128})\Z", re.DOTALL)
_COMMENT: Final = ("#", ";", "//", "-----", "Hash:")
_ESCAPE: Final = re.compile(r"\\([\\nr])")
_ESCAPED: Final = {"\\": "\\", "n": "\n", "r": "\r"}
# What `md5sum` and the others make; other algorithms have the same lengths and need a name that says so.
_BY_LENGTH: Final = {HEX_CHARS[name]: name for name in ("md5", "sha1", "sha256", "sha384", "sha512")}
_SPELLED: Final = {"b2": "blake2b", "sha-1": "sha1", "sha2-256": "sha256", "blake2b-512": "blake2b"}


def recognise(probe: Probe) -> Match:
    """A usual name, and a digest where the first line begins or a tag stands."""
    if not _NAME.match(probe.name) or b"\0" in probe.head:
        return Match.NO
    lines = probe.head.decode("utf-8", "replace").removeprefix("\ufeff").splitlines()
    first = next((line for line in lines if line.strip() and not line.startswith(_COMMENT)), "")
    return Match.CONTENT if _entry(first) else Match.NO


def read(probe: Probe) -> Facts:
    """The named files with their digests. Raises `UnreadableError`.

    The algorithm is that of the line, else that of the manifest's name, else the one whose digests have
    the length. A digest of another length is kept as one that is malformed.
    """
    text = decoded(whole(probe, MANIFEST_BYTES))
    named = _NAME.match(probe.name)
    algorithm = _spelled(named[1]) if named and named[1] else ""
    statements: list[Statement] = []
    defects = Defects()
    for number, line in _lines(text):
        entry = _entry(line)
        if entry is None:
            defects.add(f"line {number} is no digest with a name: {visible(line[:40])!r}")
        elif len(statements) == LINE_COUNT:
            defects.add(f"more than {LINE_COUNT} digests, the rest is not told", reason=Reason.LIMIT)
            break
        else:
            name = entry.name or _sibling(probe.name)
            statements.append(_statement(entry, name, entry.algorithm or algorithm, number, defects))
    if not statements:
        raise malformed("no line holds a digest")
    return Facts(
        format=FORMAT.name,
        kind=FileKind.INDEX,
        statements=tuple(statements),
        defects=tuple(defects.found),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Entry:
    """One line. Without a name it is about the file beside the manifest, without an algorithm of a length."""

    algorithm: str
    digest: str
    name: str


def _lines(text: str) -> Iterator[tuple[int, str]]:
    # A form feed or a line separator is part of a name, not the end of a line.
    for number, line in enumerate(io.StringIO(text, newline="\n"), start=1):
        told = line.removesuffix("\n").removesuffix("\r")
        if told.startswith("-----BEGIN PGP SIGNATURE"):
            return
        if told.strip() and not told.startswith(_COMMENT):
            yield number, told


def _entry(line: str) -> _Entry | None:
    tagged = _TAGGED.match(line)
    if tagged:
        name = _unescaped(tagged[3]) if tagged[1] else tagged[3]
        return _Entry(algorithm=_spelled(tagged[2]), digest=tagged[4].lower(), name=name)
    plain = _PLAIN.match(line) or _LOOSE.match(line)
    if plain is None:
        return None
    name = plain[3] or ""
    return _Entry(algorithm="", digest=plain[2].lower(), name=_unescaped(name) if plain[1] else name)


def _unescaped(name: str) -> str:
    return _ESCAPE.sub(lambda match: _ESCAPED[match[1]], name)


def _spelled(algorithm: str) -> str:
    lower = algorithm.lower()
    return _SPELLED.get(lower, lower.replace("-", ""))


def _sibling(manifest: str) -> str:
    """The file that "train.csv.sha256" is about when it holds nothing but a digest."""
    stem, dot, _ = manifest.rpartition(".")
    return stem if dot else manifest


def _statement(entry: _Entry, name: str, algorithm: str, number: int, defects: Defects) -> Statement:
    found = algorithm or _BY_LENGTH.get(len(entry.digest), "")
    if HEX_CHARS.get(found) == len(entry.digest):
        extra = details(**{found: entry.digest})
    else:
        defects.add(f"line {number}: {_wrong(found, len(entry.digest))}")
        extra = details(malformed=f"{found or 'sha256'}:{entry.digest}")
    return Statement(
        attribute=Attribute.DATA_FILE, value=capped(name, NAME_CHARS), pointer=f"L{number}", details=extra
    )


def _wrong(algorithm: str, length: int) -> str:
    if algorithm not in HEX_CHARS:
        return f"a digest of {length} characters by {visible(algorithm) or 'no algorithm that is named'}"
    return f"a {algorithm} digest of {length} characters, {HEX_CHARS[algorithm]} are expected"


FORMAT = Format(
    name="checksums",
    title="List of checksums",
    kind=FileKind.INDEX,
    suffixes=("sums", "sums.txt", ".md5", ".sha1", ".sha256", ".sha384", ".sha512"),
    recognise=recognise,
    read=read,
    media_type="text/plain",
)
