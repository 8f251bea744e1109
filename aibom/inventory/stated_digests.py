"""What descriptions, manifests and version control state about the bytes of other files.

Names are resolved against the folder of whoever states them and nothing is opened. A name that leads
out of that folder is refused, so that a description cannot speak about files of somebody else.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from typing import Final
from urllib.parse import unquote

from aibom.domain.digest import HEX_CHARS
from aibom.domain.facts import Attribute, Statement
from aibom.domain.file import File
from aibom.domain.stated import Reach, Stated
from aibom.domain.text import capped
from aibom.inventory.folders import folder_of

STATED_COUNT: Final = 100_000  # of one scan
NAME_CHARS: Final = 512
# What is computed besides SHA-256 when somebody states it; hashlib has all of them.
COMPUTABLE: Final = frozenset({"md5", "sha1", "sha384", "sha512", "blake2b"})

_CROISSANT, _INFO, _DVC, _CHECKSUMS = "croissant", "dataset-info", "dvc", "checksums"
_FORMATS: Final = frozenset({_CROISSANT, _INFO, _DVC, _CHECKSUMS})
_ALGORITHMS: Final = tuple(HEX_CHARS)
_ADDRESS: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]{1,16}:")
_ABSOLUTE: Final = re.compile(r"[/\\~]|[A-Za-z]:[/\\]|file:", re.IGNORECASE)
_SET: Final = re.compile(r"/includes(?:/[0-9]+)?\Z")  # the pointer of a FileSet's pattern
_NUMBER: Final = re.compile(r"[0-9]{1,18}\Z")
_SPEAKING: Final = re.compile(
    r".*\.dvc|dvc\.lock|.*\.jsonld"
    r"|(?:.*[-_.])?(?:(?:md5|sha-?(?:1|256|384|512)|b2|blake2b)(?:[-_.]?(?:sums?|checksums?))?|checksums?)"
    r"(?:\.(?:txt|asc))?",
    re.IGNORECASE | re.DOTALL,
)


def may_state(path: str) -> bool:
    """Whether a file of this name is worth a look before the files that it may speak about.

    JSON is not told: scans look at all of it first anyway.
    """
    return _SPEAKING.fullmatch(path.rpartition("/")[2]) is not None


def stated_digests(files: Iterable[File], paths: Collection[str]) -> tuple[Stated, ...]:
    """Every statement of `files`, in their order; `paths` are those of all listed files.

    More than STATED_COUNT are not told, and the last one says so.
    """
    known = paths if isinstance(paths, (set, frozenset)) else frozenset(paths)
    found: list[Stated] = []
    for file in files:
        for stated in _of_file(file, known):
            if len(found) == STATED_COUNT:
                return (*found, Stated(source=file.path, place="", name="", reach=Reach.UNTOLD))
            found.append(stated)
    return tuple(found)


def wanted_algorithms(stated: Iterable[Stated], paths: Iterable[str]) -> dict[str, frozenset[str]]:
    """By path, the algorithms that have to be computed beside SHA-256 so that statements can be compared.

    `paths` are those of all listed files.
    """
    found: dict[str, set[str]] = defaultdict(set)
    stated = tuple(stated)
    folders = {each.path for each in stated if each.reach is Reach.FOLDER}
    for path in paths if folders else ():
        if any(above in folders for above in _above(path)):
            found[path].add("md5")
    for each in stated:
        if each.reach is Reach.HERE:
            fitting = {name for name, value in each.digests if len(value) == HEX_CHARS.get(name)}
            found[each.path] |= fitting & COMPUTABLE
    return {path: frozenset(names) for path, names in found.items() if names}


def _above(path: str) -> Iterator[str]:
    while path := folder_of(path):
        yield path


def _of_file(file: File, known: Collection[str]) -> Iterator[Stated]:
    facts = file.facts
    if facts is None or facts.format not in _FORMATS:
        return
    for statement in facts.statements:
        if statement.attribute is Attribute.DATA_FILE:
            yield _stated(file, facts.format, statement, known)


def _stated(file: File, by: str, statement: Statement, known: Collection[str]) -> Stated:
    digests = tuple((name, value) for name in _ALGORITHMS if (value := statement.detail(name)))
    # A value of the wrong length is kept beside the right ones by the readers.
    kind, separator, value = (statement.detail("malformed") or "").partition(":")
    reach, path = _reached(file, by, statement, known)
    # DVC marks the MD5 of a folder's list by its ending.
    tree = (statement.detail("tree") or "").removesuffix(".dir")
    if tree:
        digests = (("md5", tree.lower()),)
    return Stated(
        source=file.path,
        place=statement.pointer,
        name=capped(statement.value, NAME_CHARS),
        reach=reach,
        path=path,
        digests=(*digests, (kind, value)) if separator else digests,
        size=_number(statement.detail("size")),
        files=_number(statement.detail("files")),
        unpacked=statement.detail("contained_in") is None,
        text_mode=by == _DVC and statement.detail("hash") is None,
    )


def _number(text: str | None) -> int | None:
    return int(text) if text and _NUMBER.match(text) else None


def _reached(file: File, by: str, statement: Statement, known: Collection[str]) -> tuple[Reach, str]:
    name = statement.value
    if _ABSOLUTE.match(name):
        return Reach.OUTSIDE, ""
    if _ADDRESS.match(name) and by != _CHECKSUMS:
        return Reach.ADDRESS, _beside(file, name)
    if by == _CROISSANT and _SET.search(statement.pointer):
        return Reach.SET, ""
    if statement.detail("kind") == "folder":
        path = resolved(folder_of(file.path), name)
        return (Reach.FOLDER, path) if path else (Reach.OUTSIDE, "")
    found = _place(file, name, known)
    if by == _CROISSANT and found[0] is Reach.MISSING and "%" in name:
        return _place(file, unquote(name), known)
    return found


def _place(file: File, name: str, known: Collection[str]) -> tuple[Reach, str]:
    path = resolved(folder_of(file.path), name)
    if path is None:
        return Reach.OUTSIDE, ""
    return (Reach.HERE, path) if path in known else (Reach.MISSING, path)


def _beside(file: File, address: str) -> str:
    """The path that a download into the folder would have; it may be that of no file."""
    last = re.split(r"[?#]", address)[0].rstrip("/").rpartition("/")[2]
    return resolved(folder_of(file.path), unquote(last)) or ""


def resolved(folder: str, name: str) -> str | None:
    """The path that a relative name has below a folder; None when it leads out, or names nothing."""
    if not name or "\0" in name or _ABSOLUTE.match(name):
        return None
    # What is a name here is a path on other systems.
    if ".." in name.split("\\"):
        return None
    parts: list[str] = []
    for part in name.split("/"):
        if part == "..":
            if not parts:
                return None
            parts.pop()
        elif part not in ("", "."):
            parts.append(part)
    return "/".join(filter(None, (folder, *parts))) if parts else None
