"""`aibom verify`: find signatures and bills of materials, judge them, compare them with the bytes."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from aibom import __version__
from aibom.domain.attestation import BillOfMaterials, VerificationSummary
from aibom.domain.check import Check, CheckKind, Outcome
from aibom.domain.errors import Reason, UnreadableError, unsupported
from aibom.domain.gap import Gap
from aibom.domain.signing import Expected, Judged
from aibom.domain.target import Tool
from aibom.domain.verification import FileState, FileVerdict, Statement, Verification
from aibom.fingerprint.resources import Range
from aibom.sources import resolve, scheme_of
from aibom.sources.opening import Opening
from aibom.trust.attestations import read_attestation
from aibom.trust.bom import read_digests
from aibom.trust.bundle import read_bundle
from aibom.trust.model import outcome_of
from aibom.trust.oms import OLD_PREDICATE, PREDICATE, clashes, read_manifest
from aibom.trust.trust_root import TrustRoot
from aibom.trust.verification import judge_signature
from aibom.workflows.comparing import (
    DIFFERS,
    Claim,
    Here,
    against_document,
    local,
    range_of,
    uncovered,
    verdicts,
)
from aibom.workflows.digesting import WHOLE, Kept, Place
from aibom.workflows.documents import Document, found_beside, found_in, found_remote, read_document
from aibom.workflows.progress import Progress, Silent

if TYPE_CHECKING:  # 30 ms
    from aibom.domain.file import File

_NO_DIGESTS = "it states no SHA-256 of any file: `aibom scan` writes a bill of materials that does"
_FAILED = "the signer says that it FAILED: nobody vouches for it, and it must not be used"
_UNCOVERED = "{} is signed by nobody: `aibom sign model` signs all, --allow-extra lets it pass"


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifyRequest:
    """What the user asked for, with every default already filled in."""

    target: str
    expected: Expected | None = None  # None: a signature cannot be judged
    signature: Path | None = None
    bom: Path | None = None
    root: TrustRoot | None = None
    extra_allowed: bool = False  # files that nobody vouches for are told and no mismatch
    jobs: int = 1
    opening: Opening = field(default_factory=lambda: Opening(surroundings=False, full=True))
    known: Mapping[str, File] = field(default_factory=dict)  # what was read in this very run, by path
    kept: Kept = field(default_factory=Kept)  # what says more about changed files


class NobodyExpectedError(Exception):
    """There is a signature, and the user did not say whose it has to be."""


def verify(request: VerifyRequest, progress: Progress | None = None) -> Verification:
    """The verdict on every signature and bill of materials of the target.

    Raises `UnreadableError` when the target or a named document is not there, `NobodyExpectedError`
    when there is a signature and no expectation.
    """
    told = progress or Silent()
    place = Place.of(resolve(request.target, request.opening), request.known)
    here = _here(request, place)
    for claim in here.claims:
        _read(claim, here, request)
    wanted = _wanted(here)
    here = replace(here, found=place.digest(wanted, request.jobs, told))
    for claim in here.claims:
        _judge_file(claim, here, request)
    return Verification(
        target=place.source.target,
        tool=Tool(name="aibom", version=__version__),
        statements=_statements(here, request, told),
        bytes=sum(place.entries[path].size for path in wanted),
    )


def _here(request: VerifyRequest, place: Place) -> Here:
    named = [
        read_document(path, kind, request.target)
        for path, kind in ((request.signature, "signature"), (request.bom, "bom"))
        if path is not None
    ]
    single = os.path.isfile(request.target)  # noqa: PTH113 - a path as it was typed
    if scheme_of(request.target):
        around = found_remote(place)
    else:
        around = found_beside(Path(request.target)) if single else found_in(place)
    kinds = {document.kind for document in named}
    heard = [*named, *(document for document in around if document.kind not in kinds)]
    # Those that are not heard are no part of the model either.
    inside = (document.inside for document in (*named, *around))
    return Here(
        place=place,
        alone=next(iter(place.entries), None) if single else None,
        left_out=tuple({path for path in inside if path is not None}),
        claims=tuple(Claim(document) for document in heard),
    )


def _read(claim: Claim, here: Here, request: VerifyRequest) -> None:
    try:
        if claim.document.kind == "bom":
            claim.listed, claim.signed = _digests(claim.document), claim.document.data
        else:
            _read_signature(claim, here, request)
    except UnreadableError as error:
        claim.failed = error


def _digests(document: Document) -> dict[str, str]:
    listed = read_digests(_data(document))
    if not listed:
        raise UnreadableError(Reason.MISSING, _NO_DIGESTS)
    return listed


def _data(document: Document) -> bytes:
    if document.failed is not None:
        raise document.failed
    return document.data


def _read_signature(claim: Claim, here: Here, request: VerifyRequest) -> None:
    claim.bundle = read_bundle(_data(claim.document))
    if request.expected is None:
        raise NobodyExpectedError
    if claim.bundle.message is not None:
        path = here.alone or claim.document.about
        if path is None or path not in here.place.entries:
            raise UnreadableError(Reason.MISSING, "the file that it signs is not here: name it as the target")
        claim.artifact = path
        return
    claim.judged = judge_signature(claim.bundle, None, request.expected, request.root)
    if claim.judged.payload is not None:
        _read_payload(claim, claim.judged, claim.judged.payload, here)


def _read_payload(claim: Claim, judged: Judged, payload: bytes, here: Here) -> None:
    attestation = read_attestation(payload)
    if attestation.predicate_type in (PREDICATE, OLD_PREDICATE):
        claim.manifest = read_manifest(payload)
        return
    if isinstance(attestation.facts, VerificationSummary) and not attestation.facts.passed:
        claim.judged = Judged(outcome=Outcome.UNSIGNED, detail=_FAILED, signer=judged.signer)
        return
    claim.subjects = attestation.subjects
    if any(subject.sha256() is None for subject in claim.subjects):
        raise unsupported("it states no SHA-256 of a subject, and no other digest is compared")
    if isinstance(attestation.facts, BillOfMaterials) and attestation.facts.format == "CycloneDX":
        # What is signed counts, whatever document lies beside it.
        claim.listed = read_digests(attestation.predicate) or None
        claim.signed = attestation.predicate
        claim.beside = against_document(claim.document, attestation.predicate, here)


def _judge_file(claim: Claim, here: Here, request: VerifyRequest) -> None:
    """Judges a signature over the bytes of a file."""
    if claim.artifact is None or claim.bundle is None or request.expected is None:
        return
    try:
        artifact = _artifact(here.found[claim.artifact, WHOLE])
        claim.judged = judge_signature(claim.bundle, artifact, request.expected, request.root)
    except UnreadableError as error:
        claim.failed = error


def _artifact(value: str | Gap | None) -> bytes:
    if isinstance(value, str):
        return bytes.fromhex(value)
    detail = value.detail if value is not None else "it became shorter"
    raise UnreadableError(Reason.IO_ERROR, f"the file that it signs cannot be read: {detail}")


def _wanted(here: Here) -> dict[str, list[Range]]:
    """Every range that a claim needs, by path."""
    wanted: dict[str, list[Range]] = {}
    everything = here.place.entries.keys()
    for claim in here.claims:
        if claim.manifest is not None and claim.failed is None:
            for resource in local(claim.manifest, claim.document, here).resources:
                if resource.name in everything:
                    wanted.setdefault(resource.name, []).append(range_of(resource))
        for path in _whole(claim, here):
            wanted.setdefault(path, []).append(WHOLE)
    return wanted


def _whole(claim: Claim, here: Here) -> Iterable[str]:
    """The files of which the claim needs the SHA-256."""
    everything = here.place.entries.keys()
    if claim.artifact is not None:
        return [claim.artifact]
    if claim.subjects or (claim.listed is not None and here.alone is not None):
        return sorted(everything)
    return sorted(everything & (claim.listed or {}).keys())


def _statements(here: Here, request: VerifyRequest, progress: Progress) -> tuple[Statement, ...]:
    compared = {
        index: _compared(claim, here, request, progress)
        for index, claim in enumerate(here.claims)
        if _can_compare(claim)
    }
    # Who signs single files says nothing about the others, which may be as dangerous.
    partial = [index for index in compared if here.claims[index].holds and not _is_whole(here.claims[index])]
    loose: tuple[FileVerdict, ...] = ()
    if partial and not any(claim.holds and _is_whole(claim) for claim in here.claims):
        loose = uncovered(here, (verdict for index in partial for verdict in compared[index]))
    if loose and request.extra_allowed:
        compared[partial[0]] += loose
        loose = ()
    statements = [_statement(claim, compared.get(i, ()), request) for i, claim in enumerate(here.claims)]
    return (*statements, *([_unsigned(here, loose)] if loose else []))


def _compared(
    claim: Claim, here: Here, request: VerifyRequest, progress: Progress
) -> tuple[FileVerdict, ...]:
    found = verdicts(claim, here)
    changed = any(verdict.state is FileState.CHANGED for verdict in found)
    if claim.signed is None or not changed:
        return found
    from aibom.workflows.changed_files import explained  # noqa: PLC0415 - 100 ms, and only after a mismatch

    return explained(found, claim.signed, here.place, request.kept, progress)


def _can_compare(claim: Claim) -> bool:
    return claim.failed is None and (claim.holds or claim.document.kind == "bom")


def _is_whole(claim: Claim) -> bool:
    """Whether it is about all files of a model."""
    return claim.manifest is not None or claim.listed is not None


def _unsigned(here: Here, loose: tuple[FileVerdict, ...]) -> Statement:
    name = here.place.source.target.name
    detail = _UNCOVERED.format("1 file" if len(loose) == 1 else f"each of {len(loose):,} files")
    check = Check(
        subject=name, kind=CheckKind.SIGNATURE, outcome=Outcome.UNSIGNED, identity="", detail=detail
    )
    return Statement(name=name, check=check, files=loose)


def _statement(claim: Claim, files: tuple[FileVerdict, ...], request: VerifyRequest) -> Statement:
    if claim.failed is not None:
        unknown = claim.failed.reason is Reason.UNSUPPORTED
        return _told(claim, Outcome.UNSUPPORTED if unknown else Outcome.COULD_NOT_CHECK, str(claim.failed))
    if claim.judged is not None and not claim.holds:
        return _told(claim, claim.judged.outcome, claim.judged.detail)
    outcome, detail = outcome_of(files, extra_allowed=request.extra_allowed)
    if claim.manifest is not None and (groups := clashes(claim.manifest)):
        names = ", ".join(groups[0])
        detail += f"; on some file systems these are one file: {names}"
    if any(verdict.state is FileState.CHANGED for verdict in claim.beside):
        detail += f"; of {claim.beside[0].path}: {DIFFERS}"
    return _told(claim, outcome, detail, files)


def _told(claim: Claim, outcome: Outcome, detail: str, files: tuple[FileVerdict, ...] = ()) -> Statement:
    is_bom = claim.document.kind == "bom"
    signer = claim.judged.signer if claim.judged else None
    check = Check(
        subject=claim.document.name,
        kind=CheckKind.DIGEST if is_bom else CheckKind.SIGNATURE,
        outcome=outcome,
        identity=signer.identity if signer else "the bill of materials" if is_bom else "",
        detail=detail,
    )
    return Statement(name=claim.document.name, check=check, signer=signer, files=files)
