"""`aibom.verify`: a verdict on a whole model, as a value."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Unpack

from aibom.api.expectation import Whom, expected, jobs_or_all, somebody, trust_root
from aibom.domain.verification import Verification
from aibom.workflows.verify import NobodyExpectedError, VerifyRequest
from aibom.workflows.verify import verify as run


def verify(
    target: str | os.PathLike[str],
    *,
    signature: str | os.PathLike[str] | None = None,
    bom: str | os.PathLike[str] | None = None,
    extra_allowed: bool = False,
    jobs: int | None = None,
    **whom: Unpack[Whom],
) -> Verification:
    """What the signatures and bills of materials of a model folder or file are worth, file by file.

    Never raises for a bad signature: look at `.ok` or `.outcome`. Raises ValueError when there is a
    signature and nobody is expected, OSError and `UnreadableError` when the target or a named document
    cannot be read.
    """
    request = VerifyRequest(
        target=os.fspath(target),
        expected=expected(whom),
        signature=Path(signature) if signature is not None else None,
        bom=Path(bom) if bom is not None else None,
        root=trust_root(whom),
        extra_allowed=extra_allowed,
        jobs=jobs_or_all(jobs),
    )
    try:
        return run(request)
    except NobodyExpectedError:
        somebody(whom)
        raise
