"""The Hugging Face cache: where a folder of it comes from, and which digests its names claim.

Layout (huggingface_hub documentation, "Understand caching"):

    <hub>/models--org--name/            also datasets--, spaces--
        blobs/<sha256 or git blob id>   the bytes; `*.incomplete` while they arrive
        refs/main                       the commit that a branch or tag stood at
        snapshots/<commit>/...          links to ../../blobs/<id>
        .no_exist/<commit>/...          empty: files that the repository does not have
    <hub>/blobs/<2 hex>/<xet hash>      bytes that several repositories share

Names are claims: nothing stops anybody from changing a blob and keeping its name.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Final

from aibom.domain.digest import Digest, Grade
from aibom.domain.entry import Entry
from aibom.domain.errors import Reason, UnreadableError
from aibom.domain.gap import Gap, Stage
from aibom.domain.limits import ENTRY_COUNT
from aibom.domain.ref import PinnedRef, Ref, is_commit
from aibom.domain.text import visible
from aibom.sources.local_file import LocalFile, folder_beneath, open_beneath

REF_BYTES: Final = 256  # a file below refs/ holds one commit id
REF_COUNT: Final = 1_000  # refs and snapshots that are looked at to name a target

_SCHEMES: Final = {"models": "hf", "datasets": "hf-dataset", "spaces": "hf-space"}
_REPO = r"(?:models|datasets|spaces)--[\w.-]+"
_REPO_NAME = re.compile(r"(models|datasets|spaces)--([\w.-]+)\Z", re.ASCII)
_BLOB = re.compile(rf"(?:\A|/){_REPO}/blobs/([0-9a-f]{{40}}|[0-9a-f]{{64}})\Z", re.ASCII)
_SHARED = re.compile(r"(?:\A|/)blobs/([0-9a-f]{2})/(\1[0-9a-f]{62})\Z")
_SHELF = re.compile(rf"(?:\A|/){_REPO}/(?:(blobs)\Z|(refs|\.no_exist)(?:/|\Z))", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class HubPlace:
    """A repository folder of a cache, or something in one of its snapshots."""

    hub: str  # absolute path of the cache
    home: str  # the place itself, relative to the cache
    ref: Ref
    attributes: tuple[tuple[str, str], ...]  # ("refs/main", commit)

    def holds(self, path: str) -> bool:
        """True for what belongs to the repository: its own folder, and the store that it shares."""
        repo = self.home.partition("/")[0]
        return f"{path}/".startswith(f"{repo}/") or _SHARED.fullmatch(path) is not None


def locate(path: str) -> HubPlace | None:
    """What an absolute path is in a cache; None unless it is a repository or in a snapshot of one."""
    parts = path.split("/")
    for at in range(len(parts) - 1, 0, -1):
        inside = parts[at + 1 :]
        if not _REPO_NAME.match(parts[at]) or inside[:1] not in ([], ["snapshots"]):
            continue
        hub = "/".join(parts[:at]) or "/"
        if Path(hub, parts[at], "snapshots").is_dir():
            return _place(hub, parts[at], inside)
    return None


def _place(hub: str, repo: str, inside: list[str]) -> HubPlace:
    kind, _, name = repo.partition("--")
    commits = inside[1:2] or _snapshots(f"{hub}/{repo}")
    pinned = len(commits) == 1 and is_commit(commits[0])
    make = PinnedRef if pinned else Ref
    ref = make(
        scheme=_SCHEMES[kind],
        location=name.replace("--", "/", 1),
        revision=commits[0] if pinned else None,
        subpath=visible("/".join(inside[2:])) or None,
    )
    names = (pair for pair in _refs(f"{hub}/{repo}") if pair[1] in commits)
    return HubPlace(hub=hub, home="/".join([repo, *inside]), ref=ref, attributes=tuple(sorted(names)))


def _snapshots(repo: str) -> list[str]:
    return [entry.name for entry in _inside(repo, "snapshots") if entry.is_dir(follow_symlinks=False)]


def _refs(repo: str) -> list[tuple[str, str]]:
    """Branch and tag names with the commit that each stood at when it was downloaded."""
    todo, found = ["refs"], list[tuple[str, str]]()
    for _ in range(REF_COUNT):
        if not todo:
            return found
        path = todo.pop()
        if (commit := _commit(repo, path)) is not None:
            found.append((visible(path), commit))
        todo += (f"{path}/{entry.name}" for entry in _inside(repo, path))
    return []  # which ones would be looked at is chance, and so would be the report


def _inside(base: str, path: str) -> list[os.DirEntry[str]]:
    """What a small folder holds; nothing for a larger one, or when it is none."""
    try:
        with folder_beneath(base, path) as opened, os.scandir(opened) as names:
            found = list(islice(names, REF_COUNT + 1))
    except OSError:
        return []
    return found if len(found) <= REF_COUNT else []


def _commit(base: str, path: str) -> str | None:
    """The commit id that a file consists of; None when it holds anything else."""
    try:
        with LocalFile(open_beneath(base, path)) as file:
            if file.size > REF_BYTES:
                return None
            text = file.read_at(0, file.size).decode("ascii", "replace").strip()
    except (OSError, UnreadableError):
        return None
    return text if is_commit(text) else None


def claimed(path: str) -> tuple[Digest, ...]:
    """What the place of a blob in a cache says about its bytes. The path needs no common start."""
    if blob := _BLOB.search(path):
        algorithm = "sha256" if len(blob[1]) == 64 else "git-sha1"
        return (Digest(algorithm=algorithm, value=blob[1], grade=Grade.CLAIMED),)
    if shared := _SHARED.search(path):
        return (Digest(algorithm="xet", value=shared[2], grade=Grade.CLAIMED),)
    return ()


def claimed_through(link: str, real: str) -> tuple[Digest, ...]:
    """The same for the file `real` that a link leads to; a blob may itself point to the shared store."""
    claims = claimed(real)
    if not claims or claims[0].algorithm != "xet":
        return claims
    first = os.path.normpath(Path(link).parent / Path(link).readlink())
    return (*claimed(first), *claims)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shelf:
    """A folder of a repository that holds blobs or the cache's own notes."""

    base: str
    path: str  # of the folder, below base
    kind: str  # blobs, refs or .no_exist
    referred: frozenset[str]  # blobs that a snapshot lists under their real name

    @property
    def counts(self) -> bool:
        """True when what is left out is in no other place of the listing."""
        return self.kind != "blobs"

    def judge(self, entry: Entry, name: str) -> Entry | Gap | None:
        """How a file here is listed; None for one that can hold nothing, or is listed elsewhere."""
        if self.kind == ".no_exist":
            return entry if entry.size else None
        if self.kind == "refs":
            return None if _commit(self.base, f"{self.path}/{name}") else entry
        if name in self.referred:
            return None
        if name.endswith(".incomplete"):
            return Gap(
                path=entry.path,
                stage=Stage.LIST,
                reason=Reason.TRUNCATED,
                detail=f"an unfinished download of {entry.size} bytes",
            )
        return replace(entry, claimed=(*claimed(f"{self.path}/{name}"), *entry.claimed))


