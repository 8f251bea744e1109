"""What every command that looks at places does first: resolve them, name them, open the cache."""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

from aibom import __version__
from aibom.domain.protocols import Source
from aibom.domain.target import Target
from aibom.fingerprint.cache import CacheUnusableError, DigestCache
from aibom.sources import resolve
from aibom.sources.opening import Opening
from aibom.workflows.progress import Progress


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolved:
    """The places of one run. `prefixes` is what to put in front of the paths of each."""

    sources: tuple[Source, ...]
    targets: tuple[Target, ...]
    prefixes: tuple[str, ...]

    @property
    def pairs(self) -> list[tuple[str, Source]]:
        return list(zip(self.prefixes, self.sources, strict=True))

    @property
    def excluded(self) -> int:
        """How many files were left out on purpose, known when all places were listed."""
        return sum(source.excluded for source in self.sources)


def resolved(names: Sequence[str], opening: Opening, *, called: str | None = None) -> Resolved:
    """The places that the user named. Raises `UnreadableError` when one does not exist.

    `called` is what to call them instead of the names of their folders.
    """
    sources = tuple(resolve(name, opening) for name in names)
    targets = _named(sources, called)
    return Resolved(sources=sources, targets=targets, prefixes=_prefixes(names, targets))


def _prefixes(names: Sequence[str], targets: Sequence[Target]) -> tuple[str, ...]:
    """With one target its paths are as the user knows them, and so are those of several files."""
    if len(targets) == 1:
        return ("",)
    folders = [_folder(name) for name in names]
    if None not in folders and len({os.path.normpath(name) for name in names}) == len(names):
        return tuple(f"{folder}/" if folder else "" for folder in folders)
    return tuple(f"{target.name}/" for target in targets)


def _folder(name: str) -> str | None:
    """The folder of a file that lies below the working directory, as it was typed; None for all else."""
    path = os.path.normpath(name)
    if os.path.isabs(path) or path.startswith("..") or not os.path.isfile(path):  # noqa: PTH113, PTH117
        return None
    return os.path.dirname(path).replace(os.sep, "/")  # noqa: PTH120 - a text, not a place


def _named(sources: Sequence[Source], name: str | None) -> tuple[Target, ...]:
    """The targets under names that are unique, so that paths of several never collide."""
    names: list[str] = []
    for source in sources:
        first = candidate = name or source.target.name
        if candidate in (".", ".."):  # the end of an address; in front of a path it would climb
            first = candidate = "target"
        number = 2
        while candidate in names:
            candidate, number = f"{first}-{number}", number + 1
        names.append(candidate)
    return tuple(replace(s.target, name=n) for s, n in zip(sources, names, strict=True))


def opened_cache(
    path: Path | None, names: Sequence[str], stack: ExitStack, progress: Progress
) -> DigestCache | None:
    """The cache, closed with the stack; None, with a hint, when it cannot be used."""
    if path is None:
        return None
    home = path.resolve()
    if any(home.is_relative_to(Path(name).resolve()) for name in names):
        progress.hint("the digest cache lies inside the target and is not used")
        return None
    try:
        return stack.enter_context(DigestCache(path, __version__))
    except CacheUnusableError as error:
        progress.hint(str(error))
        return None
