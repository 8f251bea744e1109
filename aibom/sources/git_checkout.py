"""A git checkout on disk: where its parts are, what HEAD is, and its commits.

Everything is read as data. The git program is never run: a configuration can name commands for
fsmonitor, filters, hooks and ssh, and a scanned place must not choose what runs.
"""

from __future__ import annotations

import hashlib
import os
import re
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from aibom.domain.errors import UnreadableError
from aibom.domain.limits import KIB, MIB
from aibom.readers import git_config, git_objects
from aibom.readers.git_config import Config
from aibom.readers.git_objects import OBJECT_BYTES, GitObject, Pack
from aibom.sources.local_file import LocalFile, open_beneath, real_path

PARENT_COUNT: Final = 64  # folders above the target in which a checkout is looked for
POINTER_BYTES: Final = 4 * KIB  # HEAD, a loose ref, a `.git` file
PACKED_REFS_BYTES: Final = 32 * MIB
PACK_COUNT: Final = 1_000
SYMREF_DEPTH: Final = 5

_OID = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?\Z")
_REF = re.compile(r"refs/[^\x00-\x20\x7f~^:?*\[\\]+\Z")


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkout:
    """A working tree with its repository. All paths are absolute and hold no links."""

    top: str
    folder: str  # HEAD and index of this working tree
    common: str  # refs, objects and configuration, shared by all working trees
    config: Config

    @property
    def algorithm(self) -> str:
        return "sha256" if self.value("extensions.objectformat") == "sha256" else "sha1"

    def value(self, key: str) -> str | None:
        """The last value of a key, which is the one that counts."""
        return self.config.get(key, (None,))[-1]

    def is_false(self, key: str) -> bool:
        return (self.value(key) or "").lower() in ("false", "no", "off", "0")

    def head(self) -> tuple[str | None, str | None]:
        """Commit id and branch; no branch when detached, no commit when it cannot be told."""
        text = _pointer(self.folder, "HEAD")
        if text is None or not text.startswith("ref: refs/heads/"):
            return (text if text and self._is_oid(text) else None), None
        name = text.removeprefix("ref: ")
        if self.value("extensions.refstorage") not in (None, "files"):
            return None, None  # a reftable keeps a placeholder in HEAD
        return self._follow(name), name.removeprefix("refs/heads/")

    def _follow(self, name: str) -> str | None:
        for _ in range(SYMREF_DEPTH):
            if not _REF.match(name) or "/../" in f"{name}/":
                return None
            text = _pointer(self.common, name) or self._packed(name)
            if text is None or not text.startswith("ref: "):
                return text if text and self._is_oid(text) else None
            name = text.removeprefix("ref: ")
        return None

    def _packed(self, name: str) -> str | None:
        data = contents(self.common, "packed-refs", PACKED_REFS_BYTES)
        line = rb"^([0-9a-f]+) %b$" % re.escape(os.fsencode(name))
        found = re.search(line, data or b"", re.MULTILINE)
        return found[1].decode() if found else None

    def _is_oid(self, text: str) -> bool:
        return _OID.match(text) is not None and len(text) == 2 * hashlib.new(self.algorithm).digest_size

    def tree(self, commit: str) -> bytes | None:
        """The id of the tree of a commit; None when the commit is not here or not what its id says."""
        try:
            found = self._loose(commit) or self._from_packs(bytes.fromhex(commit))
        except (OSError, UnreadableError):
            return None
        if found is None or found.kind != "commit":
            return None
        named = hashlib.new(self.algorithm, b"commit %d\0" % len(found.body) + found.body).hexdigest()
        line = found.body.partition(b"\n")[0].decode("latin-1")
        tree = line.removeprefix("tree ")
        return bytes.fromhex(tree) if named == commit and tree != line and self._is_oid(tree) else None

    def _loose(self, oid: str) -> GitObject | None:
        data = contents(self.common, f"objects/{oid[:2]}/{oid[2:]}", OBJECT_BYTES)
        return git_objects.loose(data) if data is not None else None

    def _from_packs(self, oid: bytes) -> GitObject | None:
        with os.scandir(f"{self.common}/objects/pack") as names:
            packs = sorted(name.name for name in names if name.name.endswith(".idx"))
        for name in packs[:PACK_COUNT]:
            path = f"objects/pack/{name.removesuffix('.idx')}"
            with _opened(self.common, f"{path}.pack") as pack, _opened(self.common, f"{path}.idx") as index:
                found = Pack(pack=pack, index=index, id_bytes=len(oid)).get(oid)
            if found is not None:
                return found
        return None


def _opened(base: str, path: str) -> LocalFile:
    return LocalFile(open_beneath(base, path))


def contents(base: str, path: str, limit: int) -> bytes | None:
    """A small file as a whole; None when it is not there, no regular file or too large."""
    try:
        with _opened(base, path) as file:
            return file.read_at(0, file.size) if file.size <= limit else None
    except (OSError, UnreadableError):
        return None


def _pointer(base: str, path: str) -> str | None:
    data = contents(base, path, POINTER_BYTES)
    return os.fsdecode(data).strip() if data is not None else None


def find(path: Path) -> Checkout | None:
    """The checkout that an absolute path without links lies in."""
    for folder in (path, *path.parents)[:PARENT_COUNT]:
        if os.path.lexists(folder / ".git"):
            return checkout_at(str(folder))
    return None


def checkout_at(top: str) -> Checkout | None:
    """The checkout whose working tree starts at `top`, None when there is none or it is not whole.

    A `.git` that leads elsewhere counts only if the place that it leads to points back: otherwise
    a scanned folder could pass for a checkout of any repository on this machine.
    """
    own = Path(top, ".git")
    try:
        if stat.S_ISDIR(own.lstat().st_mode):
            return _made(top, str(own), str(own))
        text = _pointer(top, ".git") or ""
        return _elsewhere(own, text.removeprefix("gitdir: ")) if text.startswith("gitdir: ") else None
    except (OSError, ValueError):
        return None


def _elsewhere(own: Path, text: str) -> Checkout | None:
    """The checkout of a `.git` file: of a linked working tree or of a submodule."""
    top = str(own.parent)
    folder = real_path(own.parent / text)
    shared = _pointer(folder, "commondir")
    if shared is None:
        return _made(top, folder, folder, submodule=True)
    common = real_path(Path(folder, shared))
    back = real_path(Path(folder, _pointer(folder, "gitdir") or ""))
    if back != str(own) or Path(folder).parent != Path(common, "worktrees"):
        return None
    return _made(top, folder, common, worktree=True)


def _made(
    top: str, folder: str, common: str, *, submodule: bool = False, worktree: bool = False
) -> Checkout | None:
    data = contents(common, "config", git_config.CONFIG_BYTES)
    if data is None or not Path(common, "objects").is_dir():
        return None
    try:
        checkout = Checkout(top=top, folder=folder, common=common, config=git_config.parse(data))
    except UnreadableError:
        return None
    place = checkout.value("core.worktree")
    if worktree or (place is None and not submodule):
        return checkout
    # A submodule says here where its working tree is; any other repository has no reason to.
    return checkout if place is not None and real_path(Path(folder, place)) == top else None
