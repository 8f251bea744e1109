"""`aibom verify --policy`: who vouches for the target, and may it be used? One read of each file."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from aibom.domain.check import Check, CheckKind
from aibom.domain.component import ComponentKind
from aibom.domain.report import Report
from aibom.domain.verification import Verification
from aibom.policy import judged
from aibom.policy.expectation import expected_signer
from aibom.workflows.progress import Progress
from aibom.workflows.scan import ScanRequest, observe
from aibom.workflows.verify import VerifyRequest, verify

_SIGNED = frozenset({ComponentKind.MODEL, ComponentKind.ADAPTER, ComponentKind.DATASET})


@dataclass(frozen=True, slots=True, kw_only=True)
class Gated:
    """Both verdicts: that on signatures, and that of the policy."""

    verification: Verification
    report: Report


def gate(verifying: VerifyRequest, scanning: ScanRequest, progress: Progress | None = None) -> Gated:
    """Looks at the target, verifies it with what was read, and lets the policy judge both.

    Without an expectation of its own, the policy says whose signature it has to be. Raises as `verify`
    and `scan` do.
    """
    expected = verifying.expected or expected_signer(scanning.policy)
    report = observe(replace(scanning, expected=expected, root=verifying.root, reread=True), progress)
    known = {file.path: file for file in report.files}
    verification = verify(replace(verifying, expected=expected, known=known), progress)
    # What `verify` says counts: it reads shards and other digests, which a scan does not.
    checks = tuple(check for check in report.checks if check.kind is not CheckKind.SIGNATURE)
    report = replace(report, checks=(*checks, *_checks(verification, report)))
    return Gated(verification=verification, report=judged(scanning.policy, report, scanning.today))


def _checks(verification: Verification, report: Report) -> Iterator[Check]:
    """The verdict on each signature, about each component; they are all verified, or none is."""
    subjects = [each.id for each in report.components if each.kind in _SIGNED]
    vouching = [each for each in verification.statements if each.check.kind is CheckKind.SIGNATURE]
    for statement in vouching:
        signer = statement.signer
        for subject in subjects:
            yield replace(
                statement.check,
                subject=subject,
                outcome=statement.check.outcome if verification.ok else verification.outcome,
                source=statement.name,
                issuer=signer.issuer if signer else "",
                signed_at=signer.signed_at if signer else None,
            )
    if not vouching:
        for subject in subjects:
            yield Check(
                subject=subject, kind=CheckKind.SIGNATURE, outcome=verification.outcome, identity="",
                detail="nobody vouches for it with a signature",
            )  # fmt: skip
