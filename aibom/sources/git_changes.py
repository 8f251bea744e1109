"""Whether a checkout still is its commit: what `git status` would say, without running git.

Three answers: True (changed), False (every tracked file is the commit's), None (it cannot be told).
Untracked files change nothing. Unlike git, a file that is marked "assume unchanged" is looked at.
"""

from __future__ import annotations

import errno
import hashlib
import os
import stat
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import groupby
from operator import attrgetter
from typing import Final

from aibom.domain.errors import UnreadableError, over_limit
from aibom.domain.limits import KIB, MIB
from aibom.readers import git_index
from aibom.readers.git_index import FOLDER_MODE, INDEX_BYTES, LINK_MODE, SUBMODULE_MODE, Tracked
from aibom.sources.git_checkout import Checkout, checkout_at, contents
from aibom.sources.local_file import LocalFile, folder_beneath, open_beneath, open_in

FILE_BYTES: Final = 16 * MIB  # a larger file is not read to compare it
TOTAL_BYTES: Final = 256 * MIB  # all that is read to compare one checkout
ATTRIBUTES_BYTES: Final = 64 * KIB
SUBMODULE_DEPTH: Final = 4

Verdict = bool | None

_MODULO = 0xFFFFFFFF  # the index keeps sizes and inodes in 32 bits
_OWNER_RUNS = 0o100
_RULE_COST = 16  # bytes of the budget that one attribute rule counts as, so that rules are bounded too

# Attributes that make the file on disk another than the blob (gitattributes); `text` is tried.
_CONVERTING = frozenset((b"filter", b"ident", b"working-tree-encoding"))


def worst(verdicts: Iterable[Verdict]) -> Verdict:
    """True if one is, else None if one is, else False. Stops at the first True."""
    unknown = False
    for verdict in verdicts:
        if verdict:
            return True
        unknown |= verdict is None
    return None if unknown else False


