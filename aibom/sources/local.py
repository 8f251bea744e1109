"""A local folder or file: everything in it as an entry or a gap, in order of path.

Nothing in the folder steers the walk: no ignore file is read, and a link is followed only to what
lies in the target anyway. A gap whose path ends in `/` stands for a whole folder, `.` for the
target itself.
"""

from __future__ import annotations

import errno
import fnmatch
import os
import re
import stat
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from operator import attrgetter
from pathlib import Path
from typing import Final

from aibom.domain.entry import Entry
from aibom.domain.errors import Reason, UnreadableError, over_limit
from aibom.domain.gap import Gap, Stage
from aibom.domain.limits import ENTRY_COUNT, PATH_DEPTH, RACY_NS
from aibom.domain.publication import Attached, Receipt
from aibom.domain.ref import PinnedRef, Ref
from aibom.domain.target import Target
from aibom.sources import git, hub_cache, local_publish
from aibom.sources.hub_cache import HubPlace
from aibom.sources.local_file import (
    LocalFile,
    check_regular,
    etag_of,
    folder_beneath,
    open_beneath,
    real_path,
    resolve_beneath,
    unreadable,
)
from aibom.sources.opening import Opening, Place

LINKED_FOLDER_COUNT: Final = 1_000  # folders entered through links; a few links can span millions

_BEHIND_A_LINK = (errno.ELOOP, errno.ENOTDIR)  # what O_NOFOLLOW says about a link on the way


class LocalSource:
    """A `Source` over one folder or file.

    `exclude` holds patterns of `fnmatch` (`*` also matches `/`) that are compared with the path of
    every file and folder: `build/*`, `*.tmp`. A folder that matches is not entered. Without
    `surroundings` a target inside of a checkout is a plain folder. Raises `UnreadableError` when
    there is nothing at the path.
    """

    def __init__(self, path: Path, exclude: tuple[str, ...] = (), *, surroundings: bool = True) -> None:
        try:
            is_folder = stat.S_ISDIR(path.stat().st_mode)
            real = Path(real_path(path))
            # A file keeps the name that the user gave: in a cache, a link says more than its blob.
            own = real if is_folder else Path(real_path(path.parent), path.name)
        except (OSError, ValueError) as error:
            raise _not_there(path, error) from None
        hub = hub_cache.locate(str(own))
        if hub is not None:
            self._area = _Area(base=hub.hub, home=hub.home, hub=hub)
        elif is_folder:
            self._area = _Area(base=str(real), home="")
        else:
            self._area = _Area(base=str(real.parent), home=real.name)
        self._only = None if is_folder else own.name
        self._exclude = _pattern(exclude)
        self._excluded = 0
        self.target = _target(own, hub, surroundings=surroundings)

    @property
    def excluded(self) -> int:
        return self._excluded

    def entries(self) -> Iterator[Entry | Gap]:
        """Every file as an entry, everything else that was met as a gap, in order of path."""
        walk = _Walk(self._area, self._exclude)
        yield from walk.folder() if self._only is None else walk.file(self._only)
        self._excluded = walk.excluded

    def open(self, entry: Entry) -> LocalFile:
        """The listed version of a file. Raises `UnreadableError` when it is another one by now."""
        path = self._area.home if self._only is not None else _joined(self._area.home, entry.path)
        try:
            return LocalFile(self._area.descriptor(path), entry.etag)
        except OSError as error:
            raise unreadable(error, "cannot be opened") from None

    def attached(self) -> tuple[Attached, ...]:
        """The documents in the top of the folder, or those beside the one file."""
        return local_publish.attached(self._top, self._only)

    def publish(self, documents: tuple[Attached, ...], *, dry_run: bool, pull_request: bool) -> Receipt:
        """Writes them there; see `Registry`."""
        ref = self.target.ref or Ref(scheme="file", location=self.target.name)
        return local_publish.publish(self._top, ref, documents, dry_run=dry_run, pull_request=pull_request)

    @property
    def _top(self) -> Path:
        return Path(self._area.base, self._area.home)


def _not_there(path: Path, error: OSError | ValueError) -> UnreadableError:
    shown = ascii(os.fspath(path))
    if isinstance(error, OSError) and error.errno not in (errno.ENOENT, errno.ENOTDIR):
        return unreadable(error, f"{shown} cannot be scanned")
    return UnreadableError(Reason.VANISHED, f"no such file or folder: {shown}")


