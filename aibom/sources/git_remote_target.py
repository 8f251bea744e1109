"""What a user types for a git repository, in parts; all of it is hostile text."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from aibom.domain.errors import malformed

TARGET_CHARS: Final = 4_096

_TARGET = re.compile(r"git\+(https|http|ssh|file)://([^/]*)(/[^#]*)(?:#(.*))?\Z", re.IGNORECASE)
_HOST = re.compile(r"(?:[A-Za-z0-9_][A-Za-z0-9._-]*|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?\Z")
_USER = re.compile(r"\A[A-Za-z0-9_][A-Za-z0-9._-]*@")
_REVISION = re.compile(
    r"(?![-/.])(?!.*(?:\.\.|//|@\{|/\.|\.lock(?:/|\Z)|[/.]\Z))[^\x00-\x20\x7f~^:?*\[\\]{1,250}\Z"
)
_TYPED: Final = "git+https://host/path@revision#folder"


@dataclass(frozen=True, slots=True, kw_only=True)
class Typed:
    """What the user typed, in parts."""

    protocol: str
    authority: str  # empty for a path on this machine
    path: str  # with `/` in front
    revision: str | None
    subpath: str

    @property
    def url(self) -> str:
        return f"{self.protocol}://{self.authority}{self.path}"

    @property
    def name(self) -> str:
        return self.path.rstrip("/").rpartition("/")[2].removesuffix(".git") or "repository"


def parse_target(target: str) -> Typed:
    """The parts of a target. Raises `UnreadableError` (malformed), which says what to type."""
    found = _TARGET.match(target) if len(target) <= TARGET_CHARS and target.isprintable() else None
    if found is None or " " in target or "?" in found[3]:
        raise malformed(f"not the address of a git repository: type {_TYPED}")
    protocol, authority = found[1].lower(), found[2]
    path, at, revision = found[3].rpartition("@") if "@" in found[3] else (found[3], "", "")
    host = _USER.sub("", authority, count=1) if protocol == "ssh" else authority
    if protocol != "file" and "@" in host:
        raise malformed(
            "an address holds no user or password: a token comes from AIBOM_GIT_TOKEN and AIBOM_GIT_HOST"
        )
    if not path.strip("/") or (authority if protocol == "file" else not _HOST.match(host)):
        raise malformed(f"the address of a git repository has a host and a path: type {_TYPED}")
    if at and not _REVISION.match(revision):
        raise malformed("behind the @ stands no commit, branch or tag")
    subpath = (found[4] or "").strip("/")
    if {"", ".", ".."} & set(subpath.split("/")) and subpath:
        raise malformed("behind the # stands no folder of the repository")
    return Typed(
        protocol=protocol, authority=authority, path=path, revision=revision or None, subpath=subpath
    )


def names_of(revision: str | None) -> tuple[str, ...]:
    if revision is None:
        return ("HEAD",)
    if revision.startswith("refs/"):
        return revision, f"{revision}^{{}}"
    return f"refs/heads/{revision}", f"refs/tags/{revision}", f"refs/tags/{revision}^{{}}"
