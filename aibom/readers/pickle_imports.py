"""What several pickle streams of one file tell together, and what their imports make possible."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Final, Protocol

from aibom.domain.errors import Reason
from aibom.domain.facts import Capability, Defect, Import, Nested
from aibom.domain.hazard import Hazard
from aibom.domain.limits import IMPORT_COUNT
from aibom.domain.text import capped
from aibom.readers.defects import Defects
from aibom.readers.hazards import Hazards
from aibom.readers.pickle_calls import ACCESSORS
from aibom.readers.pickle_literals import NESTED_COUNT

_ARGUMENTS_CHARS: Final = 2_000  # of an accessor in several streams

# What builds functions and code objects from their parts, by last part of the module.
_CODE_BUILDERS: Final = {
    "_dill": {"_create_code", "_create_function"},
    "dill": {"_create_code", "_create_function"},
    "cloudpickle": {"_make_function", "_make_skel_func", "_make_skeleton_func", "_fill_function"},
    "cloudpickle_fast": {"_make_function"},
    "types": {"CodeType", "FunctionType", "LambdaType"},
    "new": {"code", "function"},
    "marshal": {"load", "loads"},
}


class Told(Protocol):
    """What one stream, or several, tell."""

    @property
    def imports(self) -> tuple[Import, ...]: ...
    @property
    def hazards(self) -> tuple[Hazard, ...]: ...
    @property
    def nested(self) -> tuple[Nested, ...]: ...
    @property
    def defects(self) -> tuple[Defect, ...]: ...


class Collected:
    """Every imported name once in each place, with the most that any stream does with it; and the rest."""

    def __init__(self, defects: Defects) -> None:
        self.defects = defects
        self._imports: dict[tuple[str, str, str], Import] = {}
        self._hazards = Hazards()
        self._nested: list[Nested] = []

    def add(self, told: Told, at: int | None = None, where: str = "") -> None:
        """Takes over what is told. `at` replaces offsets that are not of the file."""
        for defect in told.defects:
            message = f"{where}: {defect.message}" if where else defect.message
            self.defects.add(message, defect.offset if at is None else at, defect.reason)
        self._add_imports(told.imports, at)
        self._hazards.extend(told.hazards if at is None else (replace(h, offset=at) for h in told.hazards))
        self._add_nested(told.nested, at)

    def _add_imports(self, imports: Iterable[Import], at: int | None) -> None:
        for item in imports:
            key = (item.inside, item.module, item.qualname)
            known = self._imports.get(key)
            if known is None and len(self._imports) == IMPORT_COUNT:
                self.defects.add(f"more than {IMPORT_COUNT} imports", item.offset, Reason.LIMIT)
                return
            self._imports[key] = merged(known, item if at is None else replace(item, offset=at))

    def _add_nested(self, nested: tuple[Nested, ...], at: int | None) -> None:
        if at is not None:
            return  # not in the file as it stands; who walks through the archive finds them there
        room = NESTED_COUNT - len(self._nested)
        self._nested += nested[:room]
        if len(nested) > room:
            message = f"more than {NESTED_COUNT} literals that may be files"
            self.defects.add(message, nested[room].offset, Reason.LIMIT)

    @property
    def imports(self) -> tuple[Import, ...]:
        """In order of the file."""
        return tuple(sorted(self._imports.values(), key=lambda item: item.offset))

    @property
    def hazards(self) -> tuple[Hazard, ...]:
        return tuple(self._hazards.found)

    @property
    def nested(self) -> tuple[Nested, ...]:
        return tuple(self._nested)


def merged(known: Import | None, item: Import) -> Import:
    """One entry for both, with the arguments of the use that is told."""
    if known is None:
        return item
    telling = item if (item.use, bool(item.arguments)) > (known.use, bool(known.arguments)) else known
    arguments = telling.arguments
    if known.use is item.use and (item.module, item.qualname) in ACCESSORS:
        told = dict.fromkeys(f"{known.arguments}; {item.arguments}".split("; "))
        arguments = capped("; ".join(told), _ARGUMENTS_CHARS)
    return replace(
        telling,
        offset=min(known.offset, item.offset),
        kept=known.kept or item.kept,
        arguments=arguments,
    )


def capabilities(imports: Iterable[Import]) -> frozenset[Capability]:
    """What loading may do, as far as the names of the imports say."""
    found = set()
    for item in imports:
        found.add(Capability.IMPORTS_CODE)
        if item.qualname in _CODE_BUILDERS.get(item.module.rpartition(".")[2], ()):
            found.add(Capability.EMBEDS_CODE)
    return frozenset(found)