def _pattern(exclude: tuple[str, ...]) -> re.Pattern[str] | None:
    globs = [fnmatch.translate(glob.rstrip("/")) for glob in exclude]
    return re.compile("|".join(globs)) if globs else None


def _target(own: Path, hub: HubPlace | None, *, surroundings: bool) -> Target:
    name = own.name or "root"
    if hub is not None:
        return Target(name=name, ref=hub.ref, attributes=hub.attributes, is_local=True)
    facts = git.describe(own)
    if facts is None or (facts.subpath and not surroundings):
        return Target(name=name, is_local=True)
    known = (("branch", facts.branch), ("commit", facts.commit))
    attributes = tuple((key, value) for key, value in known if value is not None)
    ref = _git_ref(facts)
    return Target(name=name, ref=ref, dirty=facts.dirty, attributes=attributes, is_local=True)


def _git_ref(facts: git.GitFacts) -> Ref | None:
    if facts.remote is None:
        return None
    make = PinnedRef if facts.commit else Ref
    return make(scheme="git", location=facts.remote, revision=facts.commit, subpath=facts.subpath)


def _joined(folder: str, name: str) -> str:
    return f"{folder}/{name}" if folder else name


@dataclass(frozen=True, slots=True, kw_only=True)
class _Area:
    """Where the target lies, and how far links may lead. All paths are relative to `base`."""

    base: str  # absolute, without links
    home: str  # of the target
    hub: HubPlace | None = None

    def resolve(self, path: str) -> str:
        """Follows links. Raises OSError, or `UnreadableError` for loops and ways out."""
        real = resolve_beneath(self.base, path)
        if self.hub is not None and not self.hub.holds(real):
            raise UnreadableError(Reason.OUTSIDE_TARGET, "a link that leads out of the repository")
        return real

    def descriptor(self, path: str) -> int:
        """An open file. Links are judged again: the listing may be a while ago."""
        try:
            return open_beneath(self.base, path)
        except OSError as error:
            if error.errno not in _BEHIND_A_LINK:
                raise
        return open_beneath(self.base, self.resolve(path))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Folder:
    """A folder that is still to be listed."""

    path: str  # as listed: empty, or with `/` at the end, which sorts it where its files go
    real: str  # below the base, through no link
    chain: tuple[tuple[int, int], ...] = ()  # device and inode of every folder on the way


