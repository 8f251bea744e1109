"""The lines of code and configuration that refer to something."""

from __future__ import annotations

from collections.abc import Iterable

from aibom.domain.reference import Reference
from aibom.outputs import summary
from aibom.outputs.cdx.text import Json, present, prop, shown


def occurrences(uses: Iterable[Reference]) -> list[Json]:
    """Where code or configuration refers to something, by path and line.

    The line of a notebook counts from the start of its cell, which stands first in the context.
    """
    found = [
        present(
            location=shown(use.location.path),
            line=use.location.line,
            symbol=shown(use.loader),
            additionalContext=", ".join(_context(use)),
        )
        for use in sorted(uses, key=_order)
    ]
    return [entry for number, entry in enumerate(found) if number == 0 or entry != found[number - 1]]


def places(uses: Iterable[Reference]) -> list[Json]:
    """The same as properties: `path:line`, or `path!cell 2:line`."""
    told = dict.fromkeys(shown(summary.place(use.location)) for use in sorted(uses, key=_order))
    return [prop("aibom:occurrence", place) for place in told]


def _context(use: Reference) -> list[str]:
    inside = use.location.inside
    return ([shown(inside)] if inside else []) + sorted(shown(flag) for flag in use.flags)


def _order(use: Reference) -> tuple[str, int, str, int, int, str]:
    place = use.location
    # Cell 9 comes before cell 10.
    return place.path, len(place.inside), place.inside, place.line or 0, place.column or 0, use.loader
