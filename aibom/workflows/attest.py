"""`aibom attest`: scan, judge, and say the verdict or the bill of materials about the weight files."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote

from aibom import __version__
from aibom.domain.attestation import Subject, VerificationSummary
from aibom.domain.facts import FileKind
from aibom.domain.file import File
from aibom.domain.finding import Severity
from aibom.domain.report import Report
from aibom.domain.text import capped, visible
from aibom.domain.verdict import Verdict, judge
from aibom.trust.attestations import bom_statement, verification_summary
from aibom.workflows.progress import Progress
from aibom.workflows.scan import ScanRequest, scan
from aibom.workflows.sign import WEIGHTS

# The statement names the policy and not this bound, so that nobody may move it.
FAIL_ON: Final = Severity.HIGH
AIBOM: Final = f"pkg:pypi/aibom@{quote(__version__, safe='.')}"  # a package URL is a URI
# SLSA's word for "passed, and nobody looked at how it was built".
UNEVALUATED: Final = "SLSA_BUILD_LEVEL_UNEVALUATED"


@dataclass(frozen=True, slots=True, kw_only=True)
class AttestRequest:
    """What is attested, in whose name. All texts are URIs."""

    scan: ScanRequest
    verifier: str = AIBOM
    policy: str = f"{AIBOM}#policies/baseline.yaml"
    resource: str | None = None  # where the model is fetched from; None: `file:` and the name of the target
    strict: bool = False  # any gap fails
    bom: Callable[[Report], bytes] | None = None  # writes the predicate instead of the verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Attested:
    """The verdict, and the statement: None when no file has a digest that it could be about."""

    verdict: Verdict
    statement: bytes | None
    subjects: int
    findings: int  # that fail
    gaps: int


def attest(request: AttestRequest, progress: Progress | None = None) -> Attested:
    """Scans and attests. The verdict is that of `aibom scan` with its own bound for severities.

    Raises `UnreadableError` when the target does not exist, or when there is more than a statement holds.
    """
    report = scan(request.scan, progress)
    verdict = judge(report, FAIL_ON, strict=request.strict)
    subjects = subjects_of(report)
    return Attested(
        verdict=verdict,
        statement=_statement(request, report, verdict, subjects) if subjects else None,
        subjects=len(subjects),
        findings=sum(each.severity >= FAIL_ON and each.counts for each in report.findings),
        gaps=len(report.gaps),
    )


def subjects_of(report: Report) -> tuple[Subject, ...]:
    """The weight files by the SHA-256 of their bytes; every file, when there are no weights.

    A Git LFS pointer is none: its bytes are not those of the model.
    """
    digested = [file for file in report.files if file.sha256 is not None and not _is_pointer(file)]
    weights = [file for file in digested if _is_weights(file)]
    return tuple(
        Subject(name=capped(visible(file.path)), digests=(("sha256", file.sha256 or ""),))
        for file in weights or digested
    )


def _is_pointer(file: File) -> bool:
    return file.facts is not None and file.facts.kind is FileKind.POINTER


def _is_weights(file: File) -> bool:
    # By name, too: what could not be read may be weights all the same.
    by_content = file.facts is not None and file.facts.kind is FileKind.WEIGHTS
    return by_content or file.path.lower().endswith(WEIGHTS)


def _statement(
    request: AttestRequest, report: Report, verdict: Verdict, subjects: tuple[Subject, ...]
) -> bytes:
    if request.bom is not None:
        return bom_statement(request.bom(report), subjects)
    passed = verdict is Verdict.PASSED
    summary = VerificationSummary(
        verifier=request.verifier,
        resource=request.resource or f"file:{quote(os.fsencode(report.targets[0].name), safe='')}",
        policy=request.policy,
        passed=passed,
        levels=(UNEVALUATED,) if passed else (),
        versions=((report.tool.name, report.tool.version),),
        policy_digests=(("sha256", report.policy.sha256),),
        verified_at=report.timestamp or "",
    )
    return verification_summary(summary, subjects)
