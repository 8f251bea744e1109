"""`aibom scan`: resolve, list, look, assemble, check, judge; the result is a `Report`."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

from aibom import __version__
from aibom.domain.file import File
from aibom.domain.gap import Gap
from aibom.domain.protocols import Source
from aibom.domain.report import Coverage, Report, Target, Tool
from aibom.fingerprint.cache import CacheUnusableError, DigestCache
from aibom.fingerprint.model import model_digest
from aibom.inventory import assemble
from aibom.policy import Allowlist, Policy, evaluate, judge_contents
from aibom.sources import resolve
from aibom.trust.digests import check_claims
from aibom.workflows.progress import Progress, Silent
from aibom.workflows.survey import Hands, survey


@dataclass(frozen=True, slots=True, kw_only=True)
class ScanRequest:
    """What the user asked for, with every default already filled in."""

    targets: tuple[str, ...]
    policy: Policy
    allowlist: Callable[[], Allowlist] = Allowlist  # asked only when something imports
    exclude: tuple[str, ...] = ()
    jobs: int = 1
    cache: Path | None = None  # None: no digest of an earlier run is used or kept
    timestamp: str | None = None  # ISO 8601; None in reproducible mode
    name: str | None = None  # what to call the targets instead of the names of their folders
    surroundings: bool = True  # False: what lies around a target (its repository) is left out
    reread: bool = False  # True: digest every file now, whatever the cache knows


def scan(request: ScanRequest, progress: Progress | None = None) -> Report:
    """Everything that is in the targets. Raises `UnreadableError` when a target does not exist."""
    told = progress or Silent()
    sources = [
        resolve(target, request.exclude, surroundings=request.surroundings) for target in request.targets
    ]
    targets = _named(sources, request.name)
    places = _places(targets)
    with ExitStack() as stack:
        cache = _cache(request, stack, told)
        seen = survey(
            list(zip(places, sources, strict=True)),
            Hands(jobs=request.jobs, cache=cache, reread=request.reread),
            told,
        )
    inventory = assemble(seen.files, seen.gaps, targets, model_digest)
    checks = check_claims(seen.files)
    gaps = tuple(sorted((*seen.gaps, *inventory.gaps), key=_gap_order))
    report = Report(
        targets=targets,
        tool=Tool(name="aibom", version=__version__),
        policy=request.policy.use,
        files=seen.files,
        components=inventory.components,
        checks=checks,
        contents=judge_contents(seen.files, gaps, _allowlist(request, seen.files)),
        gaps=gaps,
        coverage=Coverage.of(seen.files, gaps, seen.listed, sum(source.excluded for source in sources)),
        timestamp=request.timestamp,
    )
    return replace(report, findings=evaluate(request.policy, report))


def _allowlist(request: ScanRequest, files: Iterable[File]) -> Allowlist:
    asked = any(file.facts.imports for file in files if file.facts)
    return request.allowlist() if asked else Allowlist()


def _gap_order(gap: Gap) -> tuple[str, str, str, int]:
    return gap.path, gap.stage, gap.detail, gap.offset or 0


def _named(sources: list[Source], name: str | None) -> tuple[Target, ...]:
    """The targets under names that are unique, so that paths of several never collide."""
    names: list[str] = []
    for source in sources:
        first = candidate = name or source.target.name
        number = 2
        while candidate in names:
            candidate, number = f"{first}-{number}", number + 1
        names.append(candidate)
    return tuple(replace(s.target, name=n) for s, n in zip(sources, names, strict=True))


def _places(targets: tuple[Target, ...]) -> list[str]:
    """What to put in front of each target's paths: nothing when there is only one."""
    return [""] if len(targets) == 1 else [f"{target.name}/" for target in targets]


def _cache(request: ScanRequest, stack: ExitStack, progress: Progress) -> DigestCache | None:
    if request.cache is None:
        return None
    home = request.cache.resolve()
    if any(home.is_relative_to(Path(target).resolve()) for target in request.targets):
        progress.hint("the digest cache lies inside the target and is not used")
        return None
    try:
        return stack.enter_context(DigestCache(request.cache, __version__))
    except CacheUnusableError as error:
        progress.hint(str(error))
        return None
