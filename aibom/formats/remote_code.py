"""Python files that a model brings along and that its loader runs (auto_map and friends).

Read on demand only: which .py files are code of a model, its configurations say.
"""

from __future__ import annotations

from aibom.domain.facts import Capability, Facts, FileKind
from aibom.domain.protocols import Format, Match, Probe
from aibom.formats._code import CODE_BYTES, examine_python
from aibom.formats._document import whole
from aibom.readers.hazards import Hazards


def recognise(_: Probe) -> Match:
    """Never: a Python file by itself is no artefact of a model."""
    return Match.NO


def read(probe: Probe) -> Facts:
    """What the source would do to whoever imports it. Raises `UnreadableError`."""
    hazards = Hazards()
    defects = examine_python(whole(probe, CODE_BYTES), hazards)
    return Facts(format=FORMAT.name, kind=FileKind.CODE, hazards=tuple(hazards.found), defects=defects)


FORMAT = Format(
    name="python-code",
    title="Python code of a model",
    kind=FileKind.CODE,
    suffixes=(".py",),
    recognise=recognise,
    read=read,
    media_type="text/x-python",
    capabilities=frozenset({Capability.EMBEDS_CODE}),
)
