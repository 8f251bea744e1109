"""What a file says: one module per format, bytes in, `Facts` out.

`FORMATS` is the whole registry; adding a format is one module, one test and one line here. Where
two formats are equally sure of a file, the earlier line wins.
"""

from __future__ import annotations

from aibom.domain.protocols import Format, Match, Probe
from aibom.formats import safetensors

FORMATS: tuple[Format, ...] = (safetensors.FORMAT,)


def identify(probe: Probe) -> Format | None:
    """The format of a file, by content first and name second."""
    best: Format | None = None
    for candidate in FORMATS:
        match = candidate.recognise(probe)
        if match is Match.CONTENT:
            return candidate
        if match is Match.NAME and best is None:
            best = candidate
    return best


def by_name(name: str) -> Format | None:
    return next((candidate for candidate in FORMATS if candidate.name == name), None)
