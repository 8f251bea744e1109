"""`aibom refs`: resolve, list, and look at code and configuration alone."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from aibom import __version__
from aibom.domain.report import ReferenceReport
from aibom.domain.target import Tool
from aibom.inventory.references import at_home
from aibom.sources.opening import Opening
from aibom.workflows.places import opened_cache, resolved
from aibom.workflows.progress import Progress, Silent
from aibom.workflows.survey import Hands, survey


@dataclass(frozen=True, slots=True, kw_only=True)
class ReferencesRequest:
    """What the user asked for, with every default already filled in."""

    targets: tuple[str, ...]
    opening: Opening = field(default_factory=Opening)
    jobs: int = 1
    cache: Path | None = None  # None: nothing of an earlier run is used or kept


def find_references(request: ReferencesRequest, progress: Progress | None = None) -> ReferenceReport:
    """What the targets refer to. Raises `UnreadableError` when a target does not exist."""
    told = progress or Silent()
    places = resolved(request.targets, request.opening)
    with ExitStack() as stack:
        cache = opened_cache(request.cache, request.targets, stack, told)
        seen = survey(places.pairs, Hands(jobs=request.jobs, cache=cache, only_references=True), told)
    return ReferenceReport(
        targets=places.targets,
        tool=Tool(name="aibom", version=__version__),
        references=at_home(seen.references, seen.entries, places.prefixes),
        gaps=tuple(sorted(seen.gaps, key=lambda gap: (gap.path, gap.stage, gap.detail))),
        listed=seen.listed,
        looked_at=seen.looked_at,
    )
