"""Digests that somebody claims, compared with those that we computed."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from aibom.domain.check import Check, CheckKind, Outcome
from aibom.domain.digest import Digest, Grade
from aibom.domain.file import File

_NOT_READ: Final = "only the header was fetched: --full reads all bytes"
_NOT_COMPUTED: Final = "the bytes were not read with this algorithm"


def check_claims(files: Iterable[File]) -> tuple[Check, ...]:
    """One check per claimed digest, in order of path and algorithm."""
    return tuple(
        _check(file, claim)
        for file in files
        for claim in sorted(file.digests, key=lambda digest: digest.algorithm)
        if claim.grade < Grade.COMPUTED
    )


def _check(file: File, claim: Digest) -> Check:
    computed = file.digest(claim.algorithm, Grade.COMPUTED)
    if computed is None:
        outcome, detail = Outcome.COULD_NOT_CHECK, _NOT_READ if file.entry.header_only else _NOT_COMPUTED
    elif computed.value == claim.value:
        outcome, detail = Outcome.VERIFIED, "the bytes have the claimed digest"
    else:
        outcome, detail = Outcome.CONTENT_MISMATCH, "the bytes are not those that the digest names"
    return Check(
        subject=file.path,
        kind=CheckKind.DIGEST,
        outcome=outcome,
        identity=f"{claim.grade.label} {claim.algorithm}",
        detail=detail,
        expected=claim.value,
        found=computed.value if computed else "",
    )
