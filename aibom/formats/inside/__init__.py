"""What else is in a file, whatever its name and format, and what loading or unpacking it would run.

A format reader tells tensors and statements. Here every file is asked a second question: is it, or
does it hold, a pickle, an archive, a program? Content decides, to a bounded depth and at a bounded
price; what could not be looked at is a defect.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from aibom.domain.errors import UnreadableError
from aibom.domain.facts import Defect, Facts, FileKind, Import, Nested
from aibom.domain.hazard import Hazard
from aibom.domain.protocols import Probe
from aibom.formats.inside import archives, arrays, compressed, opaque, pickles, programs, tars, texts
from aibom.formats.inside.archives import has_end_record
from aibom.formats.inside.part import Host, Part, host_of
from aibom.formats.inside.polyglots import (
    ONLY_TENSORS,
    examine_rest,
    examine_slack,
    examine_tail,
    examine_tensors,
    has_rest,
    report_front,
)
from aibom.formats.inside.walk import Examiner, Walk

EXAMINERS: Final = (
    Examiner(name="program", begins=programs.begins, examine=programs.examine),
    Examiner(name="zip", begins=archives.begins, examine=archives.examine),
    Examiner(name="tar", begins=tars.begins, examine=tars.examine),
    Examiner(name="compressed", begins=compressed.begins, examine=compressed.examine),
    Examiner(name="array", begins=arrays.begins, examine=arrays.examine),
    Examiner(name="opaque", begins=opaque.begins, examine=opaque.examine),
    Examiner(name="pickle", begins=pickles.begins, examine=pickles.examine),
    Examiner(name="text", begins=texts.begins, examine=texts.examine),
)
# What makes a file a container, so that the walk sees everything that its format reader sees.
_WALKED: Final = frozenset(("zip", "tar", "compressed", "array", "pickle"))
# What tells by itself where it ends.
_ENDED: Final = frozenset(("zip", "tar", "compressed", "opaque"))
# Formats whose readers have followed every stream themselves.
_FOLLOWED: Final = frozenset(("pickle", "joblib", "dill", "cloudpickle", "torch-legacy"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Inside:
    """What was found in one file beyond what its format reader tells."""

    imports: tuple[Import, ...]
    hazards: tuple[Hazard, ...]
    defects: tuple[Defect, ...]
    may_run: bool  # something in it can run code when it is loaded, or nobody knows
    container: bool  # the file itself was walked through here, so that `imports` is the whole truth


def examine(probe: Probe, facts: Facts | None) -> Inside | None:
    """What is in a file that its format reader does not tell; None when there is nothing to say.

    Never raises: what cannot be read is a defect.
    """
    part = _whole(probe, facts)
    nested = _followed(facts)
    begins = nested is None and any(each.begins(part) for each in EXAMINERS)
    if not (begins or nested or _may_hold_second(probe, facts)):
        return None
    walk = Walk(EXAMINERS)
    found = walk.dispatch(part) if begins else ""
    report_front(walk, part, facts, found)
    try:
        pickles.follow(walk, part, probe.reader, nested or ())
        if found not in _ENDED:
            _examine_polyglot(walk, part, facts)
        elif facts is not None and found == "zip":
            examine_slack(walk, part, facts)
    except UnreadableError as error:
        walk.may_run = True
        walk.failed(part, error)
    return _inside(walk, container=found in _WALKED)


def _followed(facts: Facts | None) -> tuple[Nested, ...] | None:
    """What is left to do of a pickle whose streams are told already; None for any other file."""
    if facts is None or facts.unread or facts.format not in _FOLLOWED:
        return None
    return facts.nested


def _may_hold_second(probe: Probe, facts: Facts | None) -> bool:
    """True when a second file may stand at the end of this one, or where it explains no bytes."""
    loaded = facts is not None and facts.kind in (FileKind.WEIGHTS, FileKind.DATA)
    if not loaded and b"\0" not in probe.head:
        return False
    if facts is not None and facts.format in ONLY_TENSORS and facts.tensors:
        return True  # any of them may be the second file
    try:
        return has_rest(facts, probe.size) or has_end_record(probe.reader)
    except UnreadableError:
        return True  # the look itself will say why


def _whole(probe: Probe, facts: Facts | None) -> Part:
    """The file itself as a part."""
    loaded = facts is not None and facts.kind in (FileKind.WEIGHTS, FileKind.DATA)
    return Part(
        name=probe.name,
        inside="",
        depth=0,
        host=Host.MODEL if loaded else host_of(probe.name),
        head=probe.head,
        size=probe.size,
        reader=probe.reader,
    )


def _examine_polyglot(walk: Walk, part: Part, facts: Facts | None) -> None:
    # A program that is nothing else may well have an archive at its end: installers do.
    if part.host is not Host.MODEL and programs.begins(part):
        return
    told = examine_tail(walk, part, facts)
    if facts is not None:
        examine_tensors(walk, part, facts)
        examine_rest(walk, part, facts, told)


def _inside(walk: Walk, *, container: bool) -> Inside | None:
    found = (walk.imports, walk.hazards.found, walk.defects.found)
    if not container and not walk.may_run and not any(found):
        return None
    return Inside(
        imports=walk.imports,
        hazards=tuple(walk.hazards.found),
        defects=tuple(walk.defects.found),
        may_run=walk.may_run,
        container=container,
    )
