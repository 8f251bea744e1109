"""The digest that DVC gives to a folder: MD5 of the list of its files with their own MD5.

The list is JSON, sorted by path: `[{"md5": "...", "relpath": "a/b"}, ...]`, as Python's `json.dumps`
writes it. Source: github.com/iterative/dvc-data, `hashfile.tree.Tree.as_bytes`.
"""

from __future__ import annotations

import hashlib
import json
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from aibom.domain.digest import Grade
from aibom.domain.file import File

FILE_COUNT: Final = 1_000_000  # of all folders that are digested in one scan


@dataclass(frozen=True, slots=True, kw_only=True)
class FolderDigest:
    """`md5` is None when a file below was not digested with MD5, or there are too many files."""

    files: int
    md5: str | None


class Folders:
    """The digests of folders, each computed once."""

    def __init__(self, files: Mapping[str, File], paths: Sequence[str]) -> None:
        """`paths` are those of `files`, sorted."""
        self._files, self._paths = files, paths
        self._known: dict[str, FolderDigest] = {}
        self._left = FILE_COUNT

    def digest(self, folder: str) -> FolderDigest:
        found = self._known.get(folder)
        if found is None:
            found = self._known[folder] = self._computed(folder)
        return found

    def _computed(self, folder: str) -> FolderDigest:
        start = f"{folder}/"
        # "0" is the next character behind "/".
        first, last = bisect_left(self._paths, start), bisect_left(self._paths, f"{folder}0")
        count = last - first
        self._left -= count
        if self._left < 0 or not count:
            return FolderDigest(files=count, md5=None)
        state, separator = hashlib.md5(b"[", usedforsecurity=False), b""
        for path in self._paths[first:last]:
            digest = self._files[path].digest("md5", Grade.COMPUTED)
            if digest is None:
                return FolderDigest(files=count, md5=None)
            entry = {"md5": digest.value, "relpath": path.removeprefix(start)}
            state.update(separator + json.dumps(entry).encode())
            separator = b", "
        state.update(b"]")
        return FolderDigest(files=count, md5=state.hexdigest())
