"""Modules that lie beside a Python file: where the constants that it imports are."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from aibom.discovery.found import Text
from aibom.discovery.python_collect import collect
from aibom.discovery.python_parse import parse, sign_count
from aibom.discovery.python_scope import Module
from aibom.domain.errors import UnreadableError
from aibom.domain.limits import KIB

SIBLING_BYTES: Final = 64 * KIB  # of a module beside a file; constants stand in small ones
SIBLING_COUNT: Final = 16  # modules that are read for one file
# Signs of all these modules together, and what a longer file may ask for beyond it: a tiny file must
# not cost what its neighbours are long.
SIBLING_SIGN_COUNT: Final = 8_000
_READ_COUNT: Final = 64  # files that are read to look for a name
_LOOK_COUNT: Final = 400  # paths that are looked at for one file
_FOLDER_COUNT: Final = 4  # folders above a file where an absolute import may start


@dataclass(slots=True)
class _Files:
    """What was read for one file, by the paths of the modules."""

    signs_left: int
    data: dict[str, bytes | None] = field(default_factory=dict)
    modules: dict[str, Module | None] = field(default_factory=dict)
    reads: int = 0


class Siblings:
    """Reads modules beside one file, each once. Libraries that are known are never looked for."""

    def __init__(self, text: Text, libraries: frozenset[str], files: _Files | None = None) -> None:
        self._text = text
        self._libraries = libraries
        left = SIBLING_SIGN_COUNT + sign_count(text.data)
        self._files = files or _Files(signs_left=left, data={text.path: None})

    def module(self, name: str, wanted: str) -> Module | None:
        """The module of a dotted name as this file writes it, when it has the wanted name in it."""
        if not name or name.partition(".")[0] in self._libraries:
            return None
        for path in self._paths(name):
            data = self._data(path)
            if data is not None:
                return self._module(path, data) if wanted.encode("utf-8", "replace") in data else None
        return None

    def _paths(self, name: str) -> list[str]:
        """Where a module may lie: by its dots, or below one of the folders above the file."""
        parts = [part for part in name.lstrip(".").split(".") if part]
        dots = len(name) - len(name.lstrip("."))
        folders = self._text.folder.split("/") if self._text.folder else []
        if dots > len(folders) + 1:
            return []
        if dots:
            bases = [folders[: len(folders) - dots + 1]]
        else:
            bases = [folders[:count] for count in range(len(folders), -1, -1)][:_FOLDER_COUNT]
        stems = ["/".join([*base, *parts]) for base in bases]
        return [
            path
            for stem in stems
            for path in (*([f"{stem}.py"] if parts else []), f"{stem}/__init__.py".lstrip("/"))
        ]

    def _data(self, path: str) -> bytes | None:
        known = self._files.data
        if path not in known:
            full = len(known) >= _LOOK_COUNT or self._files.reads >= _READ_COUNT
            data = None if full else self._text.beside(path)
            self._files.reads += data is not None
            known[path] = data if data is not None and len(data) <= SIBLING_BYTES else None
        return known[path]

    def _module(self, path: str, data: bytes) -> Module | None:
        known = self._files.modules
        if path not in known:
            known[path] = self._parsed(path, data) if len(known) < SIBLING_COUNT else None
        return known[path]

    def _parsed(self, path: str, data: bytes) -> Module | None:
        signs = sign_count(data)
        if signs > self._files.signs_left:
            return None
        self._files.signs_left -= signs
        try:
            module = collect(parse(data))
        except UnreadableError:
            return None
        beside = Text(path=path, data=b"", beside=self._text.beside)
        module.beside = Siblings(beside, self._libraries, self._files).module
        return module
