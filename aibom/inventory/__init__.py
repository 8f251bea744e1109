"""Which components the files amount to, and how they are related. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from aibom.domain.component import Component, ModelDigest
from aibom.domain.file import File
from aibom.domain.gap import Gap
from aibom.domain.target import Target
from aibom.inventory.datasets import datasets
from aibom.inventory.folders import Place
from aibom.inventory.models import models


@dataclass(frozen=True, slots=True, kw_only=True)
class Inventory:
    """The components in order of kind, name and id, and what is missing from them."""

    components: tuple[Component, ...]
    gaps: tuple[Gap, ...]


def assemble(
    files: Iterable[File],
    gaps: Iterable[Gap],
    targets: tuple[Target, ...],
    digest: Callable[[Iterable[File]], ModelDigest],
) -> Inventory:
    """The components of the files.

    `gaps` says which files were lost or only half read; `digest` is the model digest over the
    files of one model.
    """
    place = Place.of(files, gaps, targets)
    found, missing = models(place, digest)
    found += datasets(place, {path for component in found for path in component.files})
    found.sort(key=lambda component: (component.kind, component.name, component.id))
    return Inventory(components=tuple(found), gaps=tuple(missing))
