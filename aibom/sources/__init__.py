"""Where the bytes are: one module per kind of place. The only room that lists and opens.

`SOURCES` is the whole registry; a kind of place is one module, one test and one line here. `local` answers
for every path: a folder, a file, a git checkout (`git`) and the Hugging Face cache (`hub_cache`). The
others are imported when a target asks for them.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from aibom.domain.errors import Reason, UnreadableError, unsupported
from aibom.domain.protocols import Source
from aibom.sources import local
from aibom.sources.opening import Opening, Place

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://|(models|runs):/")


@dataclass(frozen=True, slots=True)
class Kind:
    """The schemes of one module, and its places."""

    schemes: tuple[str, ...]
    places: Callable[[], tuple[Place, ...]]


def _local() -> tuple[Place, ...]:
    return (local.PLACE,)


def _hub() -> tuple[Place, ...]:
    from aibom.sources import hub  # noqa: PLC0415 - each for the targets of its schemes

    return (hub.PLACE,)


def _oci() -> tuple[Place, ...]:
    from aibom.sources import oci  # noqa: PLC0415

    return (oci.PLACE,)


def _ollama() -> tuple[Place, ...]:
    from aibom.sources import ollama  # noqa: PLC0415

    return (ollama.PLACE,)


def _mlflow() -> tuple[Place, ...]:
    from aibom.sources import mlflow  # noqa: PLC0415

    return mlflow.PLACES


def _s3() -> tuple[Place, ...]:
    from aibom.sources import s3  # noqa: PLC0415

    return (s3.PLACE,)


def _git() -> tuple[Place, ...]:
    from aibom.sources import git_remote  # noqa: PLC0415

    return git_remote.PLACES


def _cloud() -> tuple[Place, ...]:
    from aibom.sources import fsspec_store  # noqa: PLC0415

    return fsspec_store.PLACES


def _web() -> tuple[Place, ...]:
    from aibom.sources import web  # noqa: PLC0415

    return web.PLACES


SOURCES: tuple[Kind, ...] = (
    Kind(("",), _local),
    Kind(("hf",), _hub),
    Kind(("oci",), _oci),
    Kind(("ollama",), _ollama),
    Kind(("models", "runs"), _mlflow),
    Kind(("s3",), _s3),
    Kind(("git+https", "git+http", "git+ssh", "git+file"), _git),
    Kind(("gs", "az", "abfs"), _cloud),
    Kind(("https", "http"), _web),
)


def resolve(target: str, opening: Opening | None = None) -> Source:
    """The source for what the user typed.

    Raises `UnreadableError`: VANISHED when there is no such path, UNSUPPORTED for a scheme that this
    version does not know.
    """
    if not target:
        raise UnreadableError(Reason.VANISHED, "no such file or folder: ''")
    return place_of(target).open(target, opening or Opening())


def scheme_of(target: str) -> str:
    """The scheme that a target names, in lower case; empty for a path."""
    found = _SCHEME.match(target)
    return (found[1] or found[2]).lower() if found else ""


def shown(target: str) -> str:
    """A target as others may see it: the query of a web address is often a signature."""
    return target.partition("?")[0] if scheme_of(target) in ("https", "http") else target


def place_of(target: str) -> Place:
    """The kind of place that a target names. Raises `UnreadableError` for an unknown scheme."""
    scheme = scheme_of(target)
    for kind in SOURCES:
        if scheme in kind.schemes:
            return next(place for place in kind.places() if place.scheme == scheme)
    known = ", ".join(f"{scheme}:{'/' if scheme in ('models', 'runs') else '//'}" for scheme in _known())
    raise unsupported(f"{scheme}:// is not supported in this version, which scans folders, files and {known}")


def _known() -> list[str]:
    return [scheme for kind in SOURCES for scheme in kind.schemes if scheme]
