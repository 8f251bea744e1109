"""`aibom scan`: resolve, list, look, assemble, check, judge; the result is a `Report`."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from aibom import __version__
from aibom.domain.component import Component
from aibom.domain.file import File
from aibom.domain.gap import Gap
from aibom.domain.report import Coverage, Report
from aibom.domain.signing import Expected
from aibom.domain.target import Tool
from aibom.fingerprint.model import model_digest
from aibom.inventory import assemble
from aibom.inventory.references import at_home
from aibom.inventory.stated_digests import stated_digests
from aibom.inventory.stated_rows import stated_rows
from aibom.policy import THE_LAST_DAY, Allowlist, Policy, judge_contents, judged
from aibom.policy.expectation import expected_signer, may_be_unsigned
from aibom.sources.evidence_folder import EvidenceFolder
from aibom.sources.opening import Opening
from aibom.trust.digests import check_claims
from aibom.trust.stated import stated_checks
from aibom.trust.trust_root import TrustRoot
from aibom.workflows.described import Described
from aibom.workflows.evidence import RowsFound, keeper, parts_of, rows_of
from aibom.workflows.media import with_media
from aibom.workflows.places import Resolved, opened_cache, resolved
from aibom.workflows.progress import Progress, Silent
from aibom.workflows.rows import RowsRequest, opener
from aibom.workflows.signatures import Signatures
from aibom.workflows.survey import Hands, Survey, survey


@dataclass(frozen=True, slots=True, kw_only=True)
class ScanRequest:
    """What the user asked for, with every default already filled in."""

    targets: tuple[str, ...]
    policy: Policy
    allowlist: Callable[[], Allowlist] = Allowlist  # asked only when something imports
    opening: Opening = field(default_factory=Opening)
    jobs: int = 1
    cache: Path | None = None  # None: no digest of an earlier run is used or kept
    timestamp: str | None = None  # ISO 8601; None in reproducible mode
    name: str | None = None  # what to call the targets instead of the names of their folders
    reread: bool = False  # True: digest every file now, whatever the cache knows
    expected: Expected | None = None  # whose signatures count; None: whom the policy names, if anybody
    today: date = THE_LAST_DAY  # of waivers and deadlines; by default none is in force any more
    root: TrustRoot | None = None  # for keyless signatures; None: the production root of sigstore
    described: Described | None = None  # headers that other scans of this run read
    rows: RowsRequest | None = None  # how to fingerprint the rows of datasets; None: not at all
    evidence: Path | None = None  # the folder that sidecars are written to


def scan(request: ScanRequest, progress: Progress | None = None) -> Report:
    """Everything that is in the targets, judged. Raises `UnreadableError` when one does not exist."""
    return judged(request.policy, observe(request, progress), request.today)


def observe(request: ScanRequest, progress: Progress | None = None) -> Report:
    """The same before the policy judges it."""
    told = progress or Silent()
    expected = request.expected or expected_signer(request.policy)
    places = resolved(request.targets, request.opening, called=request.name)
    folder = EvidenceFolder(request.evidence) if request.evidence else None
    with ExitStack() as stack:
        cache = opened_cache(request.cache, request.targets, stack, told)
        # Whoever expects a signer wants the bytes of today.
        hands = Hands(
            jobs=request.jobs,
            cache=cache,
            reread=request.reread or expected is not None or folder is not None,
            described=request.described,
            keep=keeper(folder) if folder else None,
        )
        seen = survey(places.pairs, hands, told)
    inventory = assemble(seen.files, seen.gaps, places.targets, model_digest)
    rows = _rows(request, inventory.components, seen, places, folder, told)
    signatures = Signatures(
        files={file.path: file for file in seen.files},
        components=inventory.components,
        expected=expected,
        root=request.root,
        gaps=seen.gaps,
        unsigned=may_be_unsigned(request.policy),
    )
    stated = stated_digests(seen.files, frozenset(seen.entries))
    checks = (
        *check_claims(seen.files),
        *stated_checks(stated, seen.files),
        *stated_rows(seen.files),
        *signatures.checks(places.pairs),
    )
    gaps = tuple(sorted((*seen.gaps, *inventory.gaps, *rows.gaps), key=_gap_order))
    return Report(
        targets=places.targets,
        tool=Tool(name="aibom", version=__version__),
        policy=request.policy.use,
        files=seen.files,
        components=inventory.components,
        references=at_home(seen.references, seen.entries, places.prefixes),
        checks=checks,
        rows=rows.rows,
        signals=rows.signals,
        evidence=(*seen.evidence, *rows.evidence),
        contents=judge_contents(seen.files, gaps, _allowlist(request, seen.files)),
        gaps=gaps,
        coverage=Coverage.of(seen.files, gaps, seen.listed, places.excluded),
        timestamp=request.timestamp,
    )


def _rows(
    request: ScanRequest,
    components: Iterable[Component],
    seen: Survey,
    places: Resolved,
    folder: EvidenceFolder | None,
    progress: Progress,
) -> RowsFound:
    if request.rows is None:
        return RowsFound()
    files = {file.path: file for file in seen.files}
    targets = list(zip(places.prefixes, (target.name for target in places.targets), strict=True))
    parts = with_media(parts_of(components, files), components, files, seen.gaps, targets)
    return rows_of(parts, opener(places.pairs), request.rows, folder, progress)


def _allowlist(request: ScanRequest, files: Iterable[File]) -> Allowlist:
    asked = any(file.facts.imports for file in files if file.facts)
    return request.allowlist() if asked else Allowlist()


def _gap_order(gap: Gap) -> tuple[str, str, str, int]:
    return gap.path, gap.stage, gap.detail, gap.offset or 0
