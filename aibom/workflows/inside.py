"""What a format reader says of a file, and what was found inside of it, as one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Final, TypeVar

from aibom.domain.facts import Capability, Facts, FileKind, Import
from aibom.formats.inside import Inside

_T = TypeVar("_T")

# Names for files that no format claims: archives, and others in which something was found.
CONTAINER: Final = "container"
OTHER: Final = "other"


def with_inside(facts: Facts | None, inside: Inside) -> Facts:
    """The facts, with imports and hazards at any depth. Without facts it is just a container."""
    if facts is None:
        facts = Facts(format=CONTAINER if inside.container else OTHER, kind=FileKind.ARCHIVE)
    # The walk through a container sees what its format's reader sees, and knows where it lies; what
    # the reader alone knows (types that a schema names) is kept.
    read = tuple(item for item in facts.imports if not _own_class(facts, item))
    imports = _merged(read, inside.imports, lambda item: item.name)
    hazards = _merged(facts.hazards, inside.hazards, lambda hazard: (hazard.kind, hazard.found))
    able = {Capability.IMPORTS_CODE} if imports or inside.may_run else set()
    return replace(
        facts,
        imports=imports,
        hazards=hazards,
        capabilities=facts.capabilities | able,
    )


def _own_class(facts: Facts, item: Import) -> bool:
    """True for a class that a TorchScript archive defines in its own `code/`."""
    return facts.format == "torchscript" and item.module.partition(".")[0] == "__torch__"


def _merged(read: tuple[_T, ...], walked: tuple[_T, ...], key: Callable[[_T], object]) -> tuple[_T, ...]:
    told = {key(each) for each in walked}
    return (*(each for each in read if key(each) not in told), *walked)