@dataclass(slots=True, kw_only=True)
class Changes:
    """One comparison: of the index with HEAD, and of the files at or below `below` with the index."""

    checkout: Checkout
    commit: str | None
    below: bytes = b""  # relative to the checkout; empty for all of it
    depth: int = 0
    left: int = TOTAL_BYTES
    knows: bool = field(default=True, init=False)  # False: the index has nothing at or below `below`
    _written: int = field(default=0, init=False)  # mtime of the index, nanoseconds
    _rules: dict[bytes, tuple[bytes, ...]] = field(default_factory=dict, init=False)

    def verdict(self) -> Verdict:
        """Never raises: what cannot be read is None."""
        try:
            data = self._index()
            if self.below:
                self.knows = any(map(self._is_below, git_index.parse(data, self.checkout.algorithm)))
            return worst([self._staged(data), self._changed(data)])
        except (OSError, UnreadableError):
            return None

    def _index(self) -> bytes:
        descriptor = open_beneath(self.checkout.folder, "index")
        with LocalFile(descriptor) as file:
            self._written = os.fstat(descriptor).st_mtime_ns
            return file.read_at(0, min(file.size, INDEX_BYTES + 1))

    def _staged(self, data: bytes) -> Verdict:
        """The index makes a tree; when that is the commit's, nothing is staged. The tree ids that git
        keeps in the index would be quicker, but nothing binds them to its entries."""
        expected = self.checkout.tree(self.commit) if self.commit else None
        if expected is None:
            return None
        entries = git_index.parse(data, self.checkout.algorithm)
        return expected != git_index.tree_of((e for e in entries if not e.intended), self.checkout.algorithm)

    def _changed(self, data: bytes) -> Verdict:
        entries = filter(self._is_below, git_index.parse(data, self.checkout.algorithm))
        folders = groupby(entries, attrgetter("folder"))
        return worst(verdict for name, group in folders for verdict in self._folder(name, group))

    def _is_below(self, entry: Tracked) -> bool:
        return not self.below or (entry.path + b"/").startswith(self.below + b"/")

    def _folder(self, folder: bytes, entries: Iterator[Tracked]) -> Iterator[Verdict]:
        try:
            with folder_beneath(self.checkout.top, os.fsdecode(folder)) as opened:
                for entry in entries:
                    yield self._differs(entry, opened)
        except OSError as error:
            # Not there, or a link or file stands in its place: so its files are gone.
            gone = error.errno in (errno.ENOENT, errno.ENOTDIR, errno.ELOOP)
            for entry in entries:
                yield not _may_be_absent(entry) if gone else None

    def _differs(self, entry: Tracked, folder: int) -> Verdict:
        if entry.stage or entry.intended:
            return True
        name = entry.path.rpartition(b"/")[2]
        try:
            status = os.stat(name, dir_fd=folder, follow_symlinks=False)
            if entry.mode == FOLDER_MODE:
                return None  # the index names no file in it: a sparse checkout leaves it out
            if entry.mode == SUBMODULE_MODE:
                return self._submodule(entry, status)
            if self._mode_differs(entry, status):
                return True
            if self._is_as_left(entry, status):
                return False
            if stat.S_ISLNK(status.st_mode):
                return self._blob_id(os.readlink(name, dir_fd=folder)) != entry.oid
            return self._content_differs(entry, status, folder, name)
        except FileNotFoundError:
            return not _may_be_absent(entry)
        except (OSError, UnreadableError):
            return None

    def _mode_differs(self, entry: Tracked, status: os.stat_result) -> bool:
        if entry.mode == LINK_MODE and stat.S_ISLNK(status.st_mode):
            return False
        if not stat.S_ISREG(status.st_mode):
            return True
        if entry.mode == LINK_MODE:
            return not self.checkout.is_false("core.symlinks")
        runs = (entry.mode ^ status.st_mode) & _OWNER_RUNS
        return bool(runs) and not self.checkout.is_false("core.filemode")

    def _is_as_left(self, entry: Tracked, status: os.stat_result) -> bool:
        """True when nothing touched the file since git last compared it. A file as young as the
        index may have been changed right after, within the same tick of the clock."""
        return (
            entry.size == status.st_size & _MODULO
            and entry.inode == status.st_ino & _MODULO
            and entry.mtime_ns == status.st_mtime_ns
            and entry.ctime_ns == status.st_ctime_ns
            and entry.mtime_ns < self._written
        )

    def _content_differs(self, entry: Tracked, status: os.stat_result, folder: int, name: bytes) -> Verdict:
        if self._converts(entry):
            return None  # only the filter could say, and filters are commands
        if status.st_size > FILE_BYTES:
            # Size 0 is how git marks a file that it could not tell either.
            return True if entry.size and entry.size != status.st_size & _MODULO else None
        self._spend(status.st_size)
        with LocalFile(open_in(folder, name)) as file:
            content = file.read_at(0, min(file.size, FILE_BYTES))
        if self._blob_id(content) == entry.oid:
            return False
        if b"\r\n" in content and self._blob_id(content.replace(b"\r\n", b"\n")) == entry.oid:
            return None  # the same text with other line ends, which git may well have made
        return True

    def _blob_id(self, content: bytes) -> bytes:
        return hashlib.new(self.checkout.algorithm, b"blob %d\0" % len(content) + content).digest()

    def _spend(self, count: int) -> None:
        self.left -= count
        if self.left < 0:
            raise over_limit(f"more than {TOTAL_BYTES} bytes to compare")

    def _converts(self, entry: Tracked) -> bool:
        """True when an attribute may make git convert the file. Errs towards True: of a pattern only
        the last part counts, and an unusual one matches everything."""
        rules = self._rules_of(entry.folder)
        self._spend(_RULE_COST * len(rules))
        name = entry.path.rpartition(b"/")[2]
        return any(name.endswith(rule[1:]) if rule[:1] == b"*" else name == rule for rule in rules)

    def _rules_of(self, folder: bytes) -> tuple[bytes, ...]:
        """What the attribute files of a folder and all above it say: names, or `*` and a suffix."""
        if folder not in self._rules:
            outer = self._rules_of(folder.rpartition(b"/")[0]) if folder else self._info_rules()
            path = os.fsdecode(folder + b"/.gitattributes" if folder else b".gitattributes")
            own = self._parsed(contents(self.checkout.top, path, ATTRIBUTES_BYTES))
            self._rules[folder] = outer + own if own else outer
            self._spend(_RULE_COST * len(own and self._rules[folder]))
        return self._rules[folder]

    def _info_rules(self) -> tuple[bytes, ...]:
        return self._parsed(contents(self.checkout.common, "info/attributes", ATTRIBUTES_BYTES))

    def _parsed(self, data: bytes | None) -> tuple[bytes, ...]:
        self._spend(len(data or b""))
        return tuple(dict.fromkeys(_rules(data or b"")))

    def _submodule(self, entry: Tracked, status: os.stat_result) -> Verdict:
        if not stat.S_ISDIR(status.st_mode):
            return True
        top = f"{self.checkout.top}/{os.fsdecode(entry.path)}"
        if not os.path.lexists(f"{top}/.git"):
            return False  # not fetched
        inner = checkout_at(top)
        commit = inner.head()[0] if inner else None
        if inner is None or commit is None or self.depth >= SUBMODULE_DEPTH:
            return None
        if bytes.fromhex(commit) != entry.oid:
            return True
        changes = Changes(checkout=inner, commit=commit, depth=self.depth + 1, left=self.left)
        verdict = changes.verdict()
        self.left = changes.left
        return verdict


def _may_be_absent(entry: Tracked) -> bool:
    return entry.skipped or entry.mode == FOLDER_MODE


def _rules(data: bytes) -> Iterator[bytes]:
    for line in data.splitlines():
        pattern, *attributes = line.split() or [b"#"]
        if pattern.startswith(b"#") or _CONVERTING.isdisjoint(a.partition(b"=")[0] for a in attributes):
            continue
        last = pattern.rpartition(b"/")[2]
        # Quoted patterns, macros and other wildcards than one leading star match everything.
        plain = not pattern.startswith((b'"', b"[")) and last and not set(last[1:]) & set(b"*?[\\")
        yield last if plain and last[:1] not in (b"?", b"\\") else b"*"
