"""The digests of files that a CycloneDX bill of materials states."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from aibom.domain.errors import UnreadableError, malformed, unsupported
from aibom.domain.gap import Gap
from aibom.domain.verification import FileState, FileVerdict
from aibom.readers import json
from aibom.readers.json import Json
from aibom.trust.fields import canonical
from aibom.trust.model import absent, unreadable

_ALGORITHM: Final = "SHA-256"
_HEX = re.compile(r"[0-9a-fA-F]{64}\Z")
_DEPTH: Final = 32  # components in components


def read_digests(data: bytes, *, others: bool = False) -> dict[str, str]:
    """The SHA-256 of each file that the document lists, by path, lower-case hex.

    Raises `UnreadableError`: malformed, unsupported (no CycloneDX), limit; also for a digest of the
    wrong length and for two digests of one path; and, unless `others` are allowed, unsupported for a
    file whose digests are all of other algorithms.
    """
    document = json.members(json.parse(data))
    if document.get("bomFormat") != "CycloneDX":
        raise unsupported("not a CycloneDX document in JSON")
    found: dict[str, str] = {}
    for path, value in _files(document.get("components"), 0, others=others):
        if found.setdefault(path, value) != value:
            raise malformed(f"the bill of materials states two digests of {path[:80]!r}: write it anew")
    return found


def _files(components: Json, depth: int, *, others: bool) -> Iterator[tuple[str, str]]:
    if not isinstance(components, list) or depth > _DEPTH:
        return
    for each in components:
        component = json.members(each)
        name = component.get("name")
        if component.get("type") in ("file", "data") and isinstance(name, str) and name:
            stated = component.get("hashes")
            values = list(_sha256(name, stated))
            if stated and not values and not others:
                raise unsupported(
                    f"the bill of materials states no {_ALGORITHM} of {name[:80]!r}: write it anew"
                )
            yield from ((name, value) for value in values)
        yield from _files(component.get("components"), depth + 1, others=others)


def _sha256(name: str, hashes: Json) -> Iterator[str]:
    for each in hashes if isinstance(hashes, list) else ():
        entry = json.members(each)
        content = entry.get("content")
        if entry.get("alg") == _ALGORITHM:
            if not isinstance(content, str) or not _HEX.match(content):
                raise malformed(
                    f"the {_ALGORITHM} of {name[:80]!r} in the bill of materials is none: write it anew"
                )
            yield content.lower()


def is_same(document: bytes, signed: bytes) -> bool:
    """Whether a document says what was signed, however it is laid out. `signed` is canonical JSON."""
    try:
        return canonical(json.parse(document)) == signed
    except UnreadableError:
        return False


def compare_with_bom(
    stated: Mapping[str, str], found: Mapping[str, str | Gap], left_out: Iterable[str] = ()
) -> tuple[FileVerdict, ...]:
    """A verdict for every file that is listed or here.

    `found` has every file here: the SHA-256 of a listed one, or why it (or a whole folder) could not
    be read. `left_out` are documents that vouch themselves: written after the list, they may differ.
    """
    apart = set(left_out)
    gaps = tuple(each for each in found.values() if isinstance(each, Gap))
    verdicts = [_listed(path, value, found.get(path), gaps, path in apart) for path, value in stated.items()]
    verdicts += [_unlisted(path, found[path], path in apart) for path in found.keys() - stated.keys()]
    return tuple(sorted(verdicts, key=lambda verdict: verdict.path))


def _unlisted(path: str, found: str | Gap, apart: bool) -> FileVerdict:
    if apart:
        return FileVerdict(path=path, state=FileState.IGNORED)
    if isinstance(found, Gap):
        return unreadable(path, found)
    return FileVerdict(path=path, state=FileState.EXTRA, detail="the bill of materials does not list it")


def _listed(path: str, stated: str, found: str | Gap | None, gaps: Iterable[Gap], apart: bool) -> FileVerdict:
    if found is None:
        return absent(path, gaps, "it is listed and not here")
    if isinstance(found, Gap):
        return unreadable(path, found)
    if found == stated:
        return FileVerdict(path=path, state=FileState.VERIFIED)
    if apart:
        return FileVerdict(path=path, state=FileState.IGNORED, detail="it was written after the list")
    return FileVerdict(
        path=path,
        state=FileState.CHANGED,
        detail="the bytes are not those that the bill of materials lists",
        expected=f"sha256:{stated}",
        found=f"sha256:{found}",
    )
