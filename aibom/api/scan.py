"""`aibom.scan`: everything in a folder, as the `Report` that every output is made of."""

from __future__ import annotations

import os
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Unpack

from aibom.api.expectation import Document, Whom, document, expected, jobs_or_all, texts, trust_root
from aibom.domain.report import Report
from aibom.policy import Allowlist, parse_pack, parse_policy
from aibom.sources.opening import Opening, client
from aibom.workflows.scan import ScanRequest
from aibom.workflows.scan import scan as run

_NEUTRAL_NAME = "target"


def scan(
    *targets: str | os.PathLike[str],
    policy: Document | None = None,
    exclude: Iterable[str] = (),
    name: str | None = None,
    reproducible: bool = False,
    cache: str | os.PathLike[str] | None = None,
    offline: bool = True,
    full: bool = False,
    jobs: int | None = None,
    **whom: Unpack[Whom],
) -> Report:
    """What is in the targets: components, signatures, findings and gaps. With `offline=False` they may be
    remote places, of whose large files only the header is fetched, unless `full`.

    `policy` is a policy document instead of the one that comes with the program. `cache` is a file for
    the digests of other runs; without it nothing is kept. Nothing that is scanned is run. Raises
    `UnreadableError` when a target does not exist, OSError for a named document, ValueError for a bad
    policy (`PolicyError`) or for keywords that do not fit.
    """
    paths = tuple(os.fspath(target) for target in targets)
    if not paths:
        raise ValueError("name at least one target: a folder or a file")
    remote = next((path for path in paths if "://" in path), None)
    if offline and remote is not None:
        raise ValueError(f"{remote!r} needs the network: say offline=False")
    whose = expected(whom)
    request = ScanRequest(
        targets=paths,
        policy=parse_policy(
            _packs().joinpath("baseline.yaml").read_bytes() if policy is None else document(policy)
        ),
        allowlist=_allowlist,
        opening=Opening(
            exclude=texts(exclude),
            surroundings=not reproducible,
            full=full,
            network=None if offline else client((), os.environ),
            environment=dict(os.environ),
        ),
        jobs=jobs_or_all(jobs),
        cache=Path(cache) if cache is not None else None,
        today=datetime.now(UTC).date(),
        timestamp=None if reproducible else datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        name=name or (_NEUTRAL_NAME if reproducible else None),
        # Whoever expects a signer wants the bytes of today.
        reread=reproducible or whose is not None,
        expected=whose,
        root=trust_root(whom),
    )
    return run(request)


def _allowlist() -> Allowlist:
    files = sorted(_packs().joinpath("allowlists").glob("*.json"))
    return Allowlist(packs=tuple(parse_pack(file.read_bytes()) for file in files))


def _packs() -> Path:
    """The packs inside of the installed package, or beside it in a checkout."""
    package = Path(__file__).parent.parent
    inside = package / "policies"
    return inside if inside.is_dir() else package.parent / "policies"
