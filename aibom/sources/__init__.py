"""Where the bytes are: one module per kind of place. The only room that lists and opens.

`SOURCES` is the whole registry, in the order in which a target is offered; a kind of place is one
module, one test and one line here. `local` answers for every path: a folder, a file, a git checkout
(`git`) and the Hugging Face cache (`hub_cache`).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from aibom.domain.errors import Reason, UnreadableError, unsupported
from aibom.domain.protocols import Source
from aibom.sources.local import LocalSource

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://")


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A kind of place: which scheme names it, and how a source for one of them is made."""

    scheme: str  # in front of `://`; empty for a path
    title: str
    open: Callable[[str, tuple[str, ...], bool], Source]


def _local(target: str, exclude: tuple[str, ...], surroundings: bool) -> Source:
    return LocalSource(Path(target), exclude, surroundings=surroundings)


SOURCES: tuple[Place, ...] = (Place(scheme="", title="local folder or file", open=_local),)


def resolve(target: str, exclude: tuple[str, ...] = (), *, surroundings: bool = True) -> Source:
    """The source for what the user typed.

    Without `surroundings` only the target itself counts, and not the checkout that it lies in.

    Raises `UnreadableError`: VANISHED when there is no such path, UNSUPPORTED for a scheme that this
    version does not know.
    """
    if not target:
        raise UnreadableError(Reason.VANISHED, "no such file or folder: ''")
    found = _SCHEME.match(target)
    scheme = found[1].lower() if found else ""
    for place in SOURCES:
        if place.scheme == scheme:
            return place.open(target, exclude, surroundings)
    known = ", ".join(f"{place.scheme}://" for place in SOURCES if place.scheme) or "a folder or a file"
    raise unsupported(f"{scheme}:// is not supported in this version, which scans {known}")