class _Walk:
    """One listing. Depth first, with one folder open at a time."""

    def __init__(self, area: _Area, exclude: re.Pattern[str] | None) -> None:
        self._area, self._exclude = area, exclude
        self._left, self._links_left = ENTRY_COUNT, LINKED_FOLDER_COUNT
        self._now = 0
        self.excluded = 0

    def folder(self) -> Iterator[Entry | Gap]:
        stack = [iter(self._list(_Folder(path="", real=self._area.home)))]
        while stack:
            for item in stack[-1]:
                if isinstance(item, _Folder):
                    stack.append(iter(self._list(item)))
                    break
                yield item
            else:
                stack.pop()

    def file(self, name: str) -> Iterator[Entry | Gap]:
        self._now = time.time_ns()
        if self._leaves_out(name):
            return
        folder, _, own = self._area.home.rpartition("/")
        item = self._linked(_Folder(path="", real=folder), own)
        if isinstance(item, _Folder) or item is None:
            item = _gap(name, Reason.CHANGED, "a folder by now")
        yield replace(item, path=name)

    def _list(self, folder: _Folder) -> list[Entry | Gap | _Folder]:
        if len(folder.chain) >= PATH_DEPTH:
            return [_lost(folder, over_limit(f"more than {PATH_DEPTH} folders deep, not listed"))]
        self._now = time.time_ns()
        found: list[Entry | Gap | _Folder] = []
        try:
            with folder_beneath(self._area.base, folder.real) as opened, os.scandir(opened) as names:
                status = os.fstat(opened)
                inside = replace(folder, chain=(*folder.chain, (status.st_dev, status.st_ino)))
                for name in names:
                    if (item := self._item(inside, name)) is not None:
                        found.append(item)  # noqa: PERF401 - what was found before an error stays
        except UnreadableError as error:
            # Which part of the names came first is chance: a folder is listed as a whole or not.
            return [_lost(folder, error)]
        except OSError as error:
            found.append(_lost(folder, unreadable(error, "the folder cannot be listed")))
        return sorted(self._sifted(folder, found), key=attrgetter("path"))

    def _item(self, folder: _Folder, found: os.DirEntry[str]) -> Entry | Gap | _Folder | None:
        self._left -= 1
        if self._left < 0:
            raise over_limit(f"more than {ENTRY_COUNT} names in the target, this folder is not listed")
        path = folder.path + found.name
        if self._leaves_out(path):
            return None
        try:
            if found.is_file(follow_symlinks=False):
                return self._entry(path, found.stat(follow_symlinks=False))
            if found.is_symlink():
                return self._linked(folder, found.name)
            if found.is_dir(follow_symlinks=False):
                return self._enter(folder, found.name, _joined(folder.real, found.name))
            status = found.stat(follow_symlinks=False)
            check_regular(status)
            return self._entry(path, status)
        except (OSError, UnreadableError) as error:
            return Gap.of(path, Stage.LIST, unreadable(error, "cannot be listed"))

    def _leaves_out(self, path: str) -> bool:
        if self._exclude is None or self._exclude.match(path) is None:
            return False
        self.excluded += 1
        return True

    def _entry(self, path: str, status: os.stat_result) -> Entry:
        return Entry(
            path=path,
            size=status.st_size,
            etag=etag_of(status),
            cacheable=self._now - status.st_ctime_ns > RACY_NS,
        )

    def _enter(self, folder: _Folder, name: str, real: str) -> _Folder | None:
        if name == ".git":
            self.excluded += 1
            return None
        return _Folder(path=f"{folder.path}{name}/", real=real, chain=folder.chain)

    def _linked(self, folder: _Folder, name: str) -> Entry | Gap | _Folder | None:
        """What a link leads to, under the link's own path."""
        path, link = folder.path + name, _joined(folder.real, name)
        try:
            real = self._area.resolve(link)
            status = os.lstat(f"{self._area.base}/{real}")
            if stat.S_ISDIR(status.st_mode):
                self._check_loop(folder, status)
                return self._enter(folder, name, real)
            check_regular(status)
            claims = hub_cache.claimed_through(f"{self._area.base}/{link}", real)
        except FileNotFoundError:
            return _gap(path, Reason.VANISHED, "a link that points to nothing")
        except (OSError, UnreadableError) as error:
            return Gap.of(path, Stage.LIST, unreadable(error, "the link cannot be followed"))
        return replace(self._entry(path, status), claimed=claims)

    def _check_loop(self, folder: _Folder, status: os.stat_result) -> None:
        if (status.st_dev, status.st_ino) in folder.chain:
            raise UnreadableError(Reason.LINK_LOOP, "a link to a folder that it lies in")
        self._links_left -= 1
        if self._links_left < 0:
            raise over_limit(f"more than {LINKED_FOLDER_COUNT} links to folders, not followed")

    def _sifted(self, folder: _Folder, found: list[Entry | Gap | _Folder]) -> Iterator[Entry | Gap | _Folder]:
        """Without what a Hugging Face cache notes for itself or lists in a better place."""
        shelf = hub_cache.shelf(self._area.base, folder.real)
        for item in found:
            kept: Entry | Gap | _Folder | None = item
            if shelf is not None and isinstance(item, Entry):
                kept = shelf.judge(item, item.path.rpartition("/")[2])
                if kept is None and shelf.counts:
                    self.excluded += 1
            if kept is not None:
                yield kept


def _lost(folder: _Folder, error: UnreadableError) -> Gap:
    return Gap.of(folder.path or ".", Stage.LIST, error)


def _gap(path: str, reason: Reason, detail: str) -> Gap:
    return Gap(path=path, stage=Stage.LIST, reason=reason, detail=detail)


def _open(target: str, opening: Opening) -> LocalSource:
    return LocalSource(Path(target), opening.exclude, surroundings=opening.surroundings)


PLACE = Place(scheme="", title="local folder or file", open=_open)
