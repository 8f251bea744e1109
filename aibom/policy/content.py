"""What loading each file would run, judged by the allowlists: safe, unknown, incomplete or dangerous."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Final

from aibom.domain.confidence import Confidence
from aibom.domain.content import Content, ContentVerdict, JudgedImport
from aibom.domain.errors import Reason
from aibom.domain.facts import Capability, Facts, FileKind, Import
from aibom.domain.file import File
from aibom.domain.gap import Gap, Stage
from aibom.domain.hazard import Hazard, HazardKind
from aibom.policy.allowlist import Allowlist
from aibom.policy.gadgets import why_dangerous
from aibom.policy.rules.unindexed_bytes import unexplained

_UNEXAMINED_COUNT: Final = 20  # reasons kept per file
_OBJECTION_COUNT: Final = 500  # imports named per file
_LOOKING: Final = (Stage.OPEN, Stage.IDENTIFY, Stage.READ)
# Gaps about something else than the content of the file.
_ELSEWHERE: Final = (Reason.MISSING, Reason.LFS_POINTER, Reason.OUTSIDE_TARGET)
_LOADED: Final = (FileKind.WEIGHTS, FileKind.DATA)
_RUNNING: Final = frozenset((Capability.IMPORTS_CODE, Capability.EMBEDS_CODE, Capability.ENCRYPTED))
# Code that is somewhere else: the file itself neither holds nor hides anything.
_ABSENT_CODE: Final = (HazardKind.REMOTE_CODE, HazardKind.CUSTOM_OPERATOR)


def judge_contents(files: Iterable[File], gaps: Iterable[Gap], allowlist: Allowlist) -> tuple[Content, ...]:
    """One verdict per file that is loaded, imports something, or could not be looked at."""
    by_path = defaultdict(list)
    for gap in gaps:
        by_path[gap.path].append(gap)
    found = (_judge(file, by_path.get(file.path, ()), allowlist) for file in files)
    return tuple(content for content in found if content is not None)


def _judge(file: File, gaps: Iterable[Gap], allowlist: Allowlist) -> Content | None:
    facts = file.facts
    unexamined = _unexamined(gaps)
    if facts is None:
        # Named like weights or data, and of no known format.
        return _unknown_format(file, unexamined) if unexamined else None
    if facts.kind is FileKind.POINTER:
        return None
    if not (facts.imports or facts.hazards or unexamined or facts.kind in _LOADED):
        return None
    objections, packs = _imports(facts.imports, allowlist)
    reasons = [
        *(ContentVerdict.DANGEROUS if each.dangerous else ContentVerdict.UNKNOWN for each in objections),
        *map(_of_hazard, facts.hazards),
        *(ContentVerdict.INCOMPLETE for _ in unexamined),
        *(ContentVerdict.DANGEROUS for gap in gaps if _leads_out(gap)),
        *(ContentVerdict.UNKNOWN for _ in range(_unexplained(file, facts))),
    ]
    return Content(
        path=file.path,
        verdict=max(reasons, default=ContentVerdict.SAFE),
        objections=tuple(objections[:_OBJECTION_COUNT]),
        packs=packs,
        unexamined=unexamined,
        may_run=_may_run(facts),
    )


def _unknown_format(file: File, unexamined: tuple[str, ...]) -> Content:
    return Content(path=file.path, verdict=ContentVerdict.INCOMPLETE, unexamined=unexamined)


def _unexplained(file: File, facts: Facts) -> bool:
    # Members of a container were looked at by content, whether or not a tensor lies in them.
    return unexplained(file) and Capability.IMPORTS_CODE not in facts.capabilities


def _imports(imports: Iterable[Import], allowlist: Allowlist) -> tuple[list[JudgedImport], tuple[str, ...]]:
    """What no pack vouches for, dangerous first, and the packs that vouch for the rest."""
    packs = set()
    objections = []
    for item in imports:
        pack = allowlist.vouching(item)
        if pack is not None:
            packs.add(pack)
            continue
        why = why_dangerous(item)
        reason = why or f"on no allowlist for this use ({item.use.label})"
        objections.append(JudgedImport(item=item, dangerous=why is not None, why=reason))
    objections.sort(key=lambda each: not each.dangerous)
    return objections, tuple(sorted(packs))


def _of_hazard(hazard: Hazard) -> ContentVerdict:
    certain = hazard.confidence is Confidence.HIGH and hazard.kind not in _ABSENT_CODE
    return ContentVerdict.DANGEROUS if certain else ContentVerdict.UNKNOWN


def _unexamined(gaps: Iterable[Gap]) -> tuple[str, ...]:
    found = dict.fromkeys(_reasons(gaps))
    return tuple(found)[:_UNEXAMINED_COUNT]


def _reasons(gaps: Iterable[Gap]) -> Iterator[str]:
    for gap in gaps:
        if gap.stage in _LOOKING and gap.reason not in _ELSEWHERE:
            yield gap.detail


def _leads_out(gap: Gap) -> bool:
    return gap.stage is Stage.READ and gap.reason is Reason.OUTSIDE_TARGET


def _may_run(facts: Facts) -> bool:
    return bool(facts.capabilities & _RUNNING)
