"""A model, dataset, service or library that code or configuration refers to."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from aibom.domain.component import ComponentKind
from aibom.domain.confidence import Confidence
from aibom.domain.facts import Defect
from aibom.domain.finding import Location
from aibom.domain.ref import Ref


class Flag(StrEnum):
    """What is worth a word about how something is referred to."""

    UNPINNED = "unpinned"  # no revision that cannot move: the same line loads other bytes tomorrow
    FLOATING_TAG = "floating-tag"  # a tag that is meant to move: latest, main
    REMOTE_CODE = "remote-code"  # the loader is told to run code of the repository
    UNSAFE_LOAD = "unsafe-load"  # the loader unpickles, or is told not to be careful
    HTTP = "http"  # fetched without transport security
    UNRESOLVED = "unresolved"  # what is loaded is not known before the program runs
    LOCAL_PATH = "local-path"  # a file or folder beside the code
    NO_ORGANISATION = "no-organisation"  # a repository id that names nobody


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """One reference, at one place in the source. `target` is None when it was not resolved."""

    kind: ComponentKind
    target: Ref | None
    loader: str  # function, command or key that refers: `transformers.pipeline`, `FROM`, `model_name`
    location: Location
    flags: frozenset[Flag] = frozenset()
    confidence: Confidence = Confidence.MEDIUM


@dataclass(frozen=True, slots=True, kw_only=True)
class Referred:
    """What one file refers to, and what else was looked at to tell.

    `asked`: paths of other files with the version of each (its etag), empty where there was no such
    file. As long as all are the same, so are the references.
    """

    references: tuple[Reference, ...] = ()
    defects: tuple[Defect, ...] = ()
    asked: tuple[tuple[str, str], ...] = ()