def shelf(base: str, path: str) -> Shelf | None:
    """The shelf that a folder below `base` is, None for any other folder."""
    if "--" not in path or not (found := _SHELF.search(path)):
        return None
    kind = found[1] or found[2]
    referred = _referred(f"{base}/{path}".removesuffix("/blobs")) if kind == "blobs" else frozenset()
    return Shelf(base=base, path=path, kind=kind, referred=referred)


def _referred(repo: str) -> frozenset[str]:
    """The blobs that a link in a snapshot points to, without a detour.

    Only where the listing goes, this goes too (no linked folders, no `.git`): a blob must not
    disappear because a place that nobody lists refers to it.
    """
    found = set()
    left = ENTRY_COUNT
    todo = [] if Path(repo, "snapshots").is_symlink() else [f"{repo}/snapshots"]
    while todo and left > 0:
        try:
            folder = todo.pop()
            with os.scandir(folder) as entries:
                for entry in entries:
                    left -= 1
                    if entry.is_dir(follow_symlinks=False):
                        todo += [entry.path] if entry.name != ".git" else []
                    elif entry.is_symlink():
                        found.add(os.path.normpath(f"{folder}/{Path(entry).readlink()}"))
        except OSError:
            continue
    blobs = f"{repo}/blobs/"
    return frozenset(path.removeprefix(blobs) for path in found if path.startswith(blobs))
