"""The imports of several pickle streams as one list, and what they make possible."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from aibom.domain.errors import Reason
from aibom.domain.facts import Capability, Import
from aibom.domain.limits import IMPORT_COUNT
from aibom.readers.defects import Defects

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


class Imports:
    """Every imported name once: called when any stream calls it, at its first offset."""

    def __init__(self, defects: Defects) -> None:
        self._found: dict[tuple[str, str], Import] = {}
        self._defects = defects

    def add(self, imports: Iterable[Import], at: int | None = None) -> None:
        """Takes over what one stream imports; `at` stands in for offsets in an inflated member."""
        for item in imports:
            key = (item.module, item.qualname)
            known = self._found.get(key)
            if known is None and len(self._found) == IMPORT_COUNT:
                self._defects.add(f"more than {IMPORT_COUNT} imports", item.offset, Reason.LIMIT)
                return
            offset = item.offset if at is None else at
            self._found[key] = Import(
                module=item.module,
                qualname=item.qualname,
                offset=min(offset, known.offset) if known else offset,
                called=item.called or (known is not None and known.called),
            )

    def listed(self) -> tuple[Import, ...]:
        """In order of the file."""
        return tuple(sorted(self._found.values(), key=lambda item: item.offset))


def capabilities(imports: Iterable[Import]) -> frozenset[Capability]:
    """What loading may do, as far as the names of the imports say."""
    found = set()
    for item in imports:
        found.add(Capability.IMPORTS_CODE)
        if item.qualname in _CODE_BUILDERS.get(item.module.rpartition(".")[2], ()):
            found.add(Capability.EMBEDS_CODE)
    return frozenset(found)
